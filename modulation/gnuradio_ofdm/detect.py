"""Find stock frames in samples: a look for word 1's two halves, then both words by matched filter.

Word 1 occupies odd carriers only, so its halves are x and -x (Schmidl and Cox, IEEE Trans. Commun. 45(12), 1997). GNU
Radio demands a normalised correlation of 0.9 on a plateau, which noise denies it below about 13 dB; here that look only
has to let few positions of noise through, and the matched filter over all 160 samples of both words decides.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from semwave.modulation.gnuradio_ofdm.frame import CP_LEN, FFT_SIZE, SYMBOL_LEN, preamble

Array = npt.NDArray[Any]
Reader = Callable[[int, int], Array]

LAG, PRODUCTS = FFT_SIZE // 2, SYMBOL_LEN - FFT_SIZE // 2
BLOCK = 256
"""Positions looked at together."""
FIRST_THRESHOLD = 0.2
"""Of the squared correlation of 48 products; white noise exceeds it at ``0.8^47`` = 3e-5 of the positions."""
SECOND_THRESHOLD = 0.3
"""Of the energy that the matched filter finds within a prefix; in noise 0.13 +- 0.03, of a signal S / (S + N)."""
STANDING_OUT = 2.0
NEAR = 64
"""The correlation's peak lies at most this far behind the first position over the threshold."""
BEFORE, LAGS = 24, 64
"""The matched filter looks from ``BEFORE`` positions before that peak, at ``LAGS`` positions."""
SEGMENT = LAGS + 2 * SYMBOL_LEN - 1
AHEAD = BLOCK + NEAR + SYMBOL_LEN + LAGS + 2 * SYMBOL_LEN
"""Samples from a block's first position on that a search in it may read."""
SHIFTS = np.arange(-6, 7, 2)
"""Even carrier offsets tried: halves of word 1 tell the rest, to +-1."""
_SHIFTS = SHIFTS.astype(np.float64)
_FINEST = 1e-12


class Detection(NamedTuple):
    """A preamble found."""

    start: int
    """Absolute index of its first sample on the first path."""
    peak: int
    """The same on the strongest path."""
    cfo: float
    """Radians per sample."""
    metric: float
    """Share of the received energy that the two words explain, 0 to 1."""


@njit(nogil=True, cache=True, error_model="numpy")
def _energy(z: complex) -> float:
    return z.real * z.real + z.imag * z.imag


@njit(nogil=True, cache=True, error_model="numpy")
def _squared(p: complex, a: complex, b: complex, e: float, f: float, mean: complex, floor: float) -> float:
    """Squared correlation from sums over the pairs (``conj(a) b``, a, b, |a|^2, |b|^2), the mean taken off."""
    square = PRODUCTS * _energy(mean)
    p += square - a.conjugate() * mean - mean.conjugate() * b  # a constant has any period
    e += square - 2 * (mean.conjugate() * a).real
    f += square - 2 * (mean.conjugate() * b).real
    return _energy(p) / (e * f) if e > floor and f > floor else 0.0


@njit(nogil=True, cache=True, error_model="numpy")
def _scan(x: Array, count: int, threshold: float, first_only: bool, out: Array) -> int:
    """Sliding sums of ``correlation``; stops after the first position over the threshold if asked to."""
    p, a, b, m = complex(0), complex(0), complex(0), complex(0)
    e, f, top = 0.0, 0.0, 0.0
    for i in range(-SYMBOL_LEN, count):  # position i is complete with the sample 79 behind it
        ahead = i + SYMBOL_LEN - 1
        if ahead < 0:
            continue
        w = np.complex128(x[ahead])
        m += w
        if ahead >= LAG:
            u = np.complex128(x[ahead - LAG])
            p, a, b = p + u.conjugate() * w, a + u, b + w
            e, f = e + _energy(u), f + _energy(w)
        if i < 0:
            continue
        top = max(top, e)
        floor = _FINEST * (top + f)  # below it is rounding of the sums, not signal
        out[i] = _squared(p, a, b, e, f, m / SYMBOL_LEN, floor)
        if first_only and out[i] > threshold:
            return i
        u, w = np.complex128(x[i]), np.complex128(x[i + LAG])
        p, a, b, m = p - u.conjugate() * w, a - u, b - w, m - u
        e, f = e - _energy(u), f - _energy(w)
    return -1


def correlation(x: Array) -> Array:
    """Squared correlation of halves, 0 to 1, for a word 1 at each position: [n] complex64 -> [n - 79] float64.

    ``|sum conj(a) b|^2 / (sum |a|^2 sum |b|^2)`` over the pairs ``a = x[i], b = x[i + 32]``, i = 0..47 from the
    position on, the mean of the 80 samples taken off.
    """
    out = np.zeros(max(x.size - SYMBOL_LEN + 1, 0))
    if out.size:
        _scan(x, out.size, 0.0, False, out)
    return out


