"""Small dense algebra of the channel estimator (numba, compiled at the first call) and the same in NumPy.

Not BLAS and LAPACK: for matrices of some 20 to 120 rows their threads gain nothing, and on a busy machine the barriers
between them cost milliseconds each; also the result must not depend on how many there are.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[Any]


@njit(cache=True, fastmath={"reassoc", "contract", "nsz"}, error_model="numpy", inline="always")
def _invert(over_time: Array, over_carriers: Array, scale: float, diagonal: Array, out: Array) -> None:
    """``out = (scale * sum_g T_g kron C_g + diag)^-1`` by Cholesky, every inner loop along a row."""
    q, r = over_time.shape[1], over_carriers.shape[1]
    n = q * r
    low = np.zeros_like(out)
    for g in range(over_time.shape[0]):
        for i in range(n):
            for b in range(i // r + 1):
                t = scale * over_time[g, i // r, b]
                row = low[i, b * r : (b + 1) * r]
                for j in range(r):
                    row[j] += t * over_carriers[g, i % r, j]
    for i in range(n):
        low[i, i] += diagonal[i]
        for j in range(i + 1):
            total = low[i, j]
            for k in range(j):
                total -= low[i, k] * np.conj(low[j, k])
            if i == j:
                low[i, i] = np.sqrt(max(total.real, 1e-300))
            else:
                low[i, j] = total / low[j, j].real
    inverse = np.zeros_like(out)  # of the lower triangle
    for i in range(n):
        mine = inverse[i]
        for k in range(i):
            factor, other = low[i, k], inverse[k]
            for j in range(k + 1):
                mine[j] -= factor * other[j]
        pivot = 1.0 / low[i, i].real
        for j in range(i):
            mine[j] *= pivot
        mine[i] = pivot
    out[:] = 0
    for i in range(n):
        mine = inverse[i]
        for a in range(i + 1):
            factor, to = np.conj(mine[a]), out[a]
            for b in range(a + 1):
                to[b] += factor * mine[b]
    for a in range(n):
        for b in range(a):
            out[b, a] = np.conj(out[a, b])


@njit(cache=True, error_model="numpy")
def _multiply(a: Array, b: Array, out: Array) -> None:
    for i in range(a.shape[0]):
        to = out[i]
        for k in range(a.shape[1]):
            factor, row = a[i, k], b[k]
            for j in range(row.size):
                to[j] += factor * row[j]


def product(a: Array, b: Array) -> Array:
    """``a @ b`` for small matrices, float64 or complex128: [n, k], [k, m] -> [n, m]."""
    kind = np.result_type(a, b, np.float64)
    out = np.zeros((a.shape[0], b.shape[1]), kind)
    _multiply(np.ascontiguousarray(a, kind), np.ascontiguousarray(b, kind), out)
    return out


def posterior(over_time: Array, over_carriers: Array, noise_variance: float, inverse_prior: Array) -> Array:
    """Covariance ``(sum_g T_g kron C_g / n0 + diag(inverse_prior))^-1`` of the coefficients given the pilots.

    over_time      [groups, q, q] float64, symmetric
    over_carriers  [groups, r, r] float64 or complex128, Hermitian
    inverse_prior  [q * r]
    returns        [q * r, q * r] of over_carriers' type
    """
    n = over_time.shape[1] * over_carriers.shape[1]
    out = np.empty((n, n), over_carriers.dtype)
    _invert(over_time, over_carriers, 1 / noise_variance, inverse_prior, out)
    return out


def posterior_reference(over_time: Array, over_carriers: Array, noise_variance: float, inverse_prior: Array) -> Array:
    """The same as ``posterior``, written as in the formula."""
    normal = sum(np.kron(t, c) for t, c in zip(over_time, over_carriers, strict=True)) / noise_variance
    return np.asarray(np.linalg.inv(normal + np.diag(inverse_prior)))
