"""Spectra over time of recordings of any size: mean and maximum of FFTs, spread over it or all there are."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from semwave.recording.errors import RecordingError
from semwave.recording.reader import Recording

Array = npt.NDArray[Any]
SMALL = 1 << 24  # samples that are always looked at in full
SPREAD = 8  # FFTs for each column of a fast overview
BLOCK = 1 << 15  # samples transformed in one call: they stay in the second-level cache
MOST_COLUMNS = 1 << 15


@dataclass(frozen=True)
class Spectrogram:
    """``mean`` and ``peak`` `[columns, bins]` float32, power relative to a full-scale tone, DC in the middle.

    Column c stands for samples ``edges[c]`` ... ``edges[c + 1]`` of the recording; ``clipped`` says in how many looks
    of it a component was at the end of its range (always 0 for floats). ``covered`` is the share of the samples that
    was looked at. Columns that were not reached are NaN. Real recordings have the positive frequencies only.
    """

    mean: Array
    peak: Array
    edges: Array
    clipped: Array
    fft_size: int
    covered: float
    full: bool
    channel: int = 0

    @property
    def start(self) -> int:
        """First sample."""
        return int(self.edges[0])

    @property
    def stop(self) -> int:
        """Sample after the last."""
        return int(self.edges[-1])

    @property
    def bins(self) -> int:
        """Frequencies of each column."""
        return int(self.mean.shape[1])


def spectrogram(
    recording: Recording,
    start: int = 0,
    stop: int | None = None,
    *,
    columns: int = 1200,
    fft_size: int | None = None,
    full: bool = False,
    channel: int = 0,
    threads: int = 2,
    on_progress: Callable[[int], bool] | None = None,
) -> Spectrogram:
    """Look at a recording, ``SPREAD`` FFTs a column or, with ``full``, all samples (always below 2^24 of them).

    ``on_progress`` gets the samples covered so far, now and then; when it gives True the rest stays NaN.
    Raises RecordingError.
    """
    stop = recording.sample_count if stop is None else min(stop, recording.sample_count)
    total = stop - start
    if total < 1:
        raise RecordingError(f"{recording.where} has no samples to look at")
    if not 1 <= columns <= MOST_COLUMNS:
        raise RecordingError(f"columns must be 1 to {MOST_COLUMNS}, not {columns}")
    size = _good_size(total) if fft_size is None else fft_size
    if size < 8 or size & (size - 1) or size > 1 << 16:
        raise RecordingError(f"fft_size must be a power of 2 from 8 to 65536, not {size}")
    full = full or total <= SMALL
    columns = max(1, min(columns, total))
    edges = start + np.arange(columns + 1, dtype=np.int64) * total // columns
    work = _Work(recording, edges, size, channel, full, on_progress)
    parts = np.array_split(np.arange(columns), min(columns, 16 * max(1, threads)))
    with ThreadPoolExecutor(max(1, threads)) as pool:
        list(pool.map(work.columns, parts))
    keep = slice(None) if recording.datatype.is_complex else slice(size // 2, None)
    gain = 1.0 if recording.datatype.is_complex else 4.0  # a real full-scale tone has half its amplitude on either side
    covered = min(1.0, work.looked / total)
    return Spectrogram(
        gain * work.mean[:, keep], gain * work.peak[:, keep], edges, work.clipped, size, covered, full, channel
    )


def _good_size(total: int) -> int:
    """As many frequencies as there are columns, roughly."""
    return int(min(1024, max(64, 1 << round(np.log2(np.sqrt(total)) + 0.3))))


@lru_cache(maxsize=8)
def _window(size: int) -> Array:
    """Periodic Hann window with DC moved to the middle of the spectrum; a full-scale tone gives 1."""
    n = np.arange(size)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * n / size)
    return (window / window.sum() * (-1.0) ** n).astype(np.float32)


class _Work:
    """The columns, a run of them at a time, in any thread."""

    def __init__(
        self, recording: Recording, edges: Array, size: int, channel: int, full: bool,
        on_progress: Callable[[int], bool] | None,
    ) -> None:  # fmt: skip
        self._recording, self._edges, self._size, self._channel, self._full = recording, edges, size, channel, full
        self._on_progress, self._stopped, self.looked = on_progress, False, 0
        shape = (edges.size - 1, size)
        self.mean, self.peak = (np.full(shape, np.nan, np.float32) for _ in range(2))
        self.clipped = np.zeros(edges.size - 1, np.int64)
        kind = recording.datatype
        self._high = np.float32((kind.full_scale - 1) / kind.full_scale) if kind.is_integer else None

    def columns(self, which: Array) -> None:
        """A run of columns."""
        buffer = np.empty(max(BLOCK, self._size), np.complex64)
        for column in which:
            if self._stopped:
                return
            low, high = int(self._edges[column]), int(self._edges[column + 1])
            seen = self._all(column, low, high, buffer) if self._full else self._some(column, low, high, buffer)
            self.looked += seen
            if self._on_progress is not None and self._on_progress(self.looked):
                self._stopped = True

    def _all(self, column: int, low: int, high: int, buffer: Array) -> int:
        """Every sample of the column; short columns see a whole transform around them."""
        size, sums = self._size, _Sums(self._size)
        if high - low < size:
            first = min(max(0, (low + high - size) // 2), max(0, self._recording.sample_count - size))
            self._look(column, first, size, buffer, sums)
        else:
            step = max(BLOCK, size)
            for at in range(low, high, step):
                count = min(step, high - at)
                self._look(column, at, count, buffer, sums)
                rest = count % size
                if rest and at + count == high:  # the last, partial one, taken to end with the column
                    self._look(column, high - size, size, buffer, sums)
        self._put(column, sums)
        return high - low

    def _some(self, column: int, low: int, high: int, buffer: Array) -> int:
        """A few transforms, evenly spread over the column."""
        size, sums = self._size, _Sums(self._size)
        looks = min(SPREAD, max(1, (high - low) // size), buffer.size // size)
        for i in range(looks):
            at = low + (high - low) * (2 * i + 1) // (2 * looks) - size // 2
            at = min(max(0, at), max(0, self._recording.sample_count - size))
            got = self._recording.read(at, size, self._channel, out=buffer[i * size :])
            buffer[i * size + got.size : (i + 1) * size] = 0
        self._transform(column, buffer[: looks * size], sums)
        self._put(column, sums)
        return looks * size

    def _look(self, column: int, at: int, count: int, buffer: Array, sums: "_Sums") -> None:
        got = self._recording.read(at, count, self._channel, out=buffer)
        if got.size < self._size:
            got = np.concatenate([got, np.zeros(self._size - got.size, np.complex64)])
        self._transform(column, got, sums)

    def _transform(self, column: int, samples: Array, sums: "_Sums") -> None:
        import scipy.fft

        size = self._size
        if self._high is not None:
            parts = samples.view(np.float32)
            if parts.max() >= self._high or parts.min() <= -1:
                self.clipped[column] += 1
        rows = samples[: samples.size - samples.size % size].reshape(-1, size) * _window(size)
        sums.add(scipy.fft.fft(rows, axis=1, overwrite_x=True))

    def _put(self, column: int, sums: "_Sums") -> None:
        self.mean[column], self.peak[column] = sums.total / sums.count, sums.peak


class _Sums:
    """Running sum and maximum of powers."""

    def __init__(self, size: int) -> None:
        self.total, self.peak, self.count = np.zeros(size), np.zeros(size, np.float32), 0

    def add(self, spectra: Array) -> None:
        """Spectra `[rows, size]` complex64."""
        parts = spectra.view(np.float32)
        np.multiply(parts, parts, out=parts)
        power = parts[:, ::2] + parts[:, 1::2]
        self.total += power.sum(axis=0)
        np.maximum(self.peak, power.max(axis=0), out=self.peak)
        self.count += len(power)