def correlation_reference(x: Array) -> Array:
    """The same as ``correlation``, position by position as in the formula."""
    out = np.zeros(max(x.size - SYMBOL_LEN + 1, 0))
    for n in range(out.size):
        window = x[n : n + SYMBOL_LEN].astype(np.complex128)
        window -= window.mean()
        a, b = window[:PRODUCTS], window[LAG:]
        energy = np.vdot(a, a).real * np.vdot(b, b).real
        out[n] = np.abs(np.vdot(a, b)) ** 2 / energy if energy > 1e-24 else 0
    return out


@lru_cache(maxsize=1)
def _templates() -> tuple[Array, Array]:
    """Preamble at each of ``SHIFTS``, unit energy: real and imaginary parts, each [7, 160] float32."""
    turn = np.exp(2j * np.pi / FFT_SIZE * np.outer(SHIFTS, np.arange(2 * SYMBOL_LEN)))
    rows = preamble() * turn / np.linalg.norm(preamble())
    return rows.real.astype(np.float32), rows.imag.astype(np.float32)


@njit(nogil=True, cache=True, error_model="numpy")
def _half_turn(x: Array) -> float:
    """Angle of ``-sum conj(a) b`` over the pairs of one position, mean taken off: [80]."""
    mean = complex(0)
    for n in range(SYMBOL_LEN):
        mean += x[n]
    mean /= SYMBOL_LEN
    total = complex(0)
    for i in range(PRODUCTS):
        total -= (x[i] - mean).conjugate() * (x[i + LAG] - mean)
    return np.angle(total)


@njit(nogil=True, cache=True, error_model="numpy")
def _straighten(x: Array, offset: float, re: Array, im: Array) -> None:
    """Mean and carrier offset taken off, in parts."""
    mean = complex(0)
    for n in range(x.size):
        mean += x[n]
    mean /= x.size
    turn, step = complex(1), complex(np.cos(offset), -np.sin(offset))
    for n in range(x.size):
        v = (x[n] - mean) * turn
        re[n], im[n] = v.real, v.imag
        turn *= step


@njit(nogil=True, cache=True, fastmath={"contract"}, error_model="numpy")
def _filter(re: Array, im: Array, t_re: Array, t_im: Array, out: Array) -> None:
    """``out[0] + j out[1]`` = matched filter at each lag: sums run over the template, lags lie side by side."""
    out[:] = 0
    lags = out.shape[1]
    for i in range(t_re.size):
        c, s = t_re[i], t_im[i]
        for n in range(lags):
            out[0, n] += c * re[i + n] + s * im[i + n]
            out[1, n] += c * im[i + n] - s * re[i + n]


@njit(nogil=True, cache=True, error_model="numpy")
def _search_shift(re: Array, im: Array, t_re: Array, t_im: Array, power: Array) -> int:
    """The shift whose matched filter peaks highest; its power over the lags is left in ``power``."""
    out, best, kept = np.empty((2, LAGS), np.float32), -1.0, 0
    for shift in range(t_re.shape[0]):
        _filter(re, im, t_re[shift], t_im[shift], out)
        row = out[0] * out[0] + out[1] * out[1]
        if row.max() > best:
            best, kept = row.max(), shift
            power[:] = row
    return kept


@njit(nogil=True, cache=True, error_model="numpy")
def _word_turn(re: Array, im: Array, t_re: Array, t_im: Array, low: int, high: int) -> float:
    """Angle from word 1 to word 2, on the paths within 10 dB of the strongest of lags ``low .. high - 1``."""
    one, two = np.empty((2, high - low), np.float32), np.empty((2, high - low), np.float32)
    _filter(re[low:], im[low:], t_re[:SYMBOL_LEN], t_im[:SYMBOL_LEN], one)
    _filter(re[low + SYMBOL_LEN :], im[low + SYMBOL_LEN :], t_re[SYMBOL_LEN:], t_im[SYMBOL_LEN:], two)
    power = one[0] ** 2 + one[1] ** 2 + two[0] ** 2 + two[1] ** 2
    least, total = np.float32(0.1) * power.max(), complex(0)
    for n in range(power.size):
        if power[n] > least:
            total += complex(one[0, n], -one[1, n]) * complex(two[0, n], two[1, n])
    return np.angle(total)


