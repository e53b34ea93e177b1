"""Decide a packet's symbols while following carrier phase, carrier offset, sampling clock and channel.

Symbol t is received as ``Y_k = H_k S_k exp(j (phi_t - 2 pi k tau_t / 64))``. Two Kalman filters of two states follow
(phi, its step) and (tau, its step): first the pilots correct the prediction, then all decided carriers do. H gathers
decided symbols with a memory of some 64 symbols and is smoothed over the carriers when the news is worth it.

Inside, 52 complex numbers are 104 floats, real parts first: loops that write one array and run over floats become
vector code.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from semwave.modulation.gnuradio_ofdm.channel import smooth
from semwave.modulation.gnuradio_ofdm.frame import ACTIVE, FFT_SIZE, PILOT_SIGNS, POLARITY

Array = npt.NDArray[Any]

MEMORY = 64.0
"""Symbols after which older ones count less in the channel."""
PHASE_WALK, TIMING_WALK = 1e-7, 1e-12
"""Variance that a symbol adds to the steps of phase (radians^2) and timing (samples^2)."""
PHASE_NOISE = 1e-6
"""Variance that a symbol adds to the phase itself."""
DELAY_STEP = 3e-4
"""Samples by which a delay may change before it is taken off anew: -66 dB on average over the carriers."""
N = ACTIVE.size
_PLACES = ACTIVE.astype(np.float32)
UNIT = 2 * np.pi / FFT_SIZE
_POLARITY = POLARITY.astype(np.float32)
_SIGNS = PILOT_SIGNS.astype(np.float32)

PHASE, STEP, TIMING, DRIFT = 0, 1, 2, 3
"""Places in the state: the means; behind them the variances (first, both, second) of each pair."""
STATE_SIZE = 4 + 6


@njit(nogil=True, cache=True)
def _predict(state: Array, at: int, cov: int, dt: float, walk: float, jitter: float) -> None:
    """Go ``dt`` symbols on: mean and covariance of a value and its step."""
    state[at] += dt * state[at + 1]
    p, q, r = state[cov], state[cov + 1], state[cov + 2]
    state[cov] = p + 2 * dt * q + r + jitter
    state[cov + 1] = q + dt * r
    state[cov + 2] = r + walk


@njit(nogil=True, cache=True)
def _update(state: Array, at: int, cov: int, error: float, variance: float) -> float:
    """Take in a measurement of the value; gives by how much the value moved."""
    p, q, r = state[cov], state[cov + 1], state[cov + 2]
    gain, gain_step = p / (p + variance), q / (p + variance)
    state[at] += gain * error
    state[at + 1] += gain_step * error
    state[cov] = p - gain * p
    state[cov + 1] = q - gain * q
    state[cov + 2] = r - gain_step * q
    return gain * error


_FAST = {"contract", "reassoc"}


@njit(nogil=True, cache=True)
def _split(values: Array, out: Array) -> None:
    for k in range(N):
        out[k], out[N + k] = values[k].real, values[k].imag


@njit(nogil=True, cache=True)
def _join(parts: Array, out: Array) -> None:
    for k in range(N):
        out[k] = complex(parts[k], parts[N + k])


@njit(nogil=True, cache=True)
def _carriers(row: Array, out: Array) -> None:
    """Active carriers of an FFT: bins 38 to 63, then 1 to 26."""
    half = N // 2
    for k in range(half):
        low, high = row[FFT_SIZE - half + k], row[1 + k]
        out[k], out[N + k] = low.real, low.imag
        out[half + k], out[N + half + k] = high.real, high.imag


@njit(nogil=True, cache=True)
def _turns(delay: float, out: Array) -> None:
    """``exp(2j pi k delay / 64)``: what takes a delay off."""
    turn, half = complex(np.cos(UNIT * delay), np.sin(UNIT * delay)), N // 2
    at = complex(1)
    for i in range(half):
        at *= turn
        out[half + i], out[N + half + i] = at.real, at.imag
        out[half - 1 - i], out[N + half - 1 - i] = at.real, -at.imag


@njit(nogil=True, cache=True, fastmath=_FAST)
def _straighten(y: Array, turns: Array, phase: float, out: Array) -> None:
    """``out = y turns exp(-j phase)``."""
    c, s = np.float32(np.cos(phase)), np.float32(np.sin(phase))
    for k in range(N):
        re = y[k] * turns[k] - y[N + k] * turns[N + k]
        im = y[N + k] * turns[k] + y[k] * turns[N + k]
        out[k] = re * c + im * s
        out[N + k] = im * c - re * s


@njit(nogil=True, cache=True, fastmath=_FAST)
def _match(u: Array, h: Array, out: Array) -> None:
    """``out = u conj(h)``."""
    for k in range(N):
        out[k] = u[k] * h[k] + u[N + k] * h[N + k]
        out[N + k] = u[N + k] * h[k] - u[k] * h[N + k]


@njit(nogil=True, cache=True, fastmath=_FAST)
def _decide(z: Array, bits: int, size: float, s: Array) -> None:
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
def _bits(s: Array, data: Array, bits: int, out: Array) -> None:
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
def _measure(
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
def _gather(u: Array, s: Array, angle: float, sums: Array, weights: Array) -> None:
    """Add ``u exp(-j angle) conj(s)`` and ``|s|^2``."""
    cosine, sine = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    for k in range(N):
        re, im = s[k] * cosine - s[N + k] * sine, s[N + k] * cosine + s[k] * sine
        sums[k] += u[k] * re + u[N + k] * im
        sums[N + k] += u[N + k] * re - u[k] * im
    for k in range(N):
        weights[k] += s[k] * s[k] + s[N + k] * s[N + k]


@njit(nogil=True, cache=True)
def _pilots(polarity: float, pilots: Array, s: Array) -> None:
    for j in range(pilots.size):
        s[pilots[j]], s[N + pilots[j]] = polarity * _SIGNS[j], np.float32(0)


@njit(nogil=True, cache=True, error_model="numpy")
def _by_pilots(
    y: Array, turns: Array, h: Array, gain: Array, polarity: float, pilots: Array, noise: float, state: Array
) -> None:
    """Correct the predicted phase by the pilots."""
    total, energy = complex(0), 0.0
    for j in range(pilots.size):
        k = pilots[j]
        match = complex(turns[k], turns[N + k]) * complex(h[k], -h[N + k]) * complex(y[k], y[N + k])
        total += match * (polarity * _SIGNS[j])
        energy += gain[k]
    total *= complex(np.cos(state[PHASE]), -np.sin(state[PHASE]))
    _update(state, PHASE, 4, np.angle(total), noise / (2 * energy + 1e-30) + 1e-9)


@njit(nogil=True, cache=True, error_model="numpy")
def _by_decisions(
    u: Array, z: Array, s: Array, gain: Array, noise: float, state: Array
) -> tuple[float, float, float]:  # fmt: skip
    """Correct phase and timing by all carriers whose symbols are known or decided.

    returns  the turn of the phase, and the energies of what the decisions leave and explain
    """
    re, im, slope, energy, wide, power = _measure(u, z, s, gain, _PLACES)
    moved = _update(state, PHASE, 4, np.arctan2(im, re), noise / (2 * energy + 1e-30) + 1e-9)
    bend = UNIT * wide + 1e-30
    _update(state, TIMING, 7, -slope / bend, noise / (2 * UNIT * bend) + 1e-9)
    # sum |u - h s|^2 with the phase corrected
    return moved, max(power - 2 * np.hypot(re, im) + energy, 0.0), energy


@njit(nogil=True, cache=True)
def _symbols(z: Array, bits: int, size: float, data: Array, used: int, s: Array, out: Array) -> None:
    """Decide; carriers that the last symbol leaves empty are none."""
    _decide(z, bits, size, s)
    _bits(s, data, bits, out)
    for k in data[used:]:
        s[k], s[N + k] = 0, 0


@njit(nogil=True, cache=True)
def _use(channel: Array, h: Array, gain: Array) -> None:
    """A new channel in parts, and ``|H|^2``."""
    _split(channel, h)
    for k in range(N):
        gain[k] = h[k] * h[k] + h[N + k] * h[N + k]


@njit(nogil=True, cache=True)
def _forget(sums: Array, weights: Array, most: float) -> None:
    mean = weights.mean()
    if mean > most:
        weights *= np.float32(most / mean)
        sums *= np.float32(most / mean)


@njit(nogil=True, cache=True, error_model="numpy")
def track(
    rows: Array, first: int, shifts: Array, known_first: Array, pilots: Array, data: Array, last_used: int,
    total: int, bits: int, size: float, noise: float, basis: Array, values: Array, backwards: bool,
    state: Array, channel: Array, sums: Array, weights: Array, out: Array,
) -> tuple[float, float]:  # fmt: skip
    """Decide rows ``first ..`` (0 is the header, whose symbols are known), forwards or backwards in time.

    rows      [n, 64] complex64: FFT of each symbol, of which shifts [n] says how late its window was taken
    last_used data carriers used in symbol ``total - 1``, the packet's last
    state     [10], channel [52], sums [52], weights [52]: carried on; out [(total - 1) * 48 * bits]: filled
    returns   energies of what the decisions leave and of what they explain, pilots apart
    """
    y, c, u, z, s = np.zeros((5, 2 * N), np.float32)
    h, b = np.empty((2, 2 * N), np.float32)
    gain = np.empty(N, np.float32)
    _use(channel, h, gain)
    _split(sums, b)
    error, energy, dt = 0.0, 0.0, -1.0 if backwards else 1.0
    since, wait, turned = 0, 2, np.inf
    for i in range(rows.shape[0]):
        row = rows.shape[0] - 1 - i if backwards else i
        t = first + row
        if not (backwards and t == total - 1):
            _predict(state, PHASE, 4, dt, PHASE_WALK, PHASE_NOISE)
            _predict(state, TIMING, 7, dt, TIMING_WALK, 0.0)
        _carriers(rows[row], y)
        delay = state[TIMING] - shifts[row]
        if abs(delay - turned) > DELAY_STEP:
            _turns(delay, c)
            turned = delay
        polarity = _POLARITY[t % _POLARITY.size]
        _by_pilots(y, c, h, gain, polarity, pilots, noise, state)
        _straighten(y, c, state[PHASE], u)
        _match(u, h, z)
        if t == 0:
            _split(known_first, s)
        else:
            used = last_used if t == total - 1 else data.size
            _symbols(z, bits, size, data, used, s, out[(t - 1) * data.size * bits :])
        for k in pilots:  # they have been used
            s[k], s[N + k] = 0, 0
        moved, left, made = _by_decisions(u, z, s, gain, noise, state)
        _pilots(polarity, pilots, s)
        _gather(u, s, moved, b, weights)
        error, energy = error + left, energy + made
        since += 1
        if since >= wait or t == 0 or i == rows.shape[0] - 1:
            _join(b, sums)
            smooth(sums, weights, basis, values, noise, channel)
            _use(channel, h, gain)
            _forget(b, weights, MEMORY * size * size)
            since, wait = 0, min(2 * wait, 16)
    _join(b, sums)
    return error, energy
