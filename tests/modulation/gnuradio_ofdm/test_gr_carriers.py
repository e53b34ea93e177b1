"""The kernels over 52 carriers in parts, against complex NumPy."""

import numpy as np
import pytest

from semwave.modulation.gnuradio_ofdm import GnuradioOfdmFormat, carriers, frame


@pytest.fixture
def draw(rng):
    def numbers():
        return (rng.standard_normal((52, 2)) @ [1, 1j]).astype(np.complex64)

    return numbers


def parts(z):
    return np.concatenate([z.real, z.imag]).astype(np.float32)


def whole(x):
    return x[:52] + 1j * x[52:]


def test_there_and_back(draw):
    z, out, back = draw(), np.empty(104, np.float32), np.empty(52, np.complex64)
    carriers.split(z, out)
    np.testing.assert_array_equal(out, parts(z))
    carriers.join(out, back)
    np.testing.assert_array_equal(back, z)
    row = np.arange(64).astype(np.complex64)
    carriers.active(row, out)
    np.testing.assert_array_equal(whole(out), frame.BINS)


def test_turns_and_products(draw):
    y, h, out, turns = draw(), draw(), np.empty(104, np.float32), np.empty(104, np.float32)
    carriers.turns(0.7, turns)
    np.testing.assert_allclose(whole(turns), np.exp(2j * np.pi * frame.ACTIVE * 0.7 / 64), atol=1e-6)
    carriers.straighten(parts(y), turns, 0.4, out)
    np.testing.assert_allclose(whole(out), y * whole(turns) * np.exp(-0.4j), atol=1e-5)
    carriers.match(parts(y), parts(h), out)
    np.testing.assert_allclose(whole(out), y * h.conj(), atol=1e-5)


def test_sums(draw):
    u, z, s, sums = draw(), draw(), draw(), draw()
    s[[3, 50]] = 0
    gain, places = np.abs(draw()) ** 2, frame.ACTIVE.astype(np.float32)
    got = carriers.measure(parts(u), parts(z), parts(s), gain, places)
    c, e = z * s.conj(), gain * np.abs(s) ** 2
    used = np.sum(np.abs(u[s != 0]) ** 2)
    expected = [c.sum().real, c.sum().imag, (places * c.imag).sum(), e.sum(), (places**2 * e).sum(), used]
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-3)
    total, weights = parts(sums), np.ones(52, np.float32)
    carriers.gather(parts(u), parts(s), 0.3, total, weights)
    np.testing.assert_allclose(whole(total), sums + u * np.exp(-0.3j) * s.conj(), atol=1e-5)
    np.testing.assert_allclose(weights, 1 + np.abs(s) ** 2, rtol=1e-5)


@pytest.mark.parametrize("modulation", ["bpsk", "qpsk", "8psk"])
def test_nearest_points_and_their_bits(draw, modulation):
    form, z, s = GnuradioOfdmFormat(modulation), draw(), np.empty(104, np.float32)
    k, data = form.bits_per_symbol, frame.DATA
    carriers.decide(parts(z), k, form.amplitude, s)
    nearest = np.argmin(np.abs(z[:, None] / np.abs(z[:, None]) * form.amplitude - form.points), axis=1)
    np.testing.assert_allclose(whole(s), form.points[nearest], atol=1e-6)
    bits = np.empty(k * data.size, np.uint8)
    carriers.point_bits(s, data, k, bits)
    np.testing.assert_array_equal(bits.reshape(-1, k) @ (1 << np.arange(k)), nearest[data])
