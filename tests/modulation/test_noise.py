"""Gaussian noise: the right power, whatever the cuts."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from semwave.modulation import noise


@given(cuts=st.lists(st.integers(0, 100), max_size=8), n0=st.floats(0, 10))
def test_any_cut_draws_the_same_numbers(cuts, n0):
    whole = noise.complex_normal(np.random.default_rng(7), 100, n0)
    rng = np.random.default_rng(7)
    edges = [0, *sorted(cuts), 100]
    pieces = [noise.complex_normal(rng, b - a, n0) for a, b in pairwise(edges)]
    np.testing.assert_array_equal(np.concatenate(pieces), whole)
    assert whole.dtype == np.complex64


def test_distribution_is_circular_gaussian():
    w = noise.complex_normal(np.random.default_rng(1), 20000, 0.25)
    for part in (w.real, w.imag):
        assert stats.kstest(part / np.sqrt(0.125), "norm").pvalue > 1e-3
    # 2|w|^2/n0 sums to chi-squared with 2n degrees of freedom; real and imaginary part are uncorrelated
    low, high = stats.chi2.interval(0.999, 2 * w.size)
    assert low < 2 * np.sum(np.abs(w) ** 2) / 0.25 < high
    assert abs(np.mean(w.real * w.imag)) < 4 * 0.125 / np.sqrt(w.size)


def test_noise_variance_per_symbol_and_shape():
    n0 = np.array([[0.0, 1.0, 4.0]])
    w = noise.complex_normal(np.random.default_rng(1), (5000, 3), n0)
    assert not w[:, 0].any()
    assert np.mean(np.abs(w[:, 2]) ** 2) / np.mean(np.abs(w[:, 1]) ** 2) == pytest.approx(4, rel=0.1)


def test_add_awgn_leaves_its_input_alone():
    x = np.ones(50, np.complex64)
    y = noise.add_awgn(x, 0.1, np.random.default_rng(3))
    np.testing.assert_array_equal(x, 1)
    np.testing.assert_allclose(y - x, noise.complex_normal(np.random.default_rng(3), 50, 0.1), atol=1e-6)


def test_snr_to_noise_variance():
    assert noise.n0_from_snr_db(10.0) == pytest.approx(0.1)
    assert noise.n0_from_snr_db(3.0, 2.0) == pytest.approx(2 * 10**-0.3)


def test_negative_variance_is_refused():
    with pytest.raises(ValueError, match=r"n0 must be 0 or more everywhere, its least value is -1"):
        noise.complex_normal(np.random.default_rng(0), 3, -1.0)
