"""The message format: round trips, limits, and whatever else may come over a wire."""

import base64
import contextlib
import json
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from semwave.runtime import LinkError, Packet, Stream, Tag
from semwave.runtime import wirecode as w
from semwave.runtime.packet import ANY, Frames

DTYPES = st.sampled_from([np.dtype(o + n) for n in sorted(w.NUMBERS) for o in "<>"])
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.complex_numbers(),
    st.sampled_from([np.float32(0.1), np.uint8(7), np.bool_(False), np.complex128(1j), np.int64(-1)]),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.one_of(st.text(), st.just("$"), st.integers()), inner, max_size=3),
    ),
    max_leaves=12,
)


def same(a: Any, b: Any) -> bool:
    """Equal in type and bits, NaN included."""
    if type(a) is not type(b):
        return False
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (np.ndarray, np.generic)):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, (float, complex)):
        return np.asarray(a).tobytes() == np.asarray(b).tobytes() or (a != a and b != b)
    return bool(a == b)


def over_the_wire(packet: Packet) -> Packet:
    header, payload = w.encode_packet(packet, seq=0)
    return w.decode_packet(w.decode(header), bytes(payload))


@given(VALUES)
def test_values_come_back_as_they_were(value: Any) -> None:
    packed = json.loads(json.dumps(w.pack(value, "x")))
    assert same(w.unpack(packed), value)


@given(DTYPES.flatmap(lambda d: hnp.arrays(d, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))))
def test_arrays_come_back_bit_for_bit(data: Any) -> None:
    for array in (data, np.asfortranarray(data), data[::-1] if data.ndim else data):
        got = over_the_wire(Packet(array)).data
        assert same(got, np.asarray(array))
        assert not got.flags.writeable


@given(st.integers(-(2**62), 2**62), st.lists(st.tuples(st.integers(), st.text(), SCALARS), max_size=3))
def test_start_and_tags_come_back(start: int, tags: list[Any]) -> None:
    packet = Packet(np.zeros(2), start, tuple(Tag(*t) for t in tags))
    got = over_the_wire(packet)
    assert got.start == start
    assert all(same(tuple(a), tuple(b)) and type(a) is Tag for a, b in zip(got.tags, packet.tags, strict=True))


class Own:
    """Something that is no data."""


@pytest.mark.parametrize("value", [Own(), {1}, Own, np.str_("x"), np.array(["x"]), np.array([None]), 1 << 5000])
def test_what_meta_cannot_hold_is_refused_by_name(value: Any) -> None:
    with pytest.raises(LinkError, match=r"meta\['x'\] is a .*, which cannot cross a link; it may hold None, bool, int"):
        w.encode_packet(Packet(np.zeros(1), meta={"x": value}))


def test_what_is_too_much_is_refused_at_the_sender() -> None:
    deep: list[Any] = []
    for _ in range(40):
        deep = [deep]
    for meta, said in (
        ({"x": deep}, "nested more than 32 deep"),
        ({"x": "a" * (w.HEADER_LIMIT + 1)}, "can cross a link"),
        ({1: 2}, "only strings can be names"),
    ):
        with pytest.raises(LinkError, match=said):
            w.encode_packet(Packet(np.zeros(1), meta=meta))
    for data in (np.array(["a"]), np.array([object()]), np.zeros(1, "M8[s]"), np.zeros(1, "i4,f4")):
        with pytest.raises(LinkError, match="arrays cannot cross a link"):
            w.encode_packet(Packet(data))


def test_large_arrays_are_not_copied() -> None:
    data = np.zeros(1 << 20)
    _, payload = w.encode_packet(Packet(data))
    assert np.shares_memory(np.frombuffer(payload, np.uint8), data)
    got = w.decode_packet(w.decode(w.encode_packet(Packet(data))[0]), payload)
    assert np.shares_memory(got.data, data)


# ---- whatever comes --------------------------------------------------------------------------------------------------

GOOD = {"v": 1, "kind": "data", "seq": 0, "dtype": "<f4", "shape": [2], "start": 0, "tags": [], "meta": {}}
BAD = {
    "no json": b"\x80\x04\x95pickle",
    "not an object": b"[1]",
    "empty": b"",
    "no version": b'{"kind": "data"}',
    "wrong version": json.dumps({**GOOD, "v": 2}).encode(),
    "boolean version": json.dumps({**GOOD, "v": True}).encode(),
    "no kind": b'{"v": 1}',
    "deep": b"[" * 200_000,
    "deep object": b'{"v": 1, "kind": "data", "meta": ' + b'{"a":' * 50_000,
    "huge number": b'{"v": 1, "kind": "data", "seq": ' + b"9" * 10_000 + b"}",
    "too long": b" " * (w.HEADER_LIMIT + 1),
    "half a character": b'{"v": 1, "kind": "\xff"}',
}


