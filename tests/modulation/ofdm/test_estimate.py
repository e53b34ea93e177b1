from dataclasses import replace

import numpy as np
import pytest

from semwave.modulation.ofdm import OfdmParams, estimate_reference
from semwave.modulation.ofdm.acquire import power_profile
from semwave.modulation.ofdm.basis import slepian
from semwave.modulation.ofdm.estimate import ChannelEstimator, Pilots, Prior


@pytest.mark.parametrize(("n", "bandwidth"), [(181, 20 / 256), (34, 0.03), (64, 0.5)])
def test_slepian_is_scipys(n, bandwidth):
    from scipy.signal.windows import dpss

    ours, variances = slepian(n, bandwidth)
    half_nw = n * bandwidth / 2
    theirs, ratios = dpss(n, half_nw, Kmax=ours.shape[1], return_ratios=True)
    np.testing.assert_allclose(np.abs(np.sum(ours.T * theirs, axis=1)), 1, atol=1e-6)
    np.testing.assert_allclose(variances, ratios / bandwidth, rtol=1e-5, atol=1e-6 / bandwidth)


def test_slepian_spans_every_path_in_the_window():
    basis, variances = slepian(181, 20 / 256)
    k = np.arange(181) - 90
    for delay in (-10, -3.3, 0, 7.7, 10):
        path = np.exp(-2j * np.pi * k * delay / 256)
        rest = path - basis @ (basis.T @ path)
        assert 10 * np.log10(np.vdot(rest, rest).real / 181) < -45
    np.testing.assert_allclose(variances.sum(), 181, rtol=1e-3)  # of a process of unit variance


def channel_and_pilots(rng, params, symbols, noise_variance, doppler, delays):
    """A channel drawn from the prior itself (flat Doppler and delay profile), seen through the pilots."""
    count = 200
    tau, f = rng.uniform(*delays, count), rng.uniform(-doppler, doppler, count)
    gains = (rng.standard_normal(count) + 1j * rng.standard_normal(count)) / np.sqrt(2 * count)
    times = np.arange(-2, symbols)
    over_time = np.exp(2j * np.pi * np.outer(times, f)) * gains
    h = over_time @ np.exp(-2j * np.pi * np.outer(tau, params.carriers) / params.fft_size)
    noise = rng.standard_normal((2, *h.shape)) * np.sqrt(noise_variance / 2)
    y = h + noise[0] + 1j * noise[1]
    pilots = [Pilots(np.array([-1]), np.arange(params.active), y[1:2])]
    for phase, mask in enumerate(params.pilot_masks):
        at, on = np.arange(phase, symbols, params.pilot_period), np.flatnonzero(mask)
        pilots.append(Pilots(at, on, y[2:][np.ix_(at, on)]))
    return h[2:], pilots


def test_is_the_wiener_filter_written_out():
    """Against the full covariance matrices of the prior: c = sinc(doppler) sinc(delay), h = C_hp (C_pp + n0)^-1 z."""
    params = OfdmParams(fft_size=64, cp_len=8, active=40, pilot_spacing_f=4, pilot_spacing_t=2)
    rng = np.random.default_rng(3)
    doppler, delays, noise_variance, symbols = 0.02, (0.0, 8.0), 0.05, 10
    _, pilots = channel_and_pilots(rng, params, symbols, noise_variance, doppler, delays)
    prior = Prior(1.0, noise_variance, *delays, doppler)
    got = ChannelEstimator(params).estimate(pilots, 0, symbols, prior)

    places = np.concatenate(
        [np.stack(np.meshgrid(x.times, x.carriers, indexing="ij"), -1).reshape(-1, 2) for x in pilots]
    )
    z = np.concatenate([x.values.reshape(-1) for x in pilots])
    wanted = np.stack(np.meshgrid(np.arange(symbols), np.arange(40), indexing="ij"), -1).reshape(-1, 2)

    def covariance(a, b):
        dt = a[:, None, 0] - b[None, :, 0]
        dk = params.carriers[a[:, None, 1]] - params.carriers[b[None, :, 1]]
        return np.sinc(2 * doppler * dt) * np.sinc(dk * 8 / 64) * np.exp(-2j * np.pi * dk * 4 / 64)

    gain = np.linalg.solve(covariance(places, places) + noise_variance * np.eye(len(z)), covariance(places, wanted))
    expected = (gain.conj().T @ z).reshape(symbols, 40)
    assert np.mean(np.abs(got.channel - expected) ** 2) < 1e-3 * noise_variance
    error = 1 - np.sum(gain.conj() * covariance(places, wanted), axis=0).real.reshape(symbols, 40)
    np.testing.assert_allclose(got.error.mean(axis=1), error.mean(axis=1), rtol=0.03)
    np.testing.assert_allclose(got.error.mean(axis=0), error.mean(axis=0), rtol=0.1)


