import numpy as np

from semwave.modulation.ofdm.equalize import equalize, equalize_spread
from semwave.modulation.ofdm.waveform import spread


def test_inverts_a_known_channel(signals):
    x, h = signals.qpsk(500), signals.noise(500)
    got, variance = equalize(h * x, h, np.float32(0.1))
    np.testing.assert_allclose(got, x, atol=1e-5)
    np.testing.assert_allclose(variance, 0.1 / np.abs(h) ** 2, rtol=1e-5)
    assert got.dtype == np.complex64
    assert variance.dtype == np.float32


def test_a_dead_carrier_is_an_erasure_not_a_nan():
    got, variance = equalize(np.ones(2, np.complex64), np.zeros(2, np.complex64), np.float32(1))
    assert np.isfinite(got).all()
    assert (variance > 1e15).all()


def test_spread_symbols_are_unbiased_with_the_variance_said(signals):
    symbols, carriers, n0 = 400, 120, 0.2
    h = np.abs(signals.noise(carriers)) + np.float32(0.05)
    x = signals.qpsk(symbols * carriers).reshape(symbols, carriers)
    y = h * spread(x) + signals.noise(symbols * carriers, n0).reshape(symbols, carriers)
    got, variance = equalize_spread(y, h, np.float32(n0))
    error = got - x
    n = error.size
    power = np.mean(np.abs(error) ** 2)
    assert abs(np.mean(error * x.conj())) < 5 * np.sqrt(power / n)  # unbiased
    assert abs(power / variance.mean() - 1) < 5 / np.sqrt(n)
    zero_forcing = n0 * np.mean(1 / np.abs(h) ** 2)
    assert power < zero_forcing