@pytest.mark.parametrize("raw", BAD.values(), ids=BAD)
def test_a_header_that_is_none(raw: bytes) -> None:
    with pytest.raises(w.WireError):
        w.decode(raw)


WRONG = [
    {"dtype": "|O"},
    {"dtype": "<U4"},
    {"dtype": "<M8"},
    {"dtype": "O"},
    {"dtype": 3},
    {"dtype": "f4"},
    {"dtype": "<f16"},
    {"shape": [3]},
    {"shape": [-2]},
    {"shape": [2.0]},
    {"shape": [True, 2]},
    {"shape": 2},
    {"shape": [1 << 62] * 2},
    {"shape": [1] * 64 + [2]},
    {"shape": None},
    {"start": 1.5},
    {"start": 1 << 70},
    {"tags": None},
    {"tags": [[0, "a"]]},
    {"tags": [["0", "a", 1]]},
    {"meta": []},
    {"meta": {"x": {"$": "what", "v": 1}}},
    {"meta": {"x": {"$": "bytes"}}},
    {"meta": {"x": {"$": "tag", "v": [1]}}},
    {"meta": {"x": {"$": "float", "v": "x"}}},
    {"meta": {"x": {"$": []}}},
    {"meta": {"x": {"$": "dict", "v": [[{"$": "dict", "v": []}, 1]]}}},
    {"meta": {"x": {"$": "bytes", "v": "*"}}},
    {"meta": {"x": {"$": "array", "v": "", "dtype": "|O", "shape": [1]}}},
    {"meta": {"x": {"$": "array", "v": "AA==", "dtype": "|u1", "shape": [1 << 40]}}},
    {"dtype": "|b1", "shape": [8], "_": b"\2" * 8},
]


@pytest.mark.parametrize("change", WRONG, ids=str)
def test_a_packet_that_is_none(change: dict[str, Any]) -> None:
    header = w.decode(json.dumps({**GOOD, **{k: v for k, v in change.items() if k != "_"}}).encode())
    with pytest.raises(w.WireError):
        w.decode_packet(header, change.get("_", bytes(8)))


def test_no_memory_is_taken_for_what_a_header_claims() -> None:
    tracemalloc.start()
    for shape in ([1 << 40], [1 << 31, 1 << 31], [0, 1 << 62]):
        header = w.decode(json.dumps({**GOOD, "shape": shape}).encode())
        with contextlib.suppress(w.WireError):
            w.decode_packet(header, b"" if 0 in shape else bytes(8))
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=9)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(["$", "v", "a"]), inner)),
    max_leaves=10,
)


@settings(max_examples=300)
@given(st.sampled_from(sorted(GOOD)), JSON, st.binary(max_size=40))
def test_any_change_of_any_field_is_read_or_refused(key: str, value: Any, payload: bytes) -> None:
    try:
        packet = w.decode_packet(w.decode(json.dumps({**GOOD, key: value}).encode()), payload)
    except w.WireError:
        return
    assert packet.data.nbytes == len(payload)


@settings(max_examples=300)
@given(st.integers(0, 400), st.integers(0, 400), st.binary(max_size=4))
def test_a_message_that_was_cut_or_changed(at: int, end: int, put: bytes) -> None:
    meta = {"a": (1, b"x"), "b": np.float32(1), "c": np.arange(3)}
    header, payload = w.encode_packet(Packet(np.arange(4), 3, (Tag(3, "k", 1),), meta), seq=1, session="s")
    raw = header[:at] + put + header[max(at, end) :]
    with contextlib.suppress(w.WireError):
        w.decode_packet(w.decode(raw), bytes(payload)[: max(0, 400 - end)])


@given(st.binary(max_size=200))
def test_any_bytes(raw: bytes) -> None:
    with pytest.raises(w.WireError):
        w.decode(raw + base64.b64encode(raw))


def test_a_hello_says_what_a_port_carries() -> None:
    assert w.spec_fields(Stream(np.uint8, (3,), 2.5)) == {"type": "Stream", "dtype": "|u1", "item": [3], "rate": 2.5}
    assert w.spec_fields(Frames(None, ("row", 3))) == {
        "type": "Frames",
        "dtype": None,
        "shape": ["row", 3],
        "rate": None,
    }
    assert w.spec_fields(ANY) == {"type": "Anything", "rate": None}
