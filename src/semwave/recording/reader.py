"""Recordings of any size: opening costs the metadata and a stat, samples come as complex64."""

import warnings
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from semwave.recording import layout, times
from semwave.recording import metadata as md
from semwave.recording.datatypes import parse_datatype
from semwave.recording.errors import RecordingError, RecordingWarning
from semwave.recording.layout import Capture, Mark
from semwave.recording.locate import Found, locate
from semwave.recording.samples import Samples

Array = npt.NDArray[Any]
Position = int | str


class Chunk(NamedTuple):
    """``samples`` [n] complex64 from index ``start`` on, and the marks that fall among them."""

    start: int
    samples: Array
    marks: tuple[Mark, ...]


class HashCheck(NamedTuple):
    """``status`` is ok, mismatch, or absent (the metadata state no hash)."""

    status: str
    expected: str | None
    actual: str


def open_recording(
    path: str | Path,
    name: str | None = None,
    *,
    datatype: str | None = None,
    sample_rate: float | None = None,
    frequency: float | None = None,
    num_channels: int | None = None,
    header_bytes: int | None = None,
    warn: Callable[[str], None] | None = None,
) -> "Recording":
    """Open a recording: a pair (either name, or the base name), archive, collection, WAV, iq-tar, or bare samples.

    ``name`` picks one recording of an archive or a collection; without it, parts that follow each other (core:offset)
    are read as one. With ``datatype`` the file is bare samples, described by the other options. ``warn`` gets what is
    odd (default: RecordingWarning). Raises RecordingError.
    """
    described: dict[str, Any] = {"sample_rate": sample_rate, "frequency": frequency, "num_channels": num_channels}
    described["header_bytes"] = header_bytes
    if datatype is None:
        wrong = [key for key, value in described.items() if value is not None]
        if wrong:
            raise RecordingError(f"{wrong[0]} describes bare samples, so it needs datatype as well")
        found = locate(path, name)
    else:
        found = locate(path, None, datatype=datatype, **described)
    recording = Recording(found, str(path))
    for text in recording.warnings:
        if warn is None:
            warnings.warn(f"{recording.where}: {text}", RecordingWarning, stacklevel=2)
        else:
            warn(f"{recording.where}: {text}")
    return recording


