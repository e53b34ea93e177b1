"""Change the annotations of recordings that are there; everything else in their metadata stays as it is."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

from semwave.recording import metadata as md
from semwave.recording.errors import RecordingError
from semwave.recording.reader import Recording


def replace_annotations(recording: Recording, rows: Iterable[Mapping[str, Any]], *, generator: str) -> int:
    """Replace the annotations that ``generator`` made by ``rows``; how many there were before.

    Rows come from :func:`semwave.recording.rows.annotation_row`, with starts counted from the first sample that is
    there; each gets ``core:generator``. The metadata files are replaced in one step each, sorted once, so doing it
    again changes nothing. Open the recording anew to see the result. Raises RecordingError for archives and WAV files.
    """
    if not generator:
        raise RecordingError("generator must be given: only annotations of the same generator are replaced")
    parts = []
    for part in recording.parts:
        if part.meta_path is None:
            raise RecordingError(f"{part.where} has no metadata file of its own to write annotations to")
        start = md.index_field(part.metadata["global"], "core:offset", part.where, 0)
        parts.append((start, part.meta_path, deepcopy(part.metadata)))
    removed = 0
    for _, _, meta in parts:
        kept = [row for row in meta["annotations"] if row.get("core:generator") != generator]
        removed += len(meta["annotations"]) - len(kept)
        meta["annotations"] = kept
    used = False
    for row in rows:
        at = md.index_field(row, "core:sample_start", "annotation") + recording.offset
        meta = next((m for start, _, m in reversed(parts) if start <= at), parts[0][2])
        meta["annotations"].append({**row, "core:sample_start": at, "core:generator": generator})
        used = used or any(key.startswith("semwave:") for key in row)
    for _, path, meta in parts:
        if used:
            md.declare(meta["global"])
        md.write_metadata(path, meta)
    return removed
