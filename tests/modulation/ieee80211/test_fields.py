"""Signal fields."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semwave.modulation import crc
from semwave.modulation.ieee80211 import fields, params


@given(st.sampled_from(sorted(params.RATE_BITS)), st.integers(1, 4095), st.integers(0, 17))
def test_l_sig_round_trip_and_one_wrong_bit(rate, length, wrong):
    sig = fields.LSig(rate, length)
    assert fields.LSig.parse(sig.bits()) == sig
    bits = sig.bits()
    bits[wrong] ^= 1
    assert fields.LSig.parse(bits) is None  # the parity sees every single error


def test_l_sig_rates_are_those_of_table_17_6():
    table = {6: 13, 9: 15, 12: 5, 18: 7, 24: 9, 36: 11, 48: 1, 54: 3}  # R1 ... R4 read as a number
    for rate, number in table.items():
        assert int("".join(map(str, fields.LSig(rate, 1).bits()[:4])), 2) == number


ht_sigs = st.builds(
    fields.HtSig,
    mcs=st.integers(0, 76),
    length=st.integers(0, 65535),
    bandwidth_40=st.booleans(),
    smoothing=st.booleans(),
    not_sounding=st.booleans(),
    aggregation=st.booleans(),
    stbc=st.integers(0, 3),
    ldpc=st.booleans(),
    short_gi=st.booleans(),
    extension=st.integers(0, 3),
)


@given(ht_sigs, st.sets(st.integers(0, 41), min_size=1, max_size=2))
def test_ht_sig_round_trip_and_wrong_bits(sig, wrong):
    bits = sig.bits()
    assert fields.HtSig.parse(bits) == sig
    bits[list(wrong)] ^= 1
    assert fields.HtSig.parse(bits) is None  # the CRC sees every one and two errors


def test_ht_sig_crc_is_the_standards_example():
    # IEEE 802.11-2020, 19.3.9.4.4
    m = np.array([int(c) for c in "1111000100100110000000001110000000"], np.uint8)
    assert "".join(map(str, crc.compute(m, "ht-sig"))) == "10101000"


@pytest.mark.parametrize(
    "sig, problem",
    [
        (fields.HtSig(7, 100), ""),
        (fields.HtSig(7, 0), "null data packet"),
        (fields.HtSig(7, 100, bandwidth_40=True), "40 MHz"),
        (fields.HtSig(15, 100), "MCS 15, 2 spatial streams"),
        (fields.HtSig(31, 100), "4 spatial streams"),
        (fields.HtSig(0, 100, stbc=1), "space-time block coding"),
        (fields.HtSig(0, 100, extension=1), "extension spatial streams"),
    ],
)
def test_what_one_antenna_cannot_take(sig, problem):
    assert problem in sig.problem
    assert bool(problem) == bool(sig.problem)


def test_wrong_values():
    with pytest.raises(ValueError, match=r"rate_mbps must be one of 6, 9, .*, not 11"):
        fields.LSig(11, 10).bits()
    with pytest.raises(ValueError, match="length must be 1 to 4095 octets, not 4096"):
        fields.LSig(6, 4096).bits()
    with pytest.raises(ValueError, match="mcs must be 0 to 7, not 8"):
        params.ht_mode(8)
