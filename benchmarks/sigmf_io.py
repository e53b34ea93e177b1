"""Recordings: reading, opening, writing and resampling, beside sigmf-python, NumPy and SciPy. One core."""

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from _report import best_seconds, emit

from semwave.modulation.resample import Resampler
from semwave.recording import Writer, open_recording

BENCH = "sigmf_io"
CHUNK = 1 << 16


def main() -> None:
    """Print one line a case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small files, short times")
    quick = parser.parse_args().quick
    count, seconds = (2_000_000, 0.3) if quick else (50_000_000, 3.0)
    with tempfile.TemporaryDirectory() as folder:
        reading(Path(folder), count, seconds)
        opening(Path(folder))
        memory(Path(folder), 10 * count)
        writing(Path(folder), count // 2, seconds)
    resampling(count // 10, seconds)


def pair(folder: Path, datatype: str, count: int, raw: Any = None) -> Path:
    """A recording of ``count`` samples; without ``raw`` a file without any data in it."""
    base = folder / datatype
    about = {"core:datatype": datatype, "core:version": "1.2.6", "core:sample_rate": 20e6}
    meta = {"global": about, "captures": [{"core:sample_start": 0}], "annotations": []}
    Path(f"{base}.sigmf-meta").write_text(json.dumps(meta), encoding="utf-8")
    with Path(f"{base}.sigmf-data").open("wb") as file:
        if raw is None:
            file.truncate(count)
        else:
            raw.tofile(file)
    return base


def reading(folder: Path, count: int, seconds: float) -> None:
    """Whole files in chunks, from the page cache."""
    import sigmf

    stored = np.random.default_rng(0).integers(-30000, 30000, (count, 2))
    for datatype, dtype in (("ci16_le", "<i2"), ("ci16_be", ">i2"), ("ci8", "i1"), ("cf32_le", "<f4")):
        base = pair(folder, datatype, count, (stored % 127 if dtype == "i1" else stored).astype(dtype))
        rec, peer = open_recording(base), sigmf.fromfile(f"{base}.sigmf-meta", skip_checksum=True)

        def ours(rec: Any = rec) -> None:
            for _ in rec.chunks(CHUNK):
                pass

        def theirs(peer: Any = peer) -> None:
            for at in range(0, count, CHUNK):
                peer.read_samples(at, min(CHUNK, count - at))

        def mapped(base: Path = base, dtype: str = dtype) -> None:
            line = np.memmap(f"{base}.sigmf-data", dtype, "r")
            for at in range(0, line.size, 2 * CHUNK):
                (line[at : at + 2 * CHUNK].astype(np.float32) * np.float32(1 / 32768)).view(np.complex64)

        rate = count / best_seconds(ours, seconds) / 1e6
        emit(BENCH, f"read {datatype}", rate, "MS/s", "sigmf read_samples", count / best_seconds(theirs, seconds) / 1e6)
        emit(BENCH, f"read {datatype}", rate, "MS/s", "numpy memmap", count / best_seconds(mapped, seconds) / 1e6)
        Path(f"{base}.sigmf-data").unlink()


def opening(folder: Path) -> None:
    """100 GB that are all hole: the metadata and a stat."""
    import sigmf

    base = pair(folder, "ci16_le", 100 * 10**9)
    ours = best_seconds(lambda: open_recording(base).close(), 0.5)
    theirs = best_seconds(lambda: sigmf.fromfile(f"{base}.sigmf-meta", skip_checksum=True), 0.5)
    emit(BENCH, "open 100 GB", 1e3 * ours, "ms", "sigmf skip_checksum", 1e3 * theirs)
    began = time.perf_counter()
    open_recording(base).summary()
    emit(BENCH, "open and summary of 100 GB", 1e3 * (time.perf_counter() - began), "ms")


def memory(folder: Path, count: int) -> None:
    """How much more memory is resident, at most, after a long file has gone through."""
    base = pair(folder, "ci16_le", 4 * count)
    rec = open_recording(base)
    for _ in rec.chunks(CHUNK, stop=20 * CHUNK):
        pass
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in rec.chunks(CHUNK):
        pass
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    emit(BENCH, f"memory growth over {4 * count / 1e9:g} GB", grown / 1024, "MiB")


def writing(folder: Path, count: int, seconds: float) -> None:
    """Samples to disk, hash and journal included; beside NumPy's bare file."""
    samples = (np.random.default_rng(0).standard_normal((count, 2), np.float32) / 8).view(np.complex64)[:, 0]
    for datatype in ("cf32_le", "ci16_le", "ci8"):

        def ours(datatype: str = datatype) -> None:
            with Writer(folder / "w", 20e6, datatype=datatype, force=True, sync=False) as writer:
                for at in range(0, count, CHUNK):
                    writer.write(samples[at : at + CHUNK])

        def bare() -> None:
            with (folder / "bare").open("wb") as file:
                for at in range(0, count, CHUNK):
                    samples[at : at + CHUNK].tofile(file)

        peer = ("numpy tofile, no hash", count / best_seconds(bare, seconds) / 1e6) if datatype == "cf32_le" else ()
        emit(BENCH, f"write {datatype}", count / best_seconds(ours, seconds) / 1e6, "MS/s", *peer)


def resampling(count: int, seconds: float) -> None:
    """Streams in chunks; SciPy's function gets the whole array, as it keeps no state."""
    from scipy import signal

    x = np.random.default_rng(0).standard_normal((count, 2), np.float32).view(np.complex64)[:, 0]
    for up, down, shift in ((4, 5, 0.0), (4, 5, 0.11), (1, 8, 0.0), (192, 625, 0.0), (5, 4, 0.0)):

        def ours(up: int = up, down: int = down, shift: float = shift) -> None:
            resampler = Resampler(in_rate=down, out_rate=up, shift_hz=shift * min(up, down))
            for at in range(0, count, CHUNK):
                resampler.process(x[at : at + CHUNK])
            resampler.flush()

        def theirs(up: int = up, down: int = down) -> None:
            signal.resample_poly(x, up, down)

        case = f"resample {up}/{down}" + (" and shift" if shift else "")
        peer = () if shift else ("scipy resample_poly", count / best_seconds(theirs, seconds) / 1e6)
        emit(BENCH, case, count / best_seconds(ours, seconds) / 1e6, "MS/s in", *peer)
    resampler = Resampler(in_rate=20e6, out_rate=19_999_999.7)
    process = best_seconds(lambda: (resampler.process(x), resampler.flush()), seconds)
    emit(BENCH, "resample 20 MS/s to 19.9999997 MS/s", count / process / 1e6, "MS/s in")


if __name__ == "__main__":
    main()
