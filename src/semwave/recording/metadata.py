"""SigMF metadata as plain dictionaries: read with care, checked field by field, written in one step.

Dictionaries keep what is not understood here, so a rewrite loses no foreign namespace.
"""

import json
import math
import os
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha512
from pathlib import Path
from typing import Any

from semwave.recording.errors import RecordingError

VERSION = "1.2.6"  # of the SigMF specification
EXTENSION = {"name": "semwave", "version": "0.1.0", "optional": True}
MAX_BYTES = 1 << 28  # of one metadata file; parsing takes several times as much
MAX_INDEX = 2**63 - 1

Metadata = dict[str, Any]


def parse_json(data: bytes, where: str) -> Any:
    """The JSON in ``data``; raises RecordingError naming ``where`` and the line."""
    try:
        return json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise RecordingError(f"{where} is not UTF-8: byte {error.start}") from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise RecordingError(f"{where} is not complete JSON: {error.msg} ({place})") from None
    except (RecursionError, ValueError) as error:
        raise RecordingError(f"{where} cannot be read as JSON: {error}") from None


def read_bytes(path: Path, limit: int = MAX_BYTES) -> bytes:
    """A small file whole; raises RecordingError when it cannot be read or has more than ``limit`` bytes."""
    try:
        size = path.stat().st_size
        if size > limit:
            raise RecordingError(f"{path} has {size} bytes; metadata may have {limit} at most")
        with path.open("rb") as file:
            return file.read(limit)
    except OSError as error:
        raise RecordingError(f"{path} cannot be read: {error.strerror or error}") from None


def parse_metadata(data: bytes, where: str) -> Metadata:
    """The metadata of a recording with ``global``, ``captures`` and ``annotations`` of the right kinds."""
    found = parse_json(data, where)
    if not isinstance(found, dict) or not isinstance(found.get("global"), dict):
        raise RecordingError(f"{where} is not SigMF metadata: it has no object called 'global'")
    for section in ("captures", "annotations"):
        rows = found.setdefault(section, [])
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise RecordingError(f"{where}: '{section}' must be a list of objects")
    return found


def index_field(fields: Mapping[str, Any], key: str, where: str, default: int | None = None, low: int = 0) -> int:
    """A whole number ``low`` ... 2^63 - 1, also written as 1e3; raises RecordingError naming file and field."""
    value = fields.get(key, default)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= MAX_INDEX:
        said = "missing" if key not in fields else repr(value)[:40]
        raise RecordingError(f"{where}: {key} must be a whole number from {low} to 2^63 - 1, not {said}")
    return value


def number_field(fields: Mapping[str, Any], key: str) -> float | None:
    """A finite number, or None where the field is missing or something else."""
    value = fields.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def text_field(fields: Mapping[str, Any], key: str) -> str:
    """A text, empty where the field is missing or something else."""
    value = fields.get(key)
    return value if isinstance(value, str) else ""


def sample_rate_of(about: Mapping[str, Any], where: str) -> float | None:
    """``core:sample_rate`` in Hz; None where it is not stated; raises RecordingError unless above 0 and finite."""
    if about.get("core:sample_rate") is None:
        return None
    rate = number_field(about, "core:sample_rate")
    if rate is None or rate <= 0:
        raise RecordingError(f"{where}: core:sample_rate must be above 0 Hz, not {about['core:sample_rate']!r}")
    return rate


def declare(about: Metadata) -> None:
    """Declare the namespace ``semwave`` in ``core:extensions``, beside what is declared there."""
    listed = about.get("core:extensions")
    others = listed if isinstance(listed, list) else []
    kept = [e for e in others if not (isinstance(e, dict) and e.get("name") == "semwave")]
    about["core:extensions"] = [*kept, EXTENSION]


def dump(metadata: Any) -> bytes:
    """Metadata as UTF-8 JSON; raises RecordingError for what JSON cannot hold (NaN, objects)."""
    try:
        return (json.dumps(metadata, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()
    except (TypeError, ValueError) as error:
        raise RecordingError(f"metadata cannot be written as JSON: {error}") from None


def replace_file(path: Path, data: bytes, *, sync: bool = True) -> None:
    """Write ``data`` to a temporary file beside ``path``, make it durable, and put it in place in one step."""
    path = path.resolve()
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            if sync:
                os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    if sync:
        with suppress(OSError):  # folders cannot be synced everywhere
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)


def write_metadata(path: str | Path, metadata: Metadata, *, sync: bool = True) -> None:
    """Write ``metadata`` to ``path`` in one step, sorted by sample, and set the hash of it in its collection.

    The collection is the file that ``core:collection`` names, beside ``path``. Raises RecordingError or OSError.
    """
    path = Path(path)
    for section in ("captures", "annotations"):
        metadata[section] = sorted(metadata.get(section, []), key=lambda row: row.get("core:sample_start", 0))
    data = dump(metadata)
    replace_file(path, data, sync=sync)
    name = metadata["global"].get("core:collection")
    if isinstance(name, str) and name and "/" not in name:
        _set_stream_hash(path.with_name(f"{name}.sigmf-collection"), path.stem, sha512(data).hexdigest(), sync)


def _set_stream_hash(file: Path, stream: str, digest: str, sync: bool) -> None:
    if not file.is_file():
        return
    collection = parse_json(read_bytes(file), str(file))
    streams = collection.get("collection", {}).get("core:streams", [])
    for row in streams:
        if row.get("name") == stream:
            row["hash"] = digest
    replace_file(file, dump(collection), sync=sync)


def extension_schema() -> Metadata:
    """The JSON schema of the namespace ``semwave``, which documents its fields."""
    file = Path(__file__).parent / "schema" / "semwave.schema.json"
    return dict(parse_json(read_bytes(file), str(file)))


def validate(metadata: Metadata) -> list[str]:
    """What the schemas of SigMF (of the ``sigmf`` package) and of ``semwave`` have against ``metadata``.

    One line for each finding; empty when it is valid.
    """
    import jsonschema  # type: ignore[import-untyped]
    from sigmf import schema

    found = []
    for rules in (schema.get_schema(), extension_schema()):
        for error in jsonschema.validators.validator_for(rules)(rules).iter_errors(metadata):
            place = "/".join(str(p) for p in error.absolute_path)
            found.append(f"{place or 'metadata'}: {error.message[:200]}")
    return found
