"""Examples of the stock GNU Radio OFDM blocks for the jig."""

from typing import Any

import numpy as np
from jig import Example, frames, stream

RNG = np.random.default_rng(310)
PAYLOADS = [RNG.integers(0, 256, n).astype(np.uint8) for n in (1, 30, 95)]


def samples(**options: Any) -> Any:
    """Three packets in noise, the second of which has lost a symbol."""
    from semwave.modulation.gnuradio_ofdm import GnuradioOfdmFormat, Transmitter

    transmitter = Transmitter(GnuradioOfdmFormat(**options))
    first, second, third = (transmitter.frame(p) for p in PAYLOADS)
    second[4 * 80 : 5 * 80] = 0
    x = np.concatenate([first, np.zeros(77), second, third, np.zeros(40)])
    noise = np.random.default_rng(4).standard_normal((x.size, 2)) @ [1, 1j]
    return stream((x + 0.3 * noise).astype(np.complex64), sample_rate=1e6)


EXAMPLES = [
    Example("GrOfdmTransmitter", {"scramble": True}, {"payload": frames(*PAYLOADS)}),
    Example(
        "GrOfdmTransmitter",
        {"modulation": "qpsk", "unit_power": True, "amplitude": 0.05, "gap": 0, "sample_rate": 2e6},
        {"payload": frames(*PAYLOADS)},
    ),
    Example(
        "GrOfdmReceiver",
        {"modulation": "8psk"},
        lambda: {"samples": samples(modulation="8psk")},
    ),
    Example(
        "GrOfdmReceiver",
        {"modulation": "bpsk", "scramble": True, "only_good": True},
        lambda: {"samples": samples(scramble=True)},
        expect=lambda: {"payload": [PAYLOADS[0], PAYLOADS[2]]},
    ),
]
