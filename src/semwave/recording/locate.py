"""From a path to metadata and data: pairs, archives in place, collections, data sets of other formats, WAV, raw."""

import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from semwave.recording import metadata as md
from semwave.recording.errors import RecordingError
from semwave.recording.storage import DataFile

META, DATA, ARCHIVE, COLLECTION = ".sigmf-meta", ".sigmf-data", ".sigmf", ".sigmf-collection"
JOURNAL = ".sigmf-journal"
RAW = {".cf32": "cf32_le", ".cfile": "cf32_le", ".fc32": "cf32_le", ".cs16": "ci16_le", ".sc16": "ci16_le"}
RAW |= {".cs8": "ci8", ".cu8": "cu8", ".cf64": "cf64_le"}


@dataclass
class Found:
    """Metadata and data of one recording; ``meta_path`` is None where the metadata cannot be rewritten."""

    name: str
    where: str
    metadata: md.Metadata
    data: DataFile
    meta_path: Path | None = None
    odd: list[str] = field(default_factory=list)


def locate(path: str | Path, name: str | None = None, **raw: Any) -> list[Found]:
    """What ``path`` stands for: one recording, or the parts of a collection (``name`` picks one).

    ``path`` is either file of a pair, their base name, an archive, a collection, a data set that a ``.sigmf-meta``
    beside it describes, a WAV or iq-tar file, or with ``raw`` (datatype, ...) bare samples. Raises RecordingError.
    """
    path = Path(path)
    if raw:
        return [_raw(path, raw)]
    file = _resolve(path)
    if file.suffix == COLLECTION:
        return _collection(file, name)
    if file.suffix == META:
        return [_pair(file)]
    if file.suffix == ARCHIVE:
        return _archive(file, name)
    if _starts(file, (b"RIFF", b"RF64")):
        from semwave.recording import wav

        return [wav.locate(file)]
    if file.suffix == ".tar":
        from semwave.recording import iqtar

        return [iqtar.locate(file)]
    if file.suffix.lower() in RAW:
        return [_raw(file, {"datatype": RAW[file.suffix.lower()]})]
    raise RecordingError(
        f"{file} is not a recording that can be recognised; "
        "give its datatype (--datatype-in ci16_le) to read it as bare samples"
    )


def _resolve(path: Path) -> Path:
    """The file to start from."""
    if path.suffix in (META, COLLECTION, ARCHIVE) and path.is_file():
        return path
    if path.suffix == DATA:
        meta = path.with_suffix(META)
        if not meta.is_file():
            lost = "" if path.exists() else f", nor is there {path.name}"
            raise RecordingError(f"{path} has no metadata: there is no {meta.name} beside it{lost}")
        return meta
    stem = path if path.suffix not in (META, COLLECTION, ARCHIVE) else path.with_suffix("")
    if path == stem:
        for suffix in (META, ARCHIVE, COLLECTION):
            candidate = path.with_name(path.name + suffix)
            if candidate.is_file():
                return candidate
    if path.is_file():
        beside = path.with_suffix(META)
        if beside.is_file():
            described = md.parse_metadata(md.read_bytes(beside), str(beside))
            if described["global"].get("core:dataset") == path.name:
                return beside
        return path
    if path.is_dir():
        raise RecordingError(f"{path} is a folder; name a recording in it")
    raise RecordingError(f"there is no recording {path} (nor {stem.name}{META}, {ARCHIVE} or {COLLECTION})")


def _is_name(text: Any) -> bool:
    """Whether ``text`` can name a file in the same folder."""
    return isinstance(text, str) and bool(text) and text not in (".", "..") and not set(text) & {"/", "\\", "\0"}


def _starts(file: Path, magics: tuple[bytes, ...]) -> bool:
    try:
        with file.open("rb") as stream:
            return stream.read(4) in magics
    except OSError as error:
        raise RecordingError(f"{file} cannot be read: {error.strerror or error}") from None


