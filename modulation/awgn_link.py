"""Bits to soft bits over white noise in one pass: mapper, channel and demapper while a piece is in the cache."""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from semwave.modulation import noise, qam, qam_kernels
from semwave.modulation.noise_kernels import add_noise

Array = npt.NDArray[Any]

PIECE = 1024
"""Symbols at a time, a multiple of the kernels' blocks: 16 KiB with their noise."""


@njit(cache=True, nogil=True)
def _soft_bits(
    bits: Array, points: Array, widths: tuple[int, int], seed: np.uint64, first: int, level: tuple[Any, Any, Any],
    out: Array,
) -> Any:  # fmt: skip
    """LLRs ``out`` [n * k] of bits [n * k]; returns the OR of all bits. level: sigma, 1/n0, 1 over half the spacing."""
    k, m = widths
    sigma, inverse, scale = level
    symbols, received, weight = np.empty(PIECE, np.complex64), np.empty(2 * PIECE, np.float32), np.empty(1, np.float32)
    weight[0] = inverse
    seen = np.uint8(0)
    for low in range(0, out.size // k, PIECE):
        size = min(PIECE, out.size // k - low)
        places = slice(low * k, (low + size) * k)
        seen |= qam_kernels.map_bits(bits[places], points, k, symbols[:size])
        parts = received[: 2 * size]
        add_noise(symbols[:size].view(np.float32), seed, first + low, sigma, parts)
        qam_kernels.maxlog_square(parts, weight, 0, scale, m, out[places])
    return seen


def soft_bits(bits: npt.ArrayLike, order: int | str, n0: float, seed: int, first: int = 0) -> Array:
    """Max-log LLRs ln P(b=1)/P(b=0) of bits sent as square QAM over white noise, ``[..., n * k]`` uint8 -> float32.

    What ``demap_llr(add_awgn_fast(map_bits(bits, order), n0, seed, first), order, n0)`` gives, without arrays in
    between: for simulations that want error rates of codes. ``first`` counts symbols of the noise stream ``seed``.
    ValueError for an order other than 4, 16, 64, 256 and 1024, bits in a wrong number or above 1, and as there.
    """
    table = qam.constellation(order)
    k = qam.bits_per_symbol(table)
    if k % 2:
        raise ValueError(f"order must be 4, 16, 64, 256 or 1024, not {order!r}")
    sent = np.ascontiguousarray(bits, np.uint8)
    if sent.ndim == 0 or sent.shape[-1] % k:
        raise ValueError(f"bits must come in groups of {k} on the last axis, not {sent.shape}")
    if not (np.isfinite(n0) and n0 > 0):
        raise ValueError(f"n0 must be above 0, not {n0}")
    noise.check_stream(seed, first)
    out = np.empty(sent.size, np.float32)
    f32 = np.float32
    level = (f32(np.sqrt(n0 / 2)), f32(min(1 / n0, 1e30)), f32(1 / table.real[table.real > 0].min()))
    if _soft_bits(sent.reshape(-1), table, (k, k // 2), np.uint64(seed), first, level, out) > 1:
        raise ValueError("bits must be 0 or 1, found a larger value (packed bytes?)")
    return out.reshape(sent.shape)
