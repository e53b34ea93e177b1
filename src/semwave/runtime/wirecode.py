"""What travels on a link: a JSON header and, with packets, the array's bytes. Never pickle.

A message has one or two frames. The header is a JSON object with ``v`` (the protocol's version), ``kind`` and, for
data, ``seq, dtype, shape, start, tags, meta``; the second frame is the array as it lies in memory.

``meta`` and tags may hold None, bool, int, float, complex, str, bytes, tuples, lists, dicts, tags, NumPy numbers and
NumPy arrays of numbers, nested up to 32 deep; all of these arrive as they were sent, type and bits. Anything else is
refused at the sender, by name.
"""

import base64
import binascii
import json
import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from semwave.runtime.errors import LinkError
from semwave.runtime.packet import Anything, Array, Frames, Packet, Spec, Stream, Tag

VERSION = 1
HEADER_LIMIT = 4 << 20  # bytes
DEPTH_LIMIT = 32  # containers within containers
AXES_LIMIT = 32
INT_LIMIT = 1 << 63  # of seq and start
NUMBERS = frozenset(["b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16"])
INT_BITS = 4096  # of integers in meta; Python reads no more than 4300 digits
MARK = "$"  # key of a JSON object that stands for something JSON does not have
HOLDS = "None, bool, int, float, complex, str, bytes, tuple, list, dict, Tag and NumPy numbers and arrays"


class WireError(ValueError):
    """A message that is not one of ours, or not a sound one."""


# ---- headers ---------------------------------------------------------------------------------------------------------


def encode(kind: str, **fields: Any) -> bytes:
    """The header of a message."""
    return json.dumps({"v": VERSION, "kind": kind, **fields}, separators=(",", ":")).encode()


def decode(raw: bytes) -> dict[str, Any]:
    """The header's fields; raises WireError on anything but a JSON object with ``v`` and ``kind``.

    Of another version only ``hello`` and ``refuse`` pass, so that both ends can say what is wrong.
    """
    if len(raw) > HEADER_LIMIT:
        raise WireError(f"a header of {len(raw)} bytes; {HEADER_LIMIT} are allowed")
    try:
        header = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise WireError("a header that is not JSON") from error
    if not isinstance(header, dict) or type(header.get("v")) is not int or not isinstance(header.get("kind"), str):
        raise WireError("a header without v and kind")
    if header["v"] != VERSION and header["kind"] not in ("hello", "refuse"):
        raise WireError(f"version {header['v']}, not {VERSION}")
    return header


def number(header: Mapping[str, Any], key: str) -> int:
    """A whole number of the header, at least 0; raises WireError."""
    value = header.get(key)
    if type(value) is not int or not 0 <= value < INT_LIMIT:
        raise WireError(f"{key} is not a whole number from 0 on")
    return value


def text(header: Mapping[str, Any], key: str, limit: int = 4000) -> str:
    """A string of the header, cut to ``limit`` characters; empty where there is none."""
    value = header.get(key)
    return value[:limit] if isinstance(value, str) else ""


# ---- packets ---------------------------------------------------------------------------------------------------------


def encode_packet(packet: Packet, **fields: Any) -> list[Any]:
    """Header and buffer of a packet; raises LinkError where it holds what cannot travel."""
    data = packet.data
    if data.dtype.str[1:] not in NUMBERS:
        raise LinkError(f"{data.dtype} arrays cannot cross a link; numbers can")
    order = {"order": "F"} if data.flags.f_contiguous and not data.flags.c_contiguous else {}
    header = encode(
        "data",
        **fields,
        dtype=data.dtype.str,
        shape=data.shape,
        start=int(packet.start),
        tags=[[int(t.at), check_key(t.key, "a tag"), pack(t.value, f"tag {t.key}")] for t in packet.tags],
        meta={check_key(k, "meta"): pack(v, f"meta[{k!r}]") for k, v in packet.meta.items()},
        **order,
    )
    if len(header) > HEADER_LIMIT:
        raise LinkError(f"meta and tags take {len(header)} bytes; {HEADER_LIMIT} can cross a link (send data as data)")
    flat = np.ascontiguousarray(data.T if order else data)  # no copy where the bytes lie in a row already
    return [header, flat.reshape(-1).view(np.uint8).data if flat.size else b""]


def decode_packet(header: Mapping[str, Any], payload: Any) -> Packet:
    """The packet that was sent; its array is a read-only view of ``payload``. Raises WireError."""
    data = _array(header, payload)
    tags = header.get("tags")
    meta = header.get("meta")
    if not isinstance(tags, list) or not isinstance(meta, dict):
        raise WireError("a packet without tags and meta")
    start = header.get("start")
    if type(start) is not int or not -INT_LIMIT <= start < INT_LIMIT:
        raise WireError("start is not a whole number")
    values = MappingProxyType({key: unpack(value) for key, value in meta.items()})
    return Packet(data, start, tuple(_tag(t) for t in tags), values)


