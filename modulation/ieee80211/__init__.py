"""IEEE 802.11 OFDM at 20 MHz: a streaming receiver and a transmitter for 11a/g and one-stream 11n."""

from semwave.modulation.ieee80211.mpdu import Mpdu, aggregate, append_fcs, check_fcs, deaggregate
from semwave.modulation.ieee80211.ppdu import Ppdu
from semwave.modulation.ieee80211.receive import Receiver
from semwave.modulation.ieee80211.transmit import TxFormat, transmit

__all__ = [
    "Mpdu",
    "Ppdu",
    "Receiver",
    "TxFormat",
    "aggregate",
    "append_fcs",
    "check_fcs",
    "deaggregate",
    "transmit",
]
