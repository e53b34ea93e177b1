"""EVM, SNR estimates, GMI and confidence intervals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from semwave.modulation import metrics, noise, qam


def link(order, snr_db, n=20000, gain=1.0, seed=0):
    rng = np.random.default_rng(seed)
    bits = rng.integers(0, 2, n * qam.bits_per_symbol(order)).astype(np.uint8)
    sent = qam.map_bits(bits, order)
    n0 = noise.n0_from_snr_db(snr_db)
    return bits, sent, noise.add_awgn(gain * sent, n0, rng), n0


def test_evm_is_noise_over_signal():
    _, sent, received, n0 = link(16, 20.0)
    assert metrics.evm_rms(received, sent) == pytest.approx(np.sqrt(n0), rel=0.03)
    assert metrics.evm_db(received, sent) == pytest.approx(-20, abs=0.3)
    assert metrics.evm_rms([2.0, 0.0], [1.0, 0.0]) == 1.0
    assert metrics.evm_db(sent, sent) == -np.inf


@pytest.mark.parametrize("snr_db", [-5.0, 3.0, 17.0])
def test_data_aided_snr_undoes_an_unknown_gain(snr_db):
    gain = 0.3 * np.exp(1.1j)
    _, sent, received, _ = link(64, snr_db - 20 * np.log10(abs(gain)), gain=gain)
    assert metrics.snr_data_aided_db(received, sent) == pytest.approx(snr_db, abs=0.25)
    assert metrics.snr_data_aided_db(sent, sent) > 60


@pytest.mark.parametrize("order, snr_db", [(4, 5.0), (4, 12.0), (8, 8.0), (16, 10.0)])
def test_m2m4_snr_is_blind_to_phase(order, snr_db):
    _, _, received, _ = link(order, snr_db, gain=np.exp(0.7j))
    estimate = metrics.snr_m2m4_db(received, qam.constellation(order))
    assert estimate == pytest.approx(snr_db, abs=0.4)
    if order < 16:
        assert metrics.snr_m2m4_db(received) == pytest.approx(estimate, abs=1e-3)


def test_gmi_of_perfect_and_useless_llrs():
    bits = np.array([0, 1, 1, 0], np.uint8)
    assert metrics.gmi((2.0 * bits - 1) * 50, bits, 2) == pytest.approx(2)
    assert metrics.gmi(np.zeros(4), bits, 2) == pytest.approx(0)
    assert metrics.gmi(-(2.0 * bits - 1), bits) < 0  # confidently wrong


def test_gmi_best_scale_repairs_a_wrong_scale():
    bits, _, received, n0 = link(16, 10.0)
    llr = qam.demap_llr(received, 16, n0, "exact")
    right = metrics.gmi(llr, bits, 4)
    assert metrics.gmi(3 * llr, bits, 4) < right - 0.1
    assert metrics.gmi(3 * llr, bits, 4, best_scale=True) == pytest.approx(right, abs=2e-3)
    assert metrics.gmi(llr, bits, 4, best_scale=True) >= right - 1e-9


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.5, 0.999))
def test_intervals_equal_scipy(count, confidence):
    errors, trials = count
    expected = stats.binomtest(errors, trials)
    for ours, method in ((metrics.clopper_pearson, "exact"), (metrics.wilson, "wilson")):
        interval = expected.proportion_ci(confidence, method)
        np.testing.assert_allclose(ours(errors, trials, confidence), (interval.low, interval.high), atol=1e-9)


def test_counter_counts_bits_and_blocks_and_adds_up():
    sent = np.zeros((3, 4), np.uint8)
    received = sent.copy()
    received[1, [0, 2]] = 1
    bits, blocks = metrics.ErrorCounter(), metrics.ErrorCounter()
    assert bits.add_bits(sent, received) == 2
    assert blocks.add_blocks(sent, received) == 1
    assert (bits.trials, blocks.trials) == (12, 3)
    both = bits + metrics.ErrorCounter(1, 8)
    assert (both.errors, both.trials, both.rate) == (3, 20, 0.15)
    assert metrics.ErrorCounter().interval() == (0.0, 1.0)
    assert np.isnan(metrics.ErrorCounter().rate)
    low, high = both.interval(method="wilson")
    assert low < 0.15 < high


def test_bad_input_says_what_was_expected():
    with pytest.raises(ValueError, match=r"of one shape and not empty, not \(2,\) and \(3,\)"):
        metrics.evm_rms(np.ones(2), np.ones(3))
    with pytest.raises(ValueError, match="errors must be from 0 to trials and trials above 0, not 3 of 2"):
        metrics.wilson(3, 2)
    with pytest.raises(ValueError, match="confidence must be between 0 and 1, not 95"):
        metrics.clopper_pearson(1, 2, 95)
    with pytest.raises(ValueError, match="method must be 'clopper-pearson' or 'wilson'"):
        metrics.ErrorCounter(1, 2).interval(method="wald")
    with pytest.raises(ValueError, match="2 or more symbols that are not all 0"):
        metrics.snr_data_aided_db([1.0], [1.0])
    with pytest.raises(ValueError, match="llr and bits must be of one shape"):
        metrics.gmi(np.ones(2), np.ones(3))
    with pytest.raises(ValueError, match=r"sent and received must be of one shape, not \(2,\) and \(3,\)"):
        metrics.ErrorCounter().add_bits(np.ones(2), np.ones(3))
    with pytest.raises(ValueError, match="received must not be empty"):
        metrics.snr_m2m4_db(np.zeros(0))
