"""Decide a packet's symbols while following carrier phase, carrier offset, sampling clock and channel.

Symbol t is received as ``Y_k = H_k S_k exp(j (phi_t - 2 pi k tau_t / 64))``. Two Kalman filters of two states follow
(phi, its step) and (tau, its step): first the pilots correct the prediction, then all decided carriers do. H gathers
decided symbols with a memory of some 64 symbols and is smoothed over the carriers when the news is worth it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from semwave.modulation.gnuradio_ofdm.carriers import (
    UNIT,
    N,
    active,
    decide,
    gather,
    join,
    match,
    measure,
    point_bits,
    split,
    straighten,
    turns,
)
from semwave.modulation.gnuradio_ofdm.channel import smooth
from semwave.modulation.gnuradio_ofdm.frame import ACTIVE, PILOT_SIGNS, POLARITY

Array = npt.NDArray[Any]

MEMORY = 64.0
"""Symbols after which older ones count less in the channel."""
PHASE_WALK, TIMING_WALK = 1e-7, 1e-12
"""Variance that a symbol adds to the steps of phase (radians^2) and timing (samples^2)."""
PHASE_NOISE = 1e-6
"""Variance that a symbol adds to the phase itself."""
DELAY_STEP = 3e-4
"""Samples by which a delay may change before it is taken off anew: -66 dB on average over the carriers."""
_PLACES = ACTIVE.astype(np.float32)
_POLARITY = POLARITY.astype(np.float32)
_SIGNS = PILOT_SIGNS.astype(np.float32)

PHASE, STEP, TIMING, DRIFT = 0, 1, 2, 3
"""Places in the state: the means; behind them the variances (first, both, second) of each pair."""


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
        seen = complex(turns[k], turns[N + k]) * complex(h[k], -h[N + k]) * complex(y[k], y[N + k])
        total += seen * (polarity * _SIGNS[j])
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
    re, im, slope, energy, wide, power = measure(u, z, s, gain, _PLACES)
    moved = _update(state, PHASE, 4, np.arctan2(im, re), noise / (2 * energy + 1e-30) + 1e-9)
    bend = UNIT * wide + 1e-30
    _update(state, TIMING, 7, -slope / bend, noise / (2 * UNIT * bend) + 1e-9)
    # sum |u - h s|^2 with the phase corrected
    return moved, max(power - 2 * np.hypot(re, im) + energy, 0.0), energy


@njit(nogil=True, cache=True)
def _symbols(z: Array, bits: int, size: float, data: Array, used: int, s: Array, out: Array) -> None:
    """Decide; carriers that the last symbol leaves empty are none."""
    decide(z, bits, size, s)
    point_bits(s, data, bits, out)
    for k in data[used:]:
        s[k], s[N + k] = 0, 0


@njit(nogil=True, cache=True, error_model="numpy")
def _equalised(z: Array, gain: Array, data: Array, size: float, out: Array) -> None:
    """Data carriers as they would lie without a channel, at unit mean energy."""
    for j in range(data.size):
        k = data[j]
        scale = np.float32(1) / (gain[k] * np.float32(size) + np.float32(1e-30))
        out[j] = complex(z[k] * scale, z[N + k] * scale)


@njit(nogil=True, cache=True)
def _use(channel: Array, h: Array, gain: Array) -> None:
    """A new channel in parts, and ``|H|^2``."""
    split(channel, h)
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
    state: Array, channel: Array, sums: Array, weights: Array, out: Array, points: Array,
) -> tuple[float, float]:  # fmt: skip
    """Decide rows ``first ..`` (0 is the header, whose symbols are known), forwards or backwards in time.

    rows      [n, 64] complex64: FFT of each symbol, of which shifts [n] says how late its window was taken
    last_used data carriers used in symbol ``total - 1``, the packet's last
    state     [10], channel [52], sums [52], weights [52]: carried on; out [(total - 1) * 48 * bits]: filled
    points    [total - 1, 48] complex64: filled with the equalised data carriers; with no rows, left alone
    returns   energies of what the decisions leave and of what they explain, pilots apart
    """
    y, c, u, z, s = np.zeros((5, 2 * N), np.float32)
    h, b = np.empty((2, 2 * N), np.float32)
    gain = np.empty(N, np.float32)
    _use(channel, h, gain)
    split(sums, b)
    error, energy, dt = 0.0, 0.0, -1.0 if backwards else 1.0
    since, wait, turned = 0, 2, np.inf
    for i in range(rows.shape[0]):
        row = rows.shape[0] - 1 - i if backwards else i
        t = first + row
        if not (backwards and t == total - 1):
            _predict(state, PHASE, 4, dt, PHASE_WALK, PHASE_NOISE)
            _predict(state, TIMING, 7, dt, TIMING_WALK, 0.0)
        active(rows[row], y)
        delay = state[TIMING] - shifts[row]
        if abs(delay - turned) > DELAY_STEP:
            turns(delay, c)
            turned = delay
        polarity = _POLARITY[t % _POLARITY.size]
        _by_pilots(y, c, h, gain, polarity, pilots, noise, state)
        straighten(y, c, state[PHASE], u)
        match(u, h, z)
        if t == 0:
            split(known_first, s)
        else:
            used = last_used if t == total - 1 else data.size
            _symbols(z, bits, size, data, used, s, out[(t - 1) * data.size * bits :])
            if points.shape[0]:
                _equalised(z, gain, data[:used], size, points[t - 1])
        for k in pilots:  # they have been used
            s[k], s[N + k] = 0, 0
        moved, left, made = _by_decisions(u, z, s, gain, noise, state)
        _pilots(polarity, pilots, s)
        gather(u, s, moved, b, weights)
        error, energy = error + left, energy + made
        since += 1
        if since >= wait or t == 0 or i == rows.shape[0] - 1:
            join(b, sums)
            smooth(sums, weights, basis, values, noise, channel)
            _use(channel, h, gain)
            _forget(b, weights, MEMORY * size * size)
            since, wait = 0, min(2 * wait, 16)
    join(b, sums)
    return error, energy
