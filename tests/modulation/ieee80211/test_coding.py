"""The DATA field: bits to points and back, LDPC layouts, the fast Viterbi call."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semwave.modulation.convolutional import ConvCode
from semwave.modulation.ieee80211 import coding, ldpc_data, params

MODES = [params.legacy_mode(r) for r in params.RATE_BITS] + [params.ht_mode(m) for m in range(8)]
# Table 17-4 and 19-27: N_DBPS
DATA_BITS = [24, 36, 48, 72, 96, 144, 192, 216, 26, 52, 78, 104, 156, 208, 234, 260]


def test_data_bits_are_those_of_the_standard():
    assert [mode.data_bits for mode in MODES] == DATA_BITS


@given(st.sampled_from(MODES), st.integers(1, 700), st.integers(1, 127), st.booleans(), st.integers(0, 2**32))
def test_round_trip(mode, length, seed, ldpc, draw):
    ldpc = ldpc and mode.carriers == 52
    psdu = np.random.default_rng(draw).bytes(length)
    coded = coding.encode(psdu, mode, seed, ldpc)
    assert coded.size == coding.symbols_needed(length, mode, ldpc) * mode.coded_bits
    found = coding.decode(4 * coded.astype(np.float32) - 2, length, mode, ldpc)
    assert coding.descramble(found) == (psdu, seed)


def test_constellations_are_those_of_17_3_5_8():
    # tables 17-15 and 17-16: level of the in-phase axis for bits b0 b1 (b2); the quadrature bits are zeros
    sixteen = {"00": -3, "01": -1, "11": 1, "10": 3}
    sixtyfour = {"000": -7, "001": -5, "011": -3, "010": -1, "110": 1, "111": 3, "101": 5, "100": 7}
    for rate, table in ((24, sixteen), (54, sixtyfour)):
        mode = params.legacy_mode(rate)
        order = coding.order(mode)
        for label, level in table.items():
            bits = np.zeros(mode.coded_bits, np.uint8)
            bits[order[: len(label)]] = [int(c) for c in label]
            point = coding.map_symbols(bits, mode)[0, 0] * coding.unit(mode)
            assert np.isclose(point, level - 1j * max(table.values()), atol=1e-5)


@given(st.sampled_from(["1/2", "2/3", "3/4", "5/6"]), st.integers(1, 9000), st.integers(0, 2**32))
def test_viterbi_is_the_general_decoder(rate, info, draw):
    code = ConvCode(rate=rate)
    llr = np.random.default_rng(draw).standard_normal(code.coded_length(info) + 7).astype(np.float32)
    assert np.array_equal(coding.viterbi(llr, rate, info), code.decode(llr[:-7]))


def test_viterbi_refuses_nan():
    with pytest.raises(ValueError, match="llr must not hold NaN"):
        coding.viterbi(np.full(48, np.nan, np.float32), "1/2", 18)


@given(st.integers(0, 7), st.integers(1, 4000))
def test_ldpc_layout_adds_up(mcs, length):
    mode = params.ht_mode(mcs)
    plan = ldpc_data.layout(length, mode)
    assert plan.info == 16 + 8 * length
    assert plan.words * plan.k - plan.shortened == plan.info
    sent = plan.words * plan.n - plan.shortened - plan.punctured + plan.repeated
    assert sent == plan.symbols * mode.coded_bits
    assert plan.punctured == 0 or plan.repeated == 0
    parity = plan.words * (plan.n - plan.k)
    assert plan.punctured <= Fraction(3, 10) * parity or plan.symbols > -(-plan.info // mode.data_bits)


def test_ldpc_layouts_worked_out_by_hand():
    # MCS 0, 100 octets: 816 bits, 32 symbols of 52: 1664 coded bits, one word of 1944, 156 shortened, 124 punctured
    a = ldpc_data.layout(100, params.ht_mode(0))
    assert (a.symbols, a.words, a.n, a.shortened, a.punctured, a.repeated) == (32, 1, 1944, 156, 124, 0)
    # MCS 7, 1500 octets: 12016 bits, 47 symbols of 312: 14664 coded bits, 8 words of 1944 carry 12960
    b = ldpc_data.layout(1500, params.ht_mode(7))
    assert (b.symbols, b.words, b.n, b.shortened, b.punctured, b.repeated) == (47, 8, 1944, 944, 0, 56)


def test_unscrambled_service_field_is_reported_as_seed_0():
    bits = np.concatenate([np.zeros(16, np.uint8), np.unpackbits(np.frombuffer(b"abc", np.uint8), bitorder="little")])
    assert coding.descramble(bits) == (b"abc", 0)
