"""Messages to packets: what fits, what does not, and what can be made of it."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semwave.runtime import Packet, Tag
from semwave.wire import pmt
from semwave.wire.gr_messages import Message, Pile, StreamReader, read_pdu, stream_message, write_pdu
from semwave.wire.gr_stream import StreamTag, decode_header, encode_header
from semwave.wire.slabs import Slabs


class Notes:
    """What was counted and said."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.warnings: list[str] = []

    def count(self, what: str, n: int = 1) -> None:
        self.counts[what] += n

    def warn(self, text: str) -> None:
        if text not in self.warnings:
            self.warnings.append(text)


def reader(dtype: str = "complex64", vlen: int = 1, **changes: Any) -> tuple[StreamReader, Notes]:
    notes = Notes()
    settings = {"tags": True, "keyed": False, "sequence": True, "translate": False, **changes}
    return StreamReader(dtype, vlen, notes=notes, **settings), notes


SLABS = Slabs(1 << 17, 2)
ITEMS = np.arange(6).astype(np.complex64)


def test_items_are_aligned_read_only_and_survive_the_message() -> None:
    source, notes = reader()
    message = bytearray(encode_header(7, [StreamTag(9, "burst", 1, "src")]) + ITEMS.tobytes())
    packet = source.push([message])
    assert packet is not None
    message[:] = bytes(len(message))
    assert np.array_equal(packet.data, ITEMS)
    assert packet.data.flags.aligned
    assert not packet.data.flags.writeable
    assert (packet.start, packet.tags) == (7, (Tag(9, "burst", 1),))
    assert not notes.counts


def test_vectors() -> None:
    source, _ = reader("float32", 3, tags=False)
    packet = source.push([np.arange(6, dtype=np.float32).tobytes()])
    assert packet is not None
    assert packet.data.tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize("tags", [True, False])
def test_a_message_without_items(tags: bool) -> None:
    source, notes = reader(tags=tags)
    packet = source.push([encode_header(0) if tags else b""])
    assert packet is not None
    assert packet.data.shape == (0,)
    assert not notes.counts


def test_a_jump_is_a_loss_where_nobody_else_listens() -> None:
    source, notes = reader()
    found = [source.push([encode_header(at) + ITEMS.tobytes()]) for at in (100, 106, 120, 4)]
    assert [p.tags for p in found if p] == [(), (), (Tag(120, "lost", 8),), ()]
    assert notes.counts == {"lost items": 8, "restarts of the other side": 1}
    source, notes = reader(sequence=False)
    for at in (100, 120):
        source.push([encode_header(at) + ITEMS.tobytes()])
    assert not notes.counts


def test_tags_outside_their_message_are_counted() -> None:
    source, notes = reader()
    packet = source.push([encode_header(10, [StreamTag(9, "a", 1), StreamTag(16, "b", 1)]) + ITEMS.tobytes()])
    assert packet is not None
    assert packet.tags == ()
    assert notes.counts == {"tags outside their message": 2}


@pytest.mark.parametrize(
    ("settings", "message", "counted", "items"),
    [
        ({}, [ITEMS.tobytes()], "messages without a header", 6),
        ({"tags": False}, [encode_header(0) + ITEMS.tobytes()], "messages with a header", 6),
        ({}, [encode_header(0) + b"abc"], "unreadable messages", None),
        ({"tags": False}, [b"abc"], "unreadable messages", None),
        ({}, [b"\xf0\x5f\x02" + bytes(21)], "unreadable messages", None),
        ({}, [b"\xf0\x5f\x01" + b"\xff" * 21], "unreadable messages", None),
        ({}, [b"key", encode_header(0) + ITEMS.tobytes()], "messages with a key", 6),
        ({"keyed": True}, [encode_header(0) + ITEMS.tobytes()], "messages without a key", None),
        ({}, [b"", b"", b""], "unreadable messages", None),
        ({"keyed": True}, [b"", b"", b""], "unreadable messages", None),
    ],
)
def test_other_settings_on_the_other_side(
    settings: dict[str, Any], message: list[bytes], counted: str, items: int | None
) -> None:
    source, notes = reader(**settings)
    for _ in range(2):
        packet = source.push(message)
        assert (None if packet is None else len(packet.data)) == items
    assert notes.counts[counted] == 2
    assert len(notes.warnings) == 1, "said once"


