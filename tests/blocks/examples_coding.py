"""Examples of the coding blocks and impairments for the jig."""

import numpy as np
from jig import Example, Tag, stream

RNG = np.random.default_rng(9)
BITS = RNG.integers(0, 2, 6000).astype(np.uint8)
LLR = (RNG.normal(size=6000) * 4).astype(np.float32)
SAMPLES = (RNG.normal(size=5000) + 1j * RNG.normal(size=5000)).astype(np.complex64)
TAGS = [Tag(0, "label", "a"), Tag(1001, "label", "b")]
RATE = 1e6


def impaired(name: str, **parameters: object) -> Example:
    """An impairment on plain samples."""
    return Example(name, parameters, {"samples": stream(SAMPLES, TAGS, sample_rate=RATE)})


EXAMPLES = [
    Example("ChannelEncoder", {"code": "ldpc_80211n", "n": 648, "code_rate": "1/2"}, {"bits": stream(BITS)}),
    Example("ChannelEncoder", {"code": "conv_k7", "k": 100, "code_rate": "3/4"}, {"bits": stream(BITS, TAGS)}),
    Example("ChannelDecoder", {"code": "repetition", "k": 10, "n": 35}, {"llr": stream(LLR, TAGS)}),
    Example("ChannelDecoder", {"code": "ldpc_5g", "k": 100, "n": 300, "iterations": 5}, {"llr": stream(LLR)}),
    Example("QamDemapper", {"order": 64}, {"symbols": stream(SAMPLES, TAGS)}),
    Example("QamDemapper", {"order": 4}, {"symbols": stream(SAMPLES), "gains": stream(SAMPLES[::-1])}),
    Example("HardDecision", {}, {"llr": stream(LLR, TAGS)}, expect=lambda: {"bits": (LLR > 0).astype(np.uint8)}),
    Example("Scrambler", {"seed": 77}, {"bits": stream(BITS, TAGS)}),
    Example("Scrambler", {"kind": "802.11", "seed": 93}, {"bits": stream(BITS)}),
    Example("Interleaver", {"n": 48}, {"items": stream(SAMPLES, TAGS)}),
    Example("Interleaver", {"n": 100, "kind": "golden", "undo": True}, {"items": stream(BITS)}),
    Example(
        "ErrorCounter",
        {"block": 50},
        {"sent": stream(BITS), "received": stream(BITS ^ (RNG.random(6000) < 0.01).astype(np.uint8))},
        state=lambda block: block.result(),
    ),
    Example("ChannelEncoder", {"code": "bch", "m": 5, "t": 3}, {"bits": stream(BITS[:600])}),
    Example("ChannelDecoder", {"code": "turbo", "k": 40}, {"llr": stream(LLR[:480])}, slow=True),
    Example("CrcAppender", {"block": 100, "crc": "16"}, {"bits": stream(BITS, TAGS)}),
    Example("CrcChecker", {"block": 100, "crc": "6"}, {"checked": stream(BITS, TAGS)}),
    Example("EvmMeter", {"order": 16}, {"symbols": stream(SAMPLES)}, state=lambda b: b.result()["symbols"]),
    Example("GmiMeter", {}, {"sent": stream(BITS), "llr": stream(LLR)}, state=lambda b: b.result()["bits"]),
    Example(
        "FadingChannel",
        {"profile": "custom", "delays_s": (0.0, 2.3e-6), "powers_db": (0.0, -3.0)},
        {"samples": stream(SAMPLES, TAGS, sample_rate=RATE)},
    ),
    impaired("CarrierOffset", cfo_hz=1234.0, drift_hz_per_s=100.0),
    impaired("TimingOffset", delay_samples=2.3),
    impaired("SampleClockOffset", ppm=150.0),
    impaired("PhaseNoise"),
    impaired("PhaseNoise", kind="pll"),
    impaired("IqImbalance", gain_db=1.0, phase_deg=3.0),
    impaired("DcOffset"),
    impaired("PowerAmplifier"),
    impaired("PowerAmplifier", kind="saleh"),
    impaired("Quantizer", bits=6),
    impaired("Clipper", level_db=1.0),
    impaired("BlockFading", block_len=300),
    impaired("Shadowing", decorrelation_s=1e-3),
]