def _pair(meta_path: Path) -> Found:
    """A pair, or metadata that describe another file."""
    where = str(meta_path)
    meta = md.parse_metadata(md.read_bytes(meta_path), where)
    about, odd = meta["global"], list[str]()
    if about.get("core:metadata_only") is True:
        raise RecordingError(f"{where} says core:metadata_only: it has no samples, on purpose")
    other = about.get("core:dataset")
    if other is not None and not _is_name(other):
        raise RecordingError(f"{where}: core:dataset must be the name of a file in the same folder, not {other!r}")
    data = meta_path.with_name(other) if other else meta_path.with_suffix(DATA)
    if not data.is_file():
        if data.exists() or data.is_symlink():
            raise RecordingError(f"{data} is not a file that can be read")
        raise RecordingError(f"{where} has no samples: there is no {data.name} beside it")
    if meta_path.with_suffix(JOURNAL).exists():
        odd.append(f"{meta_path.stem} was not closed (or is still being written): recover it to get all that was said")
    return Found(meta_path.stem, where, meta, DataFile(data), meta_path, odd)


def members(file: Path) -> dict[str, tarfile.TarInfo]:
    """The plain files in a tar archive; of one that is cut off, those that begin in it."""
    found: dict[str, tarfile.TarInfo] = {}
    try:
        with tarfile.open(file, "r:") as archive:
            for member in archive:
                if member.isreg() and not member.issparse():
                    found[member.name] = member
    except (tarfile.TarError, OSError, ValueError, EOFError) as error:
        if not found:
            raise RecordingError(f"{file} is not a SigMF archive (a plain tar file): {error}") from None
    return found


def _archive(file: Path, name: str | None) -> list[Found]:
    """The recordings of a tar archive, read where they lie."""
    inside_of = members(file)
    whole = DataFile(file)
    found = []
    for inside, member in inside_of.items():
        if not inside.endswith(META):
            continue
        stem = inside[: -len(META)]
        short = stem.rpartition("/")[2]
        if name is not None and name not in (stem, short):
            continue
        where = f"{file}, {inside}"
        if member.size > md.MAX_BYTES:
            raise RecordingError(f"{where} has {member.size} bytes; metadata may have {md.MAX_BYTES} at most")
        buffer = bytearray(min(member.size, whole.size))
        got = whole.read_into(buffer, member.offset_data)
        meta = md.parse_metadata(bytes(buffer[:got]), where)
        data = inside_of.get(stem + DATA)
        if data is None:
            raise RecordingError(f"{where} has no samples: the archive has no {stem + DATA}")
        part = DataFile(file, data.offset_data, data.size)
        odd = [f"the archive ends {part.cut} bytes before the end of {stem + DATA}"] if part.cut else []
        found.append(Found(short, where, meta, part, None, odd))
    if not found:
        inside = f"no recording called {name!r}" if name is not None else "no recording"
        raise RecordingError(f"{file} has {inside} in it")
    return found


def stream_names(file: Path) -> list[tuple[str, str | None]]:
    """Names and meta hashes that a collection lists; raises RecordingError."""
    found = md.parse_json(md.read_bytes(file), str(file))
    inner = found.get("collection") if isinstance(found, dict) else None
    rows = inner.get("core:streams") if isinstance(inner, dict) else None
    if not isinstance(rows, list) or not rows:
        raise RecordingError(f"{file} is not a SigMF collection: it has no list 'core:streams'")
    names = []
    for i, row in enumerate(rows):
        name = row.get("name") if isinstance(row, dict) else None
        if not _is_name(name):
            raise RecordingError(f"{file}: core:streams[{i}] must name a recording in the same folder, not {name!r}")
        names.append((str(name), row.get("hash") if isinstance(row.get("hash"), str) else None))
    return names


def _collection(file: Path, name: str | None) -> list[Found]:
    names = [n for n, _ in stream_names(file)]
    if name is not None and name not in names:
        raise RecordingError(f"{file} has no recording called {name!r}; there are {', '.join(names[:20])}")
    return [_pair(file.with_name(n + META)) for n in names if name in (None, n)]


def _raw(file: Path, options: dict[str, Any]) -> Found:
    """Bare samples, described by ``options``: datatype, sample_rate, frequency, num_channels, header_bytes."""
    if not file.is_file():
        raise RecordingError(f"there is no file {file}")
    capture: md.Metadata = {"core:sample_start": 0}
    capture |= {f"core:{k}": options[k] for k in ("frequency", "header_bytes") if options.get(k) is not None}
    keys = ("datatype", "sample_rate", "num_channels")
    about: md.Metadata = {f"core:{k}": options[k] for k in keys if options.get(k) is not None}
    about |= {"core:version": md.VERSION, "core:dataset": file.name}
    return Found(file.name, str(file), {"global": about, "captures": [capture], "annotations": []}, DataFile(file))
