"""Put together a recording that was never closed: whole samples, metadata from the journal, the right hash."""

import glob
import os
from dataclasses import dataclass
from pathlib import Path

from semwave.recording import metadata as md
from semwave.recording.collection import write_collection
from semwave.recording.datatypes import parse_datatype
from semwave.recording.errors import RecordingError
from semwave.recording.locate import COLLECTION, DATA, JOURNAL, META, stream_names
from semwave.recording.pair import apply, base_of, beside, drop_beyond, lock
from semwave.recording.storage import DataFile


@dataclass(frozen=True)
class Recovery:
    """What was found: ``samples`` in all, ``trimmed_bytes`` of a cut sample, ``recordings`` that were put together."""

    samples: int
    trimmed_bytes: int
    recordings: tuple[str, ...]


def recover(path: str | Path) -> Recovery:
    """Recover the recording ``path`` (or, of a split one, its last part) from its journal.

    Raises RecordingError when there is no journal, or when the recording is still being written.
    """
    base = base_of(Path(path))
    listed = base.with_suffix("") if base.suffix == COLLECTION else base
    collection = beside(listed, COLLECTION)
    if not collection.is_file():
        return _recover_pair(base)
    names = [name for name, _ in stream_names(collection)]
    following = f"{listed.name}-{len(names):04d}"  # begun, but not listed yet
    dropped = _drop_if_empty(listed.with_name(following))
    if beside(listed.with_name(following), JOURNAL).is_file():
        names.append(following)
    parts = [listed.with_name(n) for n in names if beside(listed.with_name(n), JOURNAL).is_file()]
    if not parts and dropped:
        return Recovery(0, 0, ())  # killed between two parts: all that was recorded is whole
    if not parts:
        raise RecordingError(f"there is nothing to recover: no part of {collection} has a journal")
    found = [_recover_pair(part) for part in parts]
    write_collection(collection, names)
    return Recovery(sum(f.samples for f in found), sum(f.trimmed_bytes for f in found), tuple(p.name for p in parts))


def _drop_if_empty(base: Path) -> bool:
    """Remove a part that was killed before its first line: a journal, no metadata and no samples. True where it was."""
    journal, data = beside(base, JOURNAL), beside(base, DATA)
    if not journal.is_file() or beside(base, META).exists() or (data.is_file() and data.stat().st_size):
        return False
    with journal.open("rb") as handle:
        try:
            lock(handle.fileno())
        except RecordingError as error:
            raise RecordingError(f"{base}: {error}") from None
        if b"\n" in handle.read():
            return False
    data.unlink(missing_ok=True)
    journal.unlink()
    return True


def _recover_pair(base: Path) -> Recovery:
    journal = beside(base, JOURNAL)
    if not journal.is_file():
        raise RecordingError(f"there is nothing to recover: there is no {journal}")
    with journal.open("rb") as handle:
        try:
            lock(handle.fileno())
        except RecordingError as error:
            raise RecordingError(f"{base}: {error}") from None
        metadata = _replay(journal, base)
    about = metadata["global"]
    frame = parse_datatype(str(about.get("core:datatype"))).sample_bytes
    frame *= md.index_field(about, "core:num_channels", str(base), 1, low=1)
    data = beside(base, DATA)
    try:
        data.touch()  # it may have been killed before there was one
        size = data.stat().st_size
        trimmed = size % frame
        if trimmed:
            os.truncate(data, size - trimmed)
    except OSError as error:
        raise RecordingError(f"{data} cannot be recovered: {error.strerror or error}") from None
    samples = size // frame
    drop_beyond(metadata, md.index_field(about, "core:offset", str(base), 0) + samples)
    about |= {"core:sha512": DataFile(data).sha512(), "semwave:recovered": True}
    md.declare(about)
    md.write_metadata(beside(base, META), metadata)
    for begun in base.parent.glob(f".{glob.escape(base.name)}{META}.*.tmp"):  # of a replacement that was killed
        begun.unlink()
    journal.unlink()
    return Recovery(samples, trimmed, (base.name,))


def _replay(journal: Path, base: Path) -> md.Metadata:
    """Metadata of the journal's first line with all its records; a last line that was cut is left out."""
    lines = md.read_bytes(journal, limit=1 << 31).split(b"\n")
    whole = lines[:-1]
    if not whole:
        meta = beside(base, META)
        return md.parse_metadata(md.read_bytes(meta), str(meta))
    first = md.parse_json(whole[0], f"{journal}, line 1")
    if not isinstance(first, dict) or first.get("journal") != 1 or "metadata" not in first:
        raise RecordingError(f"{journal} is not a journal of a recording")
    metadata = md.parse_metadata(md.dump(first["metadata"]), str(journal))
    for number, line in enumerate(whole[1:], 2):
        record = md.parse_json(line, f"{journal}, line {number}")
        for kind in ("capture", "annotation"):
            if isinstance(record, dict) and isinstance(record.get(kind), dict):
                md.index_field(record[kind], "core:sample_start", f"{journal}, line {number}")
                apply(metadata, kind, record[kind])
    return metadata
