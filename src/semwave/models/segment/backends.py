"""Importance of every pixel, by name: trained networks of our own, models of the hub, and two plain references."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from semwave.models.segment import ask, grow, lite_net, tiny_net
from semwave.models.segment.ask import Key
from semwave.models.segment.references import centre_prior, resize, spectral_residual
from semwave.models.segment.regions import Importance, Picture

if TYPE_CHECKING:
    from torch import Tensor

BACKENDS = ("lite", "tiny", "spectral", "centre")
WEIGHTS = Path(__file__).resolve().parents[1] / "weights"

_LITE_SIDE, _TINY_SIDE = 448, 256  # longer side of what the networks see
_GROW = (0.6, 0.25, 0.15)  # what the deep features, the decoder's and the colours count when a point grows
_MAGNIFY = 4  # at most; small pictures show no more in a large frame
_HUGE = 4096  # a longer side above this is brought down without interpolation first


@dataclass(frozen=True)
class Segmenter:
    """A backend's name, its importance map of one picture, and what it knows about points, boxes and words."""

    name: str
    _one: Callable[[Picture], Importance]
    _point: Callable[[Picture, int, int], Importance] | None = None
    _box: Callable[[Picture, tuple[int, int, int, int]], Importance] | None = None
    _word: Callable[[Picture, str], Importance | None] | None = None

    def importance(self, images: Sequence[Picture]) -> list[Importance]:
        """Importance of every pixel in [0, 1]: uint8 [rows, columns, 3] -> float32 [rows, columns], each alone.

        Raises:
            ValueError: an image of another type or shape, or without pixels.
        """
        for image in images:
            check_picture(image)
        return [self._one(image) for image in images]

    def find(self, image: Picture, key: Key, name: str = "") -> Importance | None:
        """Importance by what the user says is key; None where the picture shows nothing that the word names, or
        its mask is black all over.

        Raises:
            ValueError: a box or a point outside the picture, a mask of another size, a word that nobody knows.
            FileNotFoundError: no mask for the picture ``name``.
        """
        check_picture(image)
        shape = image.shape[:2]
        if key.kind == "mask":
            found = ask.mask_of(key, shape, name)
            return found if found.any() else None
        if key.kind == "box":
            box = ask.box_of(key, shape, name)
            return self._box(image, box) if self._box else self._in_box(image, box)
        if key.kind == "point":
            row, column = ask.point_of(key, shape, name)
            return self._point(image, row, column) if self._point else self._by_colour(image, row, column)
        if key.kind == "word":
            if self._word is None:
                raise ValueError(f"key word:{key.text}: the model {self.name!r} knows no words; lite does")
            return self._word(image, key.text)
        return self._one(image)

    def _in_box(self, image: Picture, box: tuple[int, int, int, int]) -> Importance:
        """All of the box; what is important in it first, should the budget be short."""
        left, top, right, bottom = box
        result = np.zeros(image.shape[:2], np.float32)
        result[top:bottom, left:right] = 0.6 + 0.4 * self._one(image)[top:bottom, left:right]
        return result

    def _by_colour(self, image: Picture, row: int, column: int) -> Importance:
        """The object at a point, by its colours and the importance that the backend sees."""
        scale = min(1.0, 96 / max(image.shape[:2]))
        shape = (max(1, round(image.shape[0] * scale)), max(1, round(image.shape[1] * scale)))
        return grown([(grow.colours(image, shape), 1.0)], self._one(image), row, column)


def grown(kinds: list[tuple[Any, float]], importance: Importance, row: int, column: int) -> Importance:
    """`grow` at the resolution of the features: [c, h, w] each, [H, W] -> float32 [H, W]."""
    height, width = kinds[0][0].shape[1:]
    coarse = resize(importance, (height, width))
    y, x = row * height // importance.shape[0], column * width // importance.shape[1]
    return resize(grow.grow(kinds, coarse, y, x), importance.shape)


def check_picture(image: Any) -> None:
    """Raise ValueError unless ``image`` is uint8 [rows, columns, 3] with pixels."""
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        found = f"{image.dtype} {list(image.shape)}"
        raise ValueError(f"images must be uint8 [rows, columns, 3], not {found}")


