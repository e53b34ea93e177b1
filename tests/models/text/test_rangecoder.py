"""The range coder: what goes in comes out, in the bytes that its information needs, and the same bytes everywhere."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semwave.models import shortcode
from semwave.models.text import language
from semwave.models.text.rangecoder import RangeReader, RangeWriter, model, static_model

tables = st.lists(st.integers(1, 999), min_size=1, max_size=40).map(shortcode.Table)
message = st.lists(tables.flatmap(lambda t: st.tuples(st.just(t), st.integers(0, len(t.frequencies) - 1))), max_size=40)


@settings(max_examples=200)
@given(message)
def test_messages_come_back_within_a_byte(said: list[tuple[shortcode.Table, int]]) -> None:
    writer = RangeWriter()
    for table, symbol in said:
        writer.table(table, symbol)
    data = writer.finish()
    reader = RangeReader(data)
    assert [reader.table(table) for table, _ in said] == [symbol for _, symbol in said]
    assert 8 * len(data) < sum(table.cost(symbol) for table, symbol in said) * 1.001 + 9.5


def test_golden_bytes() -> None:
    """Written once; another version of the library that gives other bytes would not read old recordings."""
    writer = RangeWriter()
    frequencies = language.fitted(np.arange(1, 4001) ** 2)
    for symbol in (0, 3999, 17, 2500):
        writer.put(model(frequencies), symbol)
    writer.table(shortcode.Table((1, 2, 3)), 1)
    assert writer.finish().hex() == "00000ff532acff2c"


def test_frequencies_arrive_as_they_are() -> None:
    """A thousand symbols of probability 2^-20 cost 20 bits each, so nothing is rounded away."""
    frequencies = np.ones(1001, np.int64)
    frequencies[0] = language.TOTAL - 1000
    writer = RangeWriter()
    for symbol in range(1, 201):
        writer.put(model(frequencies), symbol)
    assert abs(8 * len(writer.finish()) - 200 * 20) <= 16


def test_wrong_frequencies_are_refused() -> None:
    with pytest.raises(ValueError, match="frequencies must be positive and sum to 1048576"):
        model(np.ones(4, np.int64))
    with pytest.raises(ValueError, match="at most 4096 bytes, not 4097"):
        RangeReader(bytes(4097))
    assert static_model((1, 2)) is static_model((1, 2))
