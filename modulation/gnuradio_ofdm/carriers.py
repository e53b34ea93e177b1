"""Arithmetic over the 52 active carriers for ``track``.

52 complex numbers are 104 floats, real parts first: loops that write one array and run over floats become vector code.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from semwave.modulation.gnuradio_ofdm.frame import ACTIVE, FFT_SIZE

Array = npt.NDArray[Any]

N = ACTIVE.size
UNIT = 2 * np.pi / FFT_SIZE
_FAST = {"contract", "reassoc"}


@njit(nogil=True, cache=True)
def split(values: Array, out: Array) -> None:
    for k in range(N):
        out[k], out[N + k] = values[k].real, values[k].imag


@njit(nogil=True, cache=True)
def join(parts: Array, out: Array) -> None:
    for k in range(N):
        out[k] = complex(parts[k], parts[N + k])


@njit(nogil=True, cache=True)
def active(row: Array, out: Array) -> None:
    """Active carriers of an FFT: bins 38 to 63, then 1 to 26."""
    half = N // 2
    for k in range(half):
        low, high = row[FFT_SIZE - half + k], row[1 + k]
        out[k], out[N + k] = low.real, low.imag
        out[half + k], out[N + half + k] = high.real, high.imag


@njit(nogil=True, cache=True)
def turns(delay: float, out: Array) -> None:
    """``exp(2j pi k delay / 64)``: what takes a delay off."""
    turn, half = complex(np.cos(UNIT * delay), np.sin(UNIT * delay)), N // 2
    at = complex(1)
    for i in range(half):
        at *= turn
        out[half + i], out[N + half + i] = at.real, at.imag
        out[half - 1 - i], out[N + half - 1 - i] = at.real, -at.imag


@njit(nogil=True, cache=True, fastmath=_FAST)
def straighten(y: Array, turns: Array, phase: float, out: Array) -> None:
    """``out = y turns exp(-j phase)``."""
    c, s = np.float32(np.cos(phase)), np.float32(np.sin(phase))
    for k in range(N):
        re = y[k] * turns[k] - y[N + k] * turns[N + k]
        im = y[N + k] * turns[k] + y[k] * turns[N + k]
        out[k] = re * c + im * s
        out[N + k] = im * c - re * s


@njit(nogil=True, cache=True, fastmath=_FAST)
def match(u: Array, h: Array, out: Array) -> None:
    """``out = u conj(h)``."""
    for k in range(N):
        out[k] = u[k] * h[k] + u[N + k] * h[N + k]
        out[N + k] = u[N + k] * h[k] - u[k] * h[N + k]


@njit(nogil=True, cache=True, fastmath=_FAST)
def decide(z: Array, bits: int, size: float, s: Array) -> None:
    """Nearest points to all carriers."""
    one, half = np.float32(size), np.float32(size * np.sqrt(0.5))
    far, near, none = np.float32(np.cos(np.pi / 8)), np.float32(np.sin(np.pi / 8)), np.float32(0)
    if bits == 1:
        for k in range(N):
            s[k] = one if z[k] > none else -one
            s[N + k] = none
    elif bits == 2:
        for k in range(2 * N):
            s[k] = half if z[k] > none else -half
    else:
        for k in range(N):
            tall = abs(z[N + k]) > abs(z[k])
            wide, high = near if tall else far, far if tall else near
            s[k] = wide if z[k] > none else -wide
            s[N + k] = high if z[N + k] > none else -high


@njit(nogil=True, cache=True)
def point_bits(s: Array, data: Array, bits: int, out: Array) -> None:
    """Bits of the points decided, in the order sent: [data * bits]."""
    for i in range(data.size):
        re, im = s[data[i]], s[N + data[i]]
        if bits == 1:
            out[i] = re > 0
        elif bits == 2:
            out[2 * i], out[2 * i + 1] = re > 0, im > 0
        else:
            out[3 * i], out[3 * i + 1], out[3 * i + 2] = re < 0, im < 0, abs(im) > abs(re)


@njit(nogil=True, cache=True, fastmath=_FAST)
def measure(
    u: Array, z: Array, s: Array, gain: Array, places: Array
) -> tuple[float, float, float, float, float, float]:
    """Parts of ``sum z conj(s)``, ``sum k Im(z conj(s))``, and energies.

    These are ``sum |H s|^2``, ``sum k^2 |H s|^2`` and, over the carriers in use, ``sum |u|^2``.
    """
    zero, one = np.float32(0), np.float32(1)
    re, im, slope, energy, wide, power = zero, zero, zero, zero, zero, zero
    for k in range(N):
        c = z[N + k] * s[k] - z[k] * s[N + k]
        size = s[k] * s[k] + s[N + k] * s[N + k]
        e = gain[k] * size
        power += (one if size > zero else zero) * (u[k] * u[k] + u[N + k] * u[N + k])
        re += z[k] * s[k] + z[N + k] * s[N + k]
        im += c
        slope += places[k] * c
        energy += e
        wide += places[k] * places[k] * e
    return float(re), float(im), float(slope), float(energy), float(wide), float(power)


@njit(nogil=True, cache=True, fastmath=_FAST)
def gather(u: Array, s: Array, angle: float, sums: Array, weights: Array) -> None:
    """Add ``u exp(-j angle) conj(s)`` and ``|s|^2``."""
    cosine, sine = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    for k in range(N):
        re, im = s[k] * cosine - s[N + k] * sine, s[N + k] * cosine + s[k] * sine
        sums[k] += u[k] * re + u[N + k] * im
        sums[N + k] += u[N + k] * re - u[k] * im
    for k in range(N):
        weights[k] += s[k] * s[k] + s[N + k] * s[N + k]
