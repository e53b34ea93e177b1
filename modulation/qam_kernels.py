"""Compiled loops behind :mod:`semwave.modulation.qam`; readable equals live in ``qam_reference``.

Each kernel walks the symbols in blocks and keeps the loop over the symbols of a block innermost, which is
what lets the compiler use whatever vector unit the machine has. They release the GIL and compile
at first call.
"""

import sys
from typing import Any

import numba as nb
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

BLOCK = 256
LITTLE_ENDIAN = sys.byteorder == "little"
_F = np.float32
_LOG2E = _F(1.4426950408889634)
_LN2 = _F(0.6931471805599453)
_LN1_5 = _F(0.4054651081081644)
_E2, _E3, _E4, _E5, _E6 = (_F(1 / f) for f in (2, 6, 24, 120, 720))
_EXACT = 128  # values of an axis at a time: those of 32 levels fit the nearest cache
_LEAST = _F(-1e30)  # of a binary logarithm
_A3, _A5, _A7 = _F(1 / 3), _F(1 / 5), _F(1 / 7)
_FAST = {"contract", "nsz", "arcp", "reassoc"}  # inf and nan keep their meaning


@nb.njit(cache=True, fastmath=_FAST, error_model="numpy", inline="always")
def exp_negative(x: Any) -> Any:
    """e^x for x <= 0 in float32, relative error below 2e-6 for x > -20 and exactly tiny beyond -87."""
    t = max(x, _F(-87.0)) * _LOG2E
    whole = np.floor(t + _F(0.5))
    r = (t - whole) * _LN2
    p = _F(1) + r * (_F(1) + r * (_E2 + r * (_E3 + r * (_E4 + r * (_E5 + r * _E6)))))
    return p * np.int32((np.int32(whole) + np.int32(127)) << np.int32(23)).view(np.float32)


@nb.njit(cache=True, fastmath=_FAST, error_model="numpy", inline="always")
def ln_positive(x: Any) -> Any:
    """ln x for normal positive float32 x, absolute error below 1e-6.

    ln m = ln 1.5 + 2 artanh((m-1.5)/(m+1.5)).
    """
    bits = np.float32(x).view(np.int32)
    exponent = np.int32(bits >> np.int32(23)) - np.int32(127)
    mantissa = np.int32((bits & np.int32(0x7FFFFF)) | np.int32(0x3F800000)).view(np.float32)
    s = (mantissa - _F(1.5)) / (mantissa + _F(1.5))
    q = s * s
    return _F(exponent) * _LN2 + _LN1_5 + _F(2) * s * (_F(1) + q * (_A3 + q * (_A5 + q * _A7)))


@nb.njit(cache=True, nogil=True)
def map_bits(bits: Array, points: Array, k: int, out: Array) -> Any:
    """Group k bits MSB first and look the point up; returns the OR of all bits, which shows bits above 1."""
    seen = np.uint8(0)
    if k == 4 and LITTLE_ENDIAN:  # four bytes at a time: the product's top byte is 8 b0 + 4 b1 + 2 b2 + b3
        words, every = bits.view(np.uint32), np.uint32(0)
        for i in range(out.size):
            every |= words[i]
            out[i] = points[
                ((words[i] & np.uint32(0x01010101)) * np.uint32(0x08040201)) >> np.uint32(24) & np.uint32(15)
            ]
        return np.uint8(
            (every | every >> np.uint32(8) | every >> np.uint32(16) | every >> np.uint32(24)) & np.uint32(255)
        )
    for i in range(out.size):
        index = 0
        for j in range(k):
            b = bits[i * k + j]
            seen |= b
            index = (index << 1) | (b & 1)
        out[i] = points[index]
    return seen


@nb.njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
def hard_square(parts: Array, scale: Any, m: int, out: Array) -> None:
    """Hard bits of square QAM: parts `[2n]` (I, Q, ...) times scale are odd-integer levels, m bits an axis."""
    v = np.empty(2 * BLOCK, np.float32)
    for first in range(0, parts.size, 2 * BLOCK):
        size = min(2 * BLOCK, parts.size - first)
        for e in range(size):
            v[e] = parts[first + e] * scale
        fold = _F(1 << (m - 1))
        for j in range(m):
            for e in range(size):
                at = first + e
                out[(at >> 1) * 2 * m + 2 * j + (at & 1)] = v[e] < 0
                v[e] = fold - abs(v[e])
            fold *= _F(0.5)


