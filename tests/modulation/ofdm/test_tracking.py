import numpy as np
import pytest

from semwave.modulation.ofdm import OfdmParams, tracking
from semwave.modulation.ofdm.estimate import Pilots

PARAMS = OfdmParams()


def pilots_of(h, noise_variance, rng):
    """Pilots' view of a channel [symbols, active]."""
    noise = rng.standard_normal((2, *h.shape)) * np.sqrt(noise_variance / 2)
    y = h + noise[0] + 1j * noise[1]
    found = []
    for phase, mask in enumerate(PARAMS.pilot_masks):
        at, on = np.arange(phase, h.shape[0], PARAMS.pilot_period), np.flatnonzero(mask)
        found.append(Pilots(at, on, y[np.ix_(at, on)]))
    return found


def flat(symbols, turn=0.0, drift=0.0):
    slope = -2 * np.pi / 256 * drift * np.outer(np.arange(symbols), PARAMS.carriers)
    return np.exp(1j * (turn * np.arange(1, symbols + 1)[:, None] + slope))


@pytest.mark.parametrize("turn", [-0.05, 0.0, 0.01])
def test_residual_turn(turn):
    rng = np.random.default_rng(1)
    errors = [
        tracking.residual_turn(pilots_of(flat(20, turn), 0.1, rng), np.ones(180, np.complex64), 0.1) - turn
        for _ in range(40)
    ]
    # known start, pilots of energy e_l at l + 1 symbols: var = n0 / (2 sum e_l (l + 1)^2) with the start exactly known
    bound = np.sqrt(0.1 / (2 * 7.5 * np.sum(np.arange(1, 21) ** 2)))
    assert np.sqrt(np.mean(np.square(errors))) < 1.6 * bound * (1 + 3 / np.sqrt(80))


@pytest.mark.parametrize("ppm", [-100, -20, 20, 100])
def test_sampling_drift(ppm):
    rng = np.random.default_rng(2)
    drift = ppm * 1e-6 * 276
    for symbols in (40, 200):
        found = tracking.sampling_drift(pilots_of(flat(symbols, drift=drift), 0.01, rng), PARAMS, 0.01)
        assert abs(found - drift) * symbols < 0.2  # samples at the end of the burst


def test_no_drift_is_no_drift():
    """Beyond three deviations in one of at most two tests (40 symbols): at most 0.54 %, 5 of 200 is 1e-3 unlikely."""
    rng = np.random.default_rng(3)
    wrong = [tracking.sampling_drift(pilots_of(flat(40), 0.5, rng), PARAMS, 0.5) != 0 for _ in range(200)]
    assert sum(wrong) <= 6


@pytest.mark.parametrize("doppler_hz", [100.0, 300.0])
def test_doppler_of_clarkes_spectrum(doppler_hz):
    rng = np.random.default_rng(4)
    f = doppler_hz * PARAMS.symbol_duration_s
    found = []
    for _ in range(15):
        h = np.zeros((120, 180), complex)
        for delay in range(0, 12, 3):
            shifts = f * np.cos(rng.uniform(0, 2 * np.pi, 24))
            gains = np.exp(2j * np.pi * rng.random(24)) / np.sqrt(24 * 4)
            over_time = np.exp(2j * np.pi * np.outer(np.arange(120), shifts)) @ gains
            h += np.outer(over_time, np.exp(-2j * np.pi * PARAMS.carriers * delay / 256))
        found.append(tracking.doppler(pilots_of(h, 0.05, rng), PARAMS, 0.05))
    assert 0.75 < np.median(found) / f < 1.33


def test_doppler_of_too_little_is_unknown():
    rng = np.random.default_rng(5)
    assert tracking.doppler(pilots_of(flat(5), 0.1, rng), PARAMS, 0.1) is None


def test_common_phase_leaves_a_clean_oscillator_alone_and_follows_a_bad_one():
    rng = np.random.default_rng(6)
    h = np.ones((60, 180), np.complex64)
    touched = [tracking.common_phase(pilots_of(h, 0.2, rng), h, 0.2).any() for _ in range(100)]
    assert sum(touched) <= 3  # beyond three deviations of a mean square
    jitter = 0.15 * rng.standard_normal(60)
    found = tracking.common_phase(pilots_of(h * np.exp(1j * jitter)[:, None], 0.01, rng), h, 0.01)
    assert np.std(found - jitter) < 0.35 * np.std(jitter)
