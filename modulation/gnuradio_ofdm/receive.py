"""The streaming receiver: samples in, packets out, whatever the pieces the samples come in."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from semwave.modulation.gnuradio_ofdm import detect
from semwave.modulation.gnuradio_ofdm.demodulate import Decided, Demodulator, Look
from semwave.modulation.gnuradio_ofdm.frame import (
    CP_LEN,
    CRC_LEN,
    FFT_SIZE,
    OVERHEAD,
    SYMBOL_LEN,
    GnuradioOfdmFormat,
)
from semwave.modulation.ofdm.buffer import SampleBuffer

Array = npt.NDArray[Any]
STATUSES = ("ok", "crc", "header", "truncated")


@dataclass(frozen=True)
class GnuradioPacket:
    """A packet received, good or not."""

    start: int
    """Absolute index of its first sample."""
    status: str
    """``"ok"``, or what went wrong: ``"crc"``, ``"header"`` (not decodable: nothing else is known), ``"truncated"``."""
    payload: Array = field(default_factory=lambda: np.empty(0, np.uint8))
    """[n] uint8; with status ``"crc"`` there are errors in it."""
    number: int = -1
    """From the header, 0 to 4095; -1 where unknown."""
    cfo: float = 0.0
    """Carrier offset in carrier spacings (sample rate / 64)."""
    snr_db: float = float("nan")
    """Mean energy of payload symbols over the noise on a carrier, by preamble and header."""
    evm_db: float = float("nan")
    """What decisions leave of the packet, over what they explain."""
    sampling_offset_ppm: float = 0.0
    """By how much the transmitter's samples come later than they should."""
    metric: float = 0.0
    """Share of the preamble's energy that the sync words explain."""
    points: Array | None = None
    """[n] complex64: equalised payload symbols at unit mean energy; only where the receiver was asked for them."""


class Receiver:
    """Find and decide the frames of ``digital.ofdm_tx`` or of ``Transmitter`` in a stream.

    Packets with a bad CRC are given too, with status ``"crc"``, and counted in ``counts``. Results depend on the
    samples and their absolute indices only, bit for bit. NaN, infinite and absurdly large samples are taken as silence
    and counted in ``bad_samples``. A header's length has 12 bits, so no more than 55 000 samples are ever waited for;
    after a bad packet the search goes on behind its header, so that a lying one hides nothing. The carrier offset may
    be up to +-6.9 carrier spacings, the sampling clocks 300 ppm apart. With ``points`` packets
    carry their constellation.
    """

    def __init__(self, form: GnuradioOfdmFormat | None = None, *, points: bool = False) -> None:
        self.format = form or GnuradioOfdmFormat()
        self.counts = dict.fromkeys(STATUSES, 0)
        self._demodulator = Demodulator(self.format, points)
        self._buffer = SampleBuffer()
        self._at = 0  # first position not searched
        self._found: detect.Detection | None = None
        self._look: Look | None = None
        self._finished = False

    @property
    def bad_samples(self) -> int:
        """Samples so far that were no numbers to work with."""
        return self._buffer.bad_samples

    def push(self, samples: npt.ArrayLike) -> list[GnuradioPacket]:
        """Take [n] complex samples; give the packets that are whole by now. Raise ValueError for other shapes."""
        x = np.asarray(samples)
        if x.ndim != 1:
            raise ValueError(f"samples must be [n], not of shape {x.shape}")
        if self._finished:
            raise ValueError("samples must not come after finish()")
        self._buffer.append(x)
        return self._packets(final=False)

    def finish(self) -> list[GnuradioPacket]:
        """The stream has ended: give what is left."""
        self._finished = True
        return self._packets(final=True)

    def _packets(self, final: bool) -> list[GnuradioPacket]:
        out: list[GnuradioPacket] = []
        while self._found is not None or self._search(final):
            packet = self._continue(final)
            if packet is None:
                break
            out.append(packet)
            self.counts[packet.status] += 1
        # locate reads up to BEFORE samples before a position, a path may lie a prefix before that
        self._buffer.drop((self._found.start if self._found else self._at) - 2 * SYMBOL_LEN)
        return out

    def _search(self, final: bool) -> bool:
        """Go on to the next preamble; False where there is none yet."""
        latest = self._buffer.end - 2 * SYMBOL_LEN  # at the end of the stream there must be room for both words
        last = latest if final else self._buffer.end - detect.AHEAD
        self._found, self._at = detect.search(self._buffer.read, self._at, last, latest)
        return self._found is not None

    def _continue(self, final: bool) -> GnuradioPacket | None:
        """Next step of the packet found: None while samples are missing."""
        found = self._found
        assert found is not None
        available = self._buffer.end - found.start
        if self._look is None:
            if available < OVERHEAD * SYMBOL_LEN and not final:
                return None
            self._look = self._demodulator.look(self._buffer.read, found)
            if self._look.header is None:
                return self._end(GnuradioPacket(found.start, "header", metric=found.metric, **self._offset(found.cfo)))
        assert self._look.header is not None
        if available < self._demodulator.span(self._look.header[0]) and not final:
            return None
        return self._decide(self._look, available)

    @staticmethod
    def _offset(cfo: float) -> dict[str, Any]:
        return {"cfo": cfo * FFT_SIZE / (2 * np.pi)}

    def _decide(self, look: Look, available: int) -> GnuradioPacket:
        assert look.header is not None
        length, number, _ = look.header
        power = look.prior.power * self.format.amplitude**2
        facts: dict[str, Any] = {"number": number, "metric": look.found.metric}
        facts["snr_db"] = 10 * math.log10(max(power / look.prior.noise, 1e-6))
        symbols = OVERHEAD + self.format.payload_symbols(length)
        if available < symbols * SYMBOL_LEN - FFT_SIZE // 4:
            return self._end(GnuradioPacket(look.found.start, "truncated", **facts, **self._offset(look.found.cfo)))
        tries = self._demodulator.payload(self._buffer.read, look)
        good = next((t for t in tries if t.good), None)
        best = good or tries[-1]
        facts.update(self._offset(best.cfo), sampling_offset_ppm=1e6 * best.drift, evm_db=_evm_db(best))
        if best.points.size:
            facts["points"] = best.points[np.isfinite(best.points)]
        packet = GnuradioPacket(look.found.start, "ok" if good else "crc", best.data[:-CRC_LEN], **facts)
        return self._end(packet, look.found.start + symbols * SYMBOL_LEN + round(tries[0].timing) if good else None)

    def _end(self, packet: GnuradioPacket, end: int | None = None) -> GnuradioPacket:
        """Forget the packet and search on: behind it if it was good, else behind its preamble."""
        behind = packet.start + (OVERHEAD * SYMBOL_LEN if packet.status == "crc" else FFT_SIZE)
        self._at = max(self._at, behind if end is None else end - CP_LEN // 2)
        self._found = self._look = None
        return packet


def _evm_db(decided: Decided) -> float:
    return 10 * math.log10(max(decided.error / max(decided.energy, 1e-30), 1e-12))
