"""Capacities against direct integration, limits and the information in simulated LLRs."""

import numpy as np
import pytest
from scipy import integrate

from semwave.modulation import capacity, metrics, noise, qam


def binary_input(snr_db):
    """BPSK on AWGN by adaptive integration: 1 - E log2(1 + e^-L), L normal with mean 4 Es/N0 and variance 8 Es/N0."""
    g = 10 ** (snr_db / 10)
    mean, sigma = 4 * g, np.sqrt(8 * g)

    def inside(z):
        return np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) * np.logaddexp(0, -(mean + sigma * z)) / np.log(2)

    return 1 - integrate.quad(inside, -12, 12, limit=200)[0]


@pytest.mark.parametrize("snr_db", [-10.0, -2.8, 0.0, 5.0])
def test_bpsk_and_qpsk_equal_the_integral(snr_db):
    assert capacity.cm(2, snr_db) == pytest.approx(binary_input(snr_db), abs=2e-4)
    # QPSK is two BPSKs with half the energy each
    half = snr_db - 10 * np.log10(2)
    assert capacity.cm(4, snr_db) == pytest.approx(2 * binary_input(half), abs=1e-5)
    assert capacity.bicm(4, snr_db) == pytest.approx(2 * binary_input(half), abs=1e-5)


@pytest.mark.parametrize("order", [8, 16, 64, 256])
def test_order_of_the_capacities(order):
    snr_db = np.array([-5.0, 0, 5, 10, 15, 20, 60])
    cm, bicm = capacity.cm(order, snr_db), capacity.bicm(order, snr_db)
    assert np.all(bicm <= cm + 1e-4)
    assert np.all(cm <= capacity.shannon(snr_db) + 1e-6)
    assert cm[-1] == pytest.approx(qam.bits_per_symbol(order), abs=1e-6)
    assert np.all(np.diff(cm) >= -1e-6)


def test_per_axis_equals_two_dimensional():
    rotated = qam.constellation(16) * np.exp(0.25j)
    for function in (capacity.cm, capacity.bicm):
        np.testing.assert_allclose(function(rotated, [0.0, 8.0]), function(16, [0.0, 8.0]), atol=3e-3)


@pytest.mark.parametrize("order, snr_db", [(4, 2.0), (8, 7.0), (16, 8.0), (64, 14.0), (256, 18.0)])
def test_llrs_of_the_exact_demapper_carry_the_bicm_capacity(order, snr_db):
    rng = np.random.default_rng(order)
    n, k, n0 = 40_000, qam.bits_per_symbol(order), noise.n0_from_snr_db(snr_db)
    bits = rng.integers(0, 2, n * k).astype(np.uint8)
    llr = qam.demap_llr(noise.add_awgn(qam.map_bits(bits, order), n0, rng), order, n0, "exact")
    lost = np.logaddexp(0, np.where(bits == 1, -llr, llr)).reshape(n, k).sum(axis=1) / np.log(2)
    error = lost.std() / np.sqrt(n)
    assert abs(metrics.gmi(llr, bits, k) - capacity.bicm(order, snr_db)) < 3.5 * error + 1e-3


def test_rayleigh_capacity_is_the_average_of_shannon():
    for snr_db in (-27.5, -26.5, 0.0, 10.0, 30.0):
        mean = 10 ** (snr_db / 10)
        expected, _ = integrate.quad(lambda x, m=mean: np.log2(1 + m * x) * np.exp(-x), 0, 60, limit=200)
        assert capacity.shannon_rayleigh(snr_db) == pytest.approx(expected, rel=1e-5)
    assert capacity.shannon(0.0) == 1.0