def test_items_that_look_like_the_magic_number_are_items() -> None:
    source, notes = reader("uint8", tags=False)
    packet = source.push([b"\xf0\x5f\x01abc"])
    assert packet is not None
    assert packet.data.tobytes() == b"\xf0\x5f\x01abc"
    assert not notes.counts


@given(st.lists(st.binary(max_size=60), max_size=3), st.booleans(), st.booleans(), st.booleans())
def test_nothing_that_comes_breaks_a_reader(parts: list[bytes], good: bool, tags: bool, keyed: bool) -> None:
    source, _ = reader("int16", tags=tags, keyed=keyed)
    message = [b"\xf0\x5f\x01" + part if good else part for part in parts]
    packet = source.push(message)
    assert packet is None or packet.data.dtype == np.int16
    read_pdu(message, "uint8", Notes())


@given(st.lists(st.integers(1, 50), min_size=1, max_size=6), st.integers(1, 40), st.integers(0, 99))
def test_a_pile_gives_all_items_once_with_their_tags(sizes: list[int], limit: int, start: int) -> None:
    packets, at = [], start
    for size in sizes:
        packets.append(Packet(np.arange(at, at + size), at, (Tag(at, "a", at), Tag(at + size - 1, "b", at + size - 1))))
        at += size
    pile, source = Pile(packets), reader("int64")[0]
    found: list[Packet] = []
    while pile.left:
        message = pile.take(limit)
        packet = source.push([stream_message(message, tags=True, translate=False, notes=Notes(), slabs=SLABS)])
        assert packet is not None
        assert len(packet.data) == message.items <= limit
        found.append(packet)
    assert np.array_equal(np.concatenate([p.data for p in found]), np.arange(start, at))
    assert [t for p in found for t in p.tags] == [t for p in packets for t in p.tags]


def test_tags_that_no_pmt_holds_are_left_out_and_counted() -> None:
    notes = Notes()
    message = Message(0, 6, [ITEMS], [Tag(0, "odd", object()), Tag(1, "fine", 1)])
    header = decode_header(stream_message(message, tags=True, translate=False, notes=notes, slabs=SLABS))
    assert header.tags == (StreamTag(1, "fine", 1),)
    assert notes.counts == {"tags left out": 1}
    assert notes.warnings == ["a tag 'odd' cannot be sent: no PMT holds a object"]


def test_a_strided_array_is_sent_as_it_reads() -> None:
    message = Message(0, 3, [ITEMS[::2]], [])
    assert (
        bytes(stream_message(message, tags=False, translate=False, notes=Notes(), slabs=SLABS)) == ITEMS[::2].tobytes()
    )


def test_pdus_there_and_back() -> None:
    packet = Packet(np.array([1, 2, 3], np.uint8), meta={"n": 7, "name": "x", "array": np.array([1.5])})
    found = read_pdu([write_pdu(packet, Notes())], "uint8", Notes())
    assert found is not None
    assert found.data.tolist() == [1, 2, 3]
    assert pmt.same(dict(found.meta), dict(packet.meta))


def test_metadata_that_no_pmt_holds_are_left_out_and_counted() -> None:
    notes = Notes()
    body = write_pdu(Packet(np.zeros(1, np.uint8), meta={"odd": object(), "n": 1}), notes)
    assert pmt.loads(body).car == {"n": 1}
    assert notes.counts == {"metadata left out": 1}


@pytest.mark.parametrize(
    ("message", "counted"),
    [
        ([b"\xff"], "unreadable messages"),
        ([b"\x06", b"\x06"], "unreadable messages"),
        ([pmt.dumps("strobe")], "messages that are no PDUs"),
        ([pmt.dumps(pmt.Pair(5, b"ab"))], "messages that are no PDUs"),
        ([pmt.dumps(pmt.Pair(None, 5))], "messages that are no PDUs"),
        ([pmt.dumps(pmt.Pair(None, np.array([1.5])))], "PDUs of another dtype"),
    ],
)
def test_what_is_no_pdu_is_skipped_and_counted(message: list[bytes], counted: str) -> None:
    notes = Notes()
    assert read_pdu(message, "uint8", notes) is None
    assert notes.counts == {counted: 1}
    assert len(notes.warnings) == 1
