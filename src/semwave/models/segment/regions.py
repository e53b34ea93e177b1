"""From importance to the key mask on a grid of blocks, and from blocks to pixels."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Importance = NDArray[np.float32]
Mask = NDArray[np.bool_]
Picture = NDArray[np.uint8]

_FLOOR = 0.3  # blocks below this importance are not key, even within the budget
_DETAIL = 0.6  # how much detail counts beside importance where the budget does not take all that is important
_PULL = 0.6  # how much the neighbourhood of a block counts beside the block: keeps the mask in few parts


def key_mask(importance: Importance, budget: float, block: int = 16, image: Picture | None = None) -> Mask:
    """The most important blocks: [H, W] -> bool [ceil(H / block), ceil(W / block)].

    They cover at most the share ``budget`` of the picture (but at least one block is taken), are above a floor of
    importance, and are clean: small holes are filled, specks are dropped. Of blocks alike, those in the middle of
    their kind win; with the picture, uint8 [H, W, 3], those with more detail: of a man, the face before the suit.

    Raises:
        ValueError: ``budget`` outside (0, 1], ``block`` below 1, no finite map [rows, columns], another picture's map.
    """
    if not 0.0 < budget <= 1.0:
        raise ValueError(f"budget must be in (0, 1], not {budget}")
    if block < 1:
        raise ValueError(f"block must be at least 1 pixel, not {block}")
    if importance.ndim != 2 or 0 in importance.shape or not np.isfinite(importance).all():
        raise ValueError(f"importance must be finite, [rows, columns], not {list(importance.shape)}")
    level, area = _block_means(importance, block)
    level = _smooth(level)
    rank = level + _PULL * _neighbourhood(level)
    if image is not None:
        if image.shape[:2] != importance.shape:
            raise ValueError(f"image must be {list(importance.shape)} pixels as importance, not {list(image.shape)}")
        rank += _DETAIL * level * _detail(image, block)
    order = np.argsort(-rank, axis=None, kind="stable")
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


def _block_means(values: NDArray[Any], block: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and area in pixels of each block; the last row and column of blocks may be cut."""
    edges = [np.arange(0, n, block) for n in values.shape]
    sums = np.add.reduceat(np.add.reduceat(values.astype(np.float64), edges[0], axis=0), edges[1], axis=1)
    sizes = [np.diff(np.append(e, n)) for e, n in zip(edges, values.shape, strict=True)]
    area = np.outer(sizes[0], sizes[1]).astype(np.float64)
    return sums / area, area


def _detail(image: Picture, block: int) -> NDArray[np.float64]:
    """How much changes from pixel to pixel in each block and beside it, in [0, 1): a half for the median block."""
    luma = image.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    steps = np.abs(np.diff(luma, axis=0, append=luma[-1:])) + np.abs(np.diff(luma, axis=1, append=luma[:, -1:]))
    mean = _smooth(_smooth(np.sqrt(_block_means(steps, block)[0])))
    return mean / (mean + np.median(mean) + 1e-9)


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
