"""Bits, bytes and integers there and back, against values written out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semwave.modulation import bits


def test_values_written_out():
    np.testing.assert_array_equal(bits.unpack(b"\xa1\x01"), [1, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1])
    np.testing.assert_array_equal(bits.unpack(b"\xa1", "lsb"), [1, 0, 0, 0, 0, 1, 0, 1])
    np.testing.assert_array_equal(bits.pack([1, 0, 1, 0, 0, 0, 0, 1]), [0xA1])
    np.testing.assert_array_equal(bits.pack([1, 0, 1, 0, 0, 0, 0, 1], "lsb"), [0x85])
    np.testing.assert_array_equal(bits.from_int(6, 4), [0, 1, 1, 0])
    np.testing.assert_array_equal(bits.from_int([1, 6], 4, "lsb"), [[1, 0, 0, 0], [0, 1, 1, 0]])
    assert bits.to_int([0, 1, 1, 0, 1]) == 13
    assert bits.to_int([0, 1, 1, 0, 1], "lsb") == 22


@given(st.binary(max_size=64), st.sampled_from(bits.ORDERS))
def test_bytes_round_trip(data, order):
    got = bits.unpack(data, order)
    assert got.shape == (8 * len(data),)
    assert got.dtype == np.uint8
    assert bits.pack(got, order).tobytes() == data


@given(st.integers(1, 63), st.data(), st.sampled_from(bits.ORDERS))
def test_integers_round_trip(width, data, order):
    values = data.draw(st.lists(st.integers(0, 2**width - 1), min_size=1, max_size=5))
    rows = bits.from_int(values, width, order)
    assert rows.shape == (len(values), width)
    assert bits.to_int(rows, order).tolist() == values
    text = "".join(map(str, rows[0] if order == "msb" else rows[0, ::-1]))
    assert int(text, 2) == values[0]


def test_batches_keep_their_axes():
    data = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    assert bits.unpack(data).shape == (2, 3, 32)
    np.testing.assert_array_equal(bits.pack(bits.unpack(data)), data)


def test_messages():
    with pytest.raises(ValueError, match=r"multiples of 8, not shape \(7,\)"):
        bits.pack(np.zeros(7))
    with pytest.raises(ValueError, match="order must be 'msb' or 'lsb', not 'big'"):
        bits.unpack(b"a", "big")
    with pytest.raises(ValueError, match="values must fit in 3 bits, not 8"):
        bits.from_int([1, 8], 3)
    with pytest.raises(ValueError, match="values must fit in 3 bits, not -1"):
        bits.from_int([1, -1], 3)
    with pytest.raises(ValueError, match="width must be 1 to 63 bits, not 64"):
        bits.from_int(1, 64)
