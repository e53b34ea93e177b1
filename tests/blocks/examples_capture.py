"""Examples of captures inside links, with small recordings that are made here."""

from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
from jig import Example, Tag, stream

from semwave.recording import Writer

RNG = np.random.default_rng(4)
SAMPLES = (RNG.normal(size=5000) + 1j * RNG.normal(size=5000)).astype(np.complex64)
FEED = {"samples": stream(SAMPLES, [Tag(77, "label", "x")], sample_rate=1e6)}


@cache
def folder() -> Path:
    """A bursty recording at another rate, and both kinds of measured channels."""
    found = Path(mkdtemp(prefix="semwave-capture-"))
    rng = np.random.default_rng(9)
    bursts = (rng.normal(size=3000) + 1j * rng.normal(size=3000)).astype(np.complex64)
    bursts[1000:2000] *= 1e-3
    with Writer(found / "bursts", 1.5e6, scale=0.05, sync=False) as writer:
        writer.write(bursts)
        writer.annotate(0, 1000, label="one")
        writer.annotate(2000, 1000, label="two")
    carriers = np.array([k for k in range(-26, 27) if k])
    delays = np.exp(-2j * np.pi * np.outer(carriers, [0, 1.5, 4]) / 64)
    gains = rng.normal(size=(6, 3)) + 1j * rng.normal(size=(6, 3))
    times = np.arange(6) * 500
    np.savez(found / "csi.npz", H=gains @ delays.T, subcarrier=carriers, spacing_hz=312.5e3, t_us=times)
    np.savez(found / "fir.npz", h=rng.normal(size=(3, 200)) * np.exp(-np.arange(200) / 30), fs=5e6)
    return found


def at(name: str, **more: object) -> object:
    """Parameters with a path, made when the example is used."""
    return lambda scratch: {"path": str(folder() / name), **more}


EXAMPLES = [
    Example("CaptureInterferer", at("bursts", ci_db=3.0, band_hz=5e5), FEED),
    Example("CaptureInterferer", at("bursts", active="energy", shift_hz=1e5), FEED),
    Example("MeasuredChannel", at("csi.npz", speed=0.5), FEED),
    Example("MeasuredChannel", at("fir.npz", interval_s=1e-3, normalise="each"), FEED),
]
