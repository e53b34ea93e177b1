"""Pictures as rows of 16x16 blocks, and which blocks a mask covers."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

SIDE = 16
LENGTH = SIDE * SIDE * 3


def grid(height: int, width: int) -> tuple[int, int]:
    """Rows and columns of blocks that cover a picture."""
    return -(-height // SIDE), -(-width // SIDE)


def cover(size: tuple[int, int], mask: Array | None) -> Array:
    """Blocks with at least one pixel of the mask: bool [rows, columns]; all of them without a mask.

    Raises:
        ValueError: a mask that is not bool [height, width].
    """
    rows, columns = grid(*size)
    if mask is None:
        return np.ones((rows, columns), bool)
    if mask.dtype != np.bool_ or mask.shape != tuple(size):
        raise ValueError(f"mask must be bool {list(size)}, not {mask.dtype} {list(mask.shape)}")
    return np.asarray(pad(mask[..., None]).reshape(rows, SIDE, columns, SIDE).any((1, 3)))


def pad(image: Array) -> Array:
    """Repeat the last row and column up to whole blocks: [H, W, C] -> [rows * 16, columns * 16, C]."""
    rows, columns = grid(*image.shape[:2])
    around = ((0, rows * SIDE - image.shape[0]), (0, columns * SIDE - image.shape[1]), (0, 0))
    return np.pad(image, around, "edge")


def split(image: Array) -> Array:
    """``[rows * 16, columns * 16, C] -> [rows, columns, C, 16, 16]``."""
    rows, columns = image.shape[0] // SIDE, image.shape[1] // SIDE
    return image.reshape(rows, SIDE, columns, SIDE, -1).transpose(0, 2, 4, 1, 3)


def join(blocks: Array) -> Array:
    """``[rows, columns, C, 16, 16] -> [rows * 16, columns * 16, C]``."""
    rows, columns, channels = blocks.shape[:3]
    return blocks.transpose(0, 3, 1, 4, 2).reshape(rows * SIDE, columns * SIDE, channels)
