"""Scramblers against the standards' recurrences typed out bit by bit, and the sequences they print."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semwave.modulation import scramble


def as_text(bits):
    return "".join(map(str, bits))


def test_80211_sequence_from_all_ones():
    printed = (  # IEEE 802.11-2020, 17.3.5.5
        "00001110 11110010 11001001 00000010 00100110 00101110 10110110 00001100 "
        "11010100 11100111 10110100 00101010 11111010 01010001 10111000 1111111"
    ).replace(" ", "")
    assert as_text(scramble.wifi_sequence(127)) == printed
    assert as_text(scramble.wifi_sequence(300)) == (printed * 3)[:300]


def test_80211_example_seed():
    # IEEE 802.11-2020, I.1.5.2: initial state 1011101
    assert as_text(scramble.wifi_sequence(32, 0b1011101)) == "01101100000110011010100111001111"


def gold_by_hand(c_init, n):
    x1, x2 = [1] + [0] * 30, [c_init >> i & 1 for i in range(31)]
    for i in range(1600 + n):
        x1.append((x1[i + 3] + x1[i]) % 2)
        x2.append((x2[i + 3] + x2[i + 2] + x2[i + 1] + x2[i]) % 2)
    return [(x1[i + 1600] + x2[i + 1600]) % 2 for i in range(n)]


@pytest.mark.parametrize("c_init", [0, 1, 0x12345, 2**31 - 1])
@pytest.mark.parametrize("n", [0, 1, 31, 63, 5000])
def test_gold_sequence_is_the_recurrence(c_init, n):
    got = scramble.gold(c_init, n)
    assert got.dtype == np.uint8
    assert got.tolist() == gold_by_hand(c_init, n)


def gnu_radio_lfsr(mask, length, seed, n):
    reg, out = seed, []
    for _ in range(n):
        out.append(reg & 1)
        new = bin(reg & mask).count("1") % 2
        reg = reg >> 1 | new << length
    return out


@settings(deadline=None)  # the first call compiles
@given(st.integers(0, 20), st.data())
def test_lfsr_is_gnu_radios(length, data):
    mask = data.draw(st.integers(0, (2 << length) - 1))
    seed = data.draw(st.integers(0, (2 << length) - 1))
    assert scramble.lfsr(mask, length, seed, 70).tolist() == gnu_radio_lfsr(mask, length, seed, 70)


@settings(deadline=None)  # the first call compiles
@given(st.integers(0, 2**32 - 1), st.integers(0, 200), st.integers(1, 127), st.integers(0, 2**31 - 1))
def test_additive_scramblers_are_their_own_inverse(seed, n, wifi_seed, c_init):
    bits = np.random.default_rng(seed).integers(0, 2, (2, n), dtype=np.uint8)
    for there in (
        lambda b: scramble.wifi(b, wifi_seed),
        lambda b: scramble.nr(b, c_init),
        lambda b: scramble.additive(b, 0x8A, 7, wifi_seed),
    ):
        once = there(bits)
        np.testing.assert_array_equal(there(once), bits)
        np.testing.assert_array_equal(once[0], there(bits[0]))


def test_multiplicative_descrambler_finds_its_own_state():
    bits = np.random.default_rng(1).integers(0, 2, (3, 500), dtype=np.uint8)
    sent = scramble.multiplicative(bits, 0x21, 16, 0x1234)
    np.testing.assert_array_equal(scramble.demultiplicative(sent, 0x21, 16, 0x1234), bits)
    np.testing.assert_array_equal(scramble.demultiplicative(sent, 0x21, 16, 0)[:, 17:], bits[:, 17:])
    history = [0x1234 >> i & 1 for i in range(17)]  # oldest first: bit 0 leaves next
    for i, bit in enumerate(bits[0]):
        made = bit ^ history[i] ^ history[i + 5]
        assert sent[0, i] == made
        history.append(int(made))
    assert scramble.multiplicative(np.empty((2, 0), np.uint8), 0x21, 16).shape == (2, 0)


def test_messages():
    with pytest.raises(ValueError, match="seed must be 1 to 127, not 0"):
        scramble.wifi_sequence(3, 0)
    with pytest.raises(ValueError, match=r"c_init must be 0 to 2\^31 - 1, not -1"):
        scramble.gold(-1, 3)
    with pytest.raises(ValueError, match="mask must fit in length \\+ 1 = 3 bits, not 0x8"):
        scramble.lfsr(8, 2, 1, 3)
    with pytest.raises(ValueError, match="length must be 0 to 61, not 62"):
        scramble.lfsr(8, 62, 1, 3)
    with pytest.raises(ValueError, match="n must be 0 or more, not -1"):
        scramble.gold(1, -1)