@nb.njit(cache=True, nogil=True)
def weave(llrs: Array, out: Array, first: int, size: int) -> None:
    """Put LLRs `[m, any]` of I, Q, ... into the order of the bits, I and Q in one move: symbol, bit, axis."""
    m = llrs.shape[0]
    to = out.view(np.int64)[first // 2 * m : (first + size) // 2 * m]
    if m == 2:  # with the stride known, this loop is vectors
        a, b = llrs[0].view(np.int64), llrs[1].view(np.int64)
        for i in range(size // 2):
            to[2 * i] = a[i]
            to[2 * i + 1] = b[i]
        return
    for j in range(m):
        row = llrs[j].view(np.int64)
        for i in range(size // 2):
            to[i * m + j] = row[i]


@nb.njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
def maxlog_square(parts: Array, inv_n0: Array, step: int, scale: Any, m: int, out: Array) -> None:
    """Max-log LLRs of square QAM in closed form.

    Labels of TS 38.211 fold: with levels +-1, +-3, ... the next bit of an axis is the sign of 2^(m-1) - |v|,
    so each bit is the sign bit of a smaller PAM, whose LLR is -sgn(v) (1 + a)(2|v| + 1 - a)/n0 with a the level
    nearest to |v|.
    """
    v = np.empty(2 * BLOCK, np.float32)
    c = np.empty(2 * BLOCK, np.float32)
    llrs = np.empty((m, 2 * BLOCK), np.float32)
    back = _F(1) / (scale * scale)
    for first in range(0, parts.size, 2 * BLOCK):
        size = min(2 * BLOCK, parts.size - first)
        for e in range(size):
            v[e] = parts[first + e] * scale
            c[e] = inv_n0[((first + e) >> 1) * step] * back
        fold = _F(1 << (m - 1))
        for j in range(m):
            top = _F(2) * fold - _F(1)
            row = llrs[j]
            for e in range(size):
                u = abs(v[e])
                a = min(_F(2) * np.floor(_F(0.5) * u) + _F(1), top)
                llr = (_F(1) + a) * (u + u + _F(1) - a) * c[e]
                row[e] = llr if v[e] < 0 else -llr
                v[e] = fold - u
            fold *= _F(0.5)
        weave(llrs, out, first, size)


@nb.njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy", inline="always")
def _times_power(f: Any, k: Any, top: Any) -> Any:
    """f 2^(k - top), 0 below the least normal number; whole k <= top, as float32: numba widens integers."""
    return f * np.int32(np.int32(max(k - top, _F(-127)) + _F(127)) << np.int32(23)).view(np.float32)


@nb.njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
def _sum_half(f: Array, k: Array, j: int, half: int, m: int, size: int, top: Array, total: Array) -> None:
    """top = max k and total = sum f 2^(k - top) over the levels whose bit j is ``half``, four levels in a go."""
    many = 1 << (m - 1)
    shift = m - 1 - j
    top[:] = -np.inf
    for i in range(0, many, 4):  # where there are fewer than four, some twice: the largest stays the same
        ka, kb = k[_label(i, shift, half)], k[_label(min(i + 1, many - 1), shift, half)]
        kc, kd = k[_label(min(i + 2, many - 1), shift, half)], k[_label(min(i + 3, many - 1), shift, half)]
        for e in range(size):
            top[e] = max(top[e], ka[e], kb[e], kc[e], kd[e])
    total[:] = 0
    for i in range(0, many, 4):
        if many - i >= 4:
            a, b = _label(i, shift, half), _label(i + 1, shift, half)
            c, d = _label(i + 2, shift, half), _label(i + 3, shift, half)
            fa, fb, fc, fd = f[a], f[b], f[c], f[d]
            ka, kb, kc, kd = k[a], k[b], k[c], k[d]
            for e in range(size):
                t = top[e]
                one = _times_power(fa[e], ka[e], t) + _times_power(fb[e], kb[e], t)
                two = _times_power(fc[e], kc[e], t) + _times_power(fd[e], kd[e], t)
                total[e] += one + two
        else:
            for n in range(i, many):
                fa, ka = f[_label(n, shift, half)], k[_label(n, shift, half)]
                for e in range(size):
                    total[e] += _times_power(fa[e], ka[e], top[e])


@nb.njit(cache=True, inline="always")
def _label(i: int, shift: int, bit: int) -> int:
    """The i-th label with the bit at ``shift`` as given."""
    return ((i >> shift) << (shift + 1)) | (bit << shift) | (i & ((1 << shift) - 1))


@nb.njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
def exact_square(parts: Array, inv_n0: Array, step: int, levels: Array, m: int, out: Array) -> None:
    """Exact LLRs of square QAM, one log-sum-exp per axis and bit; levels [2^m] float32 by axis label.

    ``exp(-d^2/n0) = f 2^k`` is found once for each level and shared by the m bits: a bit's sums take f times a power of
    two against the largest k of their half, which costs a shift where an exponential costs a polynomial.
    """
    f, k = np.empty((1 << m, _EXACT), np.float32), np.empty((1 << m, _EXACT), np.float32)
    k0, k1 = np.empty(_EXACT, np.float32), np.empty(_EXACT, np.float32)
    s0, s1 = np.empty(_EXACT, np.float32), np.empty(_EXACT, np.float32)
    c, llrs = np.empty(_EXACT, np.float32), np.empty((m, _EXACT), np.float32)
    for first in range(0, parts.size, _EXACT):
        size = min(_EXACT, parts.size - first)
        y = parts[first : first + size]
        for e in range(size):
            c[e] = inv_n0[((first + e) >> 1) * step] * _LOG2E
        for label in range(1 << m):
            fl, kl, level = f[label], k[label], levels[label]
            for e in range(size):
                d = y[e] - level
                t = max(-(d * d) * c[e], _LEAST)
                whole = np.floor(t + _F(0.5))
                r = (t - whole) * _LN2
                fl[e] = _F(1) + r * (_F(1) + r * (_E2 + r * (_E3 + r * (_E4 + r * (_E5 + r * _E6)))))
                kl[e] = whole
        for j in range(m):
            for half in range(2):
                _sum_half(f, k, j, half, m, size, k1 if half else k0, s1 if half else s0)
            row = llrs[j]
            for e in range(size):
                row[e] = (k1[e] - k0[e]) * _LN2 + ln_positive(s1[e] / s0[e])
        weave(llrs, out, first, size)


@nb.njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
def llr_any(
    re: Array,
    im: Array,
    inv_n0: Array,
    step: int,
    points_re: Array,
    points_im: Array,
    k: int,
    exact: bool,
    out: Array,
) -> None:
    """LLRs over all points of any constellation, labels being the indices of the points."""
    d = np.empty(BLOCK, np.float32)
    near = np.empty((k, 2, BLOCK), np.float32)
    total = np.empty((k, 2, BLOCK), np.float32)
    for first in range(0, re.size, BLOCK):
        size = min(BLOCK, re.size - first)
        near[:] = np.inf
        total[:] = 0
        for sweep in range(2 if exact else 1):
            for label in range(points_re.size):
                for e in range(size):
                    dx = re[first + e] - points_re[label]
                    dy = im[first + e] - points_im[label]
                    d[e] = (dx * dx + dy * dy) * inv_n0[(first + e) * step]
                for j in range(k):
                    best = near[j, (label >> (k - 1 - j)) & 1]
                    if sweep == 0:
                        for e in range(size):
                            best[e] = min(best[e], d[e])
                    else:
                        weight = total[j, (label >> (k - 1 - j)) & 1]
                        for e in range(size):
                            weight[e] += exp_negative(-max(d[e] - best[e], _F(0)))
        for j in range(k):
            for e in range(size):
                llr = near[j, 0, e] - near[j, 1, e]
                if exact:
                    llr += ln_positive(total[j, 1, e] / total[j, 0, e])
                out[(first + e) * k + j] = llr


@nb.njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
def hard_any(re: Array, im: Array, points_re: Array, points_im: Array, k: int, out: Array) -> None:
    """Bits of the nearest point of any constellation."""
    best = np.empty(BLOCK, np.float32)
    chosen = np.empty(BLOCK, np.int32)
    for first in range(0, re.size, BLOCK):
        size = min(BLOCK, re.size - first)
        best[:] = np.inf
        chosen[:] = 0
        for label in range(points_re.size):
            for e in range(size):
                dx = re[first + e] - points_re[label]
                dy = im[first + e] - points_im[label]
                d = dx * dx + dy * dy
                chosen[e] = label if d < best[e] else chosen[e]
                best[e] = min(best[e], d)
        for e in range(size):
            for j in range(k):
                out[(first + e) * k + j] = (chosen[e] >> (k - 1 - j)) & 1
