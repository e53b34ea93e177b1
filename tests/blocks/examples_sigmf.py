"""Examples of the blocks that read and write recordings, for the jig."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from jig import Example, Tag, stream

from semwave.modulation.resample import resample
from semwave.runtime import Array

RNG = np.random.default_rng(11)
SAMPLES = (RNG.normal(size=5000) + 1j * RNG.normal(size=5000)).astype(np.complex64)
STORED = RNG.integers(-(1 << 15), 1 << 15, (3000, 2)).astype("<i2")
READ = (STORED.astype(np.float32) / 32768).view(np.complex64)[:, 0]
CAPTURES = [
    {"core:sample_start": 0, "core:frequency": 1e9, "core:datetime": "2026-01-01T00:00:00Z"},
    {"core:sample_start": 1200, "core:frequency": 2e9, "core:global_index": 1300},
]
TAGS = [
    Tag(0, "frequency", 1e9),
    Tag(10, "burst", 500),
    Tag(10, "snr_db", 12.0),
    Tag(700, "label", "here"),
    Tag(2000, "frequency", 2e9),
    Tag(3000, "lost", 77),
]


def recorded(folder: Path, **parameters: Any) -> dict[str, Any]:
    """A recording with two captures and a gap of 100 samples between them."""
    base = folder / "two-captures"
    about = {"core:datatype": "ci16_le", "core:version": "1.2.6", "core:sample_rate": 1e6}
    meta = {"global": about, "captures": CAPTURES, "annotations": []}
    Path(f"{base}.sigmf-meta").write_text(json.dumps(meta), encoding="utf-8")
    Path(f"{base}.sigmf-data").write_bytes(STORED.tobytes())
    return {"path": str(base), **parameters}


def written(block: Any) -> Any:
    """All that a sink left behind."""
    files = sorted(p for p in Path(block.path).glob(f"{block.name}*.sigmf-*") if p.is_file())
    return {file.name: file.read_bytes() for file in files}


@cache
def filled() -> Array:
    """The recording with its gap filled."""
    return np.concatenate([READ[:1200], np.zeros(100, np.complex64), READ[1200:]])


EXAMPLES = [
    Example("SigMFSource", recorded, expect=lambda: {"samples": READ}),
    Example(
        "SigMFSource",
        lambda folder: recorded(folder, repeat=2, gaps="fill", begin=100),
        expect=lambda: {"samples": np.concatenate([filled()[100:]] * 2)},
    ),
    Example("SigMFSource", lambda folder: recorded(folder, segment=1), expect=lambda: {"samples": READ[1200:]}),
    Example("SigMFSource", lambda folder: recorded(folder, repeat=0, begin="0.5ms"), items=4000),
    Example(
        "SigMFSource",
        lambda folder: recorded(folder, output_rate=8e5, shift_hz=-1e5),
        expect=lambda: {"samples": resample(READ, 1e6, 8e5, shift_hz=-1e5)},
    ),
    Example(
        "SigMFSource", lambda folder: recorded(folder, speed=50.0, end="1.5ms"), expect=lambda: {"samples": READ[:1500]}
    ),
    Example(
        "SigMFSink",
        lambda folder: {"path": str(folder)},
        {"samples": stream(SAMPLES, TAGS, sample_rate=1e6)},
        state=written,
    ),
    Example(
        "SigMFSink",
        lambda folder: {"path": str(folder), "name": "parts", "datatype": "ci8", "scale": 0.5, "split_s": 1.5e-3},
        {"samples": stream(SAMPLES, TAGS, sample_rate=1e6)},
        state=written,
    ),
]
