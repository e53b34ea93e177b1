"""Closed forms against textbook special cases, against each other and against simulation."""

import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import erfc

from semwave.modulation import fading, metrics, noise, qam, theory

SNR_DB = np.array([-3.0, 2.0, 8.0, 14.0, 20.0])


def q(x):
    return erfc(x / np.sqrt(2)) / 2


def test_bpsk_and_qpsk_are_q_functions():
    g = 10 ** (SNR_DB / 10)
    np.testing.assert_allclose(theory.ber(2, SNR_DB), q(np.sqrt(2 * g)), rtol=1e-10, atol=1e-40)
    np.testing.assert_allclose(theory.ber("qpsk", SNR_DB), q(np.sqrt(g)), rtol=1e-10)
    np.testing.assert_allclose(theory.ser(4, SNR_DB), 2 * q(np.sqrt(g)) - q(np.sqrt(g)) ** 2, rtol=1e-9)


def test_16qam_is_the_three_term_formula():
    a = np.sqrt(10 ** (SNR_DB / 10) / 5)
    np.testing.assert_allclose(theory.ber(16, SNR_DB), (3 * q(a) + 2 * q(3 * a) - q(5 * a)) / 4, rtol=1e-9)


def test_bpsk_rayleigh_closed_form_with_and_without_diversity():
    g = 10 ** (SNR_DB / 10)
    mu = np.sqrt(g / (1 + g))
    p = (1 - mu) / 2
    np.testing.assert_allclose(theory.ber(2, SNR_DB, "rayleigh"), p, rtol=1e-10)
    np.testing.assert_allclose(theory.ber(2, SNR_DB, "rayleigh", diversity=2), p**2 * (1 + 2 * (1 - p)), rtol=1e-9)


@pytest.mark.parametrize("order", [8, 16, 64])
def test_rician_averages_agree_with_integration_over_the_density(order):
    """Average the AWGN rate over the non-central chi-squared SNR numerically."""
    ratio, mean = 10**0.5, 10**1.4
    density = stats.ncx2(2, 2 * ratio, scale=mean / (2 * (1 + ratio))).pdf
    for function in (theory.ber, theory.ser):
        expected, _ = integrate.quad(
            lambda g, f=function: f(order, 10 * np.log10(g)) * density(g), 1e-9, 600, limit=300
        )
        np.testing.assert_allclose(function(order, 14.0, "rician", k_factor_db=5.0), expected, rtol=1e-5)


def test_rician_runs_from_rayleigh_to_awgn():
    np.testing.assert_allclose(
        theory.ber(64, SNR_DB, "rician", k_factor_db=-60), theory.ber(64, SNR_DB, "rayleigh"), rtol=1e-4
    )
    np.testing.assert_allclose(theory.ber(16, SNR_DB, "rician", k_factor_db=70), theory.ber(16, SNR_DB), rtol=1e-3)


@pytest.mark.parametrize("order", qam.ORDERS)
def test_limits_and_order(order):
    k = qam.bits_per_symbol(order)
    assert theory.ser(order, -60.0) == pytest.approx(1 - 1 / order, abs=0.03)
    bit, symbol = theory.ber(order, SNR_DB), theory.ser(order, SNR_DB)
    assert np.all(symbol / k <= bit * (1 + 1e-9))
    assert np.all(bit <= symbol * (1 + 1e-9))
    high = 10 * np.log10(8 * (order - 1))
    assert theory.ser(order, high) / k / theory.ber(order, high) == pytest.approx(1, rel=1e-3)  # Gray: one bit a symbol


CASES = [
    (2, 3.0, "awgn", None), (4, 6.0, "awgn", None), (8, 10.0, "awgn", None), (16, 12.0, "awgn", None),
    (64, 18.0, "awgn", None), (256, 22.0, "awgn", None), (1024, 27.0, "awgn", None),
    (4, 8.0, "rayleigh", None), (8, 12.0, "rayleigh", None), (16, 15.0, "rayleigh", None), (64, 20.0, "rayleigh", None),
    (2, 6.0, "rician", 6.0), (16, 14.0, "rician", 3.0), (256, 26.0, "rician", 10.0),
]  # fmt: skip


@pytest.mark.parametrize("order, snr_db, model, k_factor_db", CASES)
def test_simulated_rates_lie_in_their_interval(order, snr_db, model, k_factor_db):
    """Uncoded link with known gain. Symbols err independently: exact interval; the bits of one symbol do not,
    so the bit error rate is judged by its spread over symbols."""
    rng = np.random.default_rng(order + int(snr_db))
    n, k, n0 = 60_000, qam.bits_per_symbol(order), noise.n0_from_snr_db(snr_db)
    bits = rng.integers(0, 2, (n, k)).astype(np.uint8)
    symbols = qam.map_bits(bits.ravel(), order)
    gain = np.ones(n)
    if model != "awgn":
        channel = fading.BlockFading(sample_rate=1.0, rng=rng, block_len=1, k_factor_db=k_factor_db)
        gain = channel.gains_at(np.arange(n))
    received = noise.add_awgn(gain * symbols, n0, rng)
    decided = (qam.demap_llr(received, order, n0, gain=gain) > 0).astype(np.uint8).reshape(n, k)
    wrong_symbols = metrics.ErrorCounter()
    wrong_symbols.add_blocks(bits, decided)
    low, high = wrong_symbols.interval(confidence=0.999)
    assert low < theory.ser(order, snr_db, model, k_factor_db) < high
    per_symbol = (bits != decided).sum(axis=1)
    z = (per_symbol.mean() / k - theory.ber(order, snr_db, model, k_factor_db)) / (per_symbol.std() / k / np.sqrt(n))
    assert abs(z) < stats.norm.isf(0.0005)


def test_energy_per_bit_and_symbol():
    assert theory.esn0_db(4.0, 2, 0.5) == pytest.approx(4.0)
    assert theory.esn0_db(theory.ebn0_db(7.0, 6, 0.75), 6, 0.75) == pytest.approx(7.0)
    assert theory.esn0_db(0.0, 4) == pytest.approx(6.0206, abs=1e-4)


def test_bad_input_says_what_was_expected():
    with pytest.raises(ValueError, match="fading must be 'awgn', 'rayleigh' or 'rician', not 'weibull'"):
        theory.ber(4, 3.0, "weibull")
    with pytest.raises(ValueError, match="k_factor_db must be given"):
        theory.ber(4, 3.0, "rician")
    with pytest.raises(ValueError, match="diversity must be 1 or more branches, not 0"):
        theory.ser(4, 3.0, diversity=0)
    with pytest.raises(ValueError, match="order must be 2, 4"):
        theory.ber(32, 3.0)
