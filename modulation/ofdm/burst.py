"""Turn the samples of one acquired burst into header, payload and a report."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.fft

from semwave.modulation.ofdm import burst_kernels as kernels
from semwave.modulation.ofdm import estimators, preamble, tracking
from semwave.modulation.ofdm.acquire import (
    STEP,
    Acquisition,
    Reader,
    dc_offset,
    delay_profile,
    lead,
    near_profile,
    power_profile,
)
from semwave.modulation.ofdm.equalize import equalize, equalize_spread
from semwave.modulation.ofdm.estimate import ChannelEstimator, Pilots, Prior
from semwave.modulation.ofdm.layout import BurstLayout
from semwave.modulation.ofdm.params import OfdmParams
from semwave.modulation.ofdm.sequences import burst_permutation

Array = npt.NDArray[Any]

BLOCK, MARGIN = 64, 16
"""Symbols whose channel is estimated together, and symbols beyond whose pilots help."""


@dataclass(frozen=True)
class BurstReport:
    """What the receiver learned about the channel while it received a burst."""

    cfo_hz: float
    timing: float
    """Absolute index, in fractions of a sample, at which the strongest path of the preamble starts."""
    metric: float
    """Normalised matched-filter energy of the preamble, 0 to 1."""
    snr_db: float
    """Mean Es/N0 of a data carrier."""
    noise_variance: float
    """Per carrier, in units of the received samples."""
    evm_db: float
    """Mean squared error of equalised pilots over their energy, as a demapper sees it."""
    delay_spread_s: float
    """Root mean square of the delay profile."""
    doppler_hz: float
    """Largest shift of a Clarke spectrum; NaN where the burst is too short to tell."""
    sampling_offset_ppm: float
    """How much slower the transmitter's clock runs; 0 unless significant."""
    channel: Array
    """[up to 64 symbols evenly spaced over the burst, active] complex64"""


@dataclass(frozen=True)
class Burst:
    """One burst received."""

    start: int
    """Absolute index of the preamble's first sample."""
    status: str
    """"ok", "header" (the header did not decode) or "truncated" (the stream ended before the burst)."""
    header: Array
    """[header_symbols] complex64, empty where the stream ended before"""
    header_noise_variance: Array
    payload: Array
    """[n] complex64, de-interleaved; 0 where the stream ended before"""
    noise_variance: Array
    """[n] float32 after equalisation, per complex dimension; infinite where the stream ended before"""
    report: BurstReport
    end: int = field(default=0)
    """Absolute index after the burst's last sample, as far as the burst tells."""


@dataclass(frozen=True)
class _Grid:
    """Received active carriers with offset, drift and common phase taken off, and the channel estimated there."""

    received: Array
    channel: Array
    noise: Array
    """Noise variance with estimation error: [symbols, active] float32."""
    prior: Prior
    pilots: list[Pilots]
    """Those of the burst itself, corrected as ``received``."""
    turn: float
    """Radians per symbol found beyond the preamble's carrier offset."""
    drift: float
    doppler: float | None


