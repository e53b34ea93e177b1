"""Alamouti and multiplexing against closed forms and against detection written out, one vector at a time."""

from math import comb

import numpy as np
import pytest
from scipy.stats import binom

from semwave.modulation import noise
from semwave.modulation.mimo import alamouti_decode, alamouti_encode, correlation, detect

SEED = 21


def gaussian(rng, *shape):
    return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)) / np.sqrt(2)


def rayleigh_bpsk(snr, branches):
    """Proakis, Digital Communications, eq. 13.4-15: BPSK, maximum ratio combining, mean SNR ``snr`` a branch."""
    mu = np.sqrt(snr / (1 + snr))
    terms = [comb(branches - 1 + k, k) * ((1 + mu) / 2) ** k for k in range(branches)]
    return ((1 - mu) / 2) ** branches * sum(terms)


def is_a_sample_of(errors, trials, rate):
    """Two-sided binomial test at 99.9 %."""
    return binom.ppf(0.0005, trials, rate) <= errors <= binom.ppf(0.9995, trials, rate)


@pytest.mark.parametrize("rx", [1, 2])
@pytest.mark.parametrize("snr_db", [4.0, 10.0])
def test_alamouti_has_the_diversity_of_the_closed_form(rx, snr_db):
    """2 x rx: 2 rx branches at half the SNR each (Alamouti 1998, section III)."""
    rng, n, n0 = np.random.default_rng(SEED), 400_000, 10 ** (-snr_db / 10)
    bits = rng.integers(0, 2, n)
    sent = alamouti_encode(1.0 - 2 * bits)
    h = np.repeat(gaussian(rng, n // 2, rx, 2), 2, axis=0)  # the same for both uses of a pair
    received = np.einsum("nrt,tn->nr", h, sent) + gaussian(rng, n, rx) * np.sqrt(n0)
    symbols, variance = alamouti_decode(received, h, n0)
    errors = int(np.sum((symbols.real < 0) != bits))
    # the two bits of a pair fade together: a fair test counts one of them
    one = int(np.sum(((symbols.real < 0) != bits)[::2]))
    assert is_a_sample_of(one, n // 2, rayleigh_bpsk(10 ** (snr_db / 10) / 2, 2 * rx))
    assert abs(errors - 2 * one) < 6 * np.sqrt(errors)
    np.testing.assert_allclose(variance, np.repeat(2 * n0 / np.sum(np.abs(h[::2]) ** 2, axis=(1, 2)), 2), rtol=1e-4)


def test_zero_forcing_has_the_closed_form():
    """rx - tx + 1 = 1 branch at half the SNR (Winters, Salz, Gitlin, IEEE Trans. Commun. 42(2-4), 1994)."""
    rng, n, snr = np.random.default_rng(SEED), 300_000, 10.0
    bits, h = rng.integers(0, 2, (n, 2)), gaussian(rng, n, 2, 2) * np.sqrt(0.5)
    y = np.einsum("nrt,nt->nr", h, 1.0 - 2 * bits) + gaussian(rng, n, 2) / np.sqrt(snr)
    symbols, _ = detect(y, h, 1 / snr, "zf")
    errors = int(np.sum((symbols.real < 0)[:, 0] != bits[:, 0]))
    assert is_a_sample_of(errors, n, rayleigh_bpsk(snr / 2, 1))


def test_mmse_errs_as_an_independent_simulation_does():
    """Own draws, the textbook's filter for each vector: both error counts come from one rate."""
    snr, counts = 10.0, []
    rng = np.random.default_rng(SEED)
    n = 20_000
    for ours in (True, False):
        bits, h = rng.integers(0, 2, (n, 2)), gaussian(rng, n, 2, 2) * np.sqrt(0.5)
        y = np.einsum("nrt,nt->nr", h, 1.0 - 2 * bits) + gaussian(rng, n, 2) / np.sqrt(snr)
        if ours:
            found = detect(y, h, 1 / snr)[0]
        else:
            found = np.array(
                [np.linalg.inv(a.conj().T @ a + np.eye(2) / snr) @ a.conj().T @ b for a, b in zip(h, y, strict=True)]
            )
        counts.append(int(np.sum((found.real < 0)[:, 0] != bits[:, 0])))
    total = sum(counts)
    assert binom.ppf(0.0005, total, 0.5) <= counts[0] <= binom.ppf(0.9995, total, 0.5)
    zf = rayleigh_bpsk(snr / 2, 1) * n
    assert counts[0] < 0.7 * zf, "MMSE is well ahead of zero forcing here"


@pytest.mark.parametrize(
    ("method", "rx", "tx"),
    [("mmse", 1, 2), *((m, *size) for m in ("mmse", "zf") for size in ((2, 2), (3, 2), (4, 3), (2, 1)))],
)
def test_detection_is_the_formula(method, rx, tx):
    rng = np.random.default_rng(SEED)
    h, y, n0 = gaussian(rng, 50, rx, tx), gaussian(rng, 50, rx), rng.uniform(0.05, 1, (50, rx))
    got, variance = detect(y, h, n0, method)
    for i in range(50):
        white = np.diag(1 / np.sqrt(n0[i])) @ h[i]
        target = np.diag(1 / np.sqrt(n0[i])) @ y[i]
        if method == "zf":
            want, left = np.linalg.pinv(white) @ target, np.linalg.inv(white.conj().T @ white).diagonal().real
        else:
            w = np.linalg.inv(white.conj().T @ white + np.eye(tx)) @ white.conj().T
            gain = (w @ white).diagonal().real
            want = (w @ target) / gain
            cross = np.abs(w @ white) ** 2
            left = (cross.sum(axis=1) - gain**2 + np.sum(np.abs(w) ** 2, axis=1)) / gain**2
        np.testing.assert_allclose(got[i], want, rtol=2e-3, atol=2e-4)
        np.testing.assert_allclose(variance[i], left, rtol=2e-3)


def test_said_variance_is_the_error():
    rng, n = np.random.default_rng(SEED), 100_000
    h = gaussian(rng, 2, 2)
    x = np.exp(0.5j * np.pi * rng.integers(0, 4, (n, 2)))
    y = x @ h.T + gaussian(rng, n, 2) * np.sqrt(0.2)
    found, variance = detect(y, np.broadcast_to(h, (n, 2, 2)), 0.2)
    error = np.abs(found - x) ** 2
    band = 4 * error.std(axis=0) / np.sqrt(n)
    assert np.all(np.abs(error.mean(axis=0) - variance[0]) < band)


def test_alamouti_with_a_channel_that_moves_within_the_pair():
    rng = np.random.default_rng(SEED)
    s, h = np.exp(0.5j * np.pi * rng.integers(0, 4, 200)), gaussian(rng, 200, 2, 2)
    received = np.einsum("nrt,tn->nr", h, alamouti_encode(s)).astype(np.complex64)
    for method in ("mmse", "zf"):
        found, _ = alamouti_decode(noise.add_awgn(received, 1e-9, rng), h, 1e-9, method)
        np.testing.assert_allclose(found, s, atol=0.02)


def test_noise_of_each_use_counts():
    rng = np.random.default_rng(SEED)
    h = np.repeat(gaussian(rng, 3, 2, 2), 2, axis=0)
    y = gaussian(rng, 6, 2)
    same = alamouti_decode(y, h, np.full(6, 0.3))
    for one, other in zip(same, alamouti_decode(y, h, 0.3), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)
    worse = alamouti_decode(y, h, np.array([0.3, 3] * 3))[1]
    assert np.all(worse > same[1])


def test_correlation_matrix():
    np.testing.assert_allclose(correlation(3, 0.5), [[1, 0.5, 0.25], [0.5, 1, 0.5], [0.25, 0.5, 1]])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: alamouti_encode(np.ones(3)), r"symbols must come in pairs on the last axis, not shape \[3\]"),
        (lambda: alamouti_decode(np.ones((3, 1)), np.ones((3, 1, 2)), 1.0), "received must be .* even n"),
        (lambda: detect(np.ones((4, 2)), np.ones((4, 2, 2)), 1.0, "ml"), "method must be 'mmse' or 'zf', not 'ml'"),
        (lambda: detect(np.ones((4, 3)), np.ones((4, 2, 2)), 1.0), r"received must be \[\.\.\., rx\]"),
        (lambda: detect(np.ones((4, 1)), np.ones((4, 1, 2)), 1.0, "zf"), "as many receive antennas as streams"),
        (lambda: detect(np.ones((4, 2)), np.ones((4, 2, 2)), 0.0), "n0 must be above 0 everywhere"),
        (lambda: correlation(2, 1.0), "rho 0 to below 1, not 2 and 1.0"),
    ],
)
def test_messages(call, message):
    with pytest.raises(ValueError, match=message):
        call()
