"""The streaming receiver: samples in, bursts out, whatever the pieces the samples come in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from semwave.modulation.ofdm import preamble
from semwave.modulation.ofdm.acquire import Acquisition, acquire
from semwave.modulation.ofdm.buffer import SampleBuffer
from semwave.modulation.ofdm.burst import Burst, BurstDemodulator, BurstReport
from semwave.modulation.ofdm.layout import BurstLayout
from semwave.modulation.ofdm.params import OfdmParams
from semwave.modulation.ofdm.sync import PreambleSearch

Array = npt.NDArray[Any]
OnHeader = Callable[[Array, Array], int | None]

FEWEST_HOPS, MOST_HOPS = 32, 512
"""Hops searched at a time: enough to be worth a call, few enough not to search what a burst will turn out to fill."""


@dataclass
class _Pending:
    """A burst found whose samples have not all come."""

    found: Acquisition
    header: Array
    header_noise: Array
    n: int | None = None


class BurstReceiver:
    """Find, track and equalise the bursts of ``BurstTransmitter`` in a stream.

    on_header    gets the equalised header symbols and their noise variance, both [header_symbols]; gives the number
                 of payload symbols, or None where the header does not decode
    max_payload  longest payload believed: a header that asks for more counts as not decoded, so that no header can
                 make the receiver hold more than ``max_payload``'s samples
    assumed_doppler_hz  for the header and for bursts too short to measure it
    estimator    "wiener", or "ls" or "dft" of :mod:`semwave.modulation.ofdm.estimators`

    >>> params, payload = OfdmParams(), np.ones(1000, np.complex64)
    >>> samples = BurstTransmitter(params, header_symbols=100).burst(np.ones(100), payload)
    >>> receiver = BurstReceiver(params, 100, on_header=lambda symbols, noise_variance: 1000)
    >>> [burst] = receiver.push(np.pad(samples, 50)) + receiver.finish()
    >>> burst.status, burst.start, bool(np.allclose(burst.payload, payload, atol=0.01))
    ('ok', 50, True)

    Results depend on the samples and their absolute indices only, bit for bit. NaN, infinite and absurdly large samples
    are taken as silence and counted in ``bad_samples``. The carrier offset may be up to +-3.75 carrier spacings.
    """

    def __init__(
        self,
        params: OfdmParams,
        header_symbols: int,
        on_header: OnHeader,
        max_payload: int = 1 << 18,
        assumed_doppler_hz: float = 200.0,
        false_alarm_rate: float = 1e-7,
        estimator: str = "wiener",
    ) -> None:
        if max_payload < 0:
            raise ValueError(f"max_payload must be at least 0, not {max_payload}")
        self.params = params
        self.layout = BurstLayout(params, header_symbols)
        self.on_header = on_header
        self.max_payload = max_payload
        self._doppler = assumed_doppler_hz * params.symbol_duration_s
        self._search = PreambleSearch(params, false_alarm_rate=false_alarm_rate)
        self._demodulator = BurstDemodulator(params, self.layout, estimator)
        self._buffer = SampleBuffer()
        self._pending: _Pending | None = None
        self._metric = np.empty(0)  # of hops _metric_first, ...
        self._metric_first = 0
        self._next = 0  # hop to be decided next
        self._earliest = -params.symbol_len  # no preamble that starts before is believed

    @property
    def bad_samples(self) -> int:
        """NaN, infinite or absurdly large samples so far."""
        return self._buffer.bad_samples

    def push(self, samples: Array) -> list[Burst]:
        """Take the next samples of the stream, [n] complex, and give the bursts that they complete.

        Raises ValueError when samples is not one-dimensional.
        """
        samples = np.asarray(samples)
        if samples.ndim != 1:
            raise ValueError(f"samples must be [n], not {list(samples.shape)}")
        with np.errstate(over="ignore", invalid="ignore"):
            self._buffer.append(samples)
        return self._run(final=False)

    def finish(self) -> list[Burst]:
        """The bursts that are left at the end of the stream, with status "truncated" where samples are missing."""
        return self._run(final=True)

    def _run(self, final: bool) -> list[Burst]:
        bursts: list[Burst] = []
        while True:
            if self._pending is None:
                if not self._find(final):
                    break
            else:
                burst = self._continue(self._pending, final)
                if burst is None:
                    break
                bursts.append(burst)
                self._pending = None
        keep = self._next * self._search.hop - self._search.reach - 1
        if self._pending is not None:
            keep = min(keep, self._pending.found.start - self.params.symbol_len)
        self._buffer.drop(keep)
        return bursts

    def _find(self, final: bool) -> bool:
        """Go on searching; True once a burst is pending, False when samples run out."""
        while True:
            more = self._extend_metric(final)
            if self._scan(final and not more):
                return True
            if not more:
                return False

    def _scan(self, final: bool) -> bool:
        """Look at the hops whose neighbours are known; True once a burst is pending."""
        known = self._metric_first + self._metric.size
        decided = known if final else known - self._search.neighbours
        while self._next < decided:
            at = self._next - self._metric_first
            hits = np.flatnonzero(self._metric[at : decided - self._metric_first] > self._search.first_threshold)
            if hits.size == 0:
                self._next = decided
                return False
            self._next += int(hits[0])
            if self._is_peak(self._next):
                index = self._next * self._search.hop
                if not final and index + self._search.lookahead > self._buffer.end:
                    return False
                found = self._search.locate(self._buffer.read, index, self._earliest)
                if found is not None:
                    self._pending = self._acquired(found)
                    return True
            self._next += 1
        return False

    def _acquired(self, found: Any) -> _Pending:
        acquired = acquire(self._buffer.read, found, self._demodulator.estimator, self._doppler)
        return _Pending(acquired, np.zeros(0, np.complex64), np.zeros(0, np.float32))

    def _is_peak(self, hop: int) -> bool:
        """Whether the metric is highest here among its neighbours, the first of equals."""
        at, near = hop - self._metric_first, self._search.neighbours
        before = self._metric[max(at - near, 0) : at]
        after = self._metric[at + 1 : at + 1 + near]
        here = self._metric[at]
        return bool((before < here).all() and (after <= here).all())

    def _extend_metric(self, final: bool) -> bool:
        """Periodicity of some more hops, and forget those long decided; False where too few samples have come."""
        hop, window = self._search.hop, self._search.window
        keep = max(self._next - self._search.neighbours, self._metric_first)
        self._metric = self._metric[keep - self._metric_first :]
        self._metric_first = keep
        first = self._metric_first + self._metric.size
        last = (self._buffer.end - (0 if final else window)) // hop + 1
        if last - first < (1 if final else FEWEST_HOPS):
            return False
        last = min(last, first + MOST_HOPS)
        samples = self._buffer.read(first * hop, (last - 1) * hop + window)
        self._metric = np.concatenate([self._metric, self._search.metric(samples)])
        return True

    def _restart(self, earliest: int) -> None:
        """Search on for preambles from an absolute index on."""
        self._earliest = earliest - self.params.fft_size // 4
        self._next = max((earliest - self.params.fft_size // 2) // self._search.hop, 0)
        self._metric = np.empty(0)
        self._metric_first = max(self._next - self._search.neighbours, 0)

    def _continue(self, pending: _Pending, final: bool) -> Burst | None:
        """Next step of the pending burst: None while samples are missing."""
        found, demodulator = pending.found, self._demodulator
        available = self._buffer.end - found.start
        if pending.n is None:
            if available < demodulator.span(self.layout.header_ofdm):
                return self._truncated(pending, available) if final else None
            pending.header, pending.header_noise = demodulator.header(self._buffer.read, found)
            n = self.on_header(pending.header, pending.header_noise)
            if n is None or not 0 <= n <= self.max_payload:
                return self._finish(pending, "header", 0, self.layout.header_ofdm)
            pending.n = int(n)
        symbols = self.layout.ofdm_symbols(pending.n)
        if available < demodulator.span(symbols):
            return self._truncated(pending, available) if final else None
        return self._finish(pending, "ok", pending.n, symbols)

    def _truncated(self, pending: _Pending, available: int) -> Burst:
        n = pending.n or 0
        symbols = self.layout.ofdm_symbols(n)
        while symbols and self._demodulator.span(symbols) > available:
            symbols -= 1
        return self._finish(pending, "truncated", n, symbols)

    def _finish(self, pending: _Pending, status: str, n: int, symbols: int) -> Burst:
        found = pending.found
        read = self._buffer.read
        payload, noise, report = self._demodulator.payload(read, found, n, symbols)
        end = found.start + self.layout.length(n) - self.params.window_len
        if status == "ok":
            drift = report.sampling_offset_ppm * 1e-6 * (end - found.start)
            self._restart(end + round(drift))
        else:
            self._restart(found.start + preamble.length(self.params))
        return Burst(found.start, status, pending.header, pending.header_noise, payload, noise, report, end)


__all__ = ["Burst", "BurstReceiver", "BurstReport"]
