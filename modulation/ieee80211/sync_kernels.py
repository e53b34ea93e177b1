"""Inner loops of the second stage of the search (numba, compiled at the first call).

``sync_reference`` says the same in plain NumPy.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[Any]


@njit(cache=True, nogil=True, error_model="numpy")
def best_look(x: Array, hops: int) -> int:
    """Hop of 8 samples whose 128-sample window is most like itself 16 samples later, its mean taken off."""
    best, place = np.float64(-1.0), 0
    for h in range(hops):
        at = 8 * h
        lag, head, tail, energy, total = 0j, 0j, 0j, 0.0, 0j
        for i in range(at, at + 128):
            v = complex(x[i])
            energy += v.real * v.real + v.imag * v.imag
            total += v
            if i < at + 112:
                lag += v.conjugate() * x[i + 16]
                head += v
            if i >= at + 16:
                tail += v
        mean = total / 128
        lag += 112 * (mean.real**2 + mean.imag**2) - mean * head.conjugate() - mean.conjugate() * tail
        energy -= 128 * (mean.real**2 + mean.imag**2)
        share = np.hypot(lag.real, lag.imag) / (energy + 1e-30)
        if share > best:
            best, place = share, h
    return place


@njit(cache=True, nogil=True, error_model="numpy")
def coarse(window: Array, lines_needed: float) -> tuple[bool, float]:
    """Carrier offset of eight periods of the short field, rad/sample; False for fewer lines than needed."""
    mean = 0j
    for v in window:
        mean += v
    mean /= window.size
    one, four = 0j, 0j
    for i in range(112):
        a = (window[i] - mean).conjugate()
        one += a * (window[i + 16] - mean)
        if i < 64:
            four += a * (window[i + 64] - mean)
    step = np.arctan2(one.imag, one.real)
    four *= np.exp(-4j * step)
    step += np.arctan2(four.imag, four.real) / 4
    period = np.zeros(16, np.complex128)
    for i in range(128):
        period[i % 16] += (window[i] - mean) * np.exp(-1j * step / 16 * i)
    power, squares = 0.0, 0.0
    for k in range(16):
        line = 0j
        for i in range(16):
            line += period[i] * np.exp(-2j * np.pi / 16 * (k * i % 16))
        size = line.real * line.real + line.imag * line.imag
        power += size
        squares += size * size
    return power * power > lines_needed * squares, step / 16


@njit(cache=True, nogil=True, error_model="numpy")
def _correlate(x: Array, template: Array, lags: int) -> tuple[Array, Array]:
    """Correlation with a 64-sample template: the lags lie side by side, so that the inner loop is vector code."""
    out_re, out_im = np.zeros(lags, np.float32), np.zeros(lags, np.float32)
    re, im = x.real.copy(), x.imag.copy()
    for i in range(64):
        c, d = template[i].real, template[i].imag
        a, b = re[i : i + lags], im[i : i + lags]
        for j in range(lags):
            out_re[j] += a[j] * c + b[j] * d
            out_im[j] += b[j] * c - a[j] * d
    return out_re, out_im


@njit(cache=True, nogil=True, error_model="numpy")
def timing(
    x: Array, mean: complex, offset: float, template: Array, limits: tuple[float, float], paths: tuple[float, float]
) -> int:
    """Place of the first path's first long symbol; -1 if there is none. ``template``: [64] complex64, unit energy.

    ``limits``: MATCH_THRESHOLD and SPREAD_THRESHOLD, ``paths``: NEAR_PATH and FAR_PATH.
    """
    match_least, spread_least = limits
    near, far = paths
    turned = np.empty(x.size, np.complex64)
    turn, step = 1 + 0j, np.exp(-1j * offset)
    for i in range(x.size):
        turned[i] = (x[i] - mean) * turn
        turn *= step
    lags = x.size - 128
    re, im = _correlate(turned, template, lags + 64)
    match, share = np.empty(lags), np.empty(lags)
    energy = 0.0
    for i in range(128):
        energy += turned[i].real ** 2 + turned[i].imag ** 2
    peak = 0
    for j in range(lags):
        match[j] = 0.5 * ((re[j] + re[j + 64]) ** 2 + (im[j] + im[j + 64]) ** 2)
        share[j] = match[j] / max(energy, 1e-30)
        energy += turned[j + 128].real ** 2 + turned[j + 128].imag ** 2
        energy -= turned[j].real ** 2 + turned[j].imag ** 2
        if share[j] > share[peak]:
            peak = j
    if not share[peak] >= match_least or peak + 80 > lags:  # the true one may lie 64 samples on
        return -1
    first, spread = max(peak - 15, 0), 0.0
    for at in range(first, peak + 1):
        spread = max(spread, share[at : at + 16].sum())
    if not spread >= spread_least:
        return -1
    noise = (1 - min(share[peak], 1.0)) / (16 * share[peak])  # eight times its mean
    for at in range(first, peak + 1):
        if match[at] > max(near if peak - at < 4 else far, noise) * match[peak]:
            return at
    return peak


@njit(cache=True, nogil=True, error_model="numpy")
def offset_free_mean(window: Array, cfo: float) -> complex:
    """DC of nine periods of the short field: the mean once the periodic part, which has none, is taken off."""
    turns = np.exp(1j * cfo * np.arange(144))
    period = np.zeros(16, np.complex128)
    for i in range(144):
        period[i % 16] += window[i] * turns[i].conjugate() / 9
    mean = period.sum() / 16
    rest = 0j
    for i in range(144):
        rest += window[i] - (period[i % 16] - mean) * turns[i]
    return rest / 144


@njit(cache=True, nogil=True, error_model="numpy")
def pair(long: Array, skip: int, dc: complex, offset: float) -> tuple[float, float]:
    """Likeness of the two long symbols after ``skip`` samples, and the carrier offset they show, rad/sample."""
    product, energy = 0j, 1e-30
    for i in range(skip, skip + 64):
        a, b = long[i] - dc, long[i + 64] - dc
        product += a.conjugate() * b
        energy += 0.5 * (a.real * a.real + a.imag * a.imag + b.real * b.real + b.imag * b.imag)
    likeness = np.hypot(product.real, product.imag) / energy
    product *= np.exp(-64j * offset)
    return likeness, offset + np.arctan2(product.imag, product.real) / 64


@njit(cache=True, nogil=True, error_model="numpy")
def channel(long: Array, back: int, dc: complex, cfo: float, dft: Array, out: Array) -> float:
    """Least-squares channel from two long symbols into ``out`` [52], and the noise variance of a carrier.

    ``dft``: rows of the unitary transform on the carriers times the training sequence, [52, 64] complex64.
    """
    total, change = np.empty(64, np.complex64), np.empty(64, np.complex64)
    for i in range(64):
        a = (long[i] - dc) * np.exp(-1j * cfo * (i - back))
        b = (long[i + 64] - dc) * np.exp(-1j * cfo * (i + 64 - back))
        total[i] = 0.5 * (a + b)
        change[i] = a - b
    noise = 0.0
    for k in range(dft.shape[0]):
        h, e = np.complex64(0), np.complex64(0)
        for i in range(64):
            h += dft[k, i] * total[i]
            e += dft[k, i] * change[i]
        out[k] = h
        noise += float(e.real) ** 2 + float(e.imag) ** 2
    return noise / (2 * dft.shape[0])
