"""OFDM: the waveform, and semwave's own bursts with their streaming receiver."""

from pathlib import Path

from semwave.modulation.kernel_cache import drop_stale
from semwave.modulation.ofdm.burst import Burst, BurstReport
from semwave.modulation.ofdm.layout import BurstLayout
from semwave.modulation.ofdm.params import OfdmParams
from semwave.modulation.ofdm.receive import BurstReceiver
from semwave.modulation.ofdm.sequences import burst_permutation
from semwave.modulation.ofdm.sync import Detection, PreambleSearch
from semwave.modulation.ofdm.transmit import BurstTransmitter
from semwave.modulation.ofdm.waveform import clip_and_filter, demodulate, modulate, papr_db

__all__ = [
    "Burst",
    "BurstLayout",
    "BurstReceiver",
    "BurstReport",
    "BurstTransmitter",
    "Detection",
    "OfdmParams",
    "PreambleSearch",
    "burst_permutation",
    "clip_and_filter",
    "demodulate",
    "modulate",
    "papr_db",
]

_VECTORS = Path(__file__).parents[1] / "ldpc"
drop_stale(Path(__file__).parent, _VECTORS / "vector.py", _VECTORS / "transpose.py")