def load_segmenter(name: str = "lite", device: str = "cpu") -> Segmenter:
    """Load a backend by name; ``lite``, ``tiny`` and the hub's need torch and use the device.

    ``hub:ID`` is a model of the hub or a folder with one: of the families SAM, CLIPSeg, Mask2Former, MaskFormer,
    SegFormer.

    Raises:
        ValueError: no such backend or device, or a hub model of another family.
        FileNotFoundError: the package was installed without its weights.
        OSError: the hub cannot be reached and the model is not on this machine.
    """
    if name == "lite":
        return _lite(WEIGHTS / "segmenter-lite" / "model.safetensors", device)
    if name == "tiny":
        return Segmenter(name, _tiny(WEIGHTS / "segmenter-tiny" / "model.safetensors", device))
    if name == "spectral":
        return Segmenter(name, spectral_residual)
    if name == "centre":
        return Segmenter(name, centre_prior)
    if name.startswith("hub:"):
        from semwave.models.segment import hub

        return hub.load(name, device)
    raise ValueError(f"name must be one of {', '.join(BACKENDS)} or hub:ID, not {name!r}")


def _tiny(path: Path, device: str) -> Callable[[Picture], Importance]:
    import torch

    net = _loaded(tiny_net, path, device)

    def one(image: Picture) -> Importance:
        with torch.inference_mode():
            logits = tiny_net.forward(net, tensor(image, _TINY_SIDE).to(device))
        return resize(logits[0, 0].sigmoid().cpu().numpy(), image.shape[:2])

    return one


def _lite(path: Path, device: str) -> Segmenter:
    import torch

    from semwave.models import efficientnet
    from semwave.models.segment import words

    net = _loaded(lite_net, path, device)
    backbone = efficientnet.load(device)

    def run(image: Picture) -> tuple[Importance, Any, Any]:
        """Importance, and the features of the decoder and of the backbone's stage 5 at its resolution."""
        with torch.inference_mode():
            stages = backbone.stages(tensor(image, _LITE_SIDE).to(device), 6)
            own = lite_net.pyramid(net, [stages[tap] for tap in lite_net.TAPS])
            importance = net["head"](own)[0, 0].sigmoid().cpu().numpy()
        return resize(importance, image.shape[:2]), own, stages[5]

    def point(image: Picture, row: int, column: int) -> Importance:
        importance, own, deep = run(image)
        shape = own.shape[2:]
        deep = torch.nn.functional.interpolate(deep, shape, mode="bilinear", align_corners=False)
        kinds = [(deep, _GROW[0]), (own, _GROW[1])]
        features = [(part[0].cpu().numpy(), weight) for part, weight in kinds]
        return grown([*features, (grow.colours(image, shape), _GROW[2])], importance, row, column)

    def word(image: Picture, text: str) -> Importance | None:
        found = words.find_word(backbone, image, text, device)
        return None if found is None else np.sqrt(found) * (0.2 + 0.8 * run(image)[0])

    return Segmenter("lite", lambda image: run(image)[0], point, None, word)


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
    """uint8 [H, W, 3] -> float32 [1, 3, h, w] in [0, 1], both sides multiples of ``step``.

    The longer side is ``longest``, less where that would magnify the picture more than `_MAGNIFY` times.
    """
    import torch

    while max(image.shape[:2]) >= _HUGE:  # every second pixel: resampling such pictures would take longer than the net
        image = image[:: 2 if image.shape[0] > 1 else 1, :: 2 if image.shape[1] > 1 else 1]
    scale = min(longest, max(2 * step, _MAGNIFY * max(image.shape[:2]))) / max(image.shape[:2])
    rows, columns = (max(step, round(n * scale / step) * step) for n in image.shape[:2])
    small = np.asarray(Image.fromarray(image).resize((columns, rows), Image.Resampling.BILINEAR))
    return torch.from_numpy(small.astype(np.float32) / 255).permute(2, 0, 1)[None]
