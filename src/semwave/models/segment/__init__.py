"""Which part of a picture matters: an importance map per pixel, and the key mask on a grid of blocks.

Backends: ``tiny`` (a trained network, see ``weights/segmenter-tiny/README.md``), ``spectral`` (the spectral
residual of Hou and Zhang, CVPR 2007: nothing trained) and ``centre`` (a Gaussian in the middle: looks at nothing).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from semwave.models.segment import tiny_net as segment_net

Picture = NDArray[np.uint8]
Importance = NDArray[np.float32]
Mask = NDArray[np.bool_]

BACKENDS = ("tiny", "spectral", "centre")
WEIGHTS = Path(__file__).resolve().parents[1] / "weights"

_LONG_SIDE = 256  # what the tiny network was trained on
_FLOOR = 0.3  # blocks below this importance are not key, even within the budget
_PULL = 0.6  # how much the neighbourhood of a block counts beside the block: keeps the mask in few parts
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


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
            if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
                found = f"{image.dtype} {list(image.shape)}"
                raise ValueError(f"images must be uint8 [rows, columns, 3], not {found}")
        return [self._one(image) for image in images]


def load_segmenter(name: str = "tiny", device: str = "cpu") -> Segmenter:
    """Load a backend by name; only ``tiny`` needs torch and uses the device.

    Raises:
        ValueError: no such backend or device.
        FileNotFoundError: the package was installed without its weights.
    """
    if name == "tiny":
        return Segmenter(name, _tiny(WEIGHTS / "segmenter-tiny" / "model.safetensors", device))
    if name == "spectral":
        return Segmenter(name, spectral_residual)
    if name == "centre":
        return Segmenter(name, centre_prior)
    raise ValueError(f"name must be one of {', '.join(BACKENDS)}, not {name!r}")


def key_mask(importance: Importance, budget: float, block: int = 16) -> Mask:
    """The most important blocks: [H, W] -> bool [ceil(H / block), ceil(W / block)].

    They cover at most the share ``budget`` of the picture (but at least one block is taken), are above a floor of
    importance, and are clean: small holes are filled, specks are dropped. Of blocks alike, those in the middle of
    their kind win.

    Raises:
        ValueError: ``budget`` outside (0, 1], ``block`` below 1, or no finite map [rows, columns].
    """
    if not 0.0 < budget <= 1.0:
        raise ValueError(f"budget must be in (0, 1], not {budget}")
    if block < 1:
        raise ValueError(f"block must be at least 1 pixel, not {block}")
    if importance.ndim != 2 or 0 in importance.shape or not np.isfinite(importance).all():
        raise ValueError(f"importance must be finite, [rows, columns], not {list(importance.shape)}")
    level, area = _block_means(importance, block)
    level = _smooth(level)
    order = np.argsort(-(level + _PULL * _neighbourhood(level)), axis=None, kind="stable")
    allowed = budget * importance.size
    floor = min(_FLOOR, 0.5 * float(level.max()))
    most = max(1, int((level.ravel()[order] >= floor).sum()))

    def top(count: int) -> Mask:
        chosen = np.zeros(level.size, np.bool_)
        chosen[order[:count]] = True
        return _clean(chosen.reshape(level.shape))

    low, high = 1, most + 1  # the cleaned area all but grows with the count: bisect, then make sure
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if area[top(middle)].sum() <= allowed else (low, middle)
    while low > 1 and area[top(low)].sum() > allowed:
        low -= 1
    return top(low)


def expand(mask: Mask, block: int, shape: tuple[int, int]) -> Mask:
    """Blocks to pixels: bool [ceil(H / block), ceil(W / block)] -> bool [H, W] = ``shape``.

    Raises:
        ValueError: a mask whose grid is not that of ``shape``.
    """
    grid = (-(-shape[0] // block), -(-shape[1] // block))
    if mask.shape != grid:
        raise ValueError(f"mask must be {list(grid)} for {list(shape)} pixels, not {list(mask.shape)}")
    return np.repeat(np.repeat(mask, block, axis=0), block, axis=1)[: shape[0], : shape[1]]


def spectral_residual(image: Picture) -> Importance:
    """Spectral-residual saliency (Hou and Zhang 2007) at 64 pixels; 0.5 is their threshold, three times the mean.

    R = log A - mean3x3(log A); S = |IFFT(exp(R + i P))|^2, smoothed. uint8 [H, W, 3] -> float32 [H, W].
    """
    from scipy.ndimage import gaussian_filter, uniform_filter

    height, width = image.shape[:2]
    scale = 64 / max(height, width)
    small = (max(1, round(width * scale)), max(1, round(height * scale)))
    grey = np.asarray(Image.fromarray(image).resize(small, Image.Resampling.BOX), np.float32) @ _LUMA
    spectrum = np.fft.fft2(grey)
    log_amplitude = np.log(np.abs(spectrum) + 1e-6)
    residual = log_amplitude - uniform_filter(log_amplitude, 3, mode="wrap")
    saliency = np.abs(np.fft.ifft2(np.exp(residual + 1j * np.angle(spectrum)))) ** 2
    saliency = gaussian_filter(saliency, 2.5)
    return _resize(np.clip(saliency / (6 * saliency.mean()), 0, 1).astype(np.float32), (height, width))


def centre_prior(image: Picture) -> Importance:
    """A Gaussian in the middle, whatever is there: uint8 [H, W, 3] -> float32 [H, W]."""
    y, x = (np.linspace(-1 + 1 / n, 1 - 1 / n, n, dtype=np.float32) for n in image.shape[:2])
    importance: Importance = np.exp(-1.5 * (y[:, None] ** 2 + x[None, :] ** 2)).astype(np.float32)
    return importance


def _tiny(path: Path, device: str) -> Callable[[Picture], Importance]:
    import torch
    from safetensors.torch import load_file

    if not path.exists():
        raise FileNotFoundError(f"{path} is missing; training/segmenter_tiny.py makes it")
    weights = {key: value.float() for key, value in load_file(path).items()}
    net = segment_net.build()
    missing, unexpected = net.load_state_dict(weights, strict=False)
    if unexpected or any(not key.endswith("num_batches_tracked") for key in missing):
        raise ValueError(f"{path} does not hold the weights of segment_net")
    try:
        net = net.eval().to(device)
    except (RuntimeError, AssertionError) as error:  # torch's ways of saying: no such device
        raise ValueError(f"device must be one that torch has here, not {device!r}: {error}") from error

    def one(image: Picture) -> Importance:
        x = np.asarray(Image.fromarray(image).resize(_net_size(image.shape), Image.Resampling.BILINEAR))
        with torch.inference_mode():
            x_BCHW = torch.from_numpy(x.astype(np.float32) / 255).permute(2, 0, 1)[None].to(device)
            map_hw = segment_net.forward(net, x_BCHW)[0, 0].sigmoid().cpu().numpy()
        return _resize(map_hw, image.shape[:2])

    return one


def _net_size(shape: tuple[int, ...]) -> tuple[int, int]:
    """Width and height, multiples of the network's stride, the longer one 256."""
    step, longest = segment_net.STRIDE, max(shape[:2])
    rows, columns = (max(step, round(n * _LONG_SIDE / longest / step) * step) for n in shape[:2])
    return columns, rows


