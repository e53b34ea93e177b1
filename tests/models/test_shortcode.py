"""Exact arithmetic coding: round trips, length against entropy, any bytes in."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semwave.models import shortcode


@given(st.lists(st.integers(1, 500), min_size=1, max_size=20), st.data())
def test_round_trip_within_a_byte_of_the_information(frequencies: list[int], data: st.DataObject) -> None:
    table = shortcode.Table(frequencies)
    symbols = data.draw(st.lists(st.integers(0, len(frequencies) - 1), max_size=60))
    encoder = shortcode.Encoder()
    for symbol in symbols:
        table.put(encoder, symbol)
    coded = encoder.finish()
    decoder = shortcode.Decoder(coded)
    assert [table.get(decoder) for _ in symbols] == symbols
    bits = sum(np.log2(sum(frequencies) / frequencies[s]) for s in symbols)
    assert 8 * len(coded) <= bits + 8 + 1e-6
    assert not coded.endswith(b"\0")


@given(st.binary(max_size=100))
def test_any_bytes_decode(data: bytes) -> None:
    decoder = shortcode.Decoder(data)
    table = shortcode.Table([3, 1, 9])
    assert all(0 <= table.get(decoder) < 3 for _ in range(50))


def test_bad_arguments() -> None:
    with pytest.raises(ValueError, match="frequency must be positive and inside 8, not 7 \\+ 2"):
        shortcode.Encoder().put(7, 2, 8)
    with pytest.raises(ValueError, match="at most 4096 bytes, not 5000"):
        shortcode.Decoder(bytes(5000))
    with pytest.raises(ValueError, match="frequencies must be positive"):
        shortcode.Table([1, 0])
