"""AVIF without its container: one AV1 still picture as the bytes that differ from picture to picture.

An AVIF file of Pillow's carries about 290 bytes that the receiver knows already: 275 of boxes (ISO/IEC 23008-12,
AV1-ISOBMFF) and the sequence header. `strip` takes them off, `wrap` puts them back. The AV1 syntax read here is
that of the sequence header (AV1 bitstream specification, 5.5) and of the OBU header (5.3), no more.
"""

import struct

_TEMPORAL_DELIMITER, _SEQUENCE, _FRAME = 2, 1, 6
_HARMLESS = frozenset({_TEMPORAL_DELIMITER, 3, 4, 5, _FRAME, 15})  # headers, tiles, metadata, padding
_LEVEL = "01000"  # decoders do not look at it
_TOOLS = 6  # one bit each: 128-pixel superblocks, filter intra, intra edge, superres, CDEF, loop restoration
# What follows in the sequence headers that Pillow's encoder writes: 8 bits, 4:2:0, BT.709 primaries, sRGB curve,
# BT.601 matrix, full range, no film grain; then the closing one.
_COLOUR = "001000000010000110100000110100001"


class Av1Error(ValueError):
    """Not an AV1 still picture of the expected size."""


def strip(avif: bytes) -> tuple[bytes, bool]:
    """AVIF file -> (what must travel, whether it is bare: a byte of coding tools and the frame, no headers).

    Raises:
        Av1Error: no single AV1 picture inside.
    """
    obus = _walk(_media_data(avif))
    sequences = [body for kind, body in obus if kind == _SEQUENCE]
    frames = [body for kind, body in obus if kind == _FRAME]
    known = {_TEMPORAL_DELIMITER, _SEQUENCE, _FRAME}
    if len(sequences) == len(frames) == 1 and {kind for kind, _ in obus} <= known:
        tail = _read_sequence(sequences[0])[2]
        if tail[_TOOLS:] == _COLOUR:
            return bytes([int(tail[:_TOOLS], 2)]) + frames[0], True
    return b"".join(_obu(kind, body) for kind, body in obus if kind != _TEMPORAL_DELIMITER), False


def wrap(data: bytes, bare: bool, height: int, width: int) -> bytes:
    """The AVIF file of what `strip` gave, for a picture of this size.

    Raises:
        Av1Error: the stream is malformed or its own header names another size.
    """
    if bare:
        if len(data) < 2 or data[0] >> _TOOLS:
            raise Av1Error("the AV1 picture is truncated or malformed")
        sequence = _write_sequence(height, width, f"{data[0]:0{_TOOLS}b}")
        return _avif(_obu(_SEQUENCE, sequence) + _obu(_FRAME, data[1:]), height, width)
    obus = _walk(data)
    sequences = [body for kind, body in obus if kind == _SEQUENCE]
    if len(sequences) != 1 or any(kind not in _HARMLESS | {_SEQUENCE} for kind, _ in obus):
        raise Av1Error("the AV1 stream must hold one sequence header and one picture")
    found = _read_sequence(sequences[0])[:2]
    if found != (height, width):
        raise Av1Error(f"the AV1 stream holds {found[1]}x{found[0]} pixels, expected {width}x{height}")
    return _avif(data, height, width)


def _walk(stream: bytes) -> list[tuple[int, bytes]]:
    """Split a stream into OBUs: (type, payload)."""
    obus, at = [], 0
    while at < len(stream):
        header = stream[at]
        if header & 0x87 != 0x02:  # forbidden and reserved bits and the extension are 0, a size follows
            raise Av1Error("the AV1 stream is malformed")
        size, at = _leb128(stream, at + 1)
        if at + size > len(stream):
            raise Av1Error("the AV1 stream is truncated")
        obus.append((header >> 3 & 15, stream[at : at + size]))
        at += size
    return obus


def _obu(kind: int, body: bytes) -> bytes:
    size, rest = bytearray(), len(body)
    while rest >= 128:
        size.append(rest & 127 | 128)
        rest >>= 7
    return bytes([kind << 3 | 2, *size, rest]) + body


def _leb128(stream: bytes, at: int) -> tuple[int, int]:
    value = 0
    for k in range(4):
        if at + k >= len(stream):
            break
        value |= (stream[at + k] & 127) << 7 * k
        if stream[at + k] < 128:
            return value, at + k + 1
    raise Av1Error("the AV1 stream is malformed")


def _read_sequence(body: bytes) -> tuple[int, int, str]:
    """Height, width and the remaining bits of a reduced still-picture sequence header."""
    bits = "".join(f"{byte:08b}" for byte in body)
    if bits[:5] != "00011" or len(bits) < 18:  # profile 0, still picture, reduced header
        raise Av1Error("the AV1 sequence header is not that of a plain still picture")
    columns, rows = int(bits[10:14], 2) + 1, int(bits[14:18], 2) + 1
    tail = bits[18 + columns + rows :].rstrip("0")
    if not tail:
        raise Av1Error("the AV1 sequence header is truncated")
    width = int(bits[18 : 18 + columns], 2) + 1
    return int(bits[18 + columns : 18 + columns + rows], 2) + 1, width, tail


def _write_sequence(height: int, width: int, tools: str) -> bytes:
    columns, rows = max(1, (width - 1).bit_length()), max(1, (height - 1).bit_length())
    bits = "00011" + _LEVEL + f"{columns - 1:04b}{rows - 1:04b}{width - 1:0{columns}b}{height - 1:0{rows}b}"
    bits += tools + _COLOUR
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[k : k + 8], 2) for k in range(0, len(bits), 8))


def _box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", 8 + len(body)) + kind + body


def _full(kind: bytes, body: bytes, version: int = 0) -> bytes:
    return _box(kind, bytes([version, 0, 0, 0]) + body)


def _avif(stream: bytes, height: int, width: int) -> bytes:
    """The smallest file that AVIF readers take: one item, its size, depth, configuration and colour."""
    start = _box(b"ftyp", b"avif" + bytes(4) + b"avifmif1miaf")
    properties = (
        _full(b"ispe", struct.pack(">II", width, height))
        + _full(b"pixi", b"\x03\x08\x08\x08")
        + _box(b"av1C", b"\x81\x08\x0c\x00")
        + _box(b"colr", b"nclx" + struct.pack(">HHHB", 1, 13, 6, 0x80))
    )
    association = _full(b"ipma", struct.pack(">IHB4B", 1, 1, 4, 1, 2, 0x83, 4))
    entry = _full(b"infe", struct.pack(">HH", 1, 0) + b"av01\x00", version=2)

    def meta(offset: int) -> bytes:
        place = struct.pack(">BBHHHHII", 0x44, 0, 1, 1, 0, 1, offset, len(stream))
        return _full(
            b"meta",
            _full(b"hdlr", bytes(4) + b"pict" + bytes(13))
            + _full(b"pitm", struct.pack(">H", 1))
            + _full(b"iloc", place)
            + _full(b"iinf", struct.pack(">H", 1) + entry)
            + _box(b"iprp", _box(b"ipco", properties) + association),
        )

    return start + meta(len(start) + len(meta(0)) + 8) + _box(b"mdat", stream)


def _media_data(avif: bytes) -> bytes:
    """The payload of the only mdat box."""
    at, found = 0, []
    while at + 8 <= len(avif):
        size, kind = struct.unpack_from(">I4s", avif, at)
        if size < 8:
            break
        if kind == b"mdat":
            found.append(avif[at + 8 : at + size])
        at += size
    if len(found) != 1 or at != len(avif):
        raise Av1Error("the AVIF file does not hold one plain picture")
    return found[0]
