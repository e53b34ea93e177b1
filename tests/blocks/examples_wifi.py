"""Examples of the 802.11 blocks for the jig."""

from typing import Any

import numpy as np
from jig import Example, frames, stream

RNG = np.random.default_rng(80211)
OCTETS = [RNG.integers(0, 256, n).astype(np.uint8) for n in (14, 1, 90)]


def air() -> Any:
    """Three PPDUs in noise: two that arrive, one cut off at the end."""
    from semwave.modulation.ieee80211 import TxFormat, append_fcs, transmit

    forms = (TxFormat(54), TxFormat(mcs=4, short_gi=True), TxFormat(6))
    bursts = [transmit(append_fcs(o.tobytes()), f) for o, f in zip(OCTETS, forms, strict=True)]
    x = np.concatenate([np.zeros(300), bursts[0], np.zeros(100), bursts[1], bursts[2][:700]])
    noise = RNG.standard_normal((x.size, 2)) @ [1, 1j]
    x = x * np.exp(2j * np.pi * 40e3 / 20e6 * np.arange(x.size)) + 0.02 * noise + 1.5
    return stream(x.astype(np.complex64), sample_rate=20e6)


AIR = air()


def sent() -> Any:
    """What the receiver must give: the PSDUs, FCS included."""
    from semwave.modulation.ieee80211 import append_fcs

    psdus = [np.frombuffer(append_fcs(o.tobytes()), np.uint8) for o in OCTETS[:2]]
    return {"psdu": [*psdus, np.empty(0, np.uint8)]}


EXAMPLES = [
    Example("Ieee80211Receiver", {}, {"samples": AIR}, expect=sent),
    Example("Ieee80211Receiver", {"only_ok": True}, {"samples": AIR}, expect=lambda: {"psdu": sent()["psdu"][:2]}),
    Example("Ieee80211Transmitter", {"rate_mbps": 36, "gap": 50}, {"frame": frames(*OCTETS)}),
    Example("Ieee80211Transmitter", {"mcs": 3, "ldpc": True, "window": 2}, {"frame": frames(*OCTETS)}),
]
