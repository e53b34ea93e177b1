"""Examples of the blocks with two antennas."""

import numpy as np
from jig import Example, Tag, stream

RNG = np.random.default_rng(29)
RATE = 3.84e6
SYMBOLS = np.exp(0.5j * np.pi * RNG.integers(0, 4, 1200)).astype(np.complex64)
A, B = ((RNG.normal(size=(2, 3000)) + 1j * RNG.normal(size=(2, 3000))) / 2).astype(np.complex64)
TAGS = [Tag(0, "label", "a"), Tag(701, "label", "b")]
SMALL = {"fft_size": 64, "cp_len": 8, "active": 48, "pilot_spacing_f": 4, "frame_symbols": 4}
BOTH = {"antenna0": stream(A, sample_rate=RATE), "antenna1": stream(B, sample_rate=RATE)}

EXAMPLES = [
    Example("MimoOfdmModulator", SMALL, {"symbols": stream(SYMBOLS, TAGS)}),
    Example("MimoOfdmModulator", {**SMALL, "scheme": "alamouti"}, {"symbols": stream(SYMBOLS)}),
    Example("MimoOfdmDemodulator", SMALL, {"received0": stream(A, TAGS), "received1": stream(B)}),
    Example("MimoOfdmDemodulator", {**SMALL, "scheme": "alamouti"}, {"received0": stream(A, sample_rate=RATE)}),
    Example("MimoFadingChannel", {"correlation_tx": 0.5}, BOTH),
    Example("MimoFadingChannel", {"profile": "rayleigh", "doppler_hz": 500.0}, BOTH),
]
