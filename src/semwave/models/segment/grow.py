"""From a point to the object there: what is like the point in the features of a network, and joined to it.

likeness = sum over kinds of features of weight * cos(f, f at the point) - 0.5 * distance / diagonal; the object is the
part that holds the point where likeness is above `_LIKE` and importance at least half of what it is at the point.
"""

import numpy as np
from numpy.typing import NDArray

from semwave.models.segment.regions import Importance

Features = NDArray[np.float32]

_LIKE = 0.3
_DISTANCE = 0.5
_SHARE = 0.5


def grow(kinds: list[tuple[Features, float]], importance: Importance, row: int, column: int) -> Importance:
    """How surely each cell belongs to the object at ``row``, ``column``: [c, h, w] each, [h, w] -> float32 [h, w].

    0 outside the object, from 0.5 in it; the cell itself always is.
    """
    from scipy.ndimage import binary_closing, binary_fill_holes, label

    y, x = np.mgrid[: importance.shape[0], : importance.shape[1]]
    likeness = -_DISTANCE * np.hypot(y - row, x - column) / np.hypot(*importance.shape)
    for features, weight in kinds:
        likeness = likeness + weight * _cosine(features, row, column)
    found = (likeness > _LIKE) & (importance >= _SHARE * importance[row, column])
    found[row, column] = True
    found = binary_fill_holes(found | binary_closing(found, iterations=2))  # objects have few holes
    parts, _ = label(found)
    sure = 0.5 + 0.5 * np.clip((likeness - _LIKE) / (1 - _LIKE), 0, 1)
    result: Importance = np.where(parts == parts[row, column], sure, 0).astype(np.float32)
    return result


def colours(image: NDArray[np.uint8], shape: tuple[int, int]) -> Features:
    """The plainest features, colours: uint8 [H, W, 3] -> float32 [3, h, w]."""
    from PIL import Image

    small = Image.fromarray(image).resize(shape[::-1], Image.Resampling.BOX)
    return np.asarray(small, np.float32).transpose(2, 0, 1) / np.float32(255)


def _cosine(features: Features, row: int, column: int) -> Features:
    """Cosine with the mean of the 3 x 3 cells around, once the picture's mean is taken off."""
    centred = features - features.mean((1, 2), keepdims=True)
    here = centred[:, max(0, row - 1) : row + 2, max(0, column - 1) : column + 2].mean((1, 2))
    length = np.linalg.norm(centred, axis=0) * np.linalg.norm(here)
    cosine: Features = np.tensordot(here, centred, 1) / np.maximum(length, 1e-9)
    return cosine
