"""Parts of a split recording, one after the other by core:offset, as one."""

from copy import copy

from semwave.recording import metadata as md
from semwave.recording.datatypes import parse_datatype
from semwave.recording.errors import RecordingError
from semwave.recording.layout import heads, place
from semwave.recording.locate import Found

_SAME = ("core:datatype", "core:sample_rate", "core:num_channels")


def joined(found: list[Found], path: str) -> Found:
    """The one recording that ``found`` at ``path`` is, as one; raises RecordingError unless parts follow up."""
    if len(found) == 1:
        return found[0]
    names = ", ".join(f.name for f in found[:20])
    first = found[0]
    many = f"{path} holds {len(found)} recordings; choose one by its name (--name): {names}"
    end = None
    for part in found:
        about = part.metadata["global"]
        if any(about.get(key) != first.metadata["global"].get(key) for key in _SAME) or "core:offset" not in about:
            raise RecordingError(many)
        offset = md.index_field(about, "core:offset", part.where)
        if end is not None and offset != end:
            raise RecordingError(
                f"{part.where} starts at core:offset {offset}, but the part before ends at {end}; {many}"
            )
        end = offset + _count(part, offset)
    whole = copy(first)
    whole.name = md.text_field(first.metadata["global"], "core:collection") or first.name
    whole.metadata = dict(first.metadata)
    for section in ("captures", "annotations"):
        whole.metadata[section] = [row for f in found for row in f.metadata[section]]
    return whole


def _count(part: Found, offset: int) -> int:
    about = part.metadata["global"]
    frame = parse_datatype(str(about.get("core:datatype"))).sample_bytes
    frame *= md.index_field(about, "core:num_channels", part.where, 1, low=1)
    trailing = md.index_field(about, "core:trailing_bytes", part.where, 0)
    extents, _ = place(part.data, heads(part.metadata, offset, part.where), frame, trailing)
    return extents[-1].start + extents[-1].count if extents else 0
