"""Inner loops of demodulation (numba, compiled at the first call); ``demodulate_reference`` is the same in NumPy."""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[Any]


@njit(cache=True, nogil=True, error_model="numpy")
def take(samples: Array, places: Array, cfo: float, since: float, dc: complex, out: Array) -> None:
    """Cut out rows of 64 samples, take DC and carrier offset off: [n] -> out [rows, 64] complex64.

    ``since``: samples from the zero of the carrier's phase to ``samples[0]``.
    """
    inside = np.exp(-1j * cfo * np.arange(64))
    for s in range(places.size):
        at = places[s]
        turn = np.exp(-1j * cfo * (since + at))
        for i in range(64):
            out[s, i] = (samples[at + i] - dc) * (turn * inside[i])


@njit(cache=True, nogil=True, error_model="numpy")
def grow(re: Array, im: Array, turn: Array, variance: float, prior: float) -> float:
    """``demodulate_reference.slope`` of re + j im."""
    total, size = 0.0, re.size
    for s in range(size):
        total += np.hypot(re[s], im[s])
    mean = total / size + 1e-30
    slope, n = 0.0, 2
    while True:
        precision, pull = 0.0, 0.0
        for s in range(min(n, size)):
            c, d = np.cos(slope * turn[s]), np.sin(slope * turn[s])
            w = np.hypot(re[s], im[s]) / mean
            precision += w * turn[s] * turn[s]
            pull += w * turn[s] * np.arctan2(im[s] * c + re[s] * d, re[s] * c - im[s] * d)
        slope -= (pull / variance + slope / prior**2) / (precision / variance + 1 / prior**2)
        if n >= size:
            return slope
        n *= 2


@njit(cache=True, nogil=True, error_model="numpy")
def match(y: Array, bins: Array, h: Array, pilots: Array) -> Array:
    """Pilots against what they should be: conj(h p) y, [n, 4] complex128."""
    out = np.empty((y.shape[0], 4), np.complex128)
    for s in range(y.shape[0]):
        for j in range(4):
            out[s, j] = np.conj(h[j]) * y[s, bins[j]] * pilots[s, j]
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def drift(seen: Array, power: Array, n0: float, times: Array, spacing: float, prior: float) -> float:
    """``demodulate_reference.drift``, ``spacing`` being PILOT_TURN."""
    n = seen.shape[0]
    re, im, turn = np.empty(n), np.empty(n), np.empty(n)
    level = 1e-30
    for j in range(3):
        level += power[j] * power[j + 1]
    for s in range(n):
        total = 0j
        for j in range(3):
            total += np.conj(seen[s, j]) * seen[s, j + 1]
        re[s], im[s], turn[s] = total.real, total.imag, times[s] * spacing
    mean = (power[0] + power[1] + power[2] + power[3]) / 4
    return grow(re, im, turn, max(1.5 * n0 * mean / level, 1e-6), prior)


@njit(cache=True, nogil=True, error_model="numpy")
def _average(values: Array, half: int) -> Array:
    if half == 0 or values.size == 1:
        return values.copy()
    out = np.empty_like(values)
    for i in range(values.size):
        low, high = max(i - half, 0), min(i + half + 1, values.size)
        total = values[low] - values[low]
        for j in range(low, high):
            total += values[j]
        out[i] = total / (high - low)
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def common(seen: Array, power: float, n0: float, times: Array, offset_prior: float) -> Array:
    """``demodulate_reference.common``: seen [n, 4] complex -> [n] complex128."""
    n = seen.shape[0]
    scale = 1 / max(4 * power, 1e-30)
    noise = n0 * scale
    total = np.empty(n, np.complex128)
    for s in range(n):
        total[s] = (seen[s, 0] + seen[s, 1] + seen[s, 2] + seen[s, 3]) * scale
    prior = max(np.sqrt(noise / 16) / 64, offset_prior)
    slope = grow(total.real.copy(), total.imag.copy(), times, max(noise / 2, 1e-5), prior)
    for s in range(n):
        total[s] *= np.exp(1j * times[s] * slope)
    half = min(max(int(np.ceil(30 * noise)), 0), 8)
    phase = _average(total, half)
    level = np.empty(n)
    for s in range(n):
        phase[s] += noise / 2 / (0.003 + (1.5e-5 * times[s]) ** 2) / (2 * half + 1)
        size = np.hypot(phase[s].real, phase[s].imag)
        phase[s] = phase[s] / max(size, 1e-30)
        level[s] = total[s].real * phase[s].real + total[s].imag * phase[s].imag
    level = _average(level, 12)
    for s in range(n):
        phase[s] *= max((level[s] * 25 + 26.0) / 51.0, 0.1) * np.exp(-1j * times[s] * slope)
    return phase


