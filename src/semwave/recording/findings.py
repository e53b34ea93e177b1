"""What is wrong with a recording, beyond what the schema can tell: one line a finding."""

import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from semwave.recording import metadata as md
from semwave.recording.datatypes import parse_datatype
from semwave.recording.locate import DATA
from semwave.recording.reader import Recording
from semwave.recording.times import instant

CHUNK, MOST_LISTED = 1 << 18, 10
CLIPPING_SHARE = 1e-6  # of the samples; a few at the end of the range are no clipping


@dataclass(frozen=True)
class Finding:
    """``what`` is a short name for scripts, ``text`` a sentence for people."""

    what: str
    text: str


def check(
    recording: Recording, *, hash_too: bool = False, samples: bool = True,
    on_progress: Callable[[int], bool] | None = None,
) -> list[Finding]:  # fmt: skip
    """Everything that was found, in the order: metadata, captures, annotations, samples, hash."""
    found = [Finding("schema", f"{part.where}: {text}") for part in recording.parts for text in _schema(part.metadata)]
    found += [Finding("reader", text) for text in recording.warnings]
    found += _about(recording) + _captures(recording) + _annotations(recording)
    if samples:
        found += _samples(recording, on_progress)
    if hash_too:
        result = recording.hash_check()
        if result.status == "mismatch":
            found.append(Finding("hash", f"core:sha512 is {result.expected[:16]}..., but the data have "
                                         f"{result.actual[:16]}..." if result.expected else ""))  # fmt: skip
        elif result.status == "absent":
            found.append(Finding("hash", f"no core:sha512 is stated; the data have {result.actual}"))
    return found


def _schema(meta: Any) -> list[str]:
    rows = md.validate(meta)
    more = [f"and {len(rows) - MOST_LISTED} more"] if len(rows) > MOST_LISTED else []
    return rows[:MOST_LISTED] + more


def _about(recording: Recording) -> list[Finding]:
    about, found = recording.metadata["global"], []
    if recording.sample_rate is None:
        found.append(Finding("sample_rate", "core:sample_rate is not stated"))
    name = str(about.get("core:datatype"))
    proper = parse_datatype(name).name
    if name != proper:
        found.append(Finding("datatype", f"core:datatype {name!r} is not one of SigMF's: read as {proper}"))
    declared = {e.get("name") for e in about.get("core:extensions") or [] if isinstance(e, dict)}
    used = Counter(ns for row in _all_rows(recording) for ns in {k.partition(":")[0] for k in row if ":" in k})
    undeclared = (ns for ns in sorted(used) if ns != "core" and not {ns, _parent(ns)} & declared)
    found += [
        Finding("extension", f"namespace {ns!r} is used, but not declared in core:extensions") for ns in undeclared
    ]
    needless = (p for p in recording.parts if "core:dataset" in p.metadata["global"] and p.data.path.suffix == DATA)
    return found + [
        Finding("dataset", f"{p.where}: core:dataset names a {DATA} file, which needs none") for p in needless
    ]


def _parent(namespace: str) -> str:
    return namespace.split("-")[0]


def _all_rows(recording: Recording) -> list[dict[str, Any]]:
    meta = recording.metadata
    return [meta["global"], *meta["captures"], *meta["annotations"]]


def _captures(recording: Recording) -> list[Finding]:
    found = []
    total, offset = recording.sample_count, recording.offset
    for i, row in enumerate(recording.metadata["captures"]):
        start = row.get("core:sample_start", 0)
        if start - offset >= total > 0:
            found.append(Finding("capture", f"captures[{i}] starts at {start}, where there are no samples any more"))
        elif start < offset:
            found.append(Finding("capture", f"captures[{i}] starts at {start}, before core:offset {offset}"))
        stamp = row.get("core:datetime")
        if stamp is not None and (not isinstance(stamp, str) or instant(stamp) is None):
            found.append(Finding("datetime", f"captures[{i}]: core:datetime {stamp!r} is not an RFC 3339 UTC time"))
    return (found + _clock(recording))[:50]