@njit(nogil=True, cache=True, error_model="numpy")
def _explained(power: Array, best: int, re: Array, im: Array) -> float:
    """Greatest energy of a prefix's lags that hold the best one, over that of the samples at the best.

    Zero where these lags are not ``STANDING_OUT`` times as strong as the others: a tone matches all lags alike.
    """
    width = CP_LEN + 1
    inside = 0.0
    for low in range(max(best - CP_LEN, 0), min(best, LAGS - width) + 1):
        inside = max(inside, power[low : low + width].sum())
    a, b = re[best : best + 2 * SYMBOL_LEN], im[best : best + 2 * SYMBOL_LEN]
    energy = (a * a).sum() + (b * b).sum()
    outside = power.sum() - inside
    stands_out = inside * (LAGS - width) > STANDING_OUT * outside * width
    return inside / energy if stands_out and energy > 1e-30 else 0.0


@njit(nogil=True, cache=True, error_model="numpy")
def _first_path(power: Array, best: int) -> int:
    """First lag within a prefix before the strongest that exceeds a tenth of it, and noise."""
    noise = np.median(power) / np.log(2)
    floor = min(max(0.1 * power[best], 6 * noise), 0.99 * power[best])
    for lag in range(max(best - CP_LEN, 0), best):
        if power[lag] > floor:
            return lag
    return best


@njit(nogil=True, cache=True, error_model="numpy")
def _match(x: Array, offset: float, t_re: Array, t_im: Array) -> tuple[float, int, int, int, float]:
    """Matched filter over a segment: metric, shift, first and strongest lag, angle from word 1 to word 2."""
    re, im = np.empty(x.size, np.float32), np.empty(x.size, np.float32)
    _straighten(x, offset, re, im)
    power = np.empty(LAGS, np.float32)
    shift = _search_shift(re, im, t_re, t_im, power)
    best = int(np.argmax(power))
    metric = _explained(power, best, re, im)
    if not metric > SECOND_THRESHOLD:
        return metric, shift, 0, 0, 0.0
    low, high = max(best - CP_LEN, 0), min(best + CP_LEN + 1, LAGS)
    turn = _word_turn(re, im, t_re[shift], t_im[shift], low, high)
    return metric, shift, _first_path(power, best), best, turn


@njit(nogil=True, cache=True, error_model="numpy")
def _locate(x: Array, crossing: int, scratch: Array, t_re: Array, t_im: Array) -> tuple[int, int, int, float, float]:
    """Matched filter behind a position over the first threshold, all places those in ``x``.

    returns  where the correlation peaks, start on the first and on the strongest path, carrier offset, metric
    """
    near = x[crossing : crossing + NEAR + SYMBOL_LEN]
    _scan(near, NEAR + 1, 0.0, False, scratch)
    top = int(np.argmax(scratch[: NEAR + 1]))
    offset = _half_turn(near[top : top + SYMBOL_LEN]) / LAG
    at = crossing + top
    first = at - BEFORE
    metric, shift, early, best, turn = _match(x[first : first + SEGMENT], offset, t_re, t_im)
    offset += 2 * np.pi * _SHIFTS[shift] / FFT_SIZE + turn / SYMBOL_LEN
    return at, first + early, first + best, offset, metric


@njit(nogil=True, cache=True, error_model="numpy")
def _search(x: Array, last: int, latest: int, t_re: Array, t_im: Array) -> tuple[int, int, int, float, float]:
    """Go through ``x``, whose first position is ``BEFORE``, block by block up to position ``last``.

    returns  where to search on, start (-1: there is none up to ``latest``), strongest path, carrier offset, metric
    """
    at, scratch = BEFORE, np.empty(BLOCK)
    while at <= last:
        hit = _scan(x[at : at + BLOCK + SYMBOL_LEN - 1], BLOCK, FIRST_THRESHOLD, True, scratch)
        if hit < 0:
            at += BLOCK
            continue
        top, start, peak, offset, metric = _locate(x, at + hit, scratch, t_re, t_im)
        at = top + 1
        if metric > SECOND_THRESHOLD and start <= latest:
            return at, start, peak, offset, metric
    return at, -1, 0, 0.0, 0.0


def search(read: Reader, at: int, last: int, latest: int) -> tuple[Detection | None, int]:
    """First preamble behind position ``at`` that begins no later than ``latest``, and where to search on.

    Blocks begin at positions up to ``last``; samples up to ``AHEAD`` behind it are read.
    """
    if at > last:
        return None, at
    origin = at - BEFORE
    t_re, t_im = _templates()
    on, start, peak, cfo, metric = _search(read(origin, last + AHEAD), last - origin, latest - origin, t_re, t_im)
    if start < 0:
        return None, origin + on
    return Detection(origin + start, origin + peak, cfo, min(metric, 1.0)), origin + on
