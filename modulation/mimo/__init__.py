"""Several antennas: Alamouti's code, spatial multiplexing, linear detection, MIMO fading, OFDM frames with pilots."""

from semwave.modulation.mimo.alamouti import alamouti_decode, alamouti_encode
from semwave.modulation.mimo.channel import MimoChannel, correlation
from semwave.modulation.mimo.detect import detect
from semwave.modulation.mimo.frame import MimoFrame, Received

__all__ = ["MimoChannel", "MimoFrame", "Received", "alamouti_decode", "alamouti_encode", "correlation", "detect"]
