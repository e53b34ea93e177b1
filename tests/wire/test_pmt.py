"""PMTs: GNU Radio's own bytes, every type there and back, and whatever else may arrive."""

import gc
import json
import math
import struct
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from semwave.wire import pmt
from semwave.wire.pmt import Entries, Limits, Pair, PmtError, UInt64, Vector, as_list, dumps, from_list, loads, same

PYTHON = "/usr/bin/python3"
SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "gnuradio" / "vectors" / "pmt.json"

# typed out from the format's description, one line a type
BYTES: list[tuple[str, Any]] = [
    ("00", True),
    ("01", False),
    ("06", None),
    ("02 0007 72785f74696d65", "rx_time"),
    ("02 0003 c2b573", "µs"),
    ("02 0002 ff41", "\udcffA"),
    ("03 0000002a", 42),
    ("03 80000000", -(1 << 31)),
    ("0d 0000000080000000", 1 << 31),
    ("0d 8000000000000000", -(1 << 63)),
    ("0b 8000000000000000", UInt64(1 << 63)),
    ("04 400a000000000000", 3.25),
    ("05 3ff8000000000000 c000000000000000", 1.5 - 2j),
    ("07 03 00000001 03 00000002", Pair(1, 2)),
    ("07 03 00000001 07 02 0001 78 06", Pair(1, Pair("x", None))),
    ("09 07 02 0001 62 06 09 07 02 0001 61 03 00000001 06", {"a": 1, "b": None}),
    ("09 07 03 00000001 06 09 07 00 06 06", Entries(((True, None), (1, None)))),
    ("0c 00000002 0b 0000000000000005 04 3fd0000000000000", (UInt64(5), 0.25)),
    ("08 00000002 06 08 00000000", Vector((None, Vector(())))),
    ("0a 00 00000003 01 00 010203", np.array([1, 2, 3], np.uint8)),
    ("0a 03 00000001 01 00 fffe", np.array([-2], np.int16)),
    ("0a 0a 00000001 01 00 3f800000 c0000000", np.array([1 - 2j], np.complex64)),
    ("07 09 07 02 0001 6e 03 00000007 06 0a 00 00000003 01 00 010203",
     Pair({"n": 7}, np.array([1, 2, 3], np.uint8))),
]  # fmt: skip


@pytest.mark.parametrize(("text", "value"), BYTES, ids=[text.split()[0] + f"-{i}" for i, (text, _) in enumerate(BYTES)])
def test_bytes_and_values_belong_together(text: str, value: Any) -> None:
    data = bytes.fromhex(text)
    assert dumps(value) == data
    assert same(loads(data), value)


@pytest.mark.parametrize("subtype", range(12))
def test_uniform_vectors_of_every_kind(subtype: int) -> None:
    name = ("B", "b", "H", "h", "I", "i", "Q", "q", "f", "d", "ff", "dd")[subtype]
    numbers = [1, 2, 3, 4] if len(name) == 2 else [1, 2]
    head = struct.pack(">BBI", 10, subtype, 2)
    body = struct.pack(f">{len(numbers)}{name[0]}", *numbers)
    found = loads(head + b"\x01\x00" + body)
    assert found.tolist() == ([1 + 2j, 3 + 4j] if len(name) == 2 else [1, 2])
    assert found.dtype.isnative
    assert not found.flags.writeable
    assert dumps(found) == head + b"\x01\x00" + body
    assert same(loads(head + b"\x05padpa" + body), found), "any padding is honoured"
    assert same(loads(head + b"\x00" + body), found)


@pytest.mark.skipif(not SHARED.is_file(), reason="the optional shared/ folder is not here")
def test_vectors_made_by_gnuradio() -> None:
    for name, text in json.loads(SHARED.read_text()).items():
        assert dumps(loads(bytes.fromhex(text))).hex() == text, name


def test_a_dictionary_keeps_its_order_and_the_wire_has_the_newest_first() -> None:
    assert list(loads(dumps({"z": 1, "a": 2, "m": 3}))) == ["z", "a", "m"]
    assert dumps({"first": 1, "last": 2}).startswith(b"\x09\x07\x02\x00\x04last")


def test_what_python_mixes_up_stays_apart() -> None:
    for value in (True, 1, 1.0, UInt64(1), 1 + 0j):
        assert type(loads(dumps(value))) is type(value)
    assert loads(dumps(UInt64(1))) != loads(dumps(True)) or type(loads(dumps(True))) is bool
    mixed = Entries(((1, "int"), (True, "bool"), (UInt64(1), "uint64"), (np.array([1]), "array")))
    assert loads(dumps(mixed)) == mixed


