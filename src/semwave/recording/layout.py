"""Where the samples of a recording lie, and what its captures and annotations say about them.

Indices called ``start`` and ``count`` are those of the samples that are there: 0 is the first one, whatever
``core:offset`` says. ``sample_start`` in the metadata is absolute.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from semwave.recording import metadata as md
from semwave.recording.errors import RecordingError
from semwave.recording.storage import DataFile


@dataclass(frozen=True, slots=True)
class Extent:
    """``count`` samples from ``start`` on lie in ``file`` from byte ``offset`` on."""

    start: int
    count: int
    file: DataFile
    offset: int


class Mark(NamedTuple):
    """A fact about one sample of a stream: index, key and value of a stream tag."""

    at: int
    key: str
    value: Any


@dataclass(frozen=True)
class Capture:
    """A capture segment: ``count`` samples from ``start`` on, with ``gap`` samples lost before them.

    ``frequency`` in Hz and ``datetime`` (ISO) are None where they are not stated; ``fields`` is what the file says.
    """

    number: int
    start: int
    count: int
    frequency: float | None = None
    datetime: str | None = None
    global_index: int = 0
    gap: int = 0
    fields: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def stop(self) -> int:
        """The index after the last sample."""
        return self.start + self.count


@dataclass(frozen=True)
class Annotation:
    """An annotation: ``count`` samples from ``start`` on (clipped to what is there); edges in Hz or None."""

    number: int
    start: int
    count: int
    label: str = ""
    comment: str = ""
    generator: str = ""
    freq_lower_edge: float | None = None
    freq_upper_edge: float | None = None
    fields: dict[str, Any] = field(default_factory=dict, repr=False)
    _read: Callable[[int, int], Any] | None = field(default=None, repr=False, compare=False)

    @property
    def stop(self) -> int:
        """The index after the last sample."""
        return self.start + self.count

    def samples(self) -> Any:
        """The samples that it is about, `[count]` complex64; raises RecordingError when it belongs to no recording."""
        if self._read is None:
            raise RecordingError("this annotation belongs to no recording")
        return self._read(self.start, self.count)


@dataclass(frozen=True)
class Head:
    """``core:sample_start`` and ``core:header_bytes`` of one capture, the start counted in the file."""

    start: int
    header_bytes: int


def heads(meta: md.Metadata, offset: int, where: str) -> list[Head]:
    """Starts and headers of all captures, checked, sorted; raises RecordingError naming the file and the field."""
    found = []
    for i, row in enumerate(meta["captures"]):
        place = f"{where}: captures[{i}]"
        start = md.index_field(row, "core:sample_start", place)
        found.append(Head(max(0, start - offset), md.index_field(row, "core:header_bytes", place, 0)))
    found.sort(key=lambda head: head.start)
    return found if found and not found[0].start else [Head(0, 0), *found]


def place(file: DataFile, marks: Sequence[Head], frame_bytes: int, trailing_bytes: int) -> tuple[list[Extent], int]:
    """The extents of the samples of one file, and how many bytes at its end make no whole sample.

    Headers lie right before the first sample of their capture.
    """
    left, offset, start = max(0, file.size - trailing_bytes), 0, 0
    found: list[Extent] = []
    for head, after in zip(marks, [*marks[1:], None], strict=True):
        offset, left = offset + head.header_bytes, max(0, left - head.header_bytes)
        wanted = left // frame_bytes if after is None else after.start - head.start
        count = min(wanted, left // frame_bytes)
        if found and found[-1].offset + found[-1].count * frame_bytes == offset:
            found[-1] = replace(found[-1], count=found[-1].count + count)
        elif count:
            found.append(Extent(start, count, file, offset))
        start, offset, left = start + count, offset + count * frame_bytes, left - count * frame_bytes
        if count < wanted:
            break
    return found, left if left < frame_bytes else 0


def captures(meta: md.Metadata, offset: int, count: int) -> tuple[list[Capture], list[str]]:
    """The capture segments within ``count`` samples, equal neighbours merged, and what is odd about them."""
    rows = sorted(meta["captures"], key=lambda row: int(row["core:sample_start"])) or [{"core:sample_start": offset}]
    kept: list[tuple[int, dict[str, Any]]] = []
    for row in rows:
        start = max(0, int(row["core:sample_start"]) - offset)
        if start >= count and (kept or start):
            break  # beyond the data
        if kept and _same(kept[-1][1], row):
            continue
        if kept and kept[-1][0] == start:
            kept[-1] = (start, row)
        else:
            kept.append((start, row))
    if not kept or kept[0][0]:
        kept.insert(0, (0, {"core:sample_start": offset}))
    return _numbered(kept, offset, count)


def _same(a: dict[str, Any], b: dict[str, Any]) -> bool:
    """Whether two captures say the same of their samples (``core:sample_start`` aside)."""
    own = {k: v for k, v in a.items() if k != "core:sample_start"}
    return own == {k: v for k, v in b.items() if k != "core:sample_start"} and "core:header_bytes" not in own


def _numbered(kept: list[tuple[int, dict[str, Any]]], offset: int, count: int) -> tuple[list[Capture], list[str]]:
    found: list[Capture] = []
    odd: list[str] = []
    expected = offset + kept[0][0]
    for i, (start, row) in enumerate(kept):
        stop = kept[i + 1][0] if i + 1 < len(kept) else count
        if found:
            expected = found[-1].global_index + start - found[-1].start
        stated = row.get("core:global_index")
        index = stated if isinstance(stated, int) and not isinstance(stated, bool) and stated >= 0 else expected
        gap = index - expected if found else 0
        if gap < 0:
            odd.append(f"captures[{i}] goes back by {-gap} samples in core:global_index; taken as no gap")
            index, gap = expected, 0
        when = md.text_field(row, "core:datetime") or None
        frequency = md.number_field(row, "core:frequency")
        found.append(Capture(i, start, max(0, stop - start), frequency, when, index, gap, row))
    return found, odd


def annotations(
    meta: md.Metadata, offset: int, segments: Sequence[Capture], read: Callable[[int, int], Any], where: str
) -> tuple[list[Annotation], int]:
    """All annotations, sorted, and how many lie beyond the samples that are there.

    Without ``core:sample_count`` one lasts to the end of its capture. Raises RecordingError naming file and field.
    """
    starts, total = [c.start for c in segments], segments[-1].stop
    rows = []
    for i, row in enumerate(meta["annotations"]):
        rows.append((md.index_field(row, "core:sample_start", f"{where}: annotations[{i}]") - offset, i, row))
    found, beyond = [], 0
    for number, (start, i, row) in enumerate(sorted(rows, key=lambda r: r[:2])):
        if "core:sample_count" in row:
            stop = start + md.index_field(row, "core:sample_count", f"{where}: annotations[{i}]")
        else:
            stop = segments[max(0, bisect_right(starts, start) - 1)].stop
        beyond += stop > total
        first = min(max(0, start), total)
        label, comment, generator = (md.text_field(row, f"core:{key}") for key in ("label", "comment", "generator"))
        low, high = (md.number_field(row, f"core:freq_{key}_edge") for key in ("lower", "upper"))
        size = max(0, min(stop, total) - first)
        found.append(Annotation(number, first, size, label, comment, generator, low, high, row, read))
    return found, beyond