class BurstDemodulator:
    """The steps after acquisition; holds no state of a burst.

    ``estimator`` gives the channel that data are equalised with; acquisition and tracking use the Wiener filter's.
    """

    def __init__(self, params: OfdmParams, layout: BurstLayout, estimator: str = "wiener") -> None:
        self.params = params
        self.layout = layout
        self.estimator = ChannelEstimator(params)
        self.final = self.estimator if estimator == "wiener" else estimators.create(estimator, params)

    def span(self, symbols: int) -> int:
        """Samples from the preamble's start to the end of the last FFT window after ``symbols`` symbols."""
        p = self.params
        if symbols == 0:
            return preamble.length(p)
        return preamble.length(p) + int(p.symbol_starts(symbols)[-1]) + p.fft_size - lead(p)

    def header(self, read: Reader, found: Acquisition) -> tuple[Array, Array]:
        """Header symbols and their noise variance, from the preamble and the header's own pilots."""
        y, pilots, turn, _ = self._receive(read, found, self.layout.header_ofdm)
        estimate = self.final.estimate([*found.pilots, *pilots], 0, y.shape[0], found.prior)
        noise = estimate.error + np.float32(found.prior.noise_variance)
        symbols, noise = self._equalize(_Grid(y, estimate.channel, noise, found.prior, pilots, turn, 0.0, None))
        cells = self.layout.header_cells
        return symbols.reshape(-1)[cells], noise.reshape(-1)[cells]

    def payload(self, read: Reader, found: Acquisition, n: int, symbols: int) -> tuple[Array, Array, BurstReport]:
        """Payload and its noise variance from the burst's first ``symbols`` OFDM symbols, the rest erased."""
        if symbols == 0:
            empty = np.zeros((0, self.params.active), np.complex64)
            grid = _Grid(empty, found.channel[None], empty.real, found.prior, [], 0.0, 0.0, None)
            return np.zeros(n, np.complex64), np.full(n, np.inf, np.float32), self._report(grid, found)
        grid = self._estimate(*self._receive(read, found, symbols), found)
        points, noise = self._equalize(grid)
        cells = self.layout.payload_cells(n)[:n]
        there = cells < points.size
        order = burst_permutation(n)[there]
        payload = np.zeros(n, np.complex64)
        variance = np.full(n, np.inf, np.float32)
        payload[order] = points.reshape(-1)[cells[there]]
        variance[order] = noise.reshape(-1)[cells[there]]
        return payload, variance, self._report(grid, found)

    def _receive(self, read: Reader, found: Acquisition, symbols: int) -> tuple[Array, list[Pilots], float, float]:
        """Carriers and pilots with the rest of the carrier offset and the clock drift taken off, and these two."""
        y = self._spectra(read, found, symbols, 0.0)
        pilots = self._pilots(y)
        turn = tracking.residual_turn(pilots, found.channel, found.prior.noise_variance)
        kernels.turn_symbols(y, turn * np.arange(1, symbols + 1))
        pilots = self._pilots(y)
        drift = tracking.sampling_drift(pilots, self.params, found.prior.noise_variance)
        if drift:
            if abs(drift) * symbols > 0.5:
                y = self._spectra(read, found, symbols, drift)
                kernels.turn_symbols(y, turn * np.arange(1, symbols + 1))
            slope = 2 * np.pi / self.params.fft_size * drift * np.arange(symbols)
            y *= np.exp(1j * np.outer(slope, self.params.carriers)).astype(np.complex64)
            pilots = self._pilots(y)
        return y, pilots, turn, drift

    def _estimate(self, y: Array, pilots: list[Pilots], turn: float, drift: float, found: Acquisition) -> _Grid:
        """A first look with the widest delay window gives noise and phases, a second the estimate."""
        noise, symbols = found.prior.noise_variance, y.shape[0]
        measured = tracking.doppler(pilots, self.params, noise)
        prior = replace(found.prior, doppler=self._doppler_prior(measured, found.prior, symbols))
        first_look = replace(prior, profile=None)
        channel, error, noise = self._blocks([*found.pilots, *pilots], symbols, first_look)
        phase = tracking.common_phase(pilots, channel, noise)
        if phase.any():
            kernels.turn_symbols(y, phase)
            pilots = self._pilots(y)
        profile = power_profile(channel[_every(symbols)], float(error.mean()), first_look, self.params)
        power = max(float(np.mean(np.abs(channel) ** 2)), 1e-30)
        prior = replace(first_look, noise_variance=noise, power=power, profile=profile)
        channel, error, noise = self._blocks([*found.pilots, *pilots], symbols, prior, self.final)
        prior = replace(prior, noise_variance=noise)
        return _Grid(y, channel, error + np.float32(noise), prior, pilots, turn, drift, measured)

    def _doppler_prior(self, measured: float | None, prior: Prior, symbols: int) -> float:
        """A little more than measured: too wide costs little, too narrow is an error floor."""
        if measured is None:
            return prior.doppler
        return max(1.6 * measured, 0.15 / (symbols + 2))

    def _blocks(
        self, pilots: list[Pilots], symbols: int, prior: Prior, by: estimators.Estimator | None = None
    ) -> tuple[Array, Array, float]:
        """Channel, its error and the noise variance, estimated block by block."""
        channel = np.empty((symbols, self.params.active), np.complex64)
        error = np.empty((symbols, self.params.active), np.float32)
        residual, freedom = 0.0, 0.0
        step = BLOCK if symbols > BLOCK + 2 * MARGIN else max(symbols, 1)
        for first in range(0, symbols, step):
            last = min(first + step, symbols)
            near = _between(pilots, first - MARGIN, last + MARGIN)
            found = (by or self.estimator).estimate(near, first, last - first, prior)
            channel[first:last], error[first:last] = found.channel, found.error
            residual += found.residual * found.freedom
            freedom += found.freedom
        noise = residual / freedom if freedom else prior.noise_variance
        return channel, error, max(noise, 1e-9 * prior.power, 1e-30)

    def _spectra(self, read: Reader, found: Acquisition, symbols: int, drift: float) -> Array:
        """Active carriers of the symbols after the preamble, carrier offset taken off: [symbols, active] complex64."""
        p = self.params
        first = preamble.length(p) - lead(p)
        shifts = np.rint(drift * np.arange(symbols)).astype(np.int64)
        starts = first + p.symbol_starts(symbols) + shifts  # after found.start
        low, high = int(starts[0]), int(starts.max()) + p.fft_size
        samples = read(found.start + low, found.start + high)
        dc = dc_offset(read(found.start, found.start + high))
        turned = np.empty((symbols, p.fft_size), np.complex64)
        kernels.windows(samples, starts - low, dc, -found.cfo, low, turned)
        y = np.take(scipy.fft.fft(turned, axis=-1, norm="ortho", overwrite_x=True), p.carriers, axis=1)
        if shifts.any():
            y *= np.exp(-2j * np.pi / p.fft_size * np.outer(shifts, p.carriers)).astype(np.complex64)
        return np.asarray(y)

    def _pilots(self, y: Array) -> list[Pilots]:
        """The pilots' least-squares channel, by pattern."""
        patterns, index, known = _pilot_patterns(self.params, y.shape[0])
        values = np.empty(index.size, np.complex128)
        kernels.pick(y, index, known, values)
        found, at = [], 0
        for times, carriers in patterns:
            last = at + times.size * carriers.size
            found.append(Pilots(times, carriers, values[at:last].reshape(times.size, carriers.size)))
            at = last
        return found

    def _equalize(self, grid: _Grid) -> tuple[Array, Array]:
        if not self.params.dft_spread:
            return equalize(grid.received, grid.channel, grid.noise)
        symbols, noise = np.zeros(grid.received.shape, np.complex64), np.zeros(grid.received.shape, np.float32)
        for i, pilot in enumerate(self.params.pilot_mask(grid.received.shape[0])):
            if pilot.all():
                continue
            at = i, ~pilot
            symbols[at], noise[at] = equalize_spread(grid.received[at], grid.channel[at], grid.noise[at])
        return symbols, noise

    def _report(self, grid: _Grid, found: Acquisition) -> BurstReport:
        p, noise = self.params, grid.prior.noise_variance
        cfo = found.cfo + grid.turn / p.symbol_len
        power = float(np.mean(np.abs(grid.channel) ** 2))
        every = np.unique(np.linspace(0, grid.channel.shape[0] - 1, 64).astype(int))
        tick = grid.drift / p.symbol_len
        return BurstReport(
            cfo_hz=cfo * p.sample_rate / (2 * np.pi),
            timing=found.timing,
            metric=found.metric,
            snr_db=10 * float(np.log10(power / noise)),
            noise_variance=noise,
            evm_db=self._evm_db(grid),
            delay_spread_s=_rms_delay(grid.channel, p) / p.sample_rate,
            doppler_hz=np.nan if grid.doppler is None else grid.doppler / p.symbol_duration_s,
            sampling_offset_ppm=tick * 1e6,
            channel=grid.channel[every],
        )

    def _evm_db(self, grid: _Grid) -> float:
        if not grid.pilots:
            return np.nan
        error, _, energy = tracking.against(grid.pilots, grid.channel)
        return 10 * float(np.log10(max(error / max(float(energy.sum()), 1e-30), 1e-12)))


