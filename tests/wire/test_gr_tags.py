"""GNU Radio's and SigMF's names for rate, frequency and time."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semwave.wire.gr_tags import from_gnuradio, to_gnuradio
from semwave.wire.pmt import UInt64


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (("rx_rate", 1e6), ("sample_rate", 1e6)),
        (("rx_freq", 2.4e9), ("frequency", 2.4e9)),
        (("rx_time", (UInt64(1700000000), 0.25)), ("datetime", "2023-11-14T22:13:20.25Z")),
        (("rx_time", (UInt64(0), 0.0)), ("datetime", "1970-01-01T00:00:00Z")),
        (("rx_time", (UInt64(1), 1e-12)), ("datetime", "1970-01-01T00:00:01.000000000001Z")),
        (("burst", 5), ("burst", 5)),
    ],
)
def test_both_ways(theirs: tuple[str, Any], ours: tuple[str, Any]) -> None:
    assert from_gnuradio(*theirs) == ours
    assert to_gnuradio(*ours) == theirs


@pytest.mark.parametrize(
    "tag",
    [
        ("rx_time", 5),
        ("rx_time", (UInt64(1), 1.5)),
        ("rx_time", (UInt64(1), float("nan"))),
        ("rx_time", (UInt64((1 << 64) - 1), 0.5)),
        ("rx_time", (1.0, 2.0)),
        ("rx_freq", "fast"),
        ("rx_rate", True),
    ],
)
def test_what_looks_odd_stays(tag: tuple[str, Any]) -> None:
    assert from_gnuradio(*tag) is not None
    key, value = from_gnuradio(*tag)
    assert key == tag[0]
    assert value is tag[1]


@pytest.mark.parametrize(
    "tag",
    [
        ("datetime", "yesterday"),
        ("datetime", "2023-02-31T00:00:00Z"),
        ("datetime", "1960-01-01T00:00:00Z"),
        ("datetime", 5),
        ("frequency", None),
    ],
)
def test_what_gnuradio_cannot_say_stays(tag: tuple[str, Any]) -> None:
    assert to_gnuradio(*tag) == tag


@given(st.integers(0, 253402300799 - 86400), st.floats(0, 1, exclude_max=True))
def test_no_digit_of_a_time_is_lost(whole: int, fraction: float) -> None:
    key, text = from_gnuradio("rx_time", (UInt64(whole), fraction))
    assert key == "datetime"
    assert to_gnuradio(key, text) == ("rx_time", (UInt64(whole), fraction))
