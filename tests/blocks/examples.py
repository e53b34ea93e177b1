"""Examples of the basic blocks for the jig."""

import numpy as np
from jig import Example, Tag, frames, stream

from semwave.runtime import Packet

RNG = np.random.default_rng(1)
SAMPLES = (RNG.normal(size=5000) + 1j * RNG.normal(size=5000)).astype(np.complex64)
MORE = (RNG.normal(size=4700) + 1j * RNG.normal(size=4700)).astype(np.complex64)
BYTES = RNG.integers(0, 256, 4001).astype(np.uint8)
TAGS = [Tag(0, "label", "first"), Tag(1234, "frequency", 1e6), Tag(3999, "label", "late")]

EXAMPLES = [
    Example("NullSource", {"count": 20_001}, expect=lambda: {"items": np.zeros(20_001, np.complex64)}),
    Example("NullSource", {"dtype": "uint8"}, items=9000, expect=lambda: {"items": np.zeros(9000, np.uint8)}),
    Example(
        "VectorSource",
        {"values": (1.0, 2.5, -3.0), "repeat": 1001, "dtype": "float32"},
        expect=lambda: {"items": np.tile(np.array([1, 2.5, -3], np.float32), 1001)},
    ),
    Example("RandomBits", {"count": 20_000}),
    Example("RandomBits", {}, items=10_000),
    Example("Copy", {}, {"items": stream(SAMPLES, TAGS, sample_rate=1e6)}, expect=lambda: {"copied": SAMPLES}),
    Example("Copy", {}, {"items": stream(BYTES, TAGS)}, expect=lambda: {"copied": BYTES}),
    Example(
        "MultiplyConst",
        {"gain": 0.5},
        {"samples": stream(SAMPLES, TAGS)},
        expect=lambda: {"scaled": SAMPLES * np.float32(0.5)},
    ),
    Example(
        "Add",
        {},
        {"a": stream(SAMPLES, TAGS), "b": stream(MORE, TAGS[:1])},
        expect=lambda: {"total": SAMPLES[:4700] + MORE},
    ),
    Example("Head", {"count": 1300}, {"items": stream(SAMPLES, TAGS)}, expect=lambda: {"first": SAMPLES[:1300]}),
    Example("Head", {"count": 0}, {"items": stream(BYTES)}, expect=lambda: {"first": np.empty(0)}, state=lambda b: 0),
    Example("Head", {"count": 10_000}, {"items": stream(BYTES)}, expect=lambda: {"first": BYTES}),
    Example("NullSink", {}, {"items": stream(SAMPLES, TAGS)}),
    Example("NullFrameSink", {}, {"frames": frames(BYTES, BYTES[:7])}),
    Example("VectorSink", {}, {"items": stream(SAMPLES, TAGS)}, state=lambda sink: sink.data),
    Example(
        "VectorSink",
        {},
        {"items": frames(BYTES[:5], Packet(BYTES[:0], 1, (), {"empty": True}), BYTES[:6])},
        state=lambda sink: [(p.data, dict(p.meta)) for p in sink.packets],
    ),
]
