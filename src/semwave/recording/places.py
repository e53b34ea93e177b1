"""Where in a recording something lies: indices, seconds, ISO times, captures, annotations."""

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from semwave.recording import times
from semwave.recording.errors import RecordingError
from semwave.recording.layout import Annotation, Capture

if TYPE_CHECKING:
    from semwave.recording.reader import Recording


def position(recording: "Recording", where: Any) -> int:
    """See :meth:`Recording.position`."""
    if isinstance(where, (int, np.integer)) and not isinstance(where, bool):
        return int(where) + (recording.sample_count if where < 0 else 0)
    if isinstance(where, str):
        late = times.seconds(where)
        if late is not None:
            index = round(late * Fraction(recording.rate()))
            return index + (recording.sample_count if where.strip().startswith("-") else 0)
        when = times.instant(where)
        if when is not None:
            return _at_time(recording, when, where)
    raise RecordingError(
        f"a position is a sample index, a duration such as 2.5s or 300ms, or a time such as "
        f"2026-01-31T12:00:00.5Z, not {where!r}"
    )


def _at_time(recording: "Recording", when: Fraction, text: str) -> int:
    """The sample taken at ``when``, or the first one after it where it falls in a gap."""
    stamps = [(times.instant(c.datetime), c) for c in recording.captures if c.datetime]
    known = [(begin, c) for begin, c in stamps if begin is not None]
    if not known:
        raise RecordingError(f"{recording.where} has no core:datetime, so {text} cannot be found in it")
    before = [(begin, c) for begin, c in known if begin <= when]
    if not before:
        return known[0][1].start
    begin, capture = before[-1]
    following = next((c.start for c in recording.captures if c.start > capture.start), recording.sample_count)
    return min(following, capture.start + round((when - begin) * Fraction(recording.rate())))


def span(recording: "Recording", where: Any) -> tuple[int, int]:
    """See :meth:`Recording.span`."""
    if isinstance(where, (Capture, Annotation)):
        return where.start, where.stop
    if not isinstance(where, slice):
        raise RecordingError(f"a span is a slice of positions, a capture or an annotation, not {where!r}")
    if where.step not in (None, 1):
        raise RecordingError(f"a span has no step, not {where.step!r}: samples come one after the other")
    total = recording.sample_count
    start = 0 if where.start is None else position(recording, where.start)
    stop = total if where.stop is None else position(recording, where.stop)
    start = min(max(0, start), total)
    return start, min(max(start, stop), total)
