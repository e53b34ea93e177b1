"""From a point to the object there: geodesic segmentation (Bai and Sapiro, ICCV 2007) on features of the picture.

A way across the picture costs the change of features along it. Where the way to the point is shorter than the way to
the background, the object is: s = d_background / (d_point + d_background).
"""

import numpy as np
from numpy.typing import NDArray

from semwave.models.segment.regions import Importance

Features = NDArray[np.float32]

_BACKGROUND = 0.25  # importance below which a cell starts as background
_REACH = 0.12  # cells nearer to the point than this share of the diagonal do not
_STEP = 0.1  # what a step costs where nothing changes, in median steps
_LEVEL = 3.0  # what the whole range of importance costs, in median steps


def grow(features: Features, importance: Importance, row: int, column: int) -> Importance:
    """How surely each cell belongs to the object at ``row``, ``column``: [c, h, w], [h, w] -> float32 [h, w]."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra

    height, width = importance.shape
    start, goal, cost = _steps(features, importance)
    graph = csr_array((np.r_[cost, cost], (np.r_[start, goal], np.r_[goal, start])), shape=(height * width,) * 2)
    near = dijkstra(graph, indices=row * width + column)
    seeds = _background(importance, near.reshape(height, width), row, column)
    far = dijkstra(graph, indices=seeds, min_only=True) if seeds.size else np.full(height * width, np.inf)
    share: Importance = (1 - near / np.maximum(near + far, 1e-12)).reshape(height, width).astype(np.float32)
    return share


def colours(image: NDArray[np.uint8], longest: int = 96) -> Features:
    """Plain features for `grow`: colour, smoothed a little: uint8 [H, W, 3] -> float32 [3, h, w]."""
    from PIL import Image
    from scipy.ndimage import gaussian_filter

    scale = min(1.0, longest / max(image.shape[:2]))
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    small = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BOX), np.float32) / 255
    return np.asarray(gaussian_filter(small, (0.7, 0.7, 0)).transpose(2, 0, 1), np.float32)


def _steps(features: Features, importance: Importance) -> tuple[NDArray[np.int64], ...]:
    """Both ends and the cost of every step to the right, down and both diagonals down."""
    height, width = importance.shape
    cells = np.arange(height * width).reshape(height, width)
    starts, goals, changes, levels, lengths = [], [], [], [], []
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        rows, other_rows = slice(0, height - down), slice(down, height)
        a, b = max(0, -right), width - max(0, right)
        here, there = (rows, slice(a, b)), (other_rows, slice(a + right, b + right))
        starts.append(cells[here].ravel())
        goals.append(cells[there].ravel())
        changes.append(np.linalg.norm(features[:, *here] - features[:, *there], axis=0).ravel())
        levels.append(np.abs(importance[here] - importance[there]).ravel())
        lengths.append(np.full(starts[-1].size, np.hypot(down, right)))
    change, level, length = (np.concatenate(parts).astype(np.float64) for parts in (changes, levels, lengths))
    middle = float(np.median(change)) if change.size else 0.0
    cost = _STEP * length + change / max(middle, 1e-6) + _LEVEL * max(features.shape[1:]) * level / 10
    return np.concatenate(starts), np.concatenate(goals), cost


def _background(importance: Importance, near: NDArray[np.float64], row: int, column: int) -> NDArray[np.int64]:
    """Cells that are surely not the object: unimportant ones away from the point, else the farther half of the rim."""
    height, width = importance.shape
    y, x = np.mgrid[:height, :width]
    away = (np.hypot(y - row, x - column) > _REACH * np.hypot(height, width)) & (near >= np.median(near))
    found = away & (importance < min(_BACKGROUND, 0.5 * float(importance[row, column])))
    if found.sum() < 0.02 * found.size:
        found = away & ((y == 0) | (x == 0) | (y == height - 1) | (x == width - 1))
    cells: NDArray[np.int64] = np.flatnonzero(found)
    return cells
