"""Spectrograms of recordings: all samples in MS/s, and an overview of a sparse 100 GB recording in seconds.

The peer reads the same recording with sigmf-python and takes the same transforms with scipy.signal.ShortTimeFFT.

    python benchmarks/spectrogram.py [--quick]
"""

import json
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from _report import best_seconds, emit

from semwave.recording import Writer, open_recording
from semwave.recording.spectrum import spectrogram

FFT = 1024


def record(base: Path, count: int) -> None:
    """White noise as ci16."""
    rng = np.random.default_rng(0)
    block = (rng.standard_normal((1 << 20, 2)) * 0.1).astype(np.float32).view(np.complex64)[:, 0]
    with Writer(base, 20e6, datatype="ci16_le", sync=False) as writer:
        for _ in range(count >> 20):
            writer.write(block)


def peer_seconds(base: Path, count: int) -> float | None:
    """sigmf-python and SciPy on a part that fits the memory; None where they are missing."""
    try:
        import sigmf
        from scipy.signal import ShortTimeFFT
        from scipy.signal.windows import hann
    except ImportError:
        return None
    stft = ShortTimeFFT(hann(FFT, sym=False), FFT, 20e6, fft_mode="centered")

    def work() -> None:
        handle = sigmf.fromfile(f"{base}.sigmf-meta", skip_checksum=True)
        power = stft.spectrogram(handle.read_samples(0, count))
        power.max(axis=1)

    return best_seconds(work, 1.0)


def sparse(base: Path) -> None:
    """A recording of 100 GB that takes no room."""
    about = {"core:datatype": "ci16_le", "core:version": "1.2.5", "core:sample_rate": 20e6}
    base.with_suffix(".sigmf-meta").write_text(json.dumps({"global": about, "captures": [], "annotations": []}))
    with base.with_suffix(".sigmf-data").open("wb") as file:
        file.truncate(100 * 10**9)


def main() -> None:
    """All cases."""
    count = (1 << 23) if "--quick" in sys.argv else (1 << 26)
    with TemporaryDirectory() as folder:
        base = Path(folder) / "noise"
        record(base, count)
        part = min(count, 1 << 22)
        seconds = peer_seconds(base, part)
        peer = None if seconds is None else part / seconds / 1e6
        recording = open_recording(base)
        for threads in (1, 2):
            took = best_seconds(lambda n=threads: spectrogram(recording, full=True, threads=n), 2.0)
            name = None if peer is None else "sigmf-python + ShortTimeFFT"
            emit("spectrogram", f"ci16 full, {threads} threads", count / took / 1e6, "MS/s", name, peer)
        sparse(Path(folder) / "big")
        begin = time.perf_counter()
        seen = spectrogram(open_recording(Path(folder) / "big"))
        emit("spectrogram", f"overview of 100 GB ({100 * seen.covered:.2g} %)", time.perf_counter() - begin, "s")


if __name__ == "__main__":
    main()
