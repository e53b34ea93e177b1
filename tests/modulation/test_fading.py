"""Fading channels: power, delays, cuts, and the truth they tell about themselves."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semwave.modulation import fading, fading_profiles, fading_reference, multipath

RATE = 15.36e6
TDL = ["TDL-A", "TDL-B", "TDL-C", "TDL-D", "TDL-E"]
LTE = ["EPA", "EVA", "ETU"]
# name, parameters; the Dopplers put the time grid at 1024, 64, 8 and 1 samples
CASES = {
    "TDL-A slow": ("TDL-A", {"doppler_hz": 30.0, "delay_spread_s": 100e-9}),
    "TDL-D fast": ("TDL-D", {"doppler_hz": 600.0, "delay_spread_s": 30e-9}),
    "TDL-E still": ("TDL-E", {"doppler_hz": 0.0, "delay_spread_s": 100e-9}),
    "EVA very fast": ("EVA", {"doppler_hz": 5e3}),
    "rician at once": ("rician", {"doppler_hz": 1e6, "k_factor_db": 3.0, "los_angle_rad": 1.0}),
    "rayleigh": ("rayleigh", {"doppler_hz": 300.0}),
    "block": ("block", {"block_len": 37, "k_factor_db": 2.0}),
    "shadowing": ("shadowing", {"sigma_db": 6.0, "decorrelation_s": 1e-5}),
    "none": ("none", {}),
}


def make(case, seed=1):
    name, parameters = CASES[case]
    return fading.create(name, sample_rate=RATE, rng=np.random.default_rng(seed), **parameters)


def white(n, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.standard_normal((n, 2)) @ [np.sqrt(0.5), 1j * np.sqrt(0.5)]).astype(np.complex64)


def still(delay_samples, powers_db=(0.0,)):
    """A channel with lines of sight only, which does not fade."""
    delays = np.atleast_1d(delay_samples) / RATE
    return fading.CustomChannel(
        delays_s=delays, powers_db=powers_db, line_of_sight=np.ones(delays.size, bool),
        sample_rate=RATE, rng=np.random.default_rng(2),
    )  # fmt: skip


@pytest.mark.parametrize("case", CASES)
@given(cuts=st.lists(st.integers(0, 2500), max_size=12))
@settings(deadline=None, max_examples=15)
def test_any_cut_gives_the_same_bits(case, cuts):
    x = white(2500)
    whole = make(case).process(x)
    channel = make(case)
    pieces = [channel.process(piece) for piece in np.split(x, sorted(cuts))]
    np.testing.assert_array_equal(np.concatenate(pieces), whole)
    assert whole.dtype == np.complex64


def test_one_sample_at_a_time_over_several_grid_blocks():
    x = white(600)
    whole = make("EVA very fast").process(x)
    channel = make("EVA very fast")
    np.testing.assert_array_equal(np.concatenate([channel.process(x[i : i + 1]) for i in range(600)]), whole)


@pytest.mark.parametrize("case", [case for case in CASES if case not in ("block", "shadowing", "none")])
def test_output_equals_the_written_out_delay_line(case):
    x = white(700)
    channel = make(case)
    expected = fading_reference.process(channel, x)
    # linear interpolation over MAX_PHASE_STEP rad: at most step^2/8, and float32 sums
    bound = (multipath.MAX_PHASE_STEP**2 / 8 + 2e-6) * np.abs(x).max() * np.abs(channel.taps_at(0)).sum() * 3
    assert np.abs(channel.process(x) - expected).max() < bound


@pytest.mark.parametrize("case", ["block", "shadowing"])
def test_flat_gains_are_what_taps_at_says(case):
    channel = make(case)
    x = white(500)
    y = channel.process(x)
    for n in (0, 36, 37, 499):
        np.testing.assert_allclose(y[n], x[n] * channel.taps_at(n)[0], rtol=1e-5)


@pytest.mark.parametrize("delay", [0.0, 0.0005, 0.002, 0.25, 0.5, 0.9995, 1.0, 2.0005, 7.3, 31.9999])
def test_no_delay_loses_its_path(delay):
    channel = still(delay)
    n = 4000
    for frequency in (0.0, 0.1, -0.37, 0.4):  # of the sample rate
        tone = np.exp(2j * np.pi * frequency * np.arange(n)).astype(np.complex64)
        y = channel.process(tone)[200:]
        gain = y / np.exp(2j * np.pi * frequency * (np.arange(200, n) - delay - channel.delay))
        phase = channel.gains_at(0)[0]
        np.testing.assert_allclose(gain, phase, atol=2e-4)  # -75 dB up to 0.4
        channel = still(delay)


def test_near_integer_delays_keep_white_noise_power_too():
    x = white(20000)
    for delay in (0.0005, 2.0005, 1.9995):
        y = still(delay).process(x)
        assert np.mean(np.abs(y[100:]) ** 2) == pytest.approx(np.mean(np.abs(x[:-100]) ** 2), rel=5e-3)


def test_two_paths_interfere_as_the_frequency_response_says():
    channel = still([0.0, 10.4], [0.0, -3.0])
    freqs = np.array([-0.35, 0.0, 0.123, 0.4])
    truth = channel.frequency_response(0, freqs * RATE)
    for f, h in zip(freqs, truth, strict=True):
        y = still([0.0, 10.4], [0.0, -3.0]).process(np.exp(2j * np.pi * f * np.arange(500)))
        expected = h * np.exp(2j * np.pi * f * (np.arange(500) - channel.delay))
        np.testing.assert_allclose(y[100:], expected[100:], atol=4e-4)


@pytest.mark.parametrize("name", TDL + LTE)
def test_profiles_have_unit_power_and_the_tables_delays(name):
    profile = fading_profiles.tdl(name, 1.0) if name in TDL else fading_profiles.lte(name)
    assert profile.powers.sum() == pytest.approx(1, abs=1e-12)
    if name in TDL:
        # The tables are made to a unit spread and printed with four digits (TR 38.901, 7.7.2)
        assert profile.delay_spread_s == pytest.approx(1, abs=0.012)
    else:  # TS 36.104, table B.2-1
        assert profile.delay_spread_s == pytest.approx({"EPA": 45e-9, "EVA": 357e-9, "ETU": 991e-9}[name], rel=0.06)
    ensemble = [
        fading.create(name, sample_rate=RATE, rng=np.random.default_rng(seed)).gains_at(0) for seed in range(100)
    ]
    power = np.sum(np.abs(ensemble) ** 2, axis=1)
    # at no Doppler the paths are Gaussian: the mean of 100 has this standard deviation
    spread = np.sqrt(np.sum(profile.powers[~profile.line_of_sight] ** 2) / 100)
    assert abs(power.mean() - 1) < 4 * spread + 1e-9


def test_k_factors_of_the_tables_and_chosen_ones():
    for name, first_tap_db in (("TDL-D", 13.3), ("TDL-E", 22.0)):  # tables 7.7.2-4 and -5: K of the first tap
        powers = fading_profiles.tdl(name, 1.0).powers
        assert 10 * np.log10(powers[0] / powers[1]) == pytest.approx(first_tap_db)
    chosen = fading_profiles.tdl("TDL-E", 1e-7, k_factor_db=6.0)
    assert chosen.k_factor_db == pytest.approx(6.0, abs=1e-9)
    assert chosen.delay_spread_s == pytest.approx(1e-7, rel=1e-9)
    assert fading_profiles.lte("EPA").k_factor_db == -np.inf


def test_tables_against_rows_of_the_standards():
    tdl_c = fading_profiles.tdl("TDL-C", 1.0)
    assert tdl_c.delays_s.size == 24
    assert tdl_c.delays_s[-1] == 8.6523
    assert 10 * np.log10(tdl_c.powers[5] / tdl_c.powers[0]) == pytest.approx(4.4)
    etu = fading_profiles.lte("etu")
    np.testing.assert_allclose(etu.delays_s * 1e9, [0, 50, 120, 200, 230, 500, 1600, 2300, 5000])


@pytest.mark.parametrize("name", ["TDL-A", "TDL-D", "EPA", "rayleigh", "rician"])
def test_time_average_power_is_one(name):
    """Distinct frequencies are orthogonal over a long time, so one realisation is enough."""
    channel = fading.create(name, sample_rate=1e6, rng=np.random.default_rng(4), doppler_hz=1e4)
    gains = channel.gains_at(np.arange(0, 4_000_000, 397))
    assert np.mean(np.sum(np.abs(gains) ** 2, axis=1)) == pytest.approx(1, abs=0.03)


def test_line_of_sight_is_shifted_by_the_angle():
    angle = 1.1
    channel = fading.create(
        "rician", sample_rate=1e4, rng=np.random.default_rng(0), doppler_hz=100.0, k_factor_db=60.0, los_angle_rad=angle
    )
    y = channel.process(np.ones(2000, np.complex64))
    turn = np.angle(np.mean(y[1:] * np.conj(y[:-1]))) * 1e4 / (2 * np.pi)
    assert turn == pytest.approx(100 * np.cos(angle), abs=0.5)


def test_no_doppler_is_a_still_random_channel():
    x = white(3000)
    channel = make("TDL-E still")
    y = channel.process(x)
    expected = np.convolve(x, channel.taps_at(123456))[: x.size]
    np.testing.assert_allclose(y, expected, atol=1e-5)


def test_bad_input_says_what_was_expected():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="channel must be one of none, awgn, rayleigh"):
        fading.create("TDL-F", sample_rate=1e6, rng=rng)
    with pytest.raises(ValueError, match=r"channel 'EPA': .*'delay_spread_s'"):
        fading.create("EPA", sample_rate=1e6, rng=rng, delay_spread_s=1e-6)
    with pytest.raises(ValueError, match="takes no parameters, not doppler_hz"):
        fading.create("none", sample_rate=1e6, rng=rng, doppler_hz=3)
    with pytest.raises(ValueError, match="sample_rate must be above 0 Hz, not 0"):
        fading.TdlChannel(sample_rate=0, rng=rng)
    with pytest.raises(ValueError, match=r"doppler_hz must be .* not 600000"):
        fading.TdlChannel(sample_rate=1e6, rng=rng, doppler_hz=6e5)
    with pytest.raises(ValueError, match="delay_spread_s must be 0 or more seconds, not -1"):
        fading.TdlChannel(sample_rate=1e6, rng=rng, delay_spread_s=-1)
    with pytest.raises(ValueError, match="rng must be a numpy Generator, not int"):
        fading.TdlChannel(sample_rate=1e6, rng=3)
    with pytest.raises(ValueError, match="k_factor_db must be None for TDL-A"):
        fading.TdlChannel("TDL-A", sample_rate=1e6, rng=rng, k_factor_db=3)
    with pytest.raises(ValueError, match=r"must be lists of one length, not \(2,\), \(1,\)"):
        fading.create("custom", sample_rate=1e6, rng=rng, delays_s=[0, 1e-6], powers_db=[0])
    with pytest.raises(ValueError, match="delays_s must be 0 or more"):
        fading.create("custom", sample_rate=1e6, rng=rng, delays_s=[-1e-6], powers_db=[0])
    with pytest.raises(ValueError, match="filter_length must be even"):
        fading.TdlChannel(sample_rate=1e6, rng=rng, filter_length=7)
    with pytest.raises(ValueError, match="block_len must be 1 or more samples, not 0"):
        fading.BlockFading(sample_rate=1e6, rng=rng, block_len=0)
    with pytest.raises(ValueError, match="sigma_db must be 0 or more"):
        fading.Shadowing(sample_rate=1e6, rng=rng, sigma_db=-1)
    with pytest.raises(ValueError, match=r"x must have one axis, not shape \(2, 3\)"):
        make("TDL-A slow").process(np.zeros((2, 3)))