def _clock(recording: Recording) -> list[Finding]:
    """Stated times against counted samples."""
    found = []
    rate = recording.sample_rate
    known = [(c, instant(c.datetime)) for c in recording.captures if c.datetime]
    for (a, begin), (b, end) in itertools.pairwise(known):
        if begin is None or end is None or rate is None:
            continue
        counted = (b.start - a.start + sum(c.gap for c in recording.captures[a.number + 1 : b.number + 1])) / rate
        late = float(end - begin) - counted
        if end < begin:
            found.append(Finding("datetime", f"captures[{b.number}] is dated before the one before it"))
        elif late < -max(1e-3, 1e-4 * counted):
            found.append(
                Finding("datetime", f"captures[{b.number}] is dated {-late:.6g} s before its samples can have come")
            )
    return found


def _annotations(recording: Recording) -> list[Finding]:
    found: list[Finding] = []
    rate = recording.sample_rate
    for note in recording.annotations:
        low, high = note.freq_lower_edge, note.freq_upper_edge
        if (low is None) != (high is None):
            found.append(Finding("edges", f"annotation at {note.start} has one frequency edge only"))
        elif low is not None and high is not None:
            centre = recording.capture_at(note.start).frequency or 0.0
            if low > high:
                found.append(Finding("edges", f"annotation at {note.start} has its edges the wrong way round"))
            elif rate is not None and (high < centre - rate / 2 or low > centre + rate / 2):
                found.append(
                    Finding(
                        "edges", f"annotation at {note.start} lies at {low:g} to {high:g} Hz, outside the recording"
                    )
                )
        if note.count == 0 and note.start >= recording.sample_count:
            where = note.fields.get("core:sample_start")
            found.append(Finding("annotation", f"annotation at {where} lies beyond the samples that are there"))
    more = len(found) - 50
    return found[:50] + ([Finding("annotation", f"and {more} more findings on annotations")] if more > 0 else [])


def _samples(recording: Recording, on_progress: Callable[[int], bool] | None) -> list[Finding]:
    """NaN and infinities, clipping, samples that never change."""
    found = []
    for channel in range(recording.num_channels):
        bad, clipped, first_bad, peak, seen = _count(recording, channel, on_progress)
        name = f"channel {channel}: " if recording.num_channels > 1 else ""
        if bad:
            found.append(Finding("nan", f"{name}{bad} samples are NaN or infinite, the first at {first_bad}"))
        if seen and clipped > max(2, CLIPPING_SHARE * seen):
            share = float(Fraction(100 * clipped, seen))
            found.append(Finding("clipping", f"{name}{clipped} samples ({share:.3g} %) are at the end of the range"))
        if seen and peak == 0 and not bad:
            found.append(Finding("silence", f"{name}all samples are 0"))
    return found


def _count(recording: Recording, channel: int, on_progress: Any) -> tuple[int, int, int, float, int]:
    kind = recording.datatype
    high = np.float32((kind.full_scale - 1) / kind.full_scale) if kind.is_integer else None
    bad = clipped = seen = 0
    first_bad, peak = -1, 0.0
    for chunk in recording.chunks(CHUNK, channel=channel, reuse=True):
        parts = chunk.samples.view(np.float32)
        top = float(np.abs(parts).max()) if parts.size else 0.0
        seen += chunk.samples.size
        if high is not None:
            if top >= high:
                pairs = parts.reshape(-1, 2)
                clipped += int(np.count_nonzero(((pairs >= high) | (pairs <= -1)).any(axis=1)))
        elif not np.isfinite(top):
            wrong = ~np.isfinite(parts.reshape(-1, 2)).all(axis=1)
            if first_bad < 0:
                first_bad = chunk.start + int(np.flatnonzero(wrong)[0])
            bad += int(np.count_nonzero(wrong))
        peak = max(peak, top if np.isfinite(top) else 0.0)
        if on_progress is not None and on_progress(chunk.start + chunk.samples.size):
            break
    return bad, clipped, first_bad, peak, seen