def test_values_that_are_written_only() -> None:
    assert dumps([1, "x"]) == dumps(from_list([1, "x"])) == dumps(Pair(1, Pair("x", None)))
    assert dumps([]) == dumps({}) == dumps(None) == b"\x06"
    assert as_list(loads(dumps([1, [2], None]))) == [1, Pair(2, None), None]
    assert dumps(b"ab") == dumps(bytearray(b"ab")) == dumps(memoryview(b"ab")) == dumps(np.array([97, 98], np.uint8))
    assert dumps(np.float32(0.5)) == dumps(0.5)
    assert dumps(np.int16(-5)) == dumps(-5)
    assert dumps(np.uint64(5)) == dumps(UInt64(5))
    assert dumps(np.bool_(True)) == dumps(True)
    assert dumps(np.array([1, 2], ">i4")) == dumps(np.array([1, 2], "<i4"))
    assert math.isnan(loads(dumps(math.nan)))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (object(), "no PMT holds a object"),
        ({"a": {1, 2}}, "no PMT holds a set"),
        (1 << 63, "must fit 64 bits"),
        ("x" * 1025, "at most 1024 bytes, not 1025"),
        ("\ud800", "must be text"),
        (np.zeros((2, 2)), r"integers, floats or complex \[n\], not float64 \(2, 2\)"),
        (np.zeros(2, np.float16), "not float16"),
        (np.zeros(2, bool), "not bool"),
    ],
)
def test_refuses_to_write(value: Any, message: str) -> None:
    with pytest.raises(PmtError, match=message):
        dumps(value)


def test_refuses_a_value_that_holds_itself() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(PmtError, match="nested deeper than 64"):
        dumps(value)


@pytest.mark.parametrize("value", [-1, 1 << 64])
def test_uint64_has_a_range(value: int) -> None:
    with pytest.raises(PmtError, match="from 0 to"):
        UInt64(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a value at byte 0 needs 1 bytes; 0 are left"),
        ("0e", "unknown type 0x0e at byte 0"),
        ("ff", "unknown type 0xff"),
        ("02 0401" + "41" * 1025, "a symbol of 1025 bytes"),
        ("02 0003 4142", "a symbol at byte 3 needs 3 bytes; 2 are left"),
        ("08 ffffffff 06", "more values than allowed"),
        ("08 00000009 06", "9 elements at byte 5, where 1 bytes are left"),
        ("0c 00000002 06", "2 elements"),
        ("0a 0c 00000000 01 00", "unknown kind of uniform vector 0x0c"),
        ("0a 8a 00000000 01 00", "unknown kind of uniform vector 0x8a"),
        ("0a 0b ffffffff 00", "needs 68719476720 bytes; 0 are left"),
        ("0a 00 00000001 ff 00", "padding at byte 7 needs 255 bytes"),
        ("09 03 00000001 06", "cell must hold a pair"),
        ("09 07 00 00 00", "must end in nil, not in 0x00"),
        ("09 07 00 00", "needs 1 bytes; 0 are left"),
        ("07 00", "needs 1 bytes"),
        ("0006", "1 bytes follow the value"),
    ],
)
def test_refuses_to_read(text: str, message: str) -> None:
    with pytest.raises(PmtError, match=message):
        loads(bytes.fromhex(text))


@pytest.mark.parametrize("nest", [b"\x07", b"\x0c\0\0\0\1", b"\x08\0\0\0\1", b"\x09\x07"])
def test_refuses_deep_nesting(nest: bytes) -> None:
    inner = {b"\x07": b"\x06\x06", b"\x09\x07": b"\x06\x06\x06"}.get(nest, b"\x06")
    with pytest.raises(PmtError, match="nested deeper than 64"):
        loads(nest * 100_000 + inner)


def test_a_long_list_is_not_deep_and_has_a_limit() -> None:
    data = b"\x07\x06" * 20_000 + b"\x06"
    found = loads(data)
    assert as_list(found) == [None] * 20_000
    assert found == loads(data)
    assert hash(found) == hash(loads(data))
    assert repr(found).count("Pair") == 20_000
    assert dumps(found) == data
    del found
    gc.collect()
    with pytest.raises(PmtError, match="more values than allowed"):
        loads(b"\x07\x06" * 40_000 + b"\x06")
    with pytest.raises(PmtError, match="more values than allowed"):
        dumps([None] * 40_000)
    with pytest.raises(PmtError, match="more values than allowed"):
        loads(dumps((1, 2, 3)), Limits(values=3))


def test_read_starts_and_stops_where_it_should() -> None:
    assert pmt.read(b"\xff" + dumps("ab") + b"\xff", 1) == ("ab", 6)


def test_as_list_wants_a_list() -> None:
    with pytest.raises(PmtError, match="ends in None, not in int"):
        as_list(Pair(1, 2))


# ---- whatever may come ---------------------------------------------------------------------------------------

