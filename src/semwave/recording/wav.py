"""WAV and RF64 files as recordings: their samples stay where they are.

Two channels are I and Q, as radio programs write them; one channel is a real signal.
"""

import struct
from pathlib import Path
from typing import Any

from semwave.recording import metadata as md
from semwave.recording.errors import RecordingError
from semwave.recording.locate import Found
from semwave.recording.storage import DataFile

_TYPES = {(1, 8): "u8", (1, 16): "i16_le", (1, 32): "i32_le", (3, 32): "f32_le", (3, 64): "f64_le"}
_EXTENSIBLE, _UNKNOWN = 0xFFFE, 0xFFFFFFFF
_MAX_CHUNKS = 1000


def locate(file: Path) -> Found:
    """A WAV file as SigMF metadata with ``core:dataset``; raises RecordingError for what it cannot be read as."""
    whole = DataFile(file)
    chunks, odd = _chunks(whole)
    if "fmt " not in chunks or "data" not in chunks:
        raise RecordingError(f"{file} is not a WAV file with samples: it has no chunk 'fmt ' or 'data'")
    tag, channels, rate, bits = _format(whole, chunks["fmt "], file)
    kind = _TYPES.get((tag, bits))
    if kind is None or not channels:
        what = f"{channels} channels of {bits} bits with format {tag}"
        raise RecordingError(f"{file}: {what} cannot be read; 8, 16, 32-bit integers and 32, 64-bit floats can")
    at, size = chunks["data"]
    iq = channels == 2
    about: md.Metadata = {"core:datatype": ("c" if iq else "r") + kind, "core:version": md.VERSION}
    about |= {"core:dataset": file.name, "core:num_channels": 1 if iq else channels}
    if rate:
        about["core:sample_rate"] = rate
    capture: md.Metadata = {"core:sample_start": 0}
    if "auxi" in chunks:
        capture |= _auxi(whole, chunks["auxi"])
    elif iq:
        odd.append("two channels are taken as I and Q")
    meta: md.Metadata = {"global": about, "captures": [capture], "annotations": []}
    return Found(file.stem, str(file), meta, DataFile(file, at, size), None, odd)


def _read(whole: DataFile, at: int, size: int) -> bytes:
    buffer = bytearray(size)
    return bytes(buffer[: whole.read_into(buffer, at)])


def _chunks(whole: DataFile) -> tuple[dict[str, tuple[int, int]], list[str]]:
    """Place and size of the first chunk of every name; a data chunk that is cut or open lasts to the end."""
    odd: list[str] = []
    found: dict[str, tuple[int, int]] = {}
    head = _read(whole, 0, 12)
    if head[8:12] != b"WAVE":
        raise RecordingError(f"{whole.path} starts like a RIFF file, but is not a WAV file")
    at, wide = 12, None
    for _ in range(_MAX_CHUNKS):
        name, _, size = (row := _read(whole, at, 8))[:4], row, 0
        if len(row) < 8:
            break
        size = struct.unpack("<I", row[4:])[0]
        key = name.decode("latin-1")
        if key == "ds64" and size >= 16:
            wide = struct.unpack("<QQ", _read(whole, at + 8, 16).ljust(16, b"\0"))[1]
        if key == "data":
            size = wide if wide is not None and size == _UNKNOWN else size
            if at + 8 + size > whole.size:
                if size != _UNKNOWN:
                    odd.append(f"the file ends {at + 8 + size - whole.size} bytes before its samples do")
                size = whole.size - at - 8
        found.setdefault(key, (at + 8, size))
        at += 8 + size + size % 2
    return found, odd


def _format(whole: DataFile, chunk: tuple[int, int], file: Path) -> tuple[int, int, int, int]:
    """Format tag, channels, rate, bits."""
    data = _read(whole, chunk[0], min(chunk[1], 40))
    if len(data) < 16:
        raise RecordingError(f"{file}: the chunk 'fmt ' has {len(data)} bytes, not 16 or more")
    tag, channels, rate, _, _, bits = struct.unpack("<HHIIHH", data[:16])
    if tag == _EXTENSIBLE and len(data) >= 26:
        tag = struct.unpack("<H", data[24:26])[0]
    return tag, channels, rate, bits


def _auxi(whole: DataFile, chunk: tuple[int, int]) -> dict[str, Any]:
    """Start time and centre frequency as SpectraVue and HDSDR put them: two SYSTEMTIMEs, then Hz."""
    data = _read(whole, chunk[0], min(chunk[1], 36))
    if len(data) < 36:
        return {}
    year, month, _, day, hour, minute, second, milli = struct.unpack("<8H", data[:16])
    found: dict[str, Any] = {"core:frequency": struct.unpack("<I", data[32:36])[0]}
    if 1970 < year < 10000 and 1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < 60 and second < 60:
        found["core:datetime"] = f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z"
    return found
