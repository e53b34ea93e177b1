"""R&S iq-tar files (.iq.tar) as recordings, read in place: a tar archive of an XML description and one file of samples.

Format after Rohde & Schwarz, "I/Q Data File Format (iq-tar)". Only the fields that matter are looked for, by pattern.
"""

import re
import tarfile
from pathlib import Path

from semwave.recording import metadata as md
from semwave.recording.errors import RecordingError
from semwave.recording.locate import Found, members
from semwave.recording.storage import DataFile

_TYPES = {"int8": "i8", "int16": "i16_le", "int32": "i32_le", "float32": "f32_le", "float64": "f64_le"}
_MAX_XML = 1 << 24


def locate(file: Path) -> Found:
    """An iq-tar file as SigMF metadata; ScalingFactor (V) becomes capture_details:acq_scale_factor."""
    inside = members(file)
    whole = DataFile(file)
    described = [m for name, m in inside.items() if name.lower().endswith(".xml")]
    if len(described) != 1 or described[0].size > _MAX_XML:
        raise RecordingError(f"{file} is not an iq-tar file: it must have one XML description, not {len(described)}")
    xml = _text(whole, described[0])
    where = f"{file}, {described[0].name}"
    shape, kind = _field(xml, "Format") or "complex", _TYPES.get(_field(xml, "DataType"))
    if shape not in ("complex", "real") or kind is None:
        raise RecordingError(f"{where}: Format {shape!r} with DataType {_field(xml, 'DataType')!r} cannot be read")
    data = inside.get(_field(xml, "DataFilename"))
    if data is None:
        raise RecordingError(f"{where}: there is no file {_field(xml, 'DataFilename')!r} in the archive")
    about: md.Metadata = {"core:datatype": shape[0] + kind, "core:version": md.VERSION}
    about |= {"core:dataset": Path(data.name).name, "core:num_channels": int(_number(xml, "NumberOfChannels") or 1)}
    if (rate := _number(xml, "Clock")) is not None:
        about["core:sample_rate"] = rate
    if text := _field(xml, "Comment") or _field(xml, "Name"):
        about["core:description"] = text
    capture: md.Metadata = {"core:sample_start": 0}
    for key, name in (("core:frequency", "CenterFrequency"), ("capture_details:acq_scale_factor", "ScalingFactor")):
        if (value := _number(xml, name)) is not None:
            capture[key] = value
    meta: md.Metadata = {"global": about, "captures": [capture], "annotations": []}
    part = DataFile(file, data.offset_data, data.size)
    odd = [f"the archive ends {part.cut} bytes before its samples do"] if part.cut else []
    return Found(file.name.removesuffix(".tar").removesuffix(".iq"), where, meta, part, None, odd)


def _text(whole: DataFile, member: tarfile.TarInfo) -> str:
    buffer = bytearray(min(member.size, whole.size))
    return bytes(buffer[: whole.read_into(buffer, member.offset_data)]).decode("utf-8", "replace")


def _field(xml: str, name: str) -> str:
    """Text of the first element called ``name``, empty where there is none."""
    match = re.search(rf"<{name}(?:\s[^<>]*)?>([^<]*)</{name}>", xml)
    return match[1].strip() if match else ""


def _number(xml: str, name: str) -> float | None:
    try:
        return md.number_field({name: float(_field(xml, name))}, name)
    except ValueError:
        return None
