"""The stream header: bytes typed out, every header there and back, whatever else may arrive."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semwave.wire.gr_stream import HeaderError, StreamTag, decode_header, encode_header
from semwave.wire.pmt import PmtError, UInt64, same

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "gnuradio" / "vectors" / "zmq.json"
PLAIN = "f05f 01 0500000000000000 0000000000000000"
TAGGED = (
    "f05f 01 0000000000000000 0200000000000000"
    "0000000000000000 02 0007 72785f66726571 04 41cdcd6500000000 02 0003 737263"
    "2500000000000000 02 0005 6275727374 00 02 0003 737263"
)
TAGS = (StreamTag(0, "rx_freq", 1e9, "src"), StreamTag(37, "burst", True, "src"))


def test_bytes_and_headers_belong_together() -> None:
    plain, tagged = bytes.fromhex(PLAIN), bytes.fromhex(TAGGED)
    assert encode_header(5) == plain
    assert decode_header(plain + b"items") == (5, (), 19)
    assert encode_header(0, TAGS) == tagged
    assert decode_header(tagged + b"items") == (0, TAGS, len(tagged))


@pytest.mark.skipif(not SHARED.is_file(), reason="the optional shared/ folder is not here")
def test_vectors_made_by_gnuradio() -> None:
    checked = 0
    for name, messages in json.loads(SHARED.read_text()).items():
        for number, frames in enumerate(messages):
            body = bytes.fromhex(frames[-1] if isinstance(frames, list) else frames)
            if "tags" in name and body[:2] == b"\xf0\x5f":
                header = decode_header(body)
                assert encode_header(header.offset, header.tags) == body[: header.size], (name, number)
                assert (len(body) - header.size) % 8 == 0
                checked += 1
    assert checked


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "at least 19 bytes, not 0"),
        (PLAIN[:-2], "at least 19 bytes, not 18"),
        ("5ff0" + PLAIN[4:], "starts with f0 5f, not 5f f0"),
        ("f05f 02" + PLAIN[7:], "version must be 1, not 2"),
        ("f05f 01 0000000000000000 ffffffffffffffff", "18446744073709551615 tags cannot be in 19 bytes"),
        ("f05f 01 0000000000000000 0100000000000000", "1 tags cannot be in 19 bytes"),
        (TAGGED[:-2], "tag 1 of 2: a symbol at byte"),
        (TAGGED.replace("6275727374 00", "6275727374 ff"), "tag 1 of 2: unknown type 0xff"),
        (
            "f05f 01 0000000000000000 0200000000000000" + "00" * 8 + "02 0004 41414141 0101" + "00" * 7,
            "1 of 2 is cut off",
        ),
    ],
)
def test_refuses(text: str, message: str) -> None:
    with pytest.raises(HeaderError, match=message):
        decode_header(bytes.fromhex(text))


def test_refuses_to_write() -> None:
    with pytest.raises(HeaderError, match="from 0 to"):
        encode_header(-1)
    with pytest.raises(HeaderError, match="from 0 to"):
        encode_header(0, [StreamTag(1 << 64, "a", 1)])
    with pytest.raises(PmtError, match="no PMT holds a object"):
        encode_header(0, [StreamTag(0, "a", object())])


INDEX = st.integers(0, (1 << 64) - 1)
VALUE = st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 63) - 1) | st.builds(UInt64, INDEX) | st.text("abc")
HEADERS = st.tuples(INDEX, st.lists(st.builds(StreamTag, INDEX, st.text("xyz"), VALUE, VALUE), max_size=5))


@given(HEADERS, st.binary(max_size=20))
def test_every_header_comes_back(header: tuple[int, list[StreamTag]], items: bytes) -> None:
    data = encode_header(*header)
    found = decode_header(data + items)
    assert same(tuple(found.tags), tuple(header[1]))
    assert (found.offset, found.size) == (header[0], len(data))


@given(HEADERS, st.data())
def test_every_truncation_is_noticed(header: tuple[int, list[StreamTag]], draw: st.DataObject) -> None:
    data = encode_header(*header)
    with pytest.raises(HeaderError):
        decode_header(data[: draw.draw(st.integers(0, len(data) - 1))])


@given(st.binary(max_size=80), st.booleans())
def test_any_bytes_are_a_header_or_a_header_error(data: bytes, begins_well: bool) -> None:
    data = b"\xf0\x5f\x01" + data if begins_well else data
    try:
        found: Any = decode_header(data)
    except HeaderError:
        return
    assert 19 <= found.size <= len(data)


@given(HEADERS, st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 255)), min_size=1, max_size=4))
def test_damage_is_a_header_or_a_header_error(
    header: tuple[int, list[StreamTag]], damage: list[tuple[int, int]]
) -> None:
    data = bytearray(encode_header(*header))
    for at, byte in damage:
        data[at % len(data)] = byte
    try:
        found: Any = decode_header(data)
    except HeaderError:
        return
    assert 19 <= found.size <= len(data)