def _array(header: Mapping[str, Any], payload: Any) -> Array:
    """The array in ``payload``: dtype on the list, and exactly as many bytes as the shape asks for."""
    name, shape = header.get("dtype"), header.get("shape")
    if not isinstance(name, str) or name[:1] not in "<>|=" or name[1:] not in NUMBERS:
        raise WireError("dtype is not that of numbers")
    if not isinstance(shape, list) or len(shape) > AXES_LIMIT or any(type(n) is not int or n < 0 for n in shape):
        raise WireError("shape is not a list of sizes")
    dtype = np.dtype(name)
    size = memoryview(payload).nbytes
    if math.prod(shape) * dtype.itemsize != size:
        raise WireError(f"{size} bytes for {dtype} {shape}")
    try:
        if not size:
            empty: Array = np.empty(shape, dtype)
            empty.setflags(write=False)
            return empty
        data = np.frombuffer(payload, dtype)
        if not data.flags.aligned:
            data = data.copy()
        data = data.reshape(shape[::-1]).T if header.get("order") == "F" else data.reshape(shape)
        if dtype.kind == "b" and data.view(np.uint8).max() > 1:
            raise WireError("booleans that are neither 0 nor 1")
    except (ValueError, OverflowError) as error:
        raise error if isinstance(error, WireError) else WireError(f"no array of {dtype} {shape}") from error
    data.setflags(write=False)
    return data


def _tag(value: Any) -> Tag:
    if not isinstance(value, list) or len(value) != 3 or type(value[0]) is not int or not isinstance(value[1], str):
        raise WireError("a tag that is not [at, key, value]")
    return Tag(value[0], value[1], unpack(value[2]))


# ---- values of meta and tags -----------------------------------------------------------------------------------------


def check_key(key: Any, where: str) -> str:
    """``key`` if it is a string; raises LinkError."""
    if type(key) is not str:
        raise LinkError(f"{where} has the key {key!r}; only strings can be names there")
    return key


def pack(value: Any, where: str, depth: int = 0) -> Any:
    """``value`` in JSON's types, so that :func:`unpack` gives it back; raises LinkError naming ``where``."""
    kind = type(value)
    if value is None or kind in (bool, str) or (kind is int and value.bit_length() <= INT_BITS):
        return value
    if kind is float:
        return value if math.isfinite(value) else {MARK: "float", "v": value.hex()}
    if depth >= DEPTH_LIMIT:
        raise LinkError(f"{where} is nested more than {DEPTH_LIMIT} deep")
    if kind is list:
        return [pack(v, where, depth + 1) for v in value]
    if kind in (tuple, Tag):
        return {MARK: "tag" if kind is Tag else "tuple", "v": [pack(v, where, depth + 1) for v in value]}
    if kind in (dict, MappingProxyType):
        return _pack_dict(value, where, depth + 1)
    if kind is bytes:
        return {MARK: "bytes", "v": base64.b64encode(value).decode()}
    if kind is complex:
        return {MARK: "complex", "v": [value.real.hex(), value.imag.hex()]}
    if isinstance(value, (np.generic, np.ndarray)) and value.dtype.str[1:] in NUMBERS and kind is not np.matrix:
        data = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode()
        word = "array" if isinstance(value, np.ndarray) else "number"
        return {MARK: word, "v": data, "dtype": value.dtype.str, "shape": list(value.shape)}
    raise LinkError(f"{where} is a {kind.__name__}, which cannot cross a link; it may hold {HOLDS}")


def _pack_dict(value: Mapping[Any, Any], where: str, depth: int) -> Any:
    if all(type(k) is str for k in value) and MARK not in value:
        return {k: pack(v, f"{where}[{k!r}]", depth) for k, v in value.items()}
    return {MARK: "dict", "v": [[pack(k, where, depth), pack(v, where, depth)] for k, v in value.items()]}


def unpack(value: Any, depth: int = 0) -> Any:
    """What :func:`pack` was given; raises WireError."""
    if depth > DEPTH_LIMIT:
        raise WireError(f"values nested more than {DEPTH_LIMIT} deep")
    if isinstance(value, list):
        return [unpack(v, depth + 1) for v in value]
    if not isinstance(value, dict):
        return value
    if MARK not in value:
        return {k: unpack(v, depth + 1) for k, v in value.items()}
    try:
        return _special(value[MARK], value["v"], value, depth + 1)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, binascii.Error) as error:
        raise error if isinstance(error, WireError) else WireError("a value that nothing was packed as") from error


def _special(kind: Any, held: Any, value: dict[str, Any], depth: int) -> Any:
    if kind == "float":
        return float.fromhex(held)
    if kind == "complex":
        real, imag = held
        return complex(float.fromhex(real), float.fromhex(imag))
    if kind == "bytes":
        return base64.b64decode(held, validate=True)
    if kind == "dict":
        return {unpack(k, depth): unpack(v, depth) for k, v in held}
    if kind in ("tuple", "tag"):
        items = [unpack(v, depth) for v in held]
        return tuple(items) if kind == "tuple" else Tag(*items)
    if kind in ("array", "number"):
        data = _array(value, base64.b64decode(held, validate=True))
        return data.copy() if kind == "array" else data[()]
    raise WireError("a value of unknown kind")


# ---- what a port carries ---------------------------------------------------------------------------------------------


def spec_fields(spec: Spec) -> dict[str, Any]:
    """What an edge carries, for ``hello``."""
    if isinstance(spec, Anything):
        return {"type": "Anything", "rate": spec.sample_rate}
    dtype = None if spec.dtype is None else spec.dtype.str
    size = {"item": list(spec.item)} if isinstance(spec, Stream) else {"shape": list(spec.shape)}
    assert isinstance(spec, (Stream, Frames))
    return {"type": type(spec).__name__, "dtype": dtype, **size, "rate": spec.sample_rate}
