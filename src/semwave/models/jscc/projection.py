"""Coefficients on the points of a square QAM constellation, and their expectation at the receiver.

A real value x of known spread s is scaled to t x with t = min(a, LOUD / s), so that loud values stay inside the
constellation, and goes to the nearest of the levels; ``a`` sets the mean energy, and the points that are sent are
scaled to unit power by a factor that the side information tells. The receiver takes the posterior mean
E[x | y] = sum_k P(k | y) E[x | k] over the levels k: with soft decisions nothing falls off a cliff. Rounding errors of
the digital base are uniform, which is what fills a constellation best; other values are Gaussian.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

ORDERS = (4, 16, 64, 256, 1024)
LOUD, LOUD_EVEN = 0.6, 0.75  # spread of the loudest Gaussian and uniform values (unit energy: 0.707 a real value)


ENERGY = 0.45  # mean energy of the points sent, before they are scaled up to unit power: the rest is room for peaks


def levels(order: int) -> Array:
    """Amplitudes per real dimension of square QAM with unit mean energy (TS 38.211, 5.1).

    Raises:
        ValueError: no such constellation.
    """
    if order not in ORDERS:
        raise ValueError(f"constellation must be one of {', '.join(map(str, ORDERS))}, not {order}")
    side = round(order**0.5)
    return np.arange(1 - side, side, 2) / np.sqrt(2 * (order - 1) / 3)


def scales(spreads: Array, even: Array, order: int) -> Array:
    """The factor t of each value: [n] -> [n], so that the levels sent have the mean energy ENERGY / 2, or less."""
    grid = levels(order)
    loud = np.where(even, LOUD_EVEN, LOUD)
    safe = np.maximum(spreads, 1e-9)
    low, high = 0.05, 20.0
    some = slice(None, None, max(1, safe.size // 2000))
    for _ in range(30):
        middle = np.sqrt(low * high)
        share, _, _ = _cells(np.minimum(middle * safe, loud)[some], even[some], grid)
        low, high = (middle, high) if (share @ np.square(grid)).mean() < ENERGY / 2 else (low, middle)
    return np.asarray(np.minimum(low, loud / safe))


def project(values: Array, spreads: Array, even: Array, order: int) -> Array:
    """Real values [n], their spreads and which are uniform (the rest is Gaussian) -> the levels that are sent [n]."""
    grid = levels(order)
    index = np.round((values * scales(spreads, even, order) - grid[0]) / (grid[1] - grid[0]))
    return np.asarray(grid[np.clip(index, 0, grid.size - 1).astype(int)])


def expectation(received: Array, spreads: Array, even: Array, noise: Array, order: int) -> tuple[Array, Array]:
    """Posterior mean and variance of the values [n] given what was received with a noise variance each (inf: lost)."""
    grid, factor = levels(order), scales(spreads, even, order)
    share, centre, inner = _cells(factor * spreads, even, grid)
    lost = np.isinf(noise)
    distance = np.where(lost, 0.0, received)[:, None] - grid
    weight = np.log(share) - np.square(distance) / (2 * np.where(lost, 1e9, noise))[:, None]
    weight = np.exp(weight - weight.max(1, keepdims=True))
    weight /= weight.sum(1, keepdims=True)
    mean = (weight * centre).sum(1)
    spread = (weight * (inner + np.square(centre))).sum(1) - np.square(mean)
    return mean / factor, np.maximum(spread, 0.0) / np.square(factor)


def _cells(spread: Array, even: Array, grid: Array) -> tuple[Array, Array, Array]:
    """Of a value in each level's cell: probability, mean and variance, [n, levels] each."""
    half = (grid[1] - grid[0]) / 2
    edges = np.concatenate([[-np.inf], grid[:-1] + half, [np.inf]])
    out = [np.empty((spread.size, grid.size)) for _ in range(3)]
    for rows, cells in ((even, _even_cells), (~even, _gaussian_cells)):
        if rows.any():
            for whole, part in zip(out, cells(np.maximum(spread[rows], 1e-9)[:, None], edges), strict=True):
                whole[rows] = part
    return out[0], out[1], out[2]


def _even_cells(spread: Array, edges: Array) -> tuple[Array, Array, Array]:
    end = np.sqrt(3) * spread
    bounds = np.clip(edges[None, :], -end, end)
    width = np.diff(bounds, axis=1)
    return np.maximum(width / (2 * end), 1e-12), (bounds[:, 1:] + bounds[:, :-1]) / 2, np.square(width) / 12


def _gaussian_cells(spread: Array, edges: Array) -> tuple[Array, Array, Array]:
    from scipy.special import ndtr

    z = edges[None, :] / spread
    density = np.exp(-0.5 * np.square(z)) / np.sqrt(2 * np.pi)
    share = np.maximum(np.diff(ndtr(z), axis=1), 1e-12)
    tail = np.where(np.isinf(z), 0.0, z) * density
    first = -np.diff(density, axis=1) / share
    second = 1.0 - np.diff(tail, axis=1) / share
    mean = np.clip(first * spread, edges[:-1], edges[1:])
    return share, mean, np.clip((second - np.square(first)) * np.square(spread), 0.0, None)
