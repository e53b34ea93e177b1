"""From a detected preamble to timing, noise level and the first look at the channel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.fft

from semwave.modulation.ofdm import preamble
from semwave.modulation.ofdm.basis import slepian
from semwave.modulation.ofdm.burst_kernels import power_over_delay
from semwave.modulation.ofdm.estimate import ChannelEstimator, Pilots, Prior
from semwave.modulation.ofdm.params import OfdmParams
from semwave.modulation.ofdm.search_kernels import mean_and_power, rotate
from semwave.modulation.ofdm.sync import Detection

Array = npt.NDArray[Any]
Reader = Callable[[int, int], Array]

STEP = 0.5
"""Samples between the delays of a profile."""


@dataclass(frozen=True)
class Acquisition:
    """What the preamble tells about its burst."""

    start: int
    """Absolute index of the preamble's first sample on the first path."""
    timing: float
    """The same on the strongest path, in fractions of a sample."""
    cfo: float
    """Radians per sample."""
    metric: float
    pilots: list[Pilots]
    """Channel samples from B (at time -1) and A (at time -2)."""
    prior: Prior
    channel: Array
    """Linear MMSE estimate at B: [active] complex64."""


def lead(params: OfdmParams) -> int:
    """Samples by which FFT windows start within the cyclic prefix: room for an earlier path that fades in."""
    return min(4, params.cp_len // 4)


def acquire(read: Reader, found: Detection, estimator: ChannelEstimator, doppler: float) -> Acquisition:
    """Place the FFT windows by the delay profile of B, and estimate noise and power there.

    read     absolute sample reader
    doppler  assumed, in cycles per symbol
    """
    params = estimator.params
    back = 3 * params.cp_len // 4
    early = found.start - back + lead(params)
    profile, step = delay_profile(_part_b(read, early, found.cfo, params), params)
    first, _, peak = _paths(profile, step, back + params.cp_len, 1.4 * params.fft_size / params.active)
    start = found.start + round(first) - back
    b = _part_b(read, start, found.cfo, params)
    noise = max(_noise(b, params), 1e-12 * float(np.mean(np.abs(b) ** 2)), 1e-30)
    power = max(float(np.mean(np.abs(b) ** 2)) - noise, 0.1 * noise)
    prior = Prior(power, noise, -1.0, float(max(params.cp_len, 4)), doppler)
    pilots = [Pilots(*_place_b(params), b[None])]
    pilots += _part_a(read, start, found.cfo, params)
    look = estimator.estimate(pilots, -1, 1, prior)
    prior = replace(prior, profile=power_profile(look.channel, float(look.error.mean()), prior, params))
    channel = estimator.estimate(pilots, -1, 1, prior, with_error=False).channel[0]
    return Acquisition(start, found.start + peak - back, found.cfo, found.metric, pilots, prior, channel)


def carriers_at(read: Reader, first: int, cfo: float, origin: int, params: OfdmParams, dc: complex) -> Array:
    """FFT of ``fft_size`` samples from ``first``, offset taken off with phase 0 at ``origin``: [active] complex64."""
    samples = np.empty(params.fft_size, np.complex64)
    rotate(read(first, first + params.fft_size), dc, -cfo, first - origin, samples)
    return np.asarray(scipy.fft.fft(samples, norm="ortho")[params.carriers])


def dc_offset(samples: Array) -> complex:
    """Mean of the samples where it is beyond chance, else 0.

    Under a carrier offset data may lie at 0 Hz: its mean has the variance ``1 / (n fill)`` of the power for a signal
    that fills that part of the band, and exceeds 16 times ``1 / n`` once in 10^4 to 10^5 bursts.
    """
    mean, power = mean_and_power(samples)
    return mean if abs(mean) ** 2 > 16 * power / samples.size else 0j


def _part_b(read: Reader, start: int, cfo: float, params: OfdmParams) -> Array:
    """Least-squares channel on the active carriers from B."""
    lag = params.symbol_len
    dc = dc_offset(read(start, start + 2 * lag))
    received = carriers_at(read, start + lag + params.cp_len - lead(params), cfo, start, params, dc)
    return np.asarray(received * np.conj(preamble.known_b(params)))


_TIME_A = np.array([-2])


@lru_cache(maxsize=16)
def _place_b(params: OfdmParams) -> tuple[Array, Array]:
    """Time and carriers of B."""
    return np.array([-1]), np.arange(params.active)


def _part_a(read: Reader, start: int, cfo: float, params: OfdmParams) -> list[Pilots]:
    at, known = preamble.known_a(params)
    if at.size == 0:
        return []
    dc = dc_offset(read(start, start + 2 * params.symbol_len))
    received = carriers_at(read, start + params.cp_len - lead(params), cfo, start, params, dc)
    return [Pilots(_TIME_A, at, (received[at] / known)[None], float(np.abs(known[0]) ** 2))]


def delay_profile(channel: Array, params: OfdmParams) -> tuple[Array, float]:
    """Power over delay of a channel on the active carriers, Hann-weighted against sidelobes.

    returns  power [2 * fft_size] at steps of half a sample (circular), averaged over leading axes; 0.5
    """
    size = round(params.fft_size / STEP)
    full = np.zeros((*channel.shape[:-1], size), np.complex64)
    full[..., params.carriers] = channel * _hann(params.active)
    power = np.abs(scipy.fft.ifft(full, axis=-1) * size) ** 2
    return power.reshape(-1, size).mean(axis=0), STEP


def near_profile(channel: Array, params: OfdmParams, first: int, count: int) -> Array:
    """``delay_profile`` at steps first..first+count-1 only: [count] float64."""
    cosine, sine = _delay_table(params, first, count)
    out = np.empty(count, np.float32)
    power_over_delay(np.ascontiguousarray(channel.reshape(-1, params.active), np.complex64), cosine, sine, out)
    return out.astype(np.float64)


@lru_cache(maxsize=16)
def _hann(active: int) -> Array:
    weight = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(active) + 0.5) / active)
    return (weight / weight.sum()).astype(np.float32)