def _resize(values: Importance, shape: tuple[int, ...]) -> Importance:
    picture = Image.fromarray(values).resize((shape[1], shape[0]), Image.Resampling.BILINEAR)
    return np.clip(np.asarray(picture, np.float32), 0.0, 1.0)


def _block_means(values: NDArray[Any], block: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and area in pixels of each block; the last row and column of blocks may be cut."""
    edges = [np.arange(0, n, block) for n in values.shape]
    sums = np.add.reduceat(np.add.reduceat(values.astype(np.float64), edges[0], axis=0), edges[1], axis=1)
    sizes = [np.diff(np.append(e, n)) for e, n in zip(edges, values.shape, strict=True)]
    area = np.outer(sizes[0], sizes[1]).astype(np.float64)
    return sums / area, area


def _smooth(level: NDArray[np.float64]) -> NDArray[np.float64]:
    """1-2-1 both ways: outlines get simpler, so the mask costs fewer bits."""
    for axis in (0, 1):
        pad = [(1, 1) if k == axis else (0, 0) for k in (0, 1)]
        wide = np.pad(level, pad, mode="edge")
        before, after = (np.take(wide, range(s, s + level.shape[axis]), axis) for s in (0, 2))
        level = 0.5 * level + 0.25 * (before + after)
    return level


def _neighbourhood(level: NDArray[np.float64]) -> NDArray[np.float64]:
    """Importance around each block, nothing beyond the rim; a trace of the distance to the middle breaks ties."""
    from scipy.ndimage import gaussian_filter

    y, x = (np.linspace(-1, 1, n) if n > 1 else np.zeros(1) for n in level.shape)
    around: NDArray[np.float64] = gaussian_filter(level, max(1.0, max(level.shape) / 10), mode="constant")
    return around - 1e-6 * (y[:, None] ** 2 + x[None, :] ** 2)


def _clean(mask: Mask) -> Mask:
    """Fill holes and drop specks of up to 1/100 of the grid (at least two blocks); the largest part stays."""
    from scipy.ndimage import label

    small = max(2, mask.size // 100)
    holes, _ = label(~mask)
    sizes = np.bincount(holes.ravel())
    rim = np.concatenate([holes[0], holes[-1], holes[:, 0], holes[:, -1]])
    filled = sizes <= small
    filled[rim] = False
    mask = mask | filled[holes]
    parts, _ = label(mask, structure=np.ones((3, 3)))
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    kept = sizes > small
    kept[np.argmax(sizes)] = True
    kept[0] = False
    clean: Mask = kept[parts]
    return clean
