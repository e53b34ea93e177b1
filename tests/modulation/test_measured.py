"""Measured channels against the textbook: transfer functions in, the same transfer functions out."""

import numpy as np
import pytest

from semwave.modulation.measured import ImpulseResponses, MeasuredFading, from_csi, from_passband

CARRIERS = np.array([k for k in range(-26, 27) if k])
SPACING = 312.5e3


def csi(delays_s, gains, snapshots=1):
    turn = np.exp(-2j * np.pi * np.outer(CARRIERS * SPACING, delays_s))
    return np.repeat((turn @ np.asarray(gains))[None], snapshots, axis=0)


def transfer(responses, hertz):
    lags = np.arange(responses.taps.shape[1]) - responses.delay
    return responses.taps @ np.exp(-2j * np.pi * np.outer(lags / responses.sample_rate, hertz))


def test_a_csi_measurement_keeps_its_transfer_function():
    h = csi([0, 50e-9, 150e-9], [1, 0.6j, -0.3])
    found = from_csi(h, CARRIERS, SPACING, np.zeros(1), 20e6, align=False)
    inner = np.abs(CARRIERS) <= 20
    expected = h[0] / np.sqrt(np.mean(np.abs(h) ** 2))
    error = transfer(found, CARRIERS * SPACING)[0] - expected
    assert np.sqrt(np.mean(np.abs(error[inner]) ** 2)) < 0.1  # the window cuts the edges of the band


def test_power_is_one_over_the_measured_band():
    rng = np.random.default_rng(1)
    h = rng.normal(size=(40, 3)) + 1j * rng.normal(size=(40, 3))
    h = h @ np.exp(-2j * np.pi * np.outer([0, 1, 3], CARRIERS) / 64)
    for rate in (20e6, 10e6, 3.84e6):
        found = from_csi(h, CARRIERS, SPACING, np.arange(40.0), rate)
        power = np.mean(np.sum(np.abs(found.taps) ** 2, axis=1))
        assert power == pytest.approx(found.bandwidth_hz / rate, rel=1e-5)
    each = from_csi(h, CARRIERS, SPACING, np.arange(40.0), 20e6, normalise="each")
    powers = np.sum(np.abs(each.taps) ** 2, axis=1)
    assert np.allclose(powers, powers[0], rtol=1e-5)


def test_alignment_takes_random_phases_and_delays_off():
    rng = np.random.default_rng(2)
    h = csi([0, 100e-9], [1, 0.5], snapshots=8)
    turns = np.exp(2j * np.pi * rng.random((8, 1)) - 2j * np.pi * rng.uniform(-2, 2, (8, 1)) * CARRIERS / 64)
    found = from_csi(h * turns, CARRIERS, SPACING, np.arange(8.0), 20e6)
    assert np.allclose(found.taps, found.taps[0], atol=0.05)


def test_a_passband_response_comes_to_base_band():
    rate, centre, n = 5e6, 1.2e6, np.arange(400)
    h = np.exp(-(((n - 100) / 30) ** 2)) * np.cos(2 * np.pi * centre / rate * n + 0.7)
    found = from_passband(h[None], rate, centre, np.zeros(1), 1e6)
    hertz = np.linspace(-30e3, 30e3, 7)
    expected = np.exp(-2j * np.pi * np.outer(hertz + centre, n / rate)) @ h
    got = transfer(found, hertz)[0]
    assert np.allclose(np.abs(got) / np.abs(got[3]), np.abs(expected) / np.abs(expected[3]), atol=0.03)
    assert np.sum(np.abs(found.taps) ** 2) == pytest.approx(1)


def test_fading_is_the_sum_it_says_and_does_not_depend_on_cuts():
    rng = np.random.default_rng(3)
    taps = (rng.normal(size=(3, 4)) + 1j * rng.normal(size=(3, 4))).astype(np.complex64)
    responses = ImpulseResponses(taps, np.array([0.0, 1e-3, 3e-3]), 1e5, 1e5)
    x = (rng.normal(size=900) + 1j * rng.normal(size=900)).astype(np.complex64)
    whole = MeasuredFading(responses, offset_s=2e-4).process(x)
    fading = MeasuredFading(responses, offset_s=2e-4)
    cuts = np.split(x, [1, 64, 65, 300])
    assert np.array_equal(np.concatenate([fading.process(part) for part in cuts]), whole)
    edges = fading.taps_at(np.arange(0, 900 + 64, 64))
    for n in (0, 5, 200, 700):
        w = (n % 64) / 64
        h = (1 - w) * edges[n // 64] + w * edges[n // 64 + 1]
        past = np.array([x[n - k] if n >= k else 0 for k in range(4)])
        assert whole[n] == pytest.approx(h @ past, rel=1e-4, abs=1e-4)


def test_it_goes_there_and_back():
    taps = np.arange(3, dtype=np.complex64)[:, None]
    fading = MeasuredFading(ImpulseResponses(taps, np.array([0.0, 1.0, 2.0]), 1.0, 1.0))
    assert fading.taps_at(np.arange(9))[:, 0].real.tolist() == [0, 1, 2, 1, 0, 1, 2, 1, 0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"normalise": "all"}, "normalise must be"),
        ({"sample_rate": 0.0}, "sample_rate must be above 0"),
        ({"times_s": np.zeros(3)}, "csi must be"),
        ({"sample_rate": 1e5}, "fewer than 2 carriers"),
        ({"csi": np.zeros((1, 52))}, "not all zero"),
    ],
)
def test_says_what_is_wrong(change, message):
    given = {"csi": csi([0], [1]), "carriers": CARRIERS, "spacing_hz": SPACING, "times_s": np.zeros(1)}
    with pytest.raises(ValueError, match=message):
        from_csi(**{**given, "sample_rate": 20e6, **change})