@lru_cache(maxsize=32)
def _delay_table(params: OfdmParams, first: int, count: int) -> tuple[Array, Array]:
    """Weighted ``exp(2j pi k d STEP / fft_size)``: two of [active, count] float32."""
    turns = 2 * np.pi * STEP / params.fft_size * np.outer(params.carriers, np.arange(first, first + count))
    weight = _hann(params.active)[:, None]
    return (weight * np.cos(turns)).astype(np.float32), (weight * np.sin(turns)).astype(np.float32)


def power_profile(channel: Array, error: float, prior: Prior, params: OfdmParams) -> Array:
    """Prior power over the delays of ``prior``, at steps of half a sample, from a first estimate of a burst's channel.

    What the estimate's own error puts into the profile (spread over the delays that its prior allowed) is taken
    off, but a part of it left everywhere: no path is ruled out.

    channel  [symbols, active]; error: its mean squared error
    """
    width = prior.last_delay - prior.first_delay
    profile = near_profile(channel, params, round(prior.first_delay / STEP), round(width / STEP) + 1)
    floor = 1.5 * error / max(width, 1.0)
    return np.maximum(profile - floor, 0.2 * floor + 1e-5 * float(profile.max()))


def _paths(profile: Array, step: float, span: int, widening: float) -> tuple[float, float, float]:
    """First, last and strongest path in delays 0..span, in samples."""
    size = round(span / step) + 1
    near = profile[:size]
    noise = float(np.median(profile[size:])) / np.log(2)
    peak = int(np.argmax(near))
    seen = np.flatnonzero(near >= max(0.03 * near[peak], min(10 * noise, near[peak])))
    left, top, right = np.log(np.maximum(profile[[peak - 1, peak, peak + 1]], 1e-30))
    curve = left - 2 * top + right
    fraction = 0.5 * (left - right) / curve if curve < 0 else 0.0
    # the Hann window widens a path: it is 15 dB down at 1.5 bins of active / fft_size
    return min(seen[0] * step + widening, peak * step), seen[-1] * step, (peak + float(fraction)) * step


def _noise(channel: Array, params: OfdmParams) -> float:
    """Noise variance by what of B lies outside the delays that the cyclic prefix allows."""
    q, turn = _within_prefix(params)
    if q.shape[1] > 0.8 * params.active:
        return 1e-3 * float(np.mean(np.abs(channel) ** 2))
    z = channel * turn
    inside = np.sum(q * z[:, None], axis=0)
    rest = float(np.vdot(z, z).real) - float(np.vdot(inside, inside).real)
    return float(max(rest, 0.0) / (params.active - q.shape[1]))


@lru_cache(maxsize=16)
def _within_prefix(params: OfdmParams) -> tuple[Array, Array]:
    """Orthonormal basis of channels with delays of -1 to the prefix and 1, about the middle, and the turn to there."""
    width = max(params.cp_len, 4) + 2
    basis, _ = slepian(params.active + 1, width / params.fft_size, 6)
    q, _ = np.linalg.qr(basis[params.carriers - params.carriers[0]])
    turn = np.exp(2j * np.pi * params.carriers * (width / 2 - 1) / params.fft_size)
    return q, turn.astype(np.complex64)