NUMBERS = st.integers(-(1 << 63), (1 << 63) - 1) | st.floats(allow_nan=False) | st.complex_numbers(allow_nan=False)
ARRAYS = st.builds(
    lambda kind, values: np.array(values).astype(kind),
    st.sampled_from(pmt.UNIFORM_DTYPES),
    st.lists(st.integers(0, 99)),
)
ATOMS = (
    st.none() | st.booleans() | st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | NUMBERS | ARRAYS
    | st.builds(UInt64, st.integers(0, (1 << 64) - 1))
)  # fmt: skip
VALUES = st.recursive(
    ATOMS,
    lambda inner: (
        st.builds(Pair, inner, inner)
        | st.lists(inner, max_size=4).map(tuple)
        | st.lists(inner, max_size=4).map(lambda items: Vector(tuple(items)))
        | st.dictionaries(st.text(max_size=5).filter(str.isascii), inner, min_size=1, max_size=4)
    ),
    max_leaves=12,
)


@given(VALUES)
def test_every_value_comes_back(value: Any) -> None:
    data = dumps(value)
    assert same(loads(data), value)
    assert dumps(loads(data)) == data


@given(VALUES, st.data())
def test_every_truncation_is_noticed(value: Any, draw: st.DataObject) -> None:
    data = dumps(value)
    cut = draw.draw(st.integers(0, len(data) - 1))
    with pytest.raises(PmtError):
        loads(data[:cut])


@given(st.binary(max_size=60))
@example(b"\x0a\x0b\xff\xff\xff\xff\x00")
def test_any_bytes_are_a_value_or_a_pmt_error(data: bytes) -> None:
    try:
        value = loads(data)
    except PmtError:
        return
    assert same(loads(dumps(value)), value) or value != value or "nan" in repr(value)


@given(VALUES, st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 255)), min_size=1, max_size=4))
def test_damaged_bytes_are_a_value_or_a_pmt_error(value: Any, damage: list[tuple[int, int]]) -> None:
    data = bytearray(dumps(value))
    for at, byte in damage:
        data[at % len(data)] = byte
    try:
        loads(data)
    except PmtError:
        return


# ---- the real library ----------------------------------------------------------------------------------------

ASK = """
import json, sys, pmt
made = [pmt.PMT_T, pmt.PMT_F, pmt.PMT_NIL, pmt.intern("µs"), pmt.from_long(-5), pmt.from_long(1 << 40),
        pmt.from_uint64((1 << 64) - 1), pmt.from_double(2.5), pmt.from_complex(1.5, -2),
        pmt.cons(pmt.from_long(1), pmt.intern("x")), pmt.list3(pmt.PMT_T, pmt.PMT_NIL, pmt.from_long(3)),
        pmt.make_tuple(pmt.from_uint64(7), pmt.from_double(0.25)), pmt.to_pmt({"a": 1.5}),
        pmt.init_f64vector(2, [1.0, -2.0]), pmt.init_c32vector(1, [1 - 2j]), pmt.init_s16vector(2, [-1, 300])]
d = pmt.make_dict()
for k, v in (("z", 1), ("a", 2), ("z", 3)):
    d = pmt.dict_add(d, pmt.intern(k), pmt.from_long(v))
v = pmt.make_vector(2, pmt.PMT_NIL); pmt.vector_set(v, 1, pmt.intern("in"))
made += [d, v, pmt.cons(d, pmt.init_u8vector(3, [1, 2, 3]))]
print(json.dumps([pmt.serialize_str(m).hex() for m in made]))
for line in sys.stdin:
    read = pmt.deserialize_str(bytes.fromhex(line))
    print(pmt.serialize_str(read).hex(), pmt.write_string(read).encode("unicode_escape").decode())
"""
MADE = [
    True, False, None, "µs", -5, 1 << 40, UInt64((1 << 64) - 1), 2.5, 1.5 - 2j, Pair(1, "x"),
    Pair(True, Pair(None, Pair(3, None))), (UInt64(7), 0.25), {"a": 1.5}, np.array([1.0, -2.0]),
    np.array([1 - 2j], np.complex64), np.array([-1, 300], np.int16), {"a": 2, "z": 3}, Vector((None, "in")),
    Pair({"a": 2, "z": 3}, np.array([1, 2, 3], np.uint8)),
]  # fmt: skip


@pytest.mark.peer
def test_agrees_with_the_real_library() -> None:
    data = [dumps(value) for value in MADE]
    try:
        done = subprocess.run(
            [PYTHON, "-c", ASK], check=False, input="\n".join(d.hex() for d in data), capture_output=True, text=True,
            timeout=100,
        )  # fmt: skip
    except OSError:
        pytest.skip(f"there is no {PYTHON}")
    if done.returncode and "No module named" in done.stderr:
        pytest.skip(f"GNU Radio's pmt cannot be imported by {PYTHON}")
    assert done.returncode == 0, done.stderr
    first, *rest = done.stdout.splitlines()
    theirs = json.loads(first)
    for value, mine, text in zip(MADE, data, theirs, strict=True):
        assert mine.hex() == text, value
        assert same(loads(bytes.fromhex(text)), value)
    for mine, line in zip(data, rest, strict=True):
        assert line.split(" ")[0] == mine.hex(), line
