"""The demapper written out over all points in float64: what the fast kernels are held equal to."""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def demap_llr(symbols: Array, points: Array, n0: float | Array, method: str = "maxlog") -> Array:
    """LLRs ln P(1)/P(0) over every point, `[n]` complex -> `[n * k]` float64; see ``qam.demap_llr``."""
    k = points.size.bit_length() - 1
    received = np.asarray(symbols, np.complex128)
    noise = np.broadcast_to(np.asarray(n0, np.float64), received.shape)
    metric = -(np.abs(received[:, None] - points.astype(np.complex128)) ** 2) / noise[:, None]  # [n, order]
    labels = np.arange(points.size)
    llr = np.empty((received.size, k))
    for j in range(k):
        one = (labels >> (k - 1 - j)) & 1 == 1
        llr[:, j] = _combine(metric[:, one], method) - _combine(metric[:, ~one], method)
    return llr.reshape(-1)


def _combine(metric: Array, method: str) -> Array:
    largest = metric.max(axis=1)
    if method == "maxlog":
        return np.asarray(largest)
    return np.asarray(largest + np.log(np.exp(metric - largest[:, None]).sum(axis=1)))


def demap_hard(symbols: Array, points: Array) -> Array:
    """Bits of the nearest point, `[n]` complex -> `[n * k]` uint8."""
    k = points.size.bit_length() - 1
    nearest = np.abs(np.asarray(symbols)[:, None] - points).argmin(axis=1)
    return ((nearest[:, None] >> np.arange(k - 1, -1, -1)) & 1).astype(np.uint8).reshape(-1)
