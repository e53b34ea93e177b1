"""Statistics of what the channels put out, with intervals from the spread over independent realisations."""

import numpy as np
import pytest
from scipy import special, stats

from semwave.modulation import fading

DOPPLER_HZ, A_CYCLE, CYCLES, RUNS = 100.0, 64, 60, 80
RATE = DOPPLER_HZ * A_CYCLE


def gains(name, runs=RUNS, **parameters):
    ones = np.ones(CYCLES * A_CYCLE, np.complex64)
    return np.array(
        [
            fading.create(
                name, sample_rate=RATE, rng=np.random.default_rng([3, seed]), doppler_hz=DOPPLER_HZ, **parameters
            ).process(ones)
            for seed in range(runs)
        ]
    )


@pytest.fixture(scope="module")
def rayleigh():
    return gains("rayleigh")


def agrees(samples, theory):
    """Theory within the 99.9 % interval of the mean over realisations (Student's t)."""
    low, high = stats.t.interval(0.999, samples.size - 1, samples.mean(), stats.sem(samples))
    return low < theory < high


@pytest.mark.parametrize("lag", [0.1, 0.25, 0.5, 1.0, 2.0])
def test_autocorrelation_is_the_bessel_function(rayleigh, lag):
    shift = round(lag * A_CYCLE)
    product = (rayleigh[:, shift:] * np.conj(rayleigh[:, :-shift])).mean(axis=1)
    assert agrees(product.real, special.j0(2 * np.pi * shift / A_CYCLE))
    assert agrees(product.imag, 0.0)


@pytest.mark.parametrize("level_db", [-6.0, 0.0, 3.0])
def test_level_crossing_rate_and_fade_duration(rayleigh, level_db):
    rho = 10 ** (level_db / 20)
    below = np.abs(rayleigh) < rho
    rate = (below[:, :-1] & ~below[:, 1:]).sum(axis=1) / (CYCLES / DOPPLER_HZ)
    expected = np.sqrt(2 * np.pi) * DOPPLER_HZ * rho * np.exp(-(rho**2))
    assert agrees(rate, expected)
    # rate * duration is the share of time below
    duration = (np.exp(rho**2) - 1) / (rho * DOPPLER_HZ * np.sqrt(2 * np.pi))
    assert agrees(below.mean(axis=1), expected * duration)


def test_envelope_is_rayleigh_and_phase_uniform():
    start = gains("rayleigh", runs=600)[:, 0]
    assert stats.kstest(np.abs(start), stats.rayleigh(scale=np.sqrt(0.5)).cdf).pvalue > 1e-3
    assert stats.kstest(np.angle(start), stats.uniform(-np.pi, 2 * np.pi).cdf).pvalue > 1e-3


def test_still_channel_is_exactly_gaussian():
    start = np.array(
        [
            fading.create("rayleigh", sample_rate=1.0, rng=np.random.default_rng([4, i])).gains_at(0)[0]
            for i in range(600)
        ]
    )
    assert stats.kstest(np.abs(start) ** 2, "expon").pvalue > 1e-3


@pytest.mark.parametrize("k_factor_db", [0.0, 9.0])
def test_k_factor(k_factor_db):
    angle = 0.8
    received = gains("rician", k_factor_db=k_factor_db, los_angle_rad=angle)
    n = np.arange(received.shape[1])
    still = (received * np.exp(-2j * np.pi * DOPPLER_HZ * np.cos(angle) * n / RATE)).mean(axis=1)
    ratio = 10 ** (k_factor_db / 10)
    assert agrees(np.abs(still) ** 2, ratio / (1 + ratio))
    assert agrees((np.abs(received) ** 2).mean(axis=1), 1.0)


def test_block_fading_is_independent_from_block_to_block():
    channel = fading.BlockFading(sample_rate=1.0, rng=np.random.default_rng(5), block_len=10)
    got = channel.process(np.ones(40_000, np.complex64)).reshape(-1, 10)
    np.testing.assert_array_equal(got, got[:, :1] * np.ones(10))
    assert stats.kstest(np.abs(got[:, 0]) ** 2, "expon").pvalue > 1e-3
    product = got[1:, 0] * np.conj(got[:-1, 0])
    assert agrees(product.real, 0.0)


def test_shadowing_level_and_decorrelation():
    sigma_db, samples_a_decorrelation = 6.0, 128
    rows = []
    for seed in range(150):
        shadow = fading.Shadowing(
            sample_rate=1.0, rng=np.random.default_rng([6, seed]), sigma_db=sigma_db,
            decorrelation_s=samples_a_decorrelation, unit_power=False,
        )  # fmt: skip
        rows.append(20 * np.log10(np.abs(shadow.process(np.ones(1000, np.complex64)))))
    level = np.array(rows)
    assert agrees(level[:, 0], 0.0)
    assert agrees(level[:, 0] ** 2, sigma_db**2)
    lag = samples_a_decorrelation
    assert agrees((level[:, lag:] * level[:, :-lag]).mean(axis=1), sigma_db**2 / np.e)


def test_shadowing_with_unit_power():
    power = [
        np.abs(fading.Shadowing(sample_rate=1.0, rng=np.random.default_rng([7, i]), sigma_db=4.0).gains_at(0)) ** 2
        for i in range(1500)
    ]
    assert agrees(np.array(power), 1.0)
