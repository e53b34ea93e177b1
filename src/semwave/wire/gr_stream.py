"""The header that gr-zeromq puts before the items when tags travel with them.

uint16 magic 0x5FF0, uint8 version 1, uint64 index of the first item, uint64 number of tags, all little-endian; then for
each tag a uint64 index and three PMTs (big-endian): key, value, source. Items follow without padding, so they are
unaligned.
"""

import struct
from collections.abc import Iterable
from typing import Any, NamedTuple

from semwave.wire.pmt import Buffer, Limits, PmtError, dumps, read

MAGIC, VERSION = 0x5FF0, 1
_HEADER, _OFFSET = struct.Struct("<HBQQ"), struct.Struct("<Q")
SMALLEST_TAG = _OFFSET.size + 3  # three PMTs of a byte each
MAX_TAGS = 1 << 18
TAG_LIMITS = Limits(depth=32, values=1 << 12)


class HeaderError(ValueError):
    """Bytes that do not start with a stream header."""


class StreamTag(NamedTuple):
    """A tag as GNU Radio has it: ``source`` names the block that set it, False where none is named."""

    offset: int
    key: Any
    value: Any
    source: Any = False


class Header(NamedTuple):
    """What precedes the items: the index of the first one, the tags, and how many bytes all that took."""

    offset: int
    tags: tuple[StreamTag, ...]
    size: int


def encode_header(offset: int, tags: Iterable[StreamTag] = ()) -> bytes:
    """The header's bytes; raises PmtError where a key or value has no PMT, HeaderError where an index is no uint64."""
    body = [_index(tag.offset) + dumps(tag.key) + dumps(tag.value) + dumps(tag.source) for tag in tags]
    _index(offset)
    return _HEADER.pack(MAGIC, VERSION, offset, len(body)) + b"".join(body)


def _index(offset: int) -> bytes:
    if not 0 <= offset < 1 << 64:
        raise HeaderError(f"an item's index must be from 0 to 2**64 - 1, not {offset}")
    return _OFFSET.pack(offset)


def decode_header(data: Buffer) -> Header:
    """The header at the start of ``data``; raises HeaderError where there is none, or a damaged one."""
    if len(data) < _HEADER.size:
        raise HeaderError(f"a header has at least {_HEADER.size} bytes, not {len(data)}")
    magic, version, offset, count = _HEADER.unpack_from(data)
    if magic != MAGIC:
        raise HeaderError(f"a header starts with f0 5f, not {bytes(data[:2]).hex(' ')}")
    if version != VERSION:
        raise HeaderError(f"the header's version must be {VERSION}, not {version}")
    if count == 0:
        return Header(offset, (), _HEADER.size)
    if count > min(MAX_TAGS, (len(data) - _HEADER.size) // SMALLEST_TAG):
        raise HeaderError(f"{count} tags cannot be in {len(data)} bytes")
    return _with_tags(data, offset, count)


def _with_tags(data: Buffer, offset: int, count: int) -> Header:
    tags, at = [], _HEADER.size
    for number in range(count):
        if at + _OFFSET.size > len(data):
            raise HeaderError(f"tag {number} of {count} is cut off")
        (place,) = _OFFSET.unpack_from(data, at)
        try:
            key, at = read(data, at + _OFFSET.size, TAG_LIMITS)
            value, at = read(data, at, TAG_LIMITS)
            source, at = read(data, at, TAG_LIMITS)
        except PmtError as error:
            raise HeaderError(f"tag {number} of {count}: {error}") from error
        tags.append(StreamTag(place, key, value, source))
    return Header(offset, tuple(tags), at)
