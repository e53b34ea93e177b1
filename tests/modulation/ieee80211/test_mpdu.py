"""FCS and A-MPDU."""

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semwave.modulation.ieee80211 import Mpdu, aggregate, append_fcs, check_fcs, deaggregate
from semwave.modulation.ieee80211.mpdu import delimiter


def test_fcs_of_an_acknowledgement():
    ack = bytes.fromhex("d4000000e4907e152a16")  # a control frame whose FCS was seen on the air
    assert append_fcs(ack).hex() == "d4000000e4907e152a168cf611e3"
    assert check_fcs(append_fcs(ack))
    assert not check_fcs(append_fcs(ack)[:-1] + b"\0")
    assert not check_fcs(zlib.crc32(b"").to_bytes(4, "little"))  # no room for a frame


@given(st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=6))
def test_aggregation_round_trip(frames):
    mpdus = [append_fcs(f) for f in frames]
    assert deaggregate(aggregate(mpdus)) == [Mpdu(m, True) for m in mpdus]


def test_a_broken_delimiter_loses_one_mpdu_only():
    rng = np.random.default_rng(4)
    mpdus = [append_fcs(rng.bytes(57)) for _ in range(4)]
    psdu = bytearray(aggregate(mpdus))
    psdu[68] ^= 0x10  # the length in the second delimiter (64 + 4 octets on)
    psdu[3 * 68 - 60] ^= 1  # data of the third
    assert deaggregate(bytes(psdu)) == [
        Mpdu(mpdus[0], True),
        Mpdu(deaggregate(bytes(psdu))[1].data, False),
        Mpdu(mpdus[3], True),
    ]


@given(st.binary(max_size=200))
def test_any_octets_are_taken(data):
    assert all(len(m.data) <= len(data) for m in deaggregate(data))


def test_padding_delimiters_are_skipped():
    mpdu = append_fcs(b"0123456789")
    assert deaggregate(3 * delimiter(0) + aggregate([mpdu]) + b"\0\0" + 2 * delimiter(0)) == [Mpdu(mpdu, True)]


def test_delimiter_length():
    with pytest.raises(ValueError, match="length must be 0 to 4095 octets, not 4096"):
        delimiter(4096)
