"""Inner loops around a burst's preamble (numba, compiled at the first call); the tests have them in NumPy.

They are short: as NumPy calls most of their time would go into being called. No fast-math, so that freshly compiled and
cached code compute the same bits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[Any]

ANCHOR = 64
"""Samples after which a recurrence for ``exp(j w t)`` starts anew from sine and cosine."""


@njit(cache=True, error_model="numpy")
def mean_and_power(samples: Array) -> tuple[complex, float]:
    """Mean, and mean of the squared magnitude: [n] complex64."""
    re, im, power = np.zeros(8), np.zeros(8), np.zeros(8)
    whole = samples.size // 8 * 8
    for i in range(0, whole, 8):
        for j in range(8):
            a, b = np.float64(samples[i + j].real), np.float64(samples[i + j].imag)
            re[j] += a
            im[j] += b
            power[j] += a * a + b * b
    for i in range(whole, samples.size):
        a, b = np.float64(samples[i].real), np.float64(samples[i].imag)
        re[0] += a
        im[0] += b
        power[0] += a * a + b * b
    n = max(samples.size, 1)
    return complex(re.sum() / n, im.sum() / n), power.sum() / n


@njit(cache=True, error_model="numpy")
def rotate(samples: Array, offset: complex, step: float, first: int, out: Array) -> None:
    """``out[i] = (samples[i] - offset) * exp(j step (first + i))``: [n] complex64."""
    turn = complex(np.cos(step), np.sin(step))
    for low in range(0, samples.size, ANCHOR):
        angle = step * (first + low)
        at = complex(np.cos(angle), np.sin(angle))
        for i in range(low, min(low + ANCHOR, samples.size)):
            out[i] = np.complex64((samples[i] - offset) * at)
            at *= turn


@njit(cache=True, error_model="numpy")
def period_offset(window: Array, parts: int, size: int) -> float:
    """Maximum of the periodicity's likelihood, interpolated, in turns per part from -1/2 to 1/2.

    size: how many turns are tried, a multiple of 4
    """
    part = window.size // parts
    mean = mean_and_power(window)[0]
    re, im = np.empty(window.size), np.empty(window.size)
    for i in range(window.size):
        re[i], im[i] = window[i].real - mean.real, window[i].imag - mean.imag
    lag_re, lag_im = np.zeros(parts), np.zeros(parts)
    for m in range(1, parts):
        for i in range(window.size - m * part):
            a, b, c, d = re[i], im[i], re[i + m * part], im[i + m * part]
            lag_re[m] += a * c + b * d
            lag_im[m] += a * d - b * c
    cosine, likelihood = np.empty(size), np.zeros(size)
    for f in range(size):
        cosine[f] = np.cos(2 * np.pi * f / size)
    for f in range(size):
        for m in range(1, parts):
            at = f * m % size
            likelihood[f] += lag_re[m] * cosine[at] + lag_im[m] * cosine[(at + 3 * size // 4) % size]
    peak = int(np.argmax(likelihood))
    left, top, right = likelihood[peak - 1], likelihood[peak], likelihood[(peak + 1) % size]
    curve = left - 2 * top + right
    turn = (peak + (0.5 * (left - right) / curve if curve < 0 else 0.0)) / size
    return (turn + 0.5) % 1.0 - 0.5


@njit(cache=True, error_model="numpy")
def best_match(correlation: Array, samples: Array, length: int, energy: float) -> tuple[int, float]:
    """Place and value of the highest ``|correlation[i]|^2 / (energy * energy of samples[i : i + length])``."""
    window = 0.0
    for i in range(length):
        window += np.float64(samples[i].real) ** 2 + np.float64(samples[i].imag) ** 2
    best, place = -1.0, 0
    for i in range(correlation.size):
        match = np.float64(correlation[i].real) ** 2 + np.float64(correlation[i].imag) ** 2
        metric = match / max(window * energy, 1e-30)
        if metric > best:
            best, place = metric, i
        if i + length < samples.size:
            new, old = samples[i + length], samples[i]
            window += np.float64(new.real) ** 2 + np.float64(new.imag) ** 2
            window -= np.float64(old.real) ** 2 + np.float64(old.imag) ** 2
    return place, best


@njit(cache=True, error_model="numpy")
def correlate(samples: Array, known: Array, first: int, out: Array) -> None:
    """``out[d] = sum_i samples[first + d + i] conj(known[i])``, samples after the end taken as 0: complex64."""
    count, n = out.size, known.size
    re, im = np.zeros(n + count, np.float32), np.zeros(n + count, np.float32)
    for i in range(min(n + count, samples.size - first)):
        re[i], im[i] = samples[first + i].real, samples[first + i].imag
    sum_re, sum_im = np.zeros(count, np.float32), np.zeros(count, np.float32)
    for i in range(n):
        c, d = known[i].real, known[i].imag
        a, b = re[i : i + count], im[i : i + count]
        for j in range(count):
            sum_re[j] += a[j] * c + b[j] * d
            sum_im[j] += b[j] * c - a[j] * d
    for j in range(count):
        out[j] = complex(sum_re[j], sum_im[j])
