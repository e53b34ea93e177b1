"""Rows of ``captures`` and ``annotations``, checked before they are written."""

import math
from collections.abc import Mapping
from typing import Any

from semwave.recording import metadata as md
from semwave.recording import times
from semwave.recording.errors import RecordingError

Row = dict[str, Any]


def capture_row(
    start: int,
    *,
    frequency: float | None = None,
    datetime: str | None = None,
    global_index: int | None = None,
    fields: Mapping[str, Any] | None = None,
) -> Row:
    """A capture from absolute sample ``start`` on; frequency in Hz, datetime RFC 3339; raises RecordingError."""
    row: Row = {"core:sample_start": start}
    if frequency is not None:
        row["core:frequency"] = finite("frequency", frequency)
    if datetime is not None:
        when = times.instant(datetime)
        if when is None:
            raise RecordingError(f"datetime must be a UTC time such as 2026-01-31T12:00:00.5Z, not {datetime!r}")
        row["core:datetime"] = times.iso(when)
    if global_index is not None:
        row["core:global_index"] = global_index
    return {**row, **extra(fields)}


def annotation_row(
    start: int,
    count: int | None,
    *,
    label: str = "",
    comment: str = "",
    generator: str = "",
    freq_lower_edge: float | None = None,
    freq_upper_edge: float | None = None,
    uuid: str | None = None,
    fields: Mapping[str, Any] | None = None,
) -> Row:
    """An annotation of ``count`` samples (None: to the end of the capture) from ``start`` on; raises RecordingError.

    The edges are in Hz, both or neither. ``fields`` are those of other namespaces, such as ``semwave:snr_db``.
    """
    for name, value in (("start", start), ("count", 0 if count is None else count)):
        if isinstance(value, bool) or not 0 <= int(value) <= md.MAX_INDEX:
            raise RecordingError(f"annotation {name} must be 0 or more, not {value}")
    row: Row = {"core:sample_start": int(start)}
    if count is not None:
        row["core:sample_count"] = int(count)
    if (freq_lower_edge is None) != (freq_upper_edge is None):
        raise RecordingError("an annotation has both freq_lower_edge and freq_upper_edge, or neither")
    if freq_lower_edge is not None and freq_upper_edge is not None:
        row["core:freq_lower_edge"] = finite("freq_lower_edge", freq_lower_edge)
        row["core:freq_upper_edge"] = finite("freq_upper_edge", freq_upper_edge)
    texts = {"label": label, "comment": comment, "generator": generator, "uuid": uuid or ""}
    row |= {f"core:{key}": str(text) for key, text in texts.items() if text}
    return {**row, **extra(fields)}


def finite(name: str, value: float) -> float:
    """``value`` as a float; raises RecordingError unless it is a finite number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise RecordingError(f"{name} must be a finite number, not {value!r}")
    return float(value)


def extra(fields: Mapping[str, Any] | None) -> Row:
    """Fields of namespaces; raises RecordingError for a name without one, or what JSON cannot hold."""
    row = dict(fields or {})
    for key in row:
        if ":" not in key:
            raise RecordingError(f"a field is called NAMESPACE:NAME, such as semwave:snr_db, not {key!r}")
    md.dump(row)
    return row
