"""The transmitter's samples."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semwave.modulation.ieee80211 import TxFormat, coding, params, transmit


@given(st.sampled_from(sorted(params.RATE_BITS)), st.integers(1, 4095))
def test_duration_is_that_of_17_4_3(rate, length):
    symbols = -(-(16 + 8 * length + 6) // (rate * 4))  # N_DBPS is four times the rate in Mbit/s
    assert coding.symbols_needed(length, params.legacy_mode(rate)) == symbols
    if length < 300:
        assert transmit(bytes(length), TxFormat(rate)).size == 400 + 80 * symbols


@pytest.mark.parametrize("short_gi, each", [(False, 80), (True, 72)])
def test_duration_of_ht(short_gi, each):
    samples = transmit(bytes(100), TxFormat(mcs=3, short_gi=short_gi))
    assert samples.size == 400 + 160 + 160 + each * 8  # 822 bits in symbols of 104


def test_fields_have_equal_power_and_nothing_outside_the_band(air):
    x = transmit(air.mpdu(1000), TxFormat(54))
    for part in (x[:160], x[160:320], x[400:]):
        assert np.mean(np.abs(part) ** 2) == pytest.approx(52 / 64, rel=0.05)
    symbol = np.fft.fft(x[416:480])
    outside = [0, *range(27, 38)]
    assert np.abs(symbol[outside]).max() < 1e-4 * np.abs(symbol).max()


def test_pilots_turn_with_the_polarity_of_17_3_5_10(air):
    first = [1, 1, 1, 1, -1, -1, -1, 1, -1, -1, -1, -1, 1, 1, -1, 1]  # p_0 ... p_15
    x = transmit(air.mpdu(80), TxFormat(6))
    for n, p in enumerate(first):
        spectrum = np.fft.fft(x[320 + 80 * n + 16 : 400 + 80 * n], norm="ortho")
        assert np.allclose(spectrum[[-21, -7, 7, 21]], [p, p, p, -p], atol=1e-4)


@pytest.mark.parametrize("window", [1, 4, 8])
def test_a_window_changes_the_symbol_borders_only(air, window):
    psdu = air.mpdu(50)
    plain, smooth = transmit(psdu, TxFormat(12)), transmit(psdu, TxFormat(12, window=window))
    assert smooth.size == plain.size + window
    borders = [0, 160, *range(320, plain.size + 1, 80)]
    changed = np.zeros(smooth.size, bool)
    for at in borders:
        changed[at : at + window] = True
    assert np.allclose(smooth[: plain.size][~changed[: plain.size]], plain[~changed[: plain.size]], atol=1e-6)
    jump = np.abs(np.diff(plain[400:]))[79::80].mean()
    assert np.abs(np.diff(smooth[400:]))[78 + window // 2 :: 80].mean() < 1.05 * jump


def test_wrong_values():
    with pytest.raises(ValueError, match=r"rate_mbps must be one of 6, 9, .*, not 11"):
        TxFormat(11)
    with pytest.raises(ValueError, match="seed must be 1 to 127, not 0"):
        TxFormat(6, seed=0)
    with pytest.raises(ValueError, match="mcs must be given for short_gi"):
        TxFormat(6, short_gi=True)
    with pytest.raises(ValueError, match="window must be 0 to 8 samples, not 9"):
        TxFormat(6, window=9)
    with pytest.raises(ValueError, match="psdu must have 1 to 4095 octets, not 0"):
        transmit(b"")
    with pytest.raises(ValueError, match=r"psdu of 20000 octets at MCS 0 takes longer than 5\.484 ms"):
        transmit(bytes(20000), TxFormat(mcs=0))
