"""IEEE 802.11 OFDM at 20 MS/s: samples to frames and back."""

from collections.abc import Iterable, Iterator
from typing import Annotated, Any

import numpy as np

from semwave.runtime import ConnectError, Context, FrameBlock, Frames, In, Out, Packet, Param, Stream, Tag

BYTES = Frames(np.uint8, ("byte",))


class Ieee80211Receiver(FrameBlock):
    """Receive 802.11 a/g and one-stream 11n PPDUs of 20 MHz (IEEE 802.11-2020, clauses 17 and 19).

    One frame a PPDU: its PSDU's bytes, with ``status``, format, rate, length, place, carrier offset, SNR, EVM and
    the MAC frames inside in ``meta``. A PPDU that is recognised but not decoded ("unsupported: ...", "truncated",
    "bad signal field") gives an empty frame.
    """

    only_ok: Annotated[bool, Param("leave out what did not arrive whole")] = False

    samples = In(Stream(np.complex64))
    psdu = Out(BYTES)
    channel = Out(Frames(np.complex64, ("carrier",)), optional=True, doc="channel estimate, one a PPDU")

    def negotiate(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """The samples must come at 20 MS/s."""
        rate = inputs["samples"].sample_rate
        if rate not in (None, 20e6):
            raise ConnectError(f"samples come at {rate:g}/s, but IEEE 802.11 at 20 MHz needs 20e6/s: resample first")
        return {"psdu": BYTES, "channel": Frames(np.complex64, ("carrier",))}

    def start(self, ctx: Context) -> None:
        """Build the receiver."""
        from semwave.modulation.ieee80211 import Receiver

        self._ctx, self._receiver = ctx, Receiver()

    def work(self, samples: Packet) -> Iterator[tuple[str, Packet]]:
        """PPDUs as they become whole."""
        yield from self._packets(self._receiver.push(samples.data))

    def finish(self) -> Iterator[tuple[str, Packet]]:
        """What is left; what was strange about the samples is counted."""
        yield from self._packets(self._receiver.finish())
        bad = self._receiver.bad_samples
        if bad:
            self._ctx.count("NaN or infinite samples", bad)
            self._ctx.warn(f"{bad} samples were NaN or infinite and were treated as silence")

    def _packets(self, found: Iterable[Any]) -> Iterator[tuple[str, Packet]]:
        names = ("status", "format", "rate_mbps", "mcs", "length", "start", "ltf", "end", "cfo_hz", "snr_db", "evm_db")
        more = ("short_gi", "ldpc", "aggregation", "seed", "sha256")
        for ppdu in found:
            self._ctx.count(f"PPDUs {ppdu.status.partition(':')[0]}")
            if self.only_ok and not ppdu.ok:
                continue
            meta: dict[str, Any] = {name: getattr(ppdu, name) for name in (*names, *more)}
            meta["mpdus"] = [{"length": len(m.data), "fcs_ok": m.fcs_ok} for m in ppdu.mpdus]
            yield "psdu", Packet(np.frombuffer(ppdu.psdu, np.uint8), meta=meta)
            yield "channel", Packet(ppdu.channel, meta=meta)


class Ieee80211Transmitter(FrameBlock):
    """Send each frame of bytes as an 802.11 PPDU: legacy at ``rate_mbps``, or one-stream HT where ``mcs`` is given.

    ``gap`` zeros come before each PPDU and after the last; a ``burst`` tag marks a PPDU's first sample, its value is
    the number of samples.
    """

    rate_mbps: Annotated[int, Param("legacy rate", unit="Mbit/s", choices=(6, 9, 12, 18, 24, 36, 48, 54))] = 24
    mcs: Annotated[int | None, Param("HT modulation and coding, instead of rate_mbps", low=0, high=7)] = None
    short_gi: Annotated[bool, Param("short guard interval (HT)")] = False
    ldpc: Annotated[bool, Param("LDPC instead of the convolutional code (HT)")] = False
    fcs: Annotated[bool, Param("put the frame check sequence behind each frame")] = True
    seed: Annotated[int, Param("scrambler's start", low=1, high=127)] = 0x5D
    window: Annotated[int, Param("raised cosine at the symbol borders", unit="samples", low=0, high=8)] = 0
    gap: Annotated[int, Param("silence before each PPDU", unit="samples", low=0)] = 320

    frame = In(BYTES)
    samples = Out(Stream(np.complex64, sample_rate=20e6))

    def _format(self) -> Any:
        from semwave.modulation.ieee80211 import TxFormat

        names = ("rate_mbps", "mcs", "short_gi", "ldpc", "seed", "window")
        return TxFormat(**{name: getattr(self, name) for name in names})

    def check(self) -> None:
        """Legacy frames have no short guard interval and no LDPC."""
        self._format()

    def negotiate(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Samples at 20 MS/s."""
        return {"samples": Stream(np.complex64, sample_rate=20e6)}

    def start(self, ctx: Context) -> None:
        """Settle the format."""
        self._form = self._format()

    def work(self, frame: Packet) -> Iterator[Packet]:
        """Bytes to samples; raises ValueError for a frame that is empty or too long."""
        from semwave.modulation.ieee80211 import append_fcs, transmit

        octets = frame.data.tobytes()
        burst = transmit(append_fcs(octets) if self.fcs else octets, self._form)
        data = np.concatenate([np.zeros(self.gap, np.complex64), burst])
        yield Packet(data, 0, (Tag(self.gap, "burst", len(burst)),))

    def finish(self) -> Iterator[Packet]:
        """Silence, so that the last PPDU leaves every channel whole."""
        yield Packet(np.zeros(self.gap, np.complex64))
