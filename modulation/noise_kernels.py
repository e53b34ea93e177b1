"""Compiled white noise by counter: sample i of a stream depends on its seed and i alone.

SplitMix64 (Steele, Lea, Flood, OOPSLA 2014) turns seed and counter into 64 bits, Box-Muller turns those into one
complex normal. Loops run over blocks and do one thing each, which is what lets the compiler use vectors.
"""

from typing import Any

import numba as nb
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

BLOCK = 256
_F = np.float32
_FAST = {"contract", "nsz", "arcp"}
_GOLDEN, _MIX1, _MIX2 = (np.uint64(c) for c in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))
_S30, _S27, _S31, _S32 = (np.uint64(s) for s in (30, 27, 31, 32))
_LN2 = _F(0.6931471805599453)
_A3, _A5, _A7, _A9 = (_F(2 / k) for k in (3, 5, 7, 9))
_TURN = _F(np.pi / 4 / 2**29)
_S1, _S2, _S3 = (_F(c) for c in (-1 / 6, 1 / 120, -1 / 5040))
_C1, _C2, _C3, _C4 = (_F(c) for c in (-1 / 2, 1 / 24, -1 / 720, 1 / 40320))


@nb.njit(cache=True, fastmath=_FAST, error_model="numpy", inline="always")
def minus_ln(u: Any) -> Any:
    """-ln u for u in (0, 1], relative error below 1e-6: exponent, and a series in w = (m-1)/(m+1), m near 1."""
    bits = np.int32(np.float32(u).view(np.int32) + np.int32(0x3F800000 - 0x3F3504F3))
    exponent = np.int32(bits >> np.int32(23)) - np.int32(127)
    m = np.int32((bits & np.int32(0x7FFFFF)) + np.int32(0x3F3504F3)).view(np.float32)
    w = (m - _F(1)) / (m + _F(1))
    q = w * w
    return -(w * (_F(2) + q * (_A3 + q * (_A5 + q * (_A7 + q * _A9)))) + _F(exponent) * _LN2)


@nb.njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
def add_noise(x: Array, seed: np.uint64, first: int, sigma: Any, out: Array) -> None:
    """out = x + sigma * (normal + j normal) for samples first, first + 1, ...; parts `[2n]` float32 (I, Q, ...).

    Of the 64 bits 32 choose the radius and 32 the angle: 30 within a quarter turn, one the axis, one the side.
    """
    radius, turn = np.empty(BLOCK, np.uint32), np.empty(BLOCK, np.uint32)
    r, c, s = np.empty(BLOCK, np.float32), np.empty(BLOCK, np.float32), np.empty(BLOCK, np.float32)
    n = out.size // 2
    for begin in range(0, n, BLOCK):
        size = min(BLOCK, n - begin)
        base = seed + np.uint64(first + begin + 1) * _GOLDEN
        for e in range(BLOCK):
            z = base + np.uint64(e) * _GOLDEN
            z = (z ^ (z >> _S30)) * _MIX1
            z = (z ^ (z >> _S27)) * _MIX2
            z ^= z >> _S31
            radius[e] = np.uint32(z)
            turn[e] = np.uint32(z >> _S32)
        for e in range(BLOCK):
            u = (_F(radius[e]) + _F(0.5)) * _F(2.0**-32)
            r[e] = sigma * np.sqrt(_F(2) * minus_ln(u))
        for e in range(BLOCK):
            t = _F(np.int32(turn[e] & np.uint32(0x3FFFFFFF)) - np.int32(1 << 29)) * _TURN
            q = t * t
            sine = t * (_F(1) + q * (_S1 + q * (_S2 + q * _S3))) * r[e]
            cosine = (_F(1) + q * (_C1 + q * (_C2 + q * (_C3 + q * _C4)))) * r[e]
            cosine = -cosine if turn[e] & np.uint32(1 << 31) else cosine
            swap = turn[e] & np.uint32(1 << 30)
            c[e] = sine if swap else cosine
            s[e] = cosine if swap else sine
        at = 2 * begin
        for e in range(size):
            out[at + 2 * e] = x[at + 2 * e] + c[e]
            out[at + 2 * e + 1] = x[at + 2 * e + 1] + s[e]
