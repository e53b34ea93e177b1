"""Importance of every pixel, by name: trained networks of our own, models of the hub, and two plain references."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from semwave.models.segment import lite_net, tiny_net
from semwave.models.segment.references import Picture, centre_prior, resize, spectral_residual
from semwave.models.segment.regions import Importance

if TYPE_CHECKING:
    from torch import Tensor

BACKENDS = ("tiny", "spectral", "centre")
WEIGHTS = Path(__file__).resolve().parents[1] / "weights"

_LITE_SIDE, _TINY_SIDE = 384, 256  # longer side of what the networks see
_HUGE = 4096  # a longer side above this is brought down without interpolation first


@dataclass(frozen=True)
class Segmenter:
    """A backend's name and its importance map of one picture."""

    name: str
    _one: Callable[[Picture], Importance]

    def importance(self, images: Sequence[Picture]) -> list[Importance]:
        """Importance of every pixel in [0, 1]: uint8 [rows, columns, 3] -> float32 [rows, columns], each alone.

        Raises:
            ValueError: an image of another type or shape, or without pixels.
        """
        for image in images:
            check_picture(image)
        return [self._one(image) for image in images]


def check_picture(image: Any) -> None:
    """Raise ValueError unless ``image`` is uint8 [rows, columns, 3] with pixels."""
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        found = f"{image.dtype} {list(image.shape)}"
        raise ValueError(f"images must be uint8 [rows, columns, 3], not {found}")


def load_segmenter(name: str = "tiny", device: str = "cpu") -> Segmenter:
    """Load a backend by name; ``lite`` and ``tiny`` need torch and use the device.

    Raises:
        ValueError: no such backend or device.
        FileNotFoundError: the package was installed without its weights.
    """
    if name == "lite":
        return Segmenter(name, _lite(WEIGHTS / "segmenter-lite" / "model.safetensors", device))
    if name == "tiny":
        return Segmenter(name, _tiny(WEIGHTS / "segmenter-tiny" / "model.safetensors", device))
    if name == "spectral":
        return Segmenter(name, spectral_residual)
    if name == "centre":
        return Segmenter(name, centre_prior)
    raise ValueError(f"name must be one of {', '.join(BACKENDS)}, not {name!r}")


def _tiny(path: Path, device: str) -> Callable[[Picture], Importance]:
    import torch

    net = _loaded(tiny_net, path, device)

    def one(image: Picture) -> Importance:
        with torch.inference_mode():
            logits = tiny_net.forward(net, tensor(image, _TINY_SIDE).to(device))
        return resize(logits[0, 0].sigmoid().cpu().numpy(), image.shape[:2])

    return one


def _lite(path: Path, device: str) -> Callable[[Picture], Importance]:
    import torch

    from semwave.models import efficientnet

    net = _loaded(lite_net, path, device)
    backbone = efficientnet.load(device)

    def one(image: Picture) -> Importance:
        with torch.inference_mode():
            stages = backbone.stages(tensor(image, _LITE_SIDE).to(device))
            logits = lite_net.forward(net, [stages[tap] for tap in lite_net.TAPS])
        return resize(logits[0, 0].sigmoid().cpu().numpy(), image.shape[:2])

    return one


def _loaded(module: Any, path: Path, device: str) -> Any:
    """The network of ``module`` with the weights of ``path``, in evaluation mode."""
    from safetensors.torch import load_file

    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: the package was installed without its weights")
    net = module.build()
    weights = {key: value.float() for key, value in load_file(path).items()}
    missing, unexpected = net.load_state_dict(weights, strict=False)
    if unexpected or any(not key.endswith("num_batches_tracked") for key in missing):
        raise ValueError(f"{path} does not hold the weights of {module.__name__}")
    try:
        return net.eval().to(device)
    except (RuntimeError, AssertionError) as error:  # torch's ways of saying: no such device
        raise ValueError(f"device must be one that torch has here, not {device!r}: {error}") from error


def tensor(image: Picture, longest: int, step: int = 32) -> Tensor:
    """uint8 [H, W, 3] -> float32 [1, 3, h, w] in [0, 1]; the longer side ``longest``, both multiples of ``step``."""
    import torch

    while max(image.shape[:2]) >= _HUGE:  # every second pixel: resampling such pictures would take longer than the net
        image = image[:: 2 if image.shape[0] > 1 else 1, :: 2 if image.shape[1] > 1 else 1]
    scale = longest / max(image.shape[:2])
    rows, columns = (max(step, round(n * scale / step) * step) for n in image.shape[:2])
    small = np.asarray(Image.fromarray(image).resize((columns, rows), Image.Resampling.BILINEAR))
    return torch.from_numpy(small.astype(np.float32) / 255).permute(2, 0, 1)[None]
