"""Orthonormal transform of colour blocks: a fixed colour matrix and the two-dimensional cosine transform."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from semwave.models.jscc import blocks

Array = NDArray[Any]

GREY = 0.45


def _cosine() -> Array:
    k, n = np.arange(blocks.SIDE)[:, None], np.arange(blocks.SIDE)[None]
    matrix = np.sqrt(2 / blocks.SIDE) * np.cos(np.pi * (2 * n + 1) * k / (2 * blocks.SIDE))
    matrix[0] /= np.sqrt(2)
    return matrix.astype(np.float32)


# Rows: grey, red against blue, green against the other two; grey with the sign that makes it negative (a QR's habit).
COLOUR = np.array([[-1, -1, -1], [1, 0, -1], [1, -2, 1]], np.float32) / np.sqrt(np.array([[3], [2], [6]], np.float32))
COSINE = _cosine()
MEAN = np.zeros(blocks.LENGTH, np.float32)
MEAN[0] = -GREY * np.sqrt(3) * blocks.SIDE


def forward(image: Array) -> Array:
    """``[rows * 16, columns * 16, 3] -> [rows, columns, 768]``: channel, then vertical, then horizontal frequency."""
    out = COSINE @ blocks.split(image @ COLOUR.T) @ COSINE.T
    return out.reshape(*out.shape[:2], blocks.LENGTH)


def backward(coefficients: Array) -> Array:
    """The inverse of `forward`."""
    split = coefficients.reshape(*coefficients.shape[:2], 3, blocks.SIDE, blocks.SIDE)
    return np.asarray(blocks.join(COSINE.T @ split @ COSINE) @ COLOUR)


def backward_variance(variances: Array) -> Array:
    """Pixel variances of independent coefficients of these variances: the inverse with every factor squared."""
    split = variances.reshape(*variances.shape[:2], 3, blocks.SIDE, blocks.SIDE)
    squared = np.square(COSINE)
    return np.asarray(blocks.join(squared.T @ split @ squared) @ np.square(COLOUR))
