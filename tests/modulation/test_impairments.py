"""Impairments: cuts leave no trace, and each does what its formula says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from semwave.modulation import impairments as imp

RATE = 1e6
MAKERS = {
    "cfo": lambda: imp.CarrierOffset(sample_rate=RATE, cfo_hz=12345.6, drift_hz_per_s=2e6, phase_rad=0.5),
    "timing": lambda: imp.TimingOffset(delay_samples=7.37),
    "clock fast": lambda: imp.SampleClockOffset(ppm=900.0, offset_samples=0.3),
    "clock slow": lambda: imp.SampleClockOffset(ppm=-2e4),
    "wiener": lambda: imp.WienerPhaseNoise(sample_rate=RATE, linewidth_hz=100.0, rng=np.random.default_rng(1)),
    "pll": lambda: imp.PllPhaseNoise(sample_rate=122.88e6, rng=np.random.default_rng(1), mask="B"),
    "iq": lambda: imp.IqImbalance(gain_db=1.0, phase_deg=3.0),
    "dc": lambda: imp.DcOffset(power_db=-20.0, angle_rad=1.0),
    "rapp": lambda: imp.RappAmplifier(input_backoff_db=3.0),
    "saleh": lambda: imp.SalehAmplifier(input_backoff_db=8.0),
    "quantizer": lambda: imp.Quantizer(bits=6),
    "clipper": lambda: imp.Clipper(level_db=3.0),
    "chain": lambda: imp.Chain(MAKERS["clock fast"](), MAKERS["cfo"](), MAKERS["timing"](), MAKERS["pll"]()),
}


def white(n, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.standard_normal((n, 2)) @ [np.sqrt(0.5), 1j * np.sqrt(0.5)]).astype(np.complex64)


def tone(frequency, n, start=0.0):
    return np.exp(2j * np.pi * frequency * (start + np.arange(n))).astype(np.complex64)


@pytest.mark.parametrize("name", MAKERS)
@given(cuts=st.lists(st.integers(0, 1500), max_size=10))
@settings(deadline=None, max_examples=15)
def test_any_cut_gives_the_same_bits(name, cuts):
    x = white(1500)
    x.setflags(write=False)
    whole, pieces = MAKERS[name](), MAKERS[name]()
    expected = whole.process(x)
    got = np.concatenate([pieces.process(piece) for piece in np.split(x, sorted(cuts))])
    np.testing.assert_array_equal(got, expected)
    assert expected.dtype == np.complex64
    if hasattr(whole, "flush"):
        np.testing.assert_array_equal(pieces.flush(), whole.flush())
    else:
        assert expected.shape == x.shape


def test_carrier_offset_equals_the_formula_far_into_the_stream():
    channel = MAKERS["cfo"]()
    n = 100_000
    got = channel.process(np.ones(n, np.complex64))
    t = np.arange(n) / RATE
    expected = np.exp(1j * (0.5 + 2 * np.pi * (12345.6 * t + 2e6 * t**2 / 2)))
    np.testing.assert_allclose(got, expected, atol=1e-6)


def test_carrier_offset_stays_exact_after_many_samples():
    channel = imp.CarrierOffset(sample_rate=RATE, cfo_hz=1000.0)
    for _ in range(100):
        last = channel.process(np.ones(100_000, np.complex64))
    np.testing.assert_allclose(last[0], 1, atol=1e-5)  # 9.9 s is 9900 turns


@pytest.mark.parametrize("delay", [0.0, 0.0005, 0.5, 3.0, 3.9995, 200.25])
def test_timing_offset_delays_a_tone(delay):
    for f in (0.0, 0.21, -0.4):
        offset = imp.TimingOffset(delay_samples=delay)
        got = offset.process(tone(f, 600))[300:]
        np.testing.assert_allclose(got, tone(f, 300, 300 - delay - offset.delay), atol=2e-4)


@pytest.mark.parametrize("ppm", [-2e4, -20.0, 0.0, 35.0, 3000.0])
def test_clock_offset_samples_the_tone_at_its_own_times(ppm):
    clock = imp.SampleClockOffset(ppm=ppm, offset_samples=0.25)
    n = 20_000
    out = np.concatenate([clock.process(tone(0.2, n)), clock.flush()])
    assert abs(out.size - (n - 0.25) * (1 + ppm * 1e-6)) <= 1
    times = np.arange(out.size) / (1 + ppm * 1e-6) + 0.25
    inside = slice(40, out.size - 40)  # elsewhere the filter sees the edges
    np.testing.assert_allclose(out[inside], np.exp(2j * np.pi * 0.2 * times[inside]), atol=2e-4)


def test_clock_without_error_changes_nothing():
    clock, x = imp.SampleClockOffset(ppm=0.0), white(500)
    np.testing.assert_allclose(np.concatenate([clock.process(x), clock.flush()]), x, atol=1e-6)


def test_wiener_steps_have_the_variance_of_the_linewidth():
    noise = imp.WienerPhaseNoise(sample_rate=RATE, linewidth_hz=50.0, rng=np.random.default_rng(2))
    steps = np.diff(noise.phase(20_000)) / np.sqrt(2 * np.pi * 50.0 / RATE)
    assert stats.kstest(steps, "norm").pvalue > 1e-3


@pytest.mark.parametrize("mask", ["A", "B"])
def test_pll_phase_noise_follows_its_mask(mask):
    from scipy.signal import welch

    rate = 491.52e6
    noise = imp.PllPhaseNoise(sample_rate=rate, rng=np.random.default_rng(3), mask=mask)
    f, density = welch(noise.phase(1 << 20), rate, nperseg=1 << 14, return_onesided=True)
    band = (f > 2 * f[1]) & (f < 40e6)  # matched sections follow the mask well below half the rate
    # one-sided density is twice S; averaged over 20 bins the estimate has about 20 * 64 * 2 degrees of freedom
    got = (density[band][: band.sum() // 20 * 20] / 2).reshape(-1, 20)
    expected = (10 ** (noise.density_dbc_hz(f[band]) / 10))[: got.size].reshape(-1, 20)
    assert np.abs(10 * np.log10(np.mean(got / expected, axis=1))).max() < 0.6


def test_pll_level_follows_the_carrier_and_the_state_starts_stationary():
    make = imp.PllPhaseNoise
    rng = np.random.default_rng(0)
    low = make(sample_rate=1e8, rng=rng, mask="A", carrier_hz=3e9)
    assert low.level_dbc_hz == pytest.approx(-99.4)
    np.testing.assert_allclose(low.density_dbc_hz(np.array([0.0])), [-99.4])
    starts = [
        make(sample_rate=1e8, rng=rng, mask=None, level_dbc_hz=-60, poles_hz=(1e4,)).phase(1)[0] for _ in range(300)
    ]
    # one pole: variance S0 pi fp, here from the very first sample
    low, high = stats.chi2.interval(0.999, 300)
    assert low < np.sum(np.square(starts)) / (1e-6 * np.pi * 1e4) < high


def test_iq_imbalance_makes_an_image():
    iq = imp.IqImbalance(gain_db=1.0, phase_deg=5.0)
    y = iq.process(tone(0.1, 1000))
    spectrum = np.abs(np.fft.fft(y)) / 1000
    assert 20 * np.log10(spectrum[100] / spectrum[900]) == pytest.approx(iq.image_rejection_db, abs=1e-3)
    g, phi = 10 ** (1 / 20), np.deg2rad(5)
    irr = (g**2 + 1 + 2 * g * np.cos(phi)) / (g**2 + 1 - 2 * g * np.cos(phi))  # the textbook formula
    assert iq.image_rejection_db == pytest.approx(10 * np.log10(irr), abs=1e-6)
    assert imp.IqImbalance().image_rejection_db == np.inf
    np.testing.assert_allclose(iq.process(np.array([1.0])), [10 ** (1 / 40) * np.exp(-1j * phi / 2)], rtol=1e-6)


def test_dc_offset_adds_its_power():
    np.testing.assert_allclose(imp.DcOffset(power_db=-20.0).process(np.zeros(2)), [0.1, 0.1], rtol=1e-6)
    np.testing.assert_allclose(imp.DcOffset(offset=0.3j).process(np.ones(1)), [1 + 0.3j], rtol=1e-6)


def test_rapp_saturates_and_is_linear_for_small_signals():
    amplifier = imp.RappAmplifier(input_backoff_db=6.0, smoothness=2.0)
    a = 10 ** (6 / 20)
    got = amplifier.process(np.array([1e-3, a, 1e3j]))
    np.testing.assert_allclose(got, [1e-3, a / 2**0.25, 1j * a], rtol=1e-4)


def test_saleh_peaks_at_saturation_with_its_phase():
    amplifier = imp.SalehAmplifier(input_backoff_db=0.0)
    r = np.linspace(0.01, 3, 300)
    out = amplifier.process(r)
    assert r[np.abs(out).argmax()] == pytest.approx(1, abs=0.02)  # unit power is the saturation point at 0 dB
    assert np.angle(amplifier.process(np.array([1.0])))[0] == pytest.approx(
        4.0033 / 1.1517 / (1 + 9.1040 / 1.1517), rel=1e-4
    )
    np.testing.assert_allclose(amplifier.process(np.array([1e-3])), [1e-3], rtol=1e-4)


@pytest.mark.parametrize("bits", [1, 4, 10])
def test_quantizer_levels_and_error(bits):
    quantizer = imp.Quantizer(bits=bits, full_scale=1.0)
    x = np.linspace(-0.999, 0.999, 20001)
    y = quantizer.process(x + 1j * x[::-1])
    assert np.unique(y.real).size == 2**bits
    assert np.abs(y.real - x).max() <= quantizer.step / 2 + 1e-6
    assert np.mean((y.real - x) ** 2) == pytest.approx(quantizer.step**2 / 12, rel=0.02)
    np.testing.assert_allclose(quantizer.process(np.array([9 - 9j])), [(1 - 1j) * (1 - quantizer.step / 2)])


def test_clipper_keeps_the_phase():
    y = imp.Clipper(level_db=0.0).process(np.array([3j, 0.5, 0.0, -2.0]))
    np.testing.assert_allclose(y, [1j, 0.5, 0, -1], atol=1e-6)


def test_bad_input_says_what_was_expected():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="cfo_hz must be finite, not nan"):
        imp.CarrierOffset(sample_rate=1.0, cfo_hz=float("nan"))
    with pytest.raises(ValueError, match="sample_rate must be above 0 Hz, not -1"):
        imp.CarrierOffset(sample_rate=-1, cfo_hz=0)
    with pytest.raises(ValueError, match=r"delay_samples must be 0 or more, not -16\.5"):
        imp.TimingOffset(delay_samples=-16.5)
    with pytest.raises(ValueError, match="ppm must be within 100000"):
        imp.SampleClockOffset(ppm=1e6)
    with pytest.raises(ValueError, match="offset_samples must be 0 or more, not -1"):
        imp.SampleClockOffset(ppm=0, offset_samples=-1)
    with pytest.raises(ValueError, match="linewidth_hz must be 0 or more"):
        imp.WienerPhaseNoise(sample_rate=1.0, linewidth_hz=-1, rng=rng)
    with pytest.raises(ValueError, match=r"mask must be 'A', 'B' or None .* not 'Z'"):
        imp.PllPhaseNoise(sample_rate=1.0, rng=rng, mask="Z")
    with pytest.raises(ValueError, match="mask must be None with poles_hz"):
        imp.PllPhaseNoise(sample_rate=1.0, rng=rng, poles_hz=(1.0,))
    with pytest.raises(ValueError, match="poles_hz must be 1 or more"):
        imp.PllPhaseNoise(sample_rate=1.0, rng=rng, mask=None)
    with pytest.raises(ValueError, match="offset or power_db must be given, one of them"):
        imp.DcOffset()
    with pytest.raises(ValueError, match="smoothness must be above 0, not 0"):
        imp.RappAmplifier(smoothness=0)
    with pytest.raises(ValueError, match="a and b must be above 0"):
        imp.SalehAmplifier(b=0)
    with pytest.raises(ValueError, match="bits must be from 1 to 24, not 0"):
        imp.Quantizer(bits=0)
    with pytest.raises(ValueError, match="full_scale must be above 0, not 0"):
        imp.Quantizer(bits=3, full_scale=0)
    with pytest.raises(ValueError, match="level_db must be finite"):
        imp.Clipper(level_db=float("inf"))
