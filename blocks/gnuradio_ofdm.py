"""GNU Radio's stock OFDM packets as blocks: bytes to samples, samples to bytes."""

from collections.abc import Iterable, Iterator
from typing import Annotated, Any

import numpy as np

from semwave.runtime import Context, FrameBlock, Frames, In, Out, Packet, Param, Stream, Tag

BYTES = Frames(np.uint8, ("byte",))
Modulation = Annotated[str, Param("of the payload", choices=("bpsk", "qpsk", "8psk"))]
Scramble = Annotated[bool, Param("scramble header and payload: GNU Radio's scramble_bits")]
UnitPower = Annotated[bool, Param("QPSK of power 1, not GNU Radio's 4")]
Rate = Annotated[float, Param("complex samples a second", unit="Hz", low=1)]


def ofdm_format(block: Any) -> Any:
    """The frame format that a block's parameters describe."""
    from semwave.modulation.gnuradio_ofdm import GnuradioOfdmFormat

    return GnuradioOfdmFormat(block.modulation, block.scramble, block.unit_power)


class GrOfdmTransmitter(FrameBlock):
    """Make one stock GNU Radio OFDM packet of each frame of 1 to 4091 bytes, as ``digital.ofdm_tx`` does.

    ``gap`` zeros come before each packet and after the last; a ``burst`` tag on a packet's first sample has its length.
    ``amplitude`` scales the 52 carriers: at 1 the mean power is 52, as GNU Radio's.
    """

    modulation: Modulation = "bpsk"
    scramble: Scramble = False
    unit_power: UnitPower = False
    amplitude: Annotated[float, Param("of a carrier", low=1e-9)] = 1.0
    gap: Annotated[int, Param("silence before each packet", unit="samples", low=0)] = 160
    sample_rate: Rate = 1e6

    payload = In(BYTES)
    samples = Out(Stream(np.complex64))

    def negotiate(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Samples at ``sample_rate``."""
        return {"samples": Stream(np.complex64, sample_rate=self.sample_rate)}

    def start(self, ctx: Context) -> None:
        """Packets count from 0."""
        from semwave.modulation.gnuradio_ofdm import Transmitter

        self._transmitter = Transmitter(ofdm_format(self), amplitude=self.amplitude)

    def work(self, payload: Packet) -> Iterator[Packet]:
        """One packet."""
        frame = self._transmitter.frame(payload.data)
        data = np.concatenate([np.zeros(self.gap, np.complex64), frame])
        yield Packet(data, 0, (Tag(self.gap, "burst", len(frame)),), payload.meta)

    def finish(self) -> Iterable[Packet]:
        """Silence, so that the last packet leaves every channel whole."""
        return [Packet(np.zeros(self.gap, np.complex64))]


class GrOfdmReceiver(FrameBlock):
    """Find stock GNU Radio OFDM packets in samples, as ``digital.ofdm_rx`` does, and give their bytes.

    ``meta`` says ``status`` ("ok", "crc", "header", "truncated"), ``crc_ok``, ``packet_num``, ``at`` (index of the
    first sample), ``cfo`` (carrier spacings), ``snr_db``, ``evm_db``, ``sampling_offset_ppm``, as far as known. Packets
    that fail come with what bytes there are, unless ``only_good``; all are counted.
    """

    modulation: Modulation = "bpsk"
    scramble: Scramble = False
    unit_power: UnitPower = False
    only_good: Annotated[bool, Param("leave out packets that fail")] = False

    samples = In(Stream(np.complex64))
    payload = Out(BYTES)

    def start(self, ctx: Context) -> None:
        """Build the receiver."""
        from semwave.modulation.gnuradio_ofdm import Receiver

        self._ctx, self._receiver = ctx, Receiver(ofdm_format(self))

    def work(self, samples: Packet) -> Iterator[Packet]:
        """Packets as they become whole."""
        for found in self._receiver.push(samples.data):
            yield from self._packet(found)

    def finish(self) -> Iterator[Packet]:
        """Packets that were still waiting for samples; what was strange about the samples is counted."""
        for found in self._receiver.finish():
            yield from self._packet(found)
        bad = self._receiver.bad_samples
        if bad:
            self._ctx.count("NaN or infinite samples", bad)
            self._ctx.warn(f"{bad} samples were NaN or infinite and were treated as silence")

    def _packet(self, found: Any) -> Iterator[Packet]:
        self._ctx.count(f"packets {found.status}")
        good = found.status == "ok"
        if self.only_good and not good:
            return
        meta = {"status": found.status, "crc_ok": good, "at": found.start, "cfo": found.cfo}
        if found.status != "header":
            meta.update(packet_num=found.number, snr_db=found.snr_db)
        if found.status in ("ok", "crc"):
            meta.update(evm_db=found.evm_db, sampling_offset_ppm=found.sampling_offset_ppm)
        yield Packet(found.payload, meta=meta)
