"""The compiled loops of the burst receiver against the same in NumPy, written as in the formulas."""

import numpy as np
import pytest

from semwave.modulation.ofdm import OfdmParams, acquire, burst_kernels, equalize, search_kernels
from semwave.modulation.ofdm.estimate import Pilots, places, values_of

PARAMS = OfdmParams()


def normal(rng, *shape):
    return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(np.complex64)


def some_pilots(rng, symbols=21):
    found = []
    for phase, mask in enumerate(PARAMS.pilot_masks):
        times, carriers = np.arange(phase, symbols, PARAMS.pilot_period), np.flatnonzero(mask)
        found.append(Pilots(times, carriers, normal(rng, times.size, carriers.size)))
    return found


@pytest.mark.parametrize("n", [1, 7, 8, 1003])
def test_mean_and_power(n):
    x = normal(np.random.default_rng(n), n) + np.complex64(2 - 1j)
    mean, power = search_kernels.mean_and_power(x)
    assert mean == pytest.approx(x.mean(dtype=complex), abs=1e-6)
    assert power == pytest.approx(np.mean(np.abs(x.astype(complex)) ** 2))


@pytest.mark.parametrize("step", [0.0, 0.3, -2.0])
def test_rotate_and_windows(step):
    x = normal(np.random.default_rng(1), 1000)
    turned = (x - (0.1 + 0.2j)) * np.exp(1j * step * np.arange(-5, 995))
    out = np.empty(1000, np.complex64)
    search_kernels.rotate(x, 0.1 + 0.2j, step, -5, out)
    np.testing.assert_allclose(out, turned, atol=1e-6)
    starts, rows = np.array([0, 300, 333]), np.empty((3, 256), np.complex64)
    burst_kernels.windows(x, starts, 0.1 + 0.2j, step, -5, rows)
    np.testing.assert_allclose(rows, turned[starts[:, None] + np.arange(256)], atol=2e-6)


def test_period_offset():
    rng = np.random.default_rng(2)
    x = np.tile(normal(rng, 32), 8) * np.exp(2j * np.pi * 0.17 / 32 * np.arange(256)) + normal(rng, 256) / 4
    window = (x - x.mean()).reshape(8, 32)
    gram = window.conj() @ window.T
    lagged = np.array([0, *(np.trace(gram, offset=m) for m in range(1, 8))])
    likelihood = np.fft.fft(lagged, 128).real
    peak = int(np.argmax(likelihood))
    left, top, right = likelihood[peak - 1 : peak + 2]
    expected = (peak + 0.5 * (left - right) / (left - 2 * top + right)) / 128
    assert search_kernels.period_offset(x.astype(np.complex64), 8, 128) == pytest.approx(expected, abs=1e-6)
    assert expected == pytest.approx(0.17, abs=0.01)


def test_best_match_and_correlate():
    rng = np.random.default_rng(3)
    x, known = normal(rng, 400), normal(rng, 100)
    x[130:230] += 2 * known
    out = np.empty(301, np.complex64)
    search_kernels.correlate(x, known, 0, out)
    expected = np.array([np.vdot(known, x[d : d + 100]) for d in range(301)])
    np.testing.assert_allclose(out, expected, atol=1e-3)
    metric = np.array([np.abs(expected[d]) ** 2 / np.sum(np.abs(x[d : d + 100]) ** 2) for d in range(301)]) / 50
    place, value = search_kernels.best_match(out, x, 100, 50.0)
    assert place == 130 == np.argmax(metric)
    assert value == pytest.approx(metric[130], rel=1e-4)
    tail = np.empty(20, np.complex64)
    search_kernels.correlate(x, known, 390, tail)  # the samples end before the sequence does
    assert tail[0] == pytest.approx(np.vdot(known[:10], x[390:]), abs=1e-4)
    assert not tail[10:].any()


def test_turn_likelihood():
    rng = np.random.default_rng(4)
    pilots, h, out = some_pilots(rng), normal(rng, 180), np.empty(65)
    burst_kernels.turn_likelihood(places(pilots), values_of(pilots), h, 12, 0.07, out)
    grid, expected = np.linspace(-0.07, 0.07, 65), np.zeros(65)
    for x in pilots:
        for t, z in zip(x.times[x.times < 12], x.values, strict=False):
            expected += (np.exp(-1j * grid * (t + 1)) * np.vdot(h[x.carriers], z)).real
    np.testing.assert_allclose(out, expected, atol=1e-6 * np.abs(expected).max())


def test_lagged_products():
    pilots = some_pilots(np.random.default_rng(5))
    lagged, counts = np.empty((2, 4))
    burst_kernels.lagged_products(places(pilots), values_of(pilots), lagged, counts)
    for m in range(4):
        pairs = [(x.values[: x.times.size - m], x.values[m:]) for x in pilots]
        assert lagged[m] == pytest.approx(sum(np.vdot(a, b).real for a, b in pairs))
        assert counts[m] == sum(a.size for a, _ in pairs)


def test_against():
    rng = np.random.default_rng(6)
    pilots, h = some_pilots(rng), normal(rng, 21, 180)
    sums, energy = np.empty(21, complex), np.empty(21)
    error = burst_kernels.against(places(pilots), values_of(pilots), h, sums, energy)
    rows = [(t, z, h[t, x.carriers]) for x in pilots for t, z in zip(x.times, x.values, strict=True)]
    for t, z, g in rows:
        assert sums[t] == pytest.approx(np.vdot(g, z), rel=1e-5)
        assert energy[t] == pytest.approx(np.vdot(g, g).real, rel=1e-5)
    assert error == pytest.approx(sum(np.sum(np.abs(z - g) ** 2) for _, z, g in rows), rel=1e-5)


@pytest.mark.parametrize(("first", "count"), [(-2, 43), (0, 5), (10, 64)])
def test_power_over_delay_is_a_part_of_the_whole_profile(first, count):
    h = normal(np.random.default_rng(7), 5, 180)
    whole, _ = acquire.delay_profile(h, PARAMS)
    near = acquire.near_profile(h, PARAMS, first, count)
    np.testing.assert_allclose(near, whole[np.arange(first, first + count)], rtol=1e-4, atol=1e-6 * whole.max())


def test_equalisation():
    rng = np.random.default_rng(8)
    y, h, noise = normal(rng, 4, 180), normal(rng, 4, 180), rng.random((4, 180), np.float32)
    h[0, 0] = 0
    for got, expected in zip(equalize.equalize(y, h, noise), equalize.equalize_reference(y, h, noise), strict=True):
        assert got.dtype == expected.dtype
        np.testing.assert_allclose(got, expected, rtol=2e-6, atol=1e-6)


def test_places_are_remembered_for_the_same_arrays_only():
    pilots = some_pilots(np.random.default_rng(9))
    assert places(pilots) is places(list(pilots))
    other = [Pilots(x.times + 1, x.carriers, x.values) for x in pilots]
    np.testing.assert_array_equal(places(other)[0], places(pilots)[0] + 1)
