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


@given(cuts=st.lists(st.integers(0, 900), max_size=6), seed=st.integers(0, 2**64 - 1), first=st.integers(0, 2**61))
def test_noise_by_counter_knows_no_cuts(cuts, seed, first):
    whole = noise.complex_normal_fast(seed, first, 900, 0.3)
    edges = [0, *sorted(cuts), 900]
    pieces = [noise.complex_normal_fast(seed, first + a, b - a, 0.3) for a, b in pairwise(edges)]
    np.testing.assert_array_equal(np.concatenate(pieces), whole)


@pytest.mark.parametrize(("seed", "first"), [(0, 0), (7, 123_456_789), (2**64 - 1, 2**61)])
def test_noise_by_counter_equals_the_plain_one(seed, first):
    fast, plain = noise.complex_normal_fast(seed, first, 200_000, 2.0), noise.complex_normal_plain(seed, first, 200_000)
    # u comes rounded to 24 bits, so r^2 = -2 ln u is off by 2^-23 at most, and everything after by some roundings
    size = np.abs(plain)
    assert (np.abs(fast - plain) * size <= 2**-23 * (1 + 16 * size**2)).all()


def test_noise_by_counter_is_circular_gaussian():
    n, n0 = 400_000, 0.25
    w = noise.complex_normal_fast(42, 0, n, n0)
    sigma = np.sqrt(n0 / 2)
    for part in (w.real, w.imag, ((w.real + w.imag) / np.sqrt(2))):
        assert stats.kstest(part / sigma, "norm").pvalue > 1e-3
    assert stats.kstest(np.angle(w) / (2 * np.pi) + 0.5, "uniform").pvalue > 1e-3
    low, high = stats.chi2.interval(0.999, 2 * n)
    assert low < 2 * np.sum(np.abs(w.astype(complex)) ** 2) / n0 < high
    for lag in range(1, 6):  # neighbours, and one seed against the next
        other = noise.complex_normal_fast(42 + lag, 0, n, n0)
        assert abs(np.mean(w[lag:] * np.conj(w[:-lag]))) < 4.5 * n0 / np.sqrt(n)
        assert abs(np.mean(w * np.conj(other))) < 4.5 * n0 / np.sqrt(n)


@given(cuts=st.lists(st.integers(0, 500), max_size=6), seed=st.integers(0, 1000))
def test_a_stream_of_noise_knows_no_cuts(cuts, seed):
    x = np.arange(500) * (1 - 1j)
    whole = noise.AwgnStream(np.random.default_rng(seed)).add(x, 0.3)
    stream = noise.AwgnStream(np.random.default_rng(seed))
    edges = [0, *sorted(cuts), 500]
    np.testing.assert_array_equal(np.concatenate([stream.add(x[a:b], 0.3) for a, b in pairwise(edges)]), whole)


def test_moments_over_many_streams():
    """Skewness 0, kurtosis 3 of parts, E|w|^4 = 2 n0^2, E w^2 = 0; streams of different seeds are independent."""
    streams = [noise.AwgnStream(np.random.default_rng(seed)) for seed in range(40)]
    w = np.stack([s.add(np.zeros(20_000), 2.0) for s in streams]).astype(complex)
    n = w.size
    parts = np.concatenate([w.real.ravel(), w.imag.ravel()])
    assert abs(np.mean(parts)) < 4 / np.sqrt(2 * n)
    assert abs(stats.skew(parts)) < 4 * np.sqrt(6 / (2 * n))
    assert abs(stats.kurtosis(parts)) < 4 * np.sqrt(24 / (2 * n))
    assert abs(np.mean(np.abs(w) ** 4) - 8) < 4 * np.sqrt((24 * 16 - 64) / n)
    assert abs(np.mean(w**2)) < 4 * np.sqrt(8 / n)
    cross = np.abs(w @ w.conj().T / w.shape[1])[np.triu_indices(40, 1)]  # Rayleigh of power 4 / 20000
    assert stats.kstest(cross, stats.rayleigh(scale=np.sqrt(2 / 20_000)).cdf).pvalue > 1e-3


def test_tails_of_noise_by_counter():
    """Exactly: a part exceeds t when the angle falls where r cos is above t, over all 2^32 radii r. And by count."""
    u = (np.arange(1 << 21) + 0.5) / 2**32  # radii beyond 3.9 sigma
    r = np.sqrt(-2 * np.log(u))
    for t in (4.5, 5.0, 5.5, 5.8):
        share = np.sum(np.arccos(np.minimum(t / r, 1))) / np.pi / 2**32
        assert share == pytest.approx(stats.norm.sf(t), rel=0.01)
    parts = noise.complex_normal_fast(3, 0, 1 << 21, 2.0).view(np.float32)
    for t in (3.0, 4.0, 4.5):
        low, high = stats.binom.interval(0.9999, parts.size, 2 * stats.norm.sf(t))
        assert low <= np.count_nonzero(np.abs(parts) > t) <= high


def test_noise_by_counter_is_added_and_refuses():
    x = np.full((3, 50), 1 - 2j, np.complex64)
    y = noise.add_awgn_fast(x, 0.1, 5, 10)
    np.testing.assert_allclose((y - x).ravel(), noise.complex_normal_fast(5, 10, 150, 0.1), atol=1e-6)
    np.testing.assert_array_equal(noise.add_awgn_fast(x, 0.0, 5), x)
    with pytest.raises(ValueError, match="n0 must be 0 or more, not -1"):
        noise.add_awgn_fast(x, -1.0, 5)
    with pytest.raises(ValueError, match=r"seed must be within 0 ... 2\^64-1 .* not -3 and 0"):
        noise.add_awgn_fast(x, 1.0, -3)
