"""Low-density parity-check codes of 3GPP NR and IEEE 802.11: encoders, rate matching and layered decoders."""

from pathlib import Path

from semwave.modulation.kernel_cache import drop_stale
from semwave.modulation.ldpc.code import LdpcCode, WifiCode
from semwave.modulation.ldpc.decoder import DecodeResult
from semwave.modulation.ldpc.nr import NrCode
from semwave.modulation.ldpc.transport import NrTransportBlock, TransportResult

__all__ = ["DecodeResult", "LdpcCode", "NrCode", "NrTransportBlock", "TransportResult", "WifiCode"]

drop_stale(Path(__file__).parent)
