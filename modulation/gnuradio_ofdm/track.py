"""Decide a packet's symbols while following carrier phase, carrier offset, sampling clock and channel.

Symbol t is received as ``Y_k = H_k S_k exp(j (phi_t - 2 pi k tau_t / 64))``. Two Kalman filters of two states follow
(phi, its step) and (tau, its step): first the pilots correct the prediction, then all decided carriers do. H gathers the
decided symbols with a memory of some 64 symbols and is smoothed over the carriers when the news is worth it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from semwave.modulation.gnuradio_ofdm.channel import smooth
from semwave.modulation.gnuradio_ofdm.frame import FFT_SIZE, PILOT_SIGNS, POLARITY

Array = npt.NDArray[Any]

MEMORY = 64.0
"""Symbols after which older ones count less in the channel."""
PHASE_WALK, TIMING_WALK = 1e-7, 1e-12
"""Variance that a symbol adds to the steps of phase (radians^2) and timing (samples^2)."""
PHASE_NOISE = 1e-6
"""Variance that a symbol adds to the phase itself."""
CARRIERS = 26  # on each side
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


@njit(nogil=True, cache=True, fastmath={"contract", "reassoc"}, error_model="numpy")
def _turned(row: Array, bins: Array, channel: Array, phase: float, delay: float, out: Array) -> None:
    """``Y conj(H)`` with phase and delay taken off."""
    start = complex(np.cos(phase), -np.sin(phase))
    turn = complex(np.cos(UNIT * delay), np.sin(UNIT * delay))
    up, down = start, start
    for i in range(CARRIERS):
        up *= turn
        down *= turn.conjugate()
        high, low = CARRIERS + i, CARRIERS - 1 - i
        out[high] = row[bins[high]] * channel[high].conjugate() * np.complex64(up)
        out[low] = row[bins[low]] * channel[low].conjugate() * np.complex64(down)


@njit(nogil=True, cache=True, fastmath={"contract", "reassoc"}, error_model="numpy")
def _decide(z: Array, data: Array, used: int, bits: int, size: float, known: Array, out: Array, soft: Array) -> int:
    """Nearest points of the first ``used`` data carriers, and their bits' distances from the border: the count."""
    n = 0
    half = np.float32(size * np.sqrt(0.5))
    one, far, near = np.float32(size), np.float32(np.cos(np.pi / 8)), np.float32(np.sin(np.pi / 8))
    for i in range(used):
        k = data[i]
        re, im = z[k].real, z[k].imag
        if bits == 1:
            known[k] = one if re > 0 else -one
            soft[n] = re
        elif bits == 2:
            known[k] = np.complex64(complex(half if re > 0 else -half, half if im > 0 else -half))
            soft[n], soft[n + 1] = re, im
        else:
            wide, tall = (near, far) if abs(im) > abs(re) else (far, near)
            known[k] = np.complex64(complex(wide if re > 0 else -wide, tall if im > 0 else -tall))
            soft[n], soft[n + 1], soft[n + 2] = -re, -im, (abs(im) - abs(re)) * np.float32(np.sqrt(0.5))
        n += bits
    for i in range(n):
        out[i] = soft[i] > 0
    return n


@njit(nogil=True, cache=True, fastmath={"contract", "reassoc"}, error_model="numpy")
def _measure(z: Array, known: Array, channel: Array, which: Array) -> tuple[complex, float, float, float]:
    """``sum z conj(S)``, ``sum k Im(z conj(S))``, and the energies ``sum |H S|^2``, ``sum k^2 |H S|^2``."""
    re, im, slope, energy, wide = np.float32(0), np.float32(0), np.float32(0), np.float32(0), np.float32(0)
    for i in range(which.size):
        k = which[i]
        c = z[k] * known[k].conjugate()
        place = np.float32(k - CARRIERS if k < CARRIERS else k - CARRIERS + 1)
        h, s = channel[k], known[k]
        e = (h.real * h.real + h.imag * h.imag) * (s.real * s.real + s.imag * s.imag)
        re += c.real
        im += c.imag
        slope += place * c.imag
        energy += e
        wide += place * place * e
    return complex(re, im), slope, energy, wide


