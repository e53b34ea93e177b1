"""OFDM frames from two antennas: pilots that do not meet, channel estimation for each pair, detection.

The frame starts where the receiver is told it does: acquisition and carrier offset are the single-antenna receiver's
business (:mod:`semwave.modulation.ofdm`) and not built here for several antennas.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.fft

from semwave.modulation.mimo.alamouti import alamouti_decode, alamouti_encode
from semwave.modulation.mimo.detect import detect
from semwave.modulation.ofdm.acquire import lead, power_profile
from semwave.modulation.ofdm.estimate import ChannelEstimator, Pilots, Prior
from semwave.modulation.ofdm.params import OfdmParams
from semwave.modulation.ofdm.waveform import modulate

Array = npt.NDArray[Any]

SCHEMES = ("alamouti", "multiplexing")
TX = 2
_LOOKS = 3
"""Estimates whose residual gives the noise variance for the next one."""


@dataclass(frozen=True)
class Received:
    """What one frame gave."""

    symbols: Array
    """[data] complex64"""
    noise_variance: Array
    """[data] float32: noise, estimation error and the other stream, after detection"""
    channel: Array
    """[symbols, active, rx, tx] complex64"""
    n0: float
    """Noise variance of a carrier, as estimated."""


class MimoFrame:
    """A frame of ``symbols`` OFDM symbols from two antennas that together send unit energy on each carrier.

    multiplexing: every second data symbol goes to the second antenna, both at energy 1/2. alamouti: pairs of
    neighbouring data carriers of one OFDM symbol (TS 36.211, 6.3.4.3). Each pilot of ``params`` is sent by one antenna
    while the other is silent; they take turns from pilot to pilot, and from one period of the pattern to the next.
    Raises ValueError for an unknown scheme, or where a frame is too short to show each antenna the whole pattern.
    """

    def __init__(self, params: OfdmParams, scheme: str = "multiplexing", symbols: int = 14) -> None:
        if scheme not in SCHEMES:
            raise ValueError(f"scheme must be one of {', '.join(SCHEMES)}, not {scheme!r}")
        if symbols < 2 * params.pilot_period:
            raise ValueError(
                f"symbols must be at least {2 * params.pilot_period}, two periods of pilots, not {symbols}"
            )
        if params.dft_spread or params.window_len or params.first_cp_len is not None:
            raise ValueError("dft_spread, window_len and first_cp_len must be left at their defaults with two antennas")
        self.params, self.scheme, self.symbols = params, scheme, symbols
        self._estimator = ChannelEstimator(params)

    @cached_property
    def _cells(self) -> Array:
        """Flat places [symbol * active] of the data, an even number in each OFDM symbol."""
        mask = ~self.params.pilot_mask(self.symbols)
        rows = [np.flatnonzero(row) + i * self.params.active for i, row in enumerate(mask)]
        return np.concatenate([row[: row.size - row.size % 2] for row in rows])

    @cached_property
    def _sender(self) -> Array:
        """Antenna that sends each pilot, -1 elsewhere: [symbols, active]."""
        out = np.full((self.symbols, self.params.active), -1)
        for i, row in enumerate(self.params.pilot_mask(self.symbols)):
            at = np.flatnonzero(row)
            out[i, at] = (np.arange(at.size) + i // self.params.pilot_period) % TX
        return out

    @property
    def data(self) -> int:
        """Data symbols of a frame."""
        return int(self._cells.size) * (TX if self.scheme == "multiplexing" else 1)

    @property
    def samples(self) -> int:
        """Samples of a frame."""
        return self.params.grid_length(self.symbols)

    def modulate(self, data: Array) -> Array:
        """Samples of both antennas: [data] complex -> [2, samples] complex64. ValueError for another length."""
        data = np.asarray(data, np.complex64)
        if data.shape != (self.data,):
            raise ValueError(f"data must be [{self.data}], not {list(data.shape)}")
        if self.scheme == "alamouti":
            sent = alamouti_encode(data)
        else:
            sent = data.reshape(-1, TX).T * np.float32(np.sqrt(0.5))
        known = self.params.pilot_values(self.symbols)
        full = np.zeros((TX, self.symbols, self.params.fft_size), np.complex64)
        for antenna in range(TX):
            grid = np.where(self._sender == antenna, known, 0)
            grid.reshape(-1)[self._cells] = sent[antenna]
            full[antenna][:, self.params.columns] = grid
        return modulate(full, self.params)

    def demodulate(self, received: Array, doppler_hz: float = 100.0, method: str = "mmse") -> Received:
        """Data of one frame from one or more receive antennas, [rx, samples] complex; the channel from the pilots.

        doppler_hz: largest Doppler shift to be reckoned with.
        """
        received = np.asarray(received, np.complex64)
        if received.ndim != 2 or received.shape[1] != self.samples:
            raise ValueError(f"received must be [rx, {self.samples}], not {list(received.shape)}")
        if self.scheme == "multiplexing" and received.shape[0] < TX:
            raise ValueError(f"received must have {TX} antennas or more for multiplexing, not {received.shape[0]}")
        y = np.nan_to_num(self._carriers(received), nan=0.0, posinf=0.0, neginf=0.0)
        channel, error, n0 = self._estimate(y, doppler_hz * self.params.symbol_duration_s)
        flat = channel.reshape(-1, *channel.shape[2:])[self._cells]  # [cells, rx, tx]
        noise = (n0 + error.sum(axis=-1) / TX).reshape(-1, y.shape[-1])[self._cells]  # [cells, rx]
        heard = y.reshape(-1, y.shape[-1])[self._cells]
        if self.scheme == "alamouti":
            symbols, variance = alamouti_decode(heard, flat, noise.mean(axis=-1), method)
        else:
            symbols, variance = detect(heard, flat * np.float32(np.sqrt(0.5)), noise, method)
        return Received(symbols.reshape(-1), variance.reshape(-1), channel, n0)

    def _carriers(self, received: Array) -> Array:
        """[rx, samples] -> [symbols, active, rx]; windows start a little early, as the burst receiver's do."""
        p, early = self.params, lead(self.params)
        windows = received.reshape(received.shape[0], self.symbols, p.symbol_len)
        windows = windows[..., p.cp_len - early : p.cp_len - early + p.fft_size]
        y = scipy.fft.fft(windows, axis=-1, norm="ortho")[..., p.carriers]
        return np.ascontiguousarray(np.moveaxis(y, 0, -1))

    def _estimate(self, y: Array, doppler: float) -> tuple[Array, Array, float]:
        """Channel and its mean squared error [symbols, active, rx, tx], and the noise variance of a carrier."""
        p, rx = self.params, y.shape[-1]
        known = np.conj(p.pilot_values(self.symbols))
        pairs = [self._pilots(y[..., r] * known, t) for r in range(rx) for t in range(TX)]
        power = max(float(np.mean([np.mean(np.abs(x.values) ** 2) for pilots in pairs for x in pilots])), 1e-30)
        prior = Prior(power, 0.1 * power, -1.0, float(max(p.cp_len, 4)), doppler)
        for look in range(_LOOKS + 1):
            found = [self._estimator.estimate(pilots, 0, self.symbols, prior) for pilots in pairs]
            freedom = sum(f.freedom for f in found)
            n0 = max(sum(f.residual * f.freedom for f in found) / freedom, 1e-7 * power)
            shape: Array | None = None
            if look == _LOOKS - 1:  # the last one knows where paths lie
                all_of_them = np.concatenate([f.channel for f in found])
                shape = power_profile(all_of_them, float(np.mean([f.error.mean() for f in found])), prior, p)
            prior = replace(prior, noise_variance=n0, profile=shape, power=max(power - n0, 0.1 * n0))
        channel, error = (np.stack(parts, axis=-1) for parts in ([f.channel for f in found], [f.error for f in found]))
        whole = (self.symbols, p.active, rx, TX)
        return channel.reshape(whole), error.reshape(whole), n0

    def _pilots(self, z: Array, antenna: int) -> list[Pilots]:
        """One antenna's least-squares channel samples, by pattern."""
        mine, period = self._sender == antenna, 2 * self.params.pilot_period
        found = []
        for phase in range(period):
            times, carriers = np.arange(phase, self.symbols, period), np.flatnonzero(mine[phase])
            if times.size and carriers.size:
                found.append(Pilots(times, carriers, z[np.ix_(times, carriers)]))
        return found