class Recording(Samples):
    """A recording that is open for reading; see :func:`open_recording`.

    ``sample_rate`` in Hz or None where it is not stated; ``sample_count`` whole samples (of each channel) that are
    there; ``captures`` and ``annotations`` with indices from 0 on; ``offset`` is core:offset; ``metadata`` is all that
    the file says, foreign namespaces included.
    """

    def __init__(self, found: list[Found], path: str) -> None:
        from semwave.recording.join import joined

        first = joined(found, path)
        self.path, self.name, self.where, self.metadata = path, first.name, first.where, first.metadata
        self.parts = found
        about = self.metadata["global"]
        if not isinstance(about.get("core:datatype"), str):
            raise RecordingError(f"{self.where}: core:datatype must be given, such as cf32_le")
        try:
            self.datatype = parse_datatype(about["core:datatype"])
        except RecordingError as error:
            raise RecordingError(f"{self.where}: {error}") from None
        self.num_channels = md.index_field(about, "core:num_channels", self.where, 1, low=1)
        if self.num_channels > 1 << 16:
            raise RecordingError(f"{self.where}: core:num_channels must be at most 65536, not {self.num_channels}")
        self.frame_bytes = self.datatype.sample_bytes * self.num_channels
        self.sample_rate = md.sample_rate_of(about, self.where)
        self.offset = md.index_field(about, "core:offset", self.where, 0)
        self.warnings: list[str] = [odd for f in found for odd in f.odd]
        self._place(found)
        self._describe()

    def _place(self, found: list[Found]) -> None:
        self.extents = []
        for part in found:
            trailing = md.index_field(part.metadata["global"], "core:trailing_bytes", part.where, 0)
            offset = md.index_field(part.metadata["global"], "core:offset", part.where, 0)
            marks = layout.heads(part.metadata, offset, part.where)
            extents, rest = layout.place(part.data, marks, self.frame_bytes, trailing)
            base = offset - self.offset
            self.extents += [replace(e, start=e.start + base) for e in extents]
            if part.data.size == 0:
                self.warnings.append("the data file is empty: 0 samples")
            elif rest:
                self.warnings.append(f"the data end in mid-sample: {rest} bytes are left over")
        last = self.extents[-1] if self.extents else None
        self.sample_count = last.start + last.count if last else 0

    def _describe(self) -> None:
        self.captures, odd = layout.captures(self.metadata, self.offset, self.sample_count)
        self._starts = [c.start for c in self.captures]
        self.annotations, beyond = layout.annotations(
            self.metadata, self.offset, self.captures, self._plain_read, self.where
        )
        if beyond:
            odd.append(f"annotations that reach beyond the samples that are there: {beyond}")
        self.warnings += odd

    def _plain_read(self, start: int, count: int) -> Array:
        return self.read(start, count)

    # ---- facts ---------------------------------------------------------------------------------------------

    @property
    def frequency(self) -> float | None:
        """Centre frequency of the first capture in Hz, or None."""
        return self.captures[0].frequency

    @property
    def duration(self) -> float | None:
        """Seconds of samples (gaps not counted), or None without a sample rate."""
        return None if self.sample_rate is None else self.sample_count / self.sample_rate

    def __len__(self) -> int:
        return self.sample_count

    def __repr__(self) -> str:
        rate = "unknown rate" if self.sample_rate is None else f"{self.sample_rate:g} S/s"
        return f"<Recording {self.name}: {self.sample_count} samples, {self.datatype.name}, {rate}>"

    def _repr_html_(self) -> str:
        from semwave.recording.summary import html

        return html(self.summary(), self._thumbnail())

    def _thumbnail(self) -> bytes:
        """A small spectrogram as PNG; nothing where there are no samples."""
        from semwave.recording.picture import thumbnail_png

        return thumbnail_png(self) if self.sample_count else b""

    def summary(self, *, full: bool = False) -> Any:
        """What is in it on one screen: a :class:`~semwave.recording.summary.Summary`; from spread blocks, or all."""
        from semwave.recording.summary import summarize

        return summarize(self, full=full)

    def rate(self) -> float:
        """The sample rate in Hz; raises RecordingError where the recording states none: it is never guessed."""
        if self.sample_rate is None:
            raise RecordingError(f"{self.where} states no core:sample_rate; give one (--sample-rate)")
        return self.sample_rate

    def capture_at(self, index: int) -> Capture:
        """The capture that sample ``index`` belongs to."""
        return self.captures[max(0, bisect_right(self._starts, index) - 1)]

    def time_at(self, index: int) -> str | None:
        """When sample ``index`` was taken (ISO), from its capture's datetime; None where that is not stated."""
        capture = self.capture_at(index)
        begin = times.instant(capture.datetime) if capture.datetime else None
        if begin is None or index == capture.start:
            return None if begin is None else capture.datetime
        return (
            None
            if self.sample_rate is None
            else times.iso(begin + (index - capture.start) / Fraction(self.sample_rate))
        )

    def marks(self, start: int = 0, stop: int | None = None) -> list[Mark]:
        """Facts at the borders of captures in ``start`` ... ``stop``: sample_rate, frequency, datetime, lost."""
        stop = self.sample_count if stop is None else stop
        borders = self._starts[bisect_left(self._starts, start) : bisect_left(self._starts, stop)]
        return [mark for at in borders for mark in self.marks_at(at)]

    def marks_at(self, index: int) -> list[Mark]:
        """What is known of sample ``index``; ``lost`` only at the first sample of a capture."""
        capture = self.capture_at(index)
        facts: dict[str, Any] = {"sample_rate": self.sample_rate, "frequency": capture.frequency}
        facts["datetime"] = self.time_at(index)
        if capture.gap and capture.start == index:
            facts["lost"] = capture.gap
        return [Mark(index, key, value) for key, value in facts.items() if value is not None]

    def hash_check(self) -> HashCheck:
        """Hash all data and compare with core:sha512; for a joined recording, the first part that is not ok decides."""
        checks = []
        for part in self.parts:
            expected = md.text_field(part.metadata["global"], "core:sha512").lower() or None
            actual = part.data.sha512()
            status = "absent" if expected is None else "ok" if expected == actual else "mismatch"
            checks.append(HashCheck(status, expected, actual))
        return next((c for c in checks if c.status != "ok"), checks[0])

    def chunks(
        self,
        size: int = 1 << 16,
        start: int = 0,
        stop: int | None = None,
        channel: int = 0,
        *,
        scale: str = "full",
        reuse: bool = False,
    ) -> Iterator[Chunk]:
        """``size`` samples at a time, with their marks; ``reuse``: the same array again and again (copy what you keep).

        Memory does not grow with the recording. The first chunk says what holds at ``start``.
        """
        if size < 1:
            raise RecordingError(f"size must be 1 or more, not {size}")
        stop = self.sample_count if stop is None else min(stop, self.sample_count)
        held = np.empty(min(size, max(0, stop - start)), np.complex64) if reuse else None
        for at in range(start, stop, size):
            end = min(at + size, stop)
            marks = self.marks(at, end)
            if at == start and not any(m.at == at for m in marks):
                marks = [*self.marks_at(at), *marks]
            yield Chunk(at, self.read(at, end - at, channel, scale=scale, out=held), tuple(marks))

    # ---- places --------------------------------------------------------------------------------------------

    def position(self, where: Position) -> int:
        """A sample index: an index (negative: from the end), "2.5s" from the start, or an ISO time.

        A time in a gap is the first sample after it. Raises RecordingError for anything else.
        """
        from semwave.recording.places import position

        return position(self, where)

    def span(self, where: Any) -> tuple[int, int]:
        """``(start, stop)`` of a slice of positions, a capture or an annotation, clipped to what is there."""
        from semwave.recording.places import span

        return span(self, where)

    def __getitem__(self, where: Any) -> Any:
        """``rec[100:200]``, ``rec["2.5s":"3s"]``, ``rec[rec.captures[1]]``: `[n]` complex64; ``rec[5]``: one sample."""
        if isinstance(where, (int, np.integer)):
            index = int(where) + (self.sample_count if where < 0 else 0)
            if not 0 <= index < self.sample_count:
                raise IndexError(f"sample {where} of {self.sample_count}")
            return self.read(index, 1)[0]
        start, stop = self.span(where)
        return self.read(start, stop - start)

    # ---- life ----------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Let go of the files; reading again opens them anew."""
        for part in self.parts:
            part.data.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