def _every(symbols: int) -> slice:
    """Symbols enough for a mean over a channel that changes slowly."""
    return slice(None, None, min(max(symbols // 8, 1), 4))


@lru_cache(maxsize=32)
def _pilot_patterns(params: OfdmParams, symbols: int) -> tuple[list[tuple[Array, Array]], Array, Array]:
    """Times and carriers of each pattern of pilots; flat places of all of them in the grid, and what was sent there."""
    patterns = [
        (np.arange(phase, symbols, params.pilot_period), np.flatnonzero(mask))
        for phase, mask in enumerate(params.pilot_masks[:symbols])
        if mask.any()
    ]
    index = [np.add.outer(params.active * times, carriers).reshape(-1) for times, carriers in patterns]
    flat = np.concatenate([np.zeros(0, np.int64), *index])
    return patterns, flat, params.pilot_values(symbols).reshape(-1)[flat]


def _between(pilots: list[Pilots], first: int, last: int) -> list[Pilots]:
    near = []
    for x in pilots:
        inside = (x.times >= first) & (x.times < last)
        if inside.all():
            near.append(x)
        elif inside.any():
            near.append(replace(x, times=x.times[inside], values=x.values[inside]))
    return near


def _rms_delay(channel: Array, params: OfdmParams) -> float:
    """Root mean square delay in samples, the Hann window's own width taken off."""
    profile = near_profile(
        channel[_every(channel.shape[0])], params, 0, round((params.cp_len + lead(params)) / STEP) + 1
    )
    profile = np.where(profile > 1e-2 * profile.max(), profile, 0)
    delays = STEP * np.arange(profile.size)
    mean = float(np.sum(profile * delays) / profile.sum())
    spread = float(np.sum(profile * (delays - mean) ** 2) / profile.sum())
    return float(np.sqrt(max(spread - _own_spread(params), 0.0)))


@lru_cache(maxsize=16)
def _own_spread(params: OfdmParams) -> float:
    """Variance of the delay that the Hann window gives to a single path."""
    own, step = delay_profile(np.ones(params.active, np.complex64), params)
    own = np.where(own > 1e-2 * own[0], own, 0)
    around = step * (np.arange(own.size) - own.size * (np.arange(own.size) > own.size // 2))
    return float(np.sum(own * around**2) / own.sum())
