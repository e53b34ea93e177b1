"""GNU Radio's stock OFDM packets, both ways: interoperable with ``digital.ofdm_tx`` and ``digital.ofdm_rx`` (3.10)."""

from semwave.modulation.gnuradio_ofdm.frame import MAX_PAYLOAD, MODULATIONS, GnuradioOfdmFormat
from semwave.modulation.gnuradio_ofdm.receive import GnuradioPacket, Receiver
from semwave.modulation.gnuradio_ofdm.transmit import Transmitter

__all__ = ["MAX_PAYLOAD", "MODULATIONS", "GnuradioOfdmFormat", "GnuradioPacket", "Receiver", "Transmitter"]
