"""New recordings out of old ones: crop, convert, put one after the other; metadata go along, with their indices.

Fields that are not understood here (foreign namespaces, licence, author) are kept as they are.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from semwave.recording import metadata as md
from semwave.recording import times
from semwave.recording.datatypes import parse_datatype
from semwave.recording.errors import RecordingError
from semwave.recording.locate import META
from semwave.recording.pair import beside
from semwave.recording.reader import Recording
from semwave.recording.writer import Writer

Array = npt.NDArray[Any]
Row = dict[str, Any]
CHUNK = 1 << 16
OWN = ("core:datatype", "core:sample_rate", "core:num_channels", "core:version", "core:sha512", "core:offset")
GONE = (
    "core:trailing_bytes",
    "core:dataset",
    "core:metadata_only",
    "core:collection",
    "core:meta_doi",
    "core:data_doi",
)


@dataclass(frozen=True)
class Change:
    """What to do to the samples: type, rate in Hz, shift of all frequencies in Hz, factor, one channel of several.

    None leaves things as they are.
    """

    datatype: str | None = None
    sample_rate: float | None = None
    shift_hz: float = 0.0
    gain: float = 1.0
    channel: int | None = None


@dataclass(frozen=True)
class Written:
    """What came of it: samples written, components that were clipped, annotations kept and left out."""

    path: Path
    samples: int
    clipped: int
    annotations: int
    left_out: int
    complete: bool


def rewrite(
    recordings: list[Recording],
    target: str | Path,
    spans: list[tuple[int, int]],
    change: Change | None = None,
    *,
    force: bool = False,
    on_progress: Callable[[int], bool] | None = None,
) -> Written:
    """Write ``spans`` of ``recordings`` one after the other; ``on_progress`` gets the samples read, True ends it there.

    Raises RecordingError where the recordings do not go together, or ``target`` exists.
    """
    change = change or Change()
    first = recordings[0]
    for other in recordings[1:]:
        _same(first, other)
    kind = change.datatype or first.datatype.name
    if first.datatype.is_complex is False and parse_datatype(kind).is_complex is False and change.shift_hz:
        raise RecordingError("a shifted real recording is complex: give a complex datatype such as cf32_le")
    rate = change.sample_rate if change.sample_rate is not None else first.sample_rate
    channels = 1 if change.channel is not None else first.num_channels
    job = _Job(change, rate, on_progress)
    with Writer(
        target,
        rate,
        datatype=kind,
        num_channels=channels,
        scale=change.gain,
        fields=_kept(first),
        force=force,
        sync=False,
    ) as writer:
        for recording, span in zip(recordings, spans, strict=True):
            job.append(recording, span, writer)
            if job.stopped:
                break
    return job.settle(writer, first)


def _same(a: Recording, b: Recording) -> None:
    for what in ("sample_rate", "num_channels"):
        if getattr(a, what) != getattr(b, what):
            raise RecordingError(
                f"{b.where} has {what} {getattr(b, what)}, {a.where} has {getattr(a, what)}: convert one of them first"
            )


def _kept(recording: Recording) -> Row:
    """Global fields that go along."""
    about = recording.metadata["global"]
    return {k: v for k, v in about.items() if k not in OWN + GONE and ":" in k and k != "core:extensions"}


class _Job:
    """Spans copied so far, and the metadata rows that belong to them."""

    def __init__(self, change: Change, rate: float | None, on_progress: Callable[[int], bool] | None) -> None:
        self.stopped = False
        self._change, self._rate, self._on_progress = change, rate, on_progress
        self._read = self._left_out = self._clipped = 0
        self._captures: list[Row] = []
        self._annotations: list[Row] = []
        self._extensions: list[Any] = []
        self._lost = 0

    def append(self, recording: Recording, span: tuple[int, int], writer: Writer) -> None:
        """Copy one span."""
        step = Fraction(1)
        if self._change.sample_rate is not None:
            step = Fraction(self._change.sample_rate) / Fraction(recording.rate())
        base = writer.sample_count
        end = span[0]
        for end, block in self._blocks(recording, span):
            writer.write(block)
            if self._on_progress is not None and self._on_progress(self._read + end - span[0]):
                self.stopped = True
                break
        self._read += end - span[0]
        reach = (span[0], end if self.stopped else span[1])
        self._rows(recording, reach, base, step)
        for entry in recording.metadata["global"].get("core:extensions") or []:
            if entry not in self._extensions:
                self._extensions.append(entry)

    def _blocks(self, recording: Recording, span: tuple[int, int]) -> Iterator[tuple[int, Array]]:
        change, channels = self._change, recording.num_channels
        which = range(channels) if change.channel is None else [change.channel]
        feeds = [self._feed(recording, span, channel) for channel in which]
        for pieces in zip(*feeds, strict=True):
            blocks = [block for _, block in pieces]
            yield pieces[0][0], blocks[0] if len(blocks) == 1 else np.stack(blocks, axis=1)

    def _feed(self, recording: Recording, span: tuple[int, int], channel: int) -> Iterator[tuple[int, Array]]:
        change = self._change
        plain = not change.shift_hz and change.sample_rate in (None, recording.sample_rate)
        if plain:
            for chunk in recording.chunks(CHUNK, *span, channel):
                yield chunk.start + chunk.samples.size, chunk.samples
            return
        from semwave.modulation.resample import Resampler

        rate = recording.rate()
        resampler = Resampler(in_rate=rate, out_rate=change.sample_rate or rate, shift_hz=change.shift_hz)
        for chunk in recording.chunks(CHUNK, *span, channel):
            yield chunk.start + chunk.samples.size, resampler.process(chunk.samples)
        yield span[1], resampler.flush()

    # ---- metadata ------------------------------------------------------------------------------------------

    def _rows(self, recording: Recording, reach: tuple[int, int], base: int, step: Fraction) -> None:
        """Captures and annotations of a span, at their new places."""
        low, high = reach

        def place(index: int) -> int:
            return base + round((index - low) * step)

        for capture in recording.captures:
            if (capture.stop <= low and capture.count) or capture.start >= max(high, low + 1):
                continue
            row = {k: v for k, v in capture.fields.items() if k not in ("core:header_bytes", "core:global_index")}
            begin = max(capture.start, low)
            row["core:sample_start"] = place(begin)
            self._times(recording, capture, begin, row)
            if capture.gap and begin == capture.start and begin > low:
                self._lost += round(capture.gap * step)
            if self._lost:
                row["core:global_index"] = row["core:sample_start"] + self._lost
            self._captures.append(row)
        for note in recording.annotations:
            begin, end = max(note.start, low), min(note.stop, high)
            if begin > end or begin >= high or (begin == end and note.count):
                self._left_out += 1
                continue
            row = dict(note.fields)
            row["core:sample_start"] = place(begin)
            if "core:sample_count" in row:
                row["core:sample_count"] = place(end) - place(begin)
            self._annotations.append(self._shifted(row))

    def _times(self, recording: Recording, capture: Any, begin: int, row: Row) -> None:
        if capture.datetime and begin > capture.start:
            when = recording.time_at(begin)
            row.pop("core:datetime", None)
            if when is not None:
                row["core:datetime"] = times.iso(times.instant(when) or Fraction(0))
        if capture.frequency is not None and self._change.shift_hz:
            row["core:frequency"] = capture.frequency - self._change.shift_hz

    def _shifted(self, row: Row) -> Row:
        """Edges at RF stay where they are; those relative to the centre move with the samples."""
        edges = ("core:freq_lower_edge", "core:freq_upper_edge")
        known = any("core:frequency" in capture for capture in self._captures)
        if self._change.shift_hz and not known:
            for key in edges:
                value = md.number_field(row, key)
                if value is not None:
                    row[key] = value + self._change.shift_hz
        return row

    def settle(self, writer: Writer, first: Recording) -> Written:
        """Put the rows into the metadata that the writer left."""
        file = beside(writer.path, META)
        meta = md.parse_metadata(md.read_bytes(file), str(file))
        about = meta["global"]
        own = about.get("core:extensions") or []
        about["core:extensions"] = [*self._extensions, *(e for e in own if e not in self._extensions)]
        recorder = first.metadata["global"].get("core:recorder")
        if isinstance(recorder, str):
            about["core:recorder"] = recorder
        total = writer.sample_count
        meta["captures"] = _inside(self._captures, total) or [{"core:sample_start": 0}]
        kept = [_cut(row, total) for row in _inside(self._annotations, total)]
        meta["annotations"] = kept
        md.write_metadata(file, meta)
        left_out = self._left_out + len(self._annotations) - len(kept)
        return Written(file, total, writer.clipped, len(kept), left_out, not self.stopped)


def _inside(rows: Iterable[Row], total: int) -> list[Row]:
    return [row for row in rows if row["core:sample_start"] < max(total, 1)]


def _cut(row: Row, total: int) -> Row:
    if "core:sample_count" in row:
        row["core:sample_count"] = max(0, min(row["core:sample_count"], total - row["core:sample_start"]))
    return row
