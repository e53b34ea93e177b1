"""Least squares and DFT-windowed channel estimates beside the Wiener filter's."""

import numpy as np
import pytest
from scipy.stats import t as student

from semwave.modulation.ofdm import BurstReceiver, BurstTransmitter, OfdmParams
from semwave.modulation.ofdm.estimate import Pilots, Prior
from semwave.modulation.ofdm.estimators import NAMES, create


def burst(rng, params, symbols, n0, doppler=0.003, delays=(0.0, 10.0)):
    """A channel of 100 random paths over symbols and carriers, and its noisy pilots behind a preamble."""
    tau, f = rng.uniform(*delays, 100), rng.uniform(-doppler, doppler, 100)
    gains = (rng.standard_normal(100) + 1j * rng.standard_normal(100)) / np.sqrt(200)
    h = (np.exp(2j * np.pi * np.outer(np.arange(-1, symbols), f)) * gains) @ np.exp(
        -2j * np.pi * np.outer(tau, params.carriers) / params.fft_size
    )
    noise = rng.standard_normal((2, *h.shape)) * np.sqrt(n0 / 2)
    y = h + noise[0] + 1j * noise[1]
    pilots = [Pilots(np.array([-1]), np.arange(params.active), y[:1])]
    for phase, mask in enumerate(params.pilot_masks):
        at, on = np.arange(phase, symbols, params.pilot_period), np.flatnonzero(mask)
        if at.size and on.size:
            pilots.append(Pilots(at, on, y[1:][np.ix_(at, on)]))
    return h[1:], pilots


def squared_errors(name, params, n0, trials=30):
    """Mean squared error of each of ``trials`` bursts, and the mean that the estimator says."""
    rng, errors, said = np.random.default_rng(7), [], []
    for _ in range(trials):
        h, pilots = burst(rng, params, 16, n0)
        found = create(name, params).estimate(pilots, 0, 16, Prior(1.0, n0, -1.0, 20.0, 0.005))
        errors.append(np.mean(np.abs(found.channel - h) ** 2))
        said.append(found.error.mean())
    return np.array(errors), float(np.mean(said))


@pytest.mark.parametrize("pattern", ["scattered", "comb", "block"])
@pytest.mark.parametrize("n0", [0.3, 0.003])
def test_the_more_it_knows_the_better_it_is(pattern, n0):
    params = OfdmParams(pilot_pattern=pattern)
    wiener, dft, ls = (squared_errors(name, params, n0)[0] for name in NAMES[:1] + NAMES[:0:-1])
    for better, worse in ((wiener, dft), (dft, ls)):  # the same bursts: a paired test at 99.9 %
        gap = worse - better
        assert gap.mean() > student.ppf(0.999, gap.size - 1) * gap.std(ddof=1) / np.sqrt(gap.size)


def test_least_squares_is_interpolation():
    params, rng = OfdmParams(pilot_pattern="comb"), np.random.default_rng(1)
    _, pilots = burst(rng, params, 6, 0.1)
    found = create("ls", params).estimate(pilots, 0, 6, Prior(1.0, 0.1, 0.0, 20.0, 0.01))
    comb = pilots[1]
    for row, values in zip(found.channel, comb.values, strict=True):
        at, on = params.carriers, params.carriers[comb.carriers]
        expected = np.interp(at, on, values.real) + 1j * np.interp(at, on, values.imag)
        np.testing.assert_allclose(row, expected, atol=1e-6)
    np.testing.assert_allclose(found.error[:, comb.carriers], 0.1, rtol=1e-6)  # n0 at the pilots themselves
    assert found.error.min() > 0.049  # halfway between two: n0 / 2
    assert found.freedom == 0


def test_least_squares_interpolates_scattered_pilots_over_time():
    params, rng = OfdmParams(), np.random.default_rng(2)
    _, pilots = burst(rng, params, 9, 0.1)
    found = create("ls", params).estimate(pilots, 0, 9, Prior(1.0, 0.1, 0.0, 20.0, 0.01))
    carrier = pilots[2].carriers[3]  # of the second pattern: heard at -1 (preamble), 1, 5
    times = [-1, *pilots[2].times]
    values = np.array([pilots[0].values[0, carrier], *pilots[2].values[:, 3]])
    expected = np.interp(np.arange(9), times, values.real) + 1j * np.interp(np.arange(9), times, values.imag)
    np.testing.assert_allclose(found.channel[:, carrier], expected, atol=1e-6)