def test_error_and_noise_are_what_they_are_said_to_be():
    params = OfdmParams()
    rng = np.random.default_rng(4)
    prior = Prior(1.0, 0.3, 0.0, 20.0, 0.01)
    estimator, said, errors, noise = ChannelEstimator(params), [], [], []
    for _ in range(60):
        h, pilots = channel_and_pilots(rng, params, 24, 0.3, 0.01, (0.0, 20.0))
        got = estimator.estimate(pilots, 0, 24, prior)
        errors.append(np.mean(np.abs(got.channel - h) ** 2))
        said.append(got.error.mean())
        noise.append(got.residual)
    band = 4 * np.std(errors) / np.sqrt(60)
    assert abs(np.mean(errors) - np.mean(said)) < band
    assert abs(np.mean(noise) - 0.3) < 4 * np.std(noise) / np.sqrt(60)


def test_without_error_the_channel_is_the_same():
    params = OfdmParams()
    _, pilots = channel_and_pilots(np.random.default_rng(5), params, 12, 0.1, 0.01, (0.0, 20.0))
    prior = Prior(1.0, 0.1, 0.0, 20.0, 0.01)
    estimator = ChannelEstimator(params)
    full = estimator.estimate(pilots, 0, 12, prior)
    quick = estimator.estimate(pilots, 0, 12, prior, with_error=False)
    np.testing.assert_array_equal(full.channel, quick.channel)
    assert not quick.error.any()


@pytest.mark.parametrize("fft_size", [64, 256])
def test_a_profile_helps_and_the_error_stays_what_it_is_said_to_be(fft_size):
    """Two paths of a window of cp_len, at all SNR: no floor, and less error than with nothing known of the delays."""
    params = OfdmParams(fft_size=fft_size, cp_len=16, active=fft_size * 13 // 16, pilot_spacing_f=4)
    estimator, rng, trials = ChannelEstimator(params), np.random.default_rng(6), 80
    h = sum(np.exp(-2j * np.pi * params.carriers * d / fft_size) for d in (2.0, 4.3)) * np.sqrt(0.5)
    for noise_variance in (1e-1, 1e-3, 1e-4):  # what the basis leaves out is near 1e-6
        flat, shaped, said = [], [], []
        for _ in range(trials):
            noise = rng.standard_normal((2, params.active)) * np.sqrt(noise_variance / 2)
            pilots = [Pilots(np.array([-1]), np.arange(params.active), (h + noise[0] + 1j * noise[1])[None])]
            prior = Prior(1.0, noise_variance, -1.0, 16.0, 0.005)
            first = estimator.estimate(pilots, -1, 1, prior)
            profile = power_profile(first.channel, float(first.error.mean()), prior, params)
            second = estimator.estimate(pilots, -1, 1, replace(prior, profile=profile))
            flat.append(np.mean(np.abs(first.channel - h) ** 2))
            shaped.append(np.mean(np.abs(second.channel - h) ** 2))
            said.append(second.error.mean())
        assert np.mean(shaped) < np.mean(flat)
        # the profile comes from the same noise: the error said is a little too small
        assert 0.8 < np.mean(shaped) / np.mean(said) < 1.25 + 4 * np.std(shaped) / np.mean(shaped) / np.sqrt(trials)


@pytest.mark.parametrize("with_profile", [False, True])
def test_the_kernel_equals_the_reference(with_profile):
    params = OfdmParams()
    rng = np.random.default_rng(8)
    _, pilots = channel_and_pilots(rng, params, 20, 0.03, 0.01, (0.0, 12.0))
    pilots[0] = replace(pilots[0], energy=2.0)
    profile = np.exp(-0.2 * np.arange(41)) if with_profile else None
    prior = Prior(1.0, 0.03, -1.0, 20.0, 0.01, profile)
    estimator = ChannelEstimator(params)
    for first, symbols, with_error in ((0, 20, True), (-1, 1, True), (5, 6, False)):
        got = estimator.estimate(pilots, first, symbols, prior, with_error)
        want = estimate_reference.estimate(estimator, pilots, first, symbols, prior, with_error)
        np.testing.assert_allclose(got.channel, want.channel, atol=1e-6)
        np.testing.assert_allclose(got.error, want.error, rtol=1e-5)
        assert got.residual == pytest.approx(want.residual, rel=1e-8)
        assert got.freedom == pytest.approx(want.freedom, rel=1e-8)
