"""Inner loops over a burst's pilots and carriers (numba, compiled at the first call); the tests have them in
NumPy.

For a burst of some thirty symbols NumPy spends more time on being called than on computing. No fast-math, so that
freshly compiled and cached code compute the same bits; ``places`` are those of :func:`semwave.modulation.ofdm.estimate.
places`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[Any]

_DELAYS = 32
"""Delays worked on together: few enough for their sums to stay in registers."""


@njit(cache=True, error_model="numpy")
def turn_likelihood(places: Any, values: Array, channel: Array, until: int, reach: float, out: Array) -> None:
    """``out[i] = Re sum_l exp(-j w_i (t_l + 1)) q_l`` for w from -reach to reach, q_l the pilots of one pattern at time
    t_l < until against ``channel`` [active]."""
    times, time_ptr, carriers, carrier_ptr = places
    out[:] = 0
    width, at = 2 * reach / (out.size - 1), 0
    for g in range(time_ptr.size - 1):
        mine = carriers[carrier_ptr[g] : carrier_ptr[g + 1]]
        for t in times[time_ptr[g] : time_ptr[g + 1]]:
            if t < until:
                total = 0j
                for j in range(mine.size):
                    total += values[at + j] * np.conj(np.complex128(channel[mine[j]]))
                angle = width * (t + 1)
                step = complex(np.cos(angle), -np.sin(angle))
                total *= complex(np.cos(reach * (t + 1)), np.sin(reach * (t + 1)))
                for i in range(out.size):
                    out[i] += total.real
                    total *= step
            at += mine.size


@njit(cache=True, error_model="numpy")
def lagged_products(places: Any, values: Array, lagged: Array, counts: Array) -> None:
    """Sums of ``Re conj(z[t]) z[t + m]`` over pilots seen m periods apart, and how many there are, for m = 0, 1, ..."""
    _, time_ptr, _, carrier_ptr = places
    lagged[:] = 0
    counts[:] = 0
    at = 0
    for g in range(time_ptr.size - 1):
        times, width = time_ptr[g + 1] - time_ptr[g], carrier_ptr[g + 1] - carrier_ptr[g]
        for m in range(min(lagged.size, times)):
            total = 0.0
            for i in range(at, at + (times - m) * width):
                a, b = values[i], values[i + m * width]
                total += a.real * b.real + a.imag * b.imag
            lagged[m] += total
            counts[m] += (times - m) * width
        at += times * width


@njit(cache=True, error_model="numpy")
def against(places: Any, values: Array, channel: Array, sums: Array, energy: Array) -> float:
    """By symbol the pilots' product with a channel estimate and the latter's energy; gives the sum of squared errors.

    channel  [symbols, active]; places within it
    """
    times, time_ptr, carriers, carrier_ptr = places
    sums[:] = 0
    energy[:] = 0
    at, error = 0, 0.0
    for g in range(time_ptr.size - 1):
        for t in times[time_ptr[g] : time_ptr[g + 1]]:
            row = channel[t]
            for k in carriers[carrier_ptr[g] : carrier_ptr[g + 1]]:
                z, h = values[at], np.complex128(row[k])
                sums[t] += z * np.conj(h)
                energy[t] += h.real * h.real + h.imag * h.imag
                error += (z.real - h.real) ** 2 + (z.imag - h.imag) ** 2
                at += 1
    return error


@njit(cache=True, error_model="numpy")
def power_over_delay(channel: Array, cosine: Array, sine: Array, out: Array) -> None:
    """``out[d] = mean over symbols of |sum_k channel[s, k] (cosine + j sine)[k, d]|^2``: float32."""
    symbols, active = channel.shape
    zero = np.float32(0)
    re, im = np.empty(_DELAYS, np.float32), np.empty(_DELAYS, np.float32)
    for first in range(0, out.size, _DELAYS):
        count = min(_DELAYS, out.size - first)
        c, s = np.zeros((active, _DELAYS), np.float32), np.zeros((active, _DELAYS), np.float32)
        c[:, :count] = cosine[:, first : first + count]
        s[:, :count] = sine[:, first : first + count]
        total = np.zeros(_DELAYS, np.float32)
        for i in range(symbols):
            re[:] = zero
            im[:] = zero
            for k in range(active):
                a, b = channel[i, k].real, channel[i, k].imag
                for d in range(_DELAYS):
                    re[d] += a * c[k, d] - b * s[k, d]
                    im[d] += a * s[k, d] + b * c[k, d]
            for d in range(_DELAYS):
                total[d] += re[d] * re[d] + im[d] * im[d]
        out[first : first + count] = total[:count] / np.float32(max(symbols, 1))


@njit(cache=True, error_model="numpy")
def windows(samples: Array, starts: Array, offset: complex, step: float, first: int, out: Array) -> None:
    """``out[s, i] = (x - offset) exp(j step (first + n))`` with x the sample ``n = starts[s] + i``: complex64."""
    size = out.shape[1]
    within = np.empty(size, np.complex64)
    turn, at = complex(np.cos(step), np.sin(step)), 1 + 0j
    for i in range(size):
        if i % 64 == 0:
            at = complex(np.cos(step * i), np.sin(step * i))
        within[i] = np.complex64(at)
        at *= turn
    dc = np.complex64(offset)
    for s in range(starts.size):
        low = starts[s]
        angle = step * (first + low)
        begin = np.complex64(complex(np.cos(angle), np.sin(angle)))
        for i in range(size):
            out[s, i] = (samples[low + i] - dc) * (within[i] * begin)


@njit(cache=True, error_model="numpy")
def turn_symbols(carriers: Array, phases: Array) -> None:
    """Multiply row s of ``carriers`` [symbols, active] by ``exp(-j phases[s])``, in place."""
    for s in range(phases.size):
        by = np.complex64(complex(np.cos(phases[s]), -np.sin(phases[s])))
        row = carriers[s]
        for k in range(row.size):
            row[k] *= by


@njit(cache=True, error_model="numpy")
def pick(carriers: Array, index: Array, known: Array, out: Array) -> None:
    """``out[i] = carriers.flat[index[i]] * conj(known[i])``: complex64 to complex128."""
    flat = carriers.reshape(-1)
    for i in range(index.size):
        out[i] = np.complex128(flat[index[i]] * np.conj(known[i]))


@njit(cache=True, error_model="numpy")
def divide(received: Array, channel: Array, noise: Array, floor: float, symbols: Array, variance: Array) -> None:
    """Flat arrays: ``symbols = received / channel`` and ``variance = noise / |channel|^2``."""
    for i in range(received.size):
        y, h = received[i], channel[i]
        inverse = np.float32(1) / max(h.real * h.real + h.imag * h.imag, np.float32(floor))
        a, b = h.real * inverse, -h.imag * inverse
        symbols[i] = complex(y.real * a - y.imag * b, y.real * b + y.imag * a)
        variance[i] = noise[i] * inverse
