"""Where an interferer is on the air, and how strong it is in a band."""

import numpy as np
import pytest

from semwave.modulation.interference import active_samples, band_power

RATE = 1e6


def noise(n, seed=0):
    rng = np.random.default_rng(seed)
    return ((rng.normal(size=n) + 1j * rng.normal(size=n)) / np.sqrt(2)).astype(np.complex64)


def test_finds_the_bursts():
    x = 0.01 * noise(20_000)
    x[3000:7000] += noise(4000, 1)
    x[12_000:13_000] += noise(1000, 2)
    active = active_samples(x)
    assert active[3100:6900].all()
    assert active[12_100:12_900].all()
    assert not active[7100:11_900].any()
    assert not active[:2900].any()


def test_a_signal_that_never_pauses_is_all_active():
    assert active_samples(noise(5000)).all()
    assert active_samples(noise(20)).all()


def test_power_in_a_band_of_white_noise_is_its_share():
    x, everything = noise(60_000), np.ones(60_000, bool)
    assert band_power(x, everything, RATE, -RATE, RATE) == pytest.approx(np.mean(np.abs(x) ** 2))
    # mean of 60 000 exponential values: standard deviation 0.4 % of it, in an eighth of the band 1.2 %
    assert band_power(x, everything, RATE, -62_500, 62_500) == pytest.approx(1 / 8, rel=0.05)


def test_power_counts_active_samples_only():
    tone = np.exp(2j * np.pi * 0.1 * np.arange(40_000)).astype(np.complex64)
    tone[10_000:] = 0
    active = np.abs(tone) > 0
    assert band_power(tone, active, RATE, 50e3, 150e3) == pytest.approx(1, rel=0.02)
    assert band_power(tone, active, RATE, -150e3, -50e3) < 1e-3


def test_says_what_is_wrong():
    with pytest.raises(ValueError, match="the band must lie within"):
        band_power(noise(100), np.ones(100, bool), RATE, 6e5, 7e5)
    with pytest.raises(ValueError, match="nothing of the recording is active"):
        band_power(noise(100), np.zeros(100, bool), RATE, -1e5, 1e5)