def test_said_error_holds_where_the_channel_is_straight():
    """One path at delay 0: interpolation misses nothing, so that the error is noise alone."""
    params = OfdmParams()
    for name, delays in (("ls", (0.0, 0.0)), ("dft", (5.0, 5.0))):
        errors, said = [], []
        rng = np.random.default_rng(3)
        for _ in range(60):
            h, pilots = burst(rng, params, 12, 0.003, 0.0, delays)
            found = create(name, params).estimate(pilots, 0, 12, Prior(1.0, 0.003, -1.0, 20.0, 0.0))
            errors.append(np.mean(np.abs(found.channel - h) ** 2))
            said.append(found.error.mean())
        band = student.ppf(0.9995, 59) * np.std(errors, ddof=1) / np.sqrt(60)
        bias = 0.1 * np.mean(errors) if name == "dft" else 0  # of its regularisation
        assert abs(np.mean(errors) - np.mean(said)) < band + bias


def test_dft_keeps_every_path_of_the_window():
    params = OfdmParams(pilot_pattern="block", pilot_spacing_t=2)
    for delay in (0.0, 3.5, 11.3, 20.0):
        h = np.exp(-2j * np.pi * params.carriers * delay / 256)
        pilots = [Pilots(np.array([1]), np.arange(params.active), h[None])]
        found = create("dft", params).estimate(pilots, 0, 2, Prior(1.0, 1e-6, 0.0, 20.0, 0.0))
        assert 10 * np.log10(np.mean(np.abs(found.channel - h) ** 2)) < -33


def test_the_preamble_alone_is_enough():
    params, rng = OfdmParams(pilot_pattern="block", pilot_spacing_t=8), np.random.default_rng(4)
    h, pilots = burst(rng, params, 3, 1e-4, 0.0)
    assert len(pilots) == 1
    for name in NAMES:
        found = create(name, params).estimate(pilots, 0, 3, Prior(1.0, 1e-4, -1.0, 20.0, 0.001))
        assert found.channel.shape == (3, params.active)
        assert np.mean(np.abs(found.channel - h) ** 2) < 2e-3


@pytest.mark.parametrize("estimator", NAMES)
@pytest.mark.parametrize("spread", [False, True])
def test_a_burst_comes_through(estimator, spread, signals, wrong):
    params = OfdmParams(dft_spread=spread)
    header, payload = signals.header(144, 3000), signals.qpsk(3000)
    samples = np.pad(BurstTransmitter(params, 144).burst(header, payload), 700)
    samples = signals.channel(samples, params, taps=(1, 0, 0.5j, 0, 0, 0.2), cfo=0.3, snr_db=32)
    receiver = BurstReceiver(params, 144, signals.read_header, estimator=estimator)
    [found] = receiver.push(samples) + receiver.finish()
    assert found.status == "ok"
    assert wrong(found.payload, payload).errors == 0


def test_unknown_name():
    with pytest.raises(ValueError, match="estimator must be one of wiener, ls, dft, not 'mmse'"):
        BurstReceiver(OfdmParams(), 144, lambda *_: None, estimator="mmse")


def test_clipping_lowers_the_peaks_of_a_burst(signals, wrong):
    params = OfdmParams()
    header, payload = signals.header(144, 4000), signals.qpsk(4000)
    plain = BurstTransmitter(params, 144).burst(header, payload)
    clipped = BurstTransmitter(params, 144, papr_limit_db=5.0).burst(header, payload)
    first = 2 * params.symbol_len  # the preamble stays as it is
    np.testing.assert_array_equal(clipped[:first], plain[:first])
    assert np.abs(clipped[first:]).max() < 0.8 * np.abs(plain[first:]).max()
    receiver = BurstReceiver(params, 144, signals.read_header)
    [found] = receiver.push(np.pad(clipped, 700)) + receiver.finish()
    assert wrong(found.payload, payload).errors == 0
    with pytest.raises(ValueError, match="papr_limit_db must be above 0, not -1"):
        BurstTransmitter(params, 144, papr_limit_db=-1)
