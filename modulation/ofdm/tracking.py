"""What pilots tell over a burst: rest of the carrier offset, sampling clock offset, Doppler, phase by symbol."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import j0

from semwave.modulation.ofdm import burst_kernels as kernels
from semwave.modulation.ofdm.estimate import Pilots, places, values_of
from semwave.modulation.ofdm.params import OfdmParams

Array = npt.NDArray[Any]


def residual_turn(pilots: list[Pilots], channel: Array, noise_variance: float) -> float:
    """Radians per symbol by which pilots turn against the preamble's channel: maximum a posteriori.

    ``max over w of (2 / n0) Re sum_l exp(-j w (l + 1)) q_l - w^2 / (2 s^2)``, q_l the pilots of the first 24 symbols
    against the channel at time -1, s the deviation that the preamble's own estimate leaves,
    ``s^2 = 1.6 n0 / (P active)``.

    channel  [active] as seen at the preamble
    """
    variance = 1.6 * noise_variance / max(float(np.sum(np.abs(channel) ** 2)), 1e-30)
    reach = 4 * np.sqrt(variance) + 0.002
    if not pilots:
        return 0.0
    grid, likelihood = np.linspace(-reach, reach, 65), np.empty(65)
    kernels.turn_likelihood(places(pilots), values_of(pilots), channel, 24, reach, likelihood)
    posterior = likelihood * (2 / noise_variance) - grid**2 / (2 * variance)
    best = int(np.argmax(posterior))
    if 0 < best < grid.size - 1:
        left, top, right = posterior[best - 1 : best + 2]
        return float(grid[best] + 0.5 * (left - right) / (left - 2 * top + right) * (grid[1] - grid[0]))
    return float(grid[best])


def sampling_drift(pilots: list[Pilots], params: OfdmParams, noise_variance: float) -> float:
    """Samples per symbol by which the transmitter's symbols come later and later; 0 unless beyond 3 deviations.

    A delay that grows turns carrier k by ``-2 pi k drift / fft_size`` per symbol. Taken from products of the same
    pilot at two times (blind to the channel), at growing distance as the estimate gets better.
    """
    drift = 0.0
    for revisit in (1, 4, 16):
        found = _drift_at(pilots, params, noise_variance, revisit, drift)
        if found is None:
            break
        drift += found
    return drift


def _drift_at(
    pilots: list[Pilots], params: OfdmParams, noise_variance: float, revisit: int, known: float
) -> float | None:
    """Drift beyond ``known``; None where the burst is too short or has changed too much between the two times."""
    ks, products, counts, distance, energy = [], [], [], 1, 0.0
    for x in pilots:
        if x.times.size <= 2 * revisit:
            continue
        distance = int(x.times[revisit] - x.times[0])
        products.append(np.sum(x.values[revisit:] * np.conj(x.values[:-revisit]), axis=0))
        counts.append(np.full(x.carriers.size, x.times.size - revisit))
        ks.append(params.carriers[x.carriers])
        energy += float(np.sum(np.abs(x.values[revisit:]) ** 2))
    if not ks:
        return None
    k, r, count = np.concatenate(ks), np.concatenate(products), np.concatenate(counts)
    unit = 2 * np.pi * distance / params.fft_size
    r = r * np.exp(1j * unit * k * known)
    common = r.sum()
    if abs(common) < 0.3 * max(energy - noise_variance * float(count.sum()), 1e-30):
        return None
    r = r * np.conj(common) / abs(common)
    k = k - float(np.sum(k * r.real) / np.sum(r.real))
    weight = float(np.sum(k * k * r.real))
    if weight <= 0:
        return None
    power = max(energy / float(count.sum()) - noise_variance, 0.0)
    variance = float(np.sum(k * k * count)) * (power + noise_variance / 2) * noise_variance / weight**2
    slope = float(np.sum(k * r.imag)) / weight
    return -slope / unit if slope**2 > 9 * variance else 0.0


def doppler(pilots: list[Pilots], params: OfdmParams, noise_variance: float) -> float | None:
    """Largest Doppler shift in cycles per symbol, by Clarke's autocorrelation ``J0(2 pi f m)``; None if too short.

    The same pilot at two times gives the autocorrelation at multiples of the pilot period.
    """
    longest = min(max((x.times.size for x in pilots), default=0) * 2 // 3, 32)
    if longest < 2:
        return None
    lagged, counts = np.empty((2, longest + 1))
    kernels.lagged_products(places(pilots), values_of(pilots), lagged, counts)
    level = lagged[0] / counts[0] - noise_variance
    if level <= 0.1 * noise_variance:
        return None
    ratio = lagged[1:] / np.maximum(counts[1:], 1) / level
    grid, model = _clarke(params.pilot_period, longest)
    return float(grid[np.argmin(((model - ratio) ** 2) @ counts[1:])])


@lru_cache(maxsize=64)
def _clarke(period: int, longest: int) -> tuple[Array, Array]:
    """Doppler shifts in cycles per symbol, and their autocorrelation at 1..longest periods: [48], [48, longest]."""
    grid = np.geomspace(2e-4, 0.2 / period, 48)
    return grid, j0(2 * np.pi * period * np.outer(grid, np.arange(1, longest + 1)))


def against(pilots: list[Pilots], channel: Array) -> tuple[float, Array, Array]:
    """Squared error of pilots to a channel estimate [symbols, active]; by symbol their product and its energy."""
    sums, energy = np.zeros(channel.shape[0], np.complex128), np.zeros(channel.shape[0])
    if not pilots:
        return 0.0, sums, energy
    error = kernels.against(places(pilots), values_of(pilots), channel, sums, energy)
    return error, sums, energy


def common_phase(pilots: list[Pilots], channel: Array, noise_variance: float) -> Array:
    """Phase of each symbol against a channel estimate, shrunk to what exceeds noise: [symbols] float64, radians.

    Zero for a clean oscillator: the measured variance is compared with the one that noise alone would give, and
    the share beyond it is kept (a Wiener filter with an estimated signal variance).
    """
    _, sums, energy = against(pilots, channel)
    seen = energy > 0
    phase = np.where(seen, np.angle(sums), 0.0)
    noise = np.where(seen, noise_variance / np.maximum(2 * energy, 1e-30), np.inf)
    good = seen & (noise < 0.2)
    if good.sum() < 4:
        return np.zeros(phase.size)
    excess = float(np.mean(phase[good] ** 2 - noise[good]))
    if excess < 3 * float(np.mean(noise[good])) * np.sqrt(2 / good.sum()):
        return np.zeros(phase.size)
    return np.asarray(phase * excess / (excess + noise))
