"""Samples out of the extents of a recording: one read and one scale-and-cast pass for each cache-sized piece."""

import os
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from semwave.recording import metadata as md
from semwave.recording.datatypes import Datatype, to_complex64
from semwave.recording.errors import RecordingError
from semwave.recording.layout import Annotation, Capture, Extent

Array = npt.NDArray[Any]
SCALES = ("full", "acq", "none")
READ_BYTES = 1 << 19  # of the file at once: fits the second-level cache together with its result


class Samples:
    """The samples of a recording, by index."""

    datatype: Datatype
    num_channels: int
    frame_bytes: int
    sample_count: int
    extents: list[Extent]
    captures: list[Capture]
    annotations: list[Annotation]

    def read(
        self,
        start: int = 0,
        count: int | None = None,
        channel: int = 0,
        *,
        scale: str = "full",
        out: Array | None = None,
    ) -> Array:
        """``count`` samples from ``start`` on, fewer at the end, `[n]` complex64; into ``out`` where one is given.

        ``scale``: ``full`` (integers to +-1), ``acq`` (stored value times capture_details:acq_scale_factor), ``none``.
        Raises RecordingError, also when the samples would not fit the free memory.
        """
        if start < 0 or (count is not None and count < 0):
            raise RecordingError(f"start and count must be 0 or more, not {start} and {count}")
        if not 0 <= channel < self.num_channels:
            raise RecordingError(f"channel must be 0 to {self.num_channels - 1}, not {channel}")
        if scale not in SCALES:
            raise RecordingError(f"scale must be 'full', 'acq' or 'none', not {scale!r}")
        stop = self.sample_count if count is None else min(self.sample_count, start + count)
        n = max(0, stop - start)
        if out is None:
            _check_room(8 * n)
            out = np.empty(n, np.complex64)
        elif out.dtype != np.complex64 or out.size < n or not out.flags.c_contiguous:
            raise RecordingError(f"out must be complex64, contiguous and hold {n} samples")
        out = out[:n]
        for begin, end, gain in self._runs(start, start + n, scale):
            self._fill(begin, channel, gain, out[begin - start : end - start])
        return out

    def _runs(self, start: int, stop: int, scale: str) -> Iterator[tuple[int, int, float]]:
        """Spans of one gain."""
        if scale != "acq":
            yield start, stop, 1.0 if scale == "none" else 1 / self.datatype.full_scale
            return
        for capture in self.captures:
            begin, end = max(start, capture.start), min(stop, capture.stop)
            if begin < end:
                factor = md.number_field(capture.fields, "capture_details:acq_scale_factor")
                yield begin, end, 1 / self.datatype.full_scale if factor is None else factor

    def _fill(self, start: int, channel: int, gain: float, out: Array) -> None:
        """Convert what lies in the extents, a cache-sized piece at a time."""
        kind, done = self.datatype, 0
        direct = kind.direct and gain == 1.0 and self.num_channels == 1
        step = max(1, READ_BYTES // self.frame_bytes)
        buffer = None if direct else np.empty(min(step, out.size) * self.frame_bytes, np.uint8)
        while done < out.size:
            extent = self.extents[bisect_right(self.extents, start + done, key=lambda e: e.start) - 1]
            skip = start + done - extent.start
            n = min(out.size - done, extent.count - skip, out.size if direct else step)
            target = out[done : done + n]
            raw = target.view(np.uint8) if buffer is None else buffer[: n * self.frame_bytes]
            got = extent.file.read_into(raw, extent.offset + skip * self.frame_bytes)
            if got < raw.size:
                raise RecordingError(f"{extent.file.path} has become shorter while it was read")
            if not direct:
                parts = raw.view(kind.dtype).reshape(n, self.num_channels, kind.components)
                to_complex64(parts[:, channel], kind, target, gain=gain)
            done += n


def _check_room(size: int) -> None:
    """Refuse what would push the machine into swapping; raises RecordingError."""
    if size < 1 << 28:
        return
    try:
        free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        with Path("/proc/meminfo").open(encoding="ascii") as file:
            free = next(int(line.split()[1]) << 10 for line in file if line.startswith("MemAvailable"))
    except (OSError, ValueError, StopIteration, AttributeError):
        return
    if size > free:
        need, have = f"{size / 1e9:.1f} GB", f"{free / 1e9:.1f} GB"
        raise RecordingError(f"{need} of samples do not fit the {have} of free memory: use chunks()")
