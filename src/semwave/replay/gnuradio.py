"""The receiver of GNU Radio's stock OFDM packets over recordings."""

from typing import Any

import numpy.typing as npt

from semwave.modulation.gnuradio_ofdm import GnuradioOfdmFormat, GnuradioPacket
from semwave.modulation.gnuradio_ofdm import Receiver as StockReceiver
from semwave.modulation.gnuradio_ofdm.frame import CRC_LEN, FFT_SIZE, OVERHEAD, SYMBOL_LEN
from semwave.replay.frame import Frame, some

Array = npt.NDArray[Any]


class GnuradioReceiver:
    """``digital.ofdm_tx`` packets at any rate; options: modulation, scramble, unit_power."""

    name = "gnuradio"

    def __init__(self, rate: float | None = None, options: dict[str, Any] | None = None) -> None:
        self.rate = rate  # None: that of the recording, whatever it is
        try:
            self._format = GnuradioOfdmFormat(**(options or {}))
        except TypeError:
            raise ValueError(
                f"options of receiver gnuradio are modulation, scramble and unit_power, not {options}"
            ) from None
        self._receiver = StockReceiver(self._format, points=True)

    def at_rate(self, rate: float) -> None:
        """Carrier offsets are told in Hz of this rate."""
        self.rate = rate

    def push(self, samples: Array) -> list[Frame]:
        """Take samples `[n]`, give the packets that are whole."""
        return [self._frame(packet) for packet in self._receiver.push(samples)]

    def finish(self) -> list[Frame]:
        """The packets that are left."""
        return [self._frame(packet) for packet in self._receiver.finish()]

    def trouble(self) -> list[str]:
        """What was strange about the samples."""
        bad = self._receiver.bad_samples
        return [f"{bad} samples were NaN or infinite and were taken as silence"] if bad else []

    def _frame(self, packet: GnuradioPacket) -> Frame:
        known = packet.status in ("ok", "crc")
        symbols = OVERHEAD + (self._format.payload_symbols(packet.payload.size + CRC_LEN) if known else 0)
        status = {"crc": "bad CRC", "header": "bad header"}.get(packet.status, packet.status)
        spacing = (self.rate or 1.0) / FFT_SIZE
        facts: dict[str, Any] = {"packet_number": packet.number}
        facts["sampling_offset_ppm"] = round(packet.sampling_offset_ppm, 2)
        return Frame(
            start=packet.start, count=symbols * SYMBOL_LEN, kind="gr-ofdm", status=status,
            rate=self._format.modulation if known else "", length=packet.payload.size,
            cfo_hz=packet.cfo * spacing, snr_db=packet.snr_db, evm_db=packet.evm_db,
            check=packet.status == "ok" if known else None, payload=packet.payload.tobytes(),
            about=f"packet {packet.number}" if packet.number >= 0 else "", bandwidth_hz=53 * spacing, facts=facts,
            source=packet, points=None if packet.points is None else some(packet.points),
        )  # fmt: skip