@njit(nogil=True, cache=True, fastmath={"contract", "reassoc"}, error_model="numpy")
def _gather(
    row: Array, bins: Array, known: Array, phase: float, delay: float, channel: Array, sums: Array, weights: Array
) -> tuple[float, float]:
    """Add a symbol to the channel's statistics; gives the energies of what the decisions leave and explain."""
    start = complex(np.cos(phase), -np.sin(phase))
    turn = complex(np.cos(UNIT * delay), np.sin(UNIT * delay))
    up, down = start, start
    error, energy = 0.0, 0.0
    for i in range(CARRIERS):
        up *= turn
        down *= turn.conjugate()
        for side in range(2):
            k = CARRIERS + i if side == 0 else CARRIERS - 1 - i
            s = known[k]
            if s == 0:
                continue
            y = row[bins[k]] * np.complex64(up if side == 0 else down)
            sums[k] += y * s.conjugate()
            weights[k] += s.real * s.real + s.imag * s.imag
            e = y - channel[k] * s
            error += np.float64(e.real * e.real + e.imag * e.imag)
            e = channel[k] * s
            energy += np.float64(e.real * e.real + e.imag * e.imag)
    return error, energy


@njit(nogil=True, cache=True, error_model="numpy")
def track(
    rows: Array, first: int, shifts: Array, known_first: Array, bins: Array, pilots: Array, data: Array, last_used: int,
    total: int, bits: int, size: float, noise: float, vectors: Array, values: Array, backwards: bool,
    state: Array, channel: Array, sums: Array, weights: Array, out: Array, soft: Array,
) -> tuple[float, float]:  # fmt: skip
    """Decide rows ``first ..`` (0 is the header, whose symbols are known), forwards or backwards in time.

    rows      [n, 64] complex64: FFT of each symbol, of which shifts [n] says how late its window was taken
    last_used data carriers used in symbol ``total - 1``, the packet's last
    state     [10], channel [52], sums [52], weights [52]: carried on; out, soft [total * 48 * bits]: filled
    returns   energies of what the decisions leave and of what they explain
    """
    z, known = np.empty(channel.size, np.complex64), np.empty(channel.size, np.complex64)
    error, energy = 0.0, 0.0
    dt = -1.0 if backwards else 1.0
    since, wait = 0, 2
    for i in range(rows.shape[0]):
        row = rows.shape[0] - 1 - i if backwards else i
        t = first + row
        if not (backwards and t == total - 1):
            _predict(state, PHASE, 4, dt, PHASE_WALK, PHASE_NOISE)
            _predict(state, TIMING, 7, dt, TIMING_WALK, 0.0)
        delay = state[TIMING] - shifts[row]
        known[:] = 0
        for j in range(pilots.size):
            known[pilots[j]] = _POLARITY[t % _POLARITY.size] * _SIGNS[j]
        _turned(rows[row], bins, channel, state[PHASE], delay, z)
        sum_, slope, power, wide = _measure(z, known, channel, pilots)
        moved = _update(state, PHASE, 4, np.angle(sum_), noise / (2 * power + 1e-30) + 1e-9)
        used = data.size
        if t == 0:
            known[:] = known_first
        else:
            used = last_used if t == total - 1 else used
            back = np.complex64(complex(np.cos(moved), -np.sin(moved)))
            for k in range(z.size):
                z[k] *= back
            place = (t - 1) * data.size * bits
            _decide(z, data, used, bits, size, known, out[place:], soft[place:])
            moved = 0.0
        sum_, slope, power, wide = _measure(z, known, channel, data[:used])
        sum_ *= complex(np.cos(moved), -np.sin(moved))
        _update(state, PHASE, 4, np.angle(sum_), noise / (2 * power + 1e-30) + 1e-9)
        _update(state, TIMING, 7, -slope / (UNIT * wide + 1e-30), noise / (2 * UNIT * UNIT * wide + 1e-30) + 1e-9)
        left, made = _gather(rows[row], bins, known, state[PHASE], state[TIMING] - shifts[row], channel, sums, weights)
        error, energy = error + left, energy + made
        since += 1
        if since >= wait or t == 0 or i == rows.shape[0] - 1:
            smooth(sums, weights, vectors, values, noise, channel)
            since, wait = 0, min(2 * wait, 16)
            full = MEMORY * size * size
            mean = weights.mean()
            if mean > full:
                weights *= np.float32(full / mean)
                sums *= np.float32(full / mean)
    return error, energy