@njit(cache=True, nogil=True, error_model="numpy")
def unturn(y: Array, late: Array) -> None:
    """Take a delay of ``late[s]`` samples off each spectrum, in place: y [n, 64] complex64 in FFT order."""
    for s in range(y.shape[0]):
        step = np.exp(2j * np.pi / 64 * late[s])
        up = down = step
        for k in range(1, 29):
            y[s, k] *= up
            y[s, 64 - k] *= np.conj(down)
            up *= step
            down *= step


@njit(cache=True, nogil=True, error_model="numpy")
def divide(y: Array, bins: Array, h: Array, places: Array, gain: Array, n0: float, points: Array, noise: Array) -> None:
    """Zero-forcing: points = y / (gain h[places]) and the noise variance they then have."""
    for s in range(y.shape[0]):
        g = np.complex64(gain[s])
        for c in range(bins.size):
            whole = g * h[places[c]]
            strength = max(whole.real * whole.real + whole.imag * whole.imag, np.float32(1e-30))
            inverse = np.float32(1.0) / strength
            points[s, c] = y[s, bins[c]] * np.conj(whole) * inverse
            noise[s, c] = np.float32(n0) * inverse


@njit(cache=True, nogil=True, error_model="numpy")
def _excess(points: Array, n0: Array, bits: int, unit: Any, scale: Array) -> float:
    """Factor by which each carrier is noisier than promised, at least 1, and the mean squared error."""
    top = np.float32((1 << max(bits // 2, 1)) - 1)
    total, n = 0.0, points.shape[0]
    scale[:] = np.float32(8)
    for s in range(n):
        for c in range(scale.size):
            x, y = points[s, c].real * unit, points[s, c].imag * unit
            x = abs(x) - min(np.float32(2) * np.floor(np.float32(0.5) * abs(x)) + np.float32(1), top)
            if bits > 1:
                y = abs(y) - min(np.float32(2) * np.floor(np.float32(0.5) * abs(y)) + np.float32(1), top)
            error = (x * x + y * y) / (unit * unit)
            total += error
            scale[c] += error / n0[s, c]
    for c in range(scale.size):
        scale[c] = max(scale[c] / np.float32(n + 8), np.float32(1))
    return total / (n * scale.size)


@njit(cache=True, nogil=True, error_model="numpy")
def soft_bits(points: Array, n0: Array, order: Array, bits: int, unit: Any, out: Array) -> float:
    """``demodulate_reference.soft_bits``: LLRs into ``out``, the mean squared error back; ``unit`` is float32.

    With levels +-1, +-3, ... the next bit of an axis is the sign of 2^(m-1) - |v|, so each bit is the sign bit of a
    smaller PAM, whose max-log LLR is sgn(v) (1 + a)(2|v| + 1 - a)/n0 with a the level nearest to |v|.
    """
    one, two = np.float32(1), np.float32(2)
    scale = np.empty(points.shape[1], np.float32)
    error = _excess(points, n0, bits, unit, scale)
    axis_bits, axes = max(bits // 2, 1), min(bits, 2)
    for s in range(points.shape[0]):
        for c in range(scale.size):
            weight = one / (n0[s, c] * scale[c] * unit * unit)
            for axis in range(axes):
                v = (points[s, c].imag if axis else points[s, c].real) * unit
                fold = np.float32(1 << (axis_bits - 1))
                for j in range(axis_bits):
                    u = abs(v)
                    a = min(two * np.floor(np.float32(0.5) * u) + one, two * fold - one)
                    llr = (one + a) * (u + u + one - a) * weight
                    at = order[c * bits + axis * axis_bits + j]
                    out[s * order.size + at] = llr if v > 0 else -llr
                    v = fold - u
                    fold *= np.float32(0.5)
    return error
