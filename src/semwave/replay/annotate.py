"""Frames as annotations of the recording that they were found in, written so that doing it again changes nothing."""

import math
import uuid
from collections.abc import Iterable
from typing import Any

from semwave.recording import Recording, RecordingError, annotation_row, replace_annotations
from semwave.replay.frame import Frame

_NAMESPACE = uuid.UUID("8b0c1f0e-6a3d-5d60-9d3c-0f6f0d1b7a55")


def generator(receiver: str) -> str:
    """``core:generator`` of the annotations of one receiver; those with another are left alone."""
    return f"semwave replay {receiver}"


def annotate(recording: Recording, frames: Iterable[Frame], receiver: str, span: tuple[int, int]) -> tuple[int, int]:
    """Put ``frames`` into the metadata file in one step; how many were written, and how many they replaced.

    Only annotations of the same receiver within ``span`` are replaced. Raises RecordingError where the metadata are
    not a file of their own.
    """
    if any(part.meta_path is None for part in recording.parts):
        raise RecordingError(
            f"{recording.where} has no metadata file of its own to write annotations to "
            "(an archive, a WAV file, bare samples): convert it to a pair first"
        )
    own = generator(receiver)
    outside = [
        {**a.fields, "core:sample_start": a.start}
        for a in recording.annotations
        if a.generator == own and not span[0] <= a.start < span[1]
    ]
    rows = [annotation(frame, own) for frame in frames]
    removed = replace_annotations(recording, [*outside, *rows], generator=own)
    return len(rows), removed - len(outside)


def annotation(frame: Frame, own: str) -> dict[str, Any]:
    """One frame as SigMF has it: core fields, and what the receiver measured in the namespace ``semwave``."""
    edges: tuple[float | None, float | None] = (None, None)
    if frame.bandwidth_hz:
        centre = frame.frequency or 0.0
        edges = centre - frame.bandwidth_hz / 2, centre + frame.bandwidth_hz / 2
    comment = frame.about if frame.status == "ok" else f"{frame.status}{'; ' if frame.about else ''}{frame.about}"
    name = uuid.uuid5(_NAMESPACE, f"{own} {frame.start} {frame.sha256}")
    return annotation_row(
        frame.start, frame.count, label=frame.label, comment=comment or frame.status, freq_lower_edge=edges[0],
        freq_upper_edge=edges[1], uuid=str(name), fields=measured(frame),
    )  # fmt: skip


def measured(frame: Frame) -> dict[str, Any]:
    """What the namespace ``semwave`` has of a frame; what is not known is left out."""
    found: dict[str, Any] = {"format": f"{frame.kind} {frame.rate}".strip()}
    for name, digits in (("cfo_hz", 1), ("snr_db", 2), ("evm_db", 2)):
        value = getattr(frame, name)
        if math.isfinite(value):
            found[name] = round(float(value), digits)
    if frame.facts.get("rate_mbps"):
        found["rate_mbps"] = frame.facts["rate_mbps"]
    if frame.length:
        found["psdu_bytes"] = frame.length
    if frame.payload:
        found["psdu_sha256"] = frame.sha256
    if frame.check is not None:
        found["fcs_ok"] = frame.check
    return {f"semwave:{name}": value for name, value in found.items()}
