"""The compiled transforms equal the plain ones and the double-precision DFT."""

import numpy as np
import pytest

from semwave.modulation.ofdm import OfdmParams, demodulate, modulate, waveform
from semwave.modulation.ofdm import fft_kernels as kernels

SIZES = (64, 128, 256, 1024, 2048, 4096)


@pytest.fixture
def kernel_always(monkeypatch):
    monkeypatch.setattr(waveform, "_WORTH_A_KERNEL", 1)


def numerology(n, cp, **more):
    return OfdmParams(fft_size=n, cp_len=cp, active=n // 2, pilot_pattern="block", **more)


def random(rng, *shape):
    return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(np.complex64)


@pytest.mark.parametrize("n", SIZES)
def test_is_the_dft(n, kernel_always):
    params, rng = numerology(n, 9), np.random.default_rng(n)
    samples = random(rng, 19 * (n + 9))
    want = np.fft.fftshift(np.fft.fft(samples.reshape(19, -1)[:, 9:].astype(complex)), axes=-1) / np.sqrt(n)
    got = demodulate(samples, params)
    # float32 rounds each of log4 n stages: rms error near eps sqrt(log2 n) / 2 of the signal's sqrt(2)
    assert np.sqrt(np.mean(np.abs(got - want) ** 2)) < 1e-7 * np.sqrt(np.log2(n))


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("rows", [16, 17, 31, 48])
def test_equals_the_plain_one(n, rows, kernel_always):
    params, rng = numerology(n, 7, first_cp_len=10), np.random.default_rng(rows)
    grid = random(rng, rows, n)
    fast = modulate(grid, params)
    plain = np.empty((rows, n + 7), np.complex64)
    waveform._modulate_plain(grid, plain, 7, 1)
    np.testing.assert_allclose(fast[3:], plain.ravel(), atol=3e-6)
    np.testing.assert_array_equal(fast[:3], fast[n : n + 3], "the longer prefix of the first symbol")
    back = np.empty((rows, n), np.complex64)
    waveform._demodulate_plain(plain, back, 7, 1)
    np.testing.assert_allclose(demodulate(fast, params), back, atol=6e-6)


def test_threads_and_neighbours_change_nothing(kernel_always):
    """A symbol's carriers depend on its samples alone: any number of threads, symbols beside it, leading axes."""
    params, rng = numerology(64, 5), np.random.default_rng(1)
    samples = random(rng, 2, 100 * 69)
    whole = demodulate(samples, params)
    for workers in (2, 3, 7):
        np.testing.assert_array_equal(demodulate(samples, params, workers), whole)
    np.testing.assert_array_equal(demodulate(samples[1, 13 * 69 : 53 * 69], params), whole[1, 13:53])
    grid = random(rng, 2, 50, 64)
    made = modulate(grid, params)
    np.testing.assert_array_equal(modulate(grid, params, 3), made)
    np.testing.assert_array_equal(modulate(grid[1, 3:33], params), made[1, 3 * 69 : 33 * 69])


def test_nan_stays_in_its_symbol(kernel_always):
    params, rng = numerology(64, 5), np.random.default_rng(2)
    samples = random(rng, 32 * 69)
    samples[20 * 69 + 30] = np.nan
    bad = np.isnan(demodulate(samples, params)).any(axis=1)
    assert np.flatnonzero(bad).tolist() == [20]


def test_what_has_no_kernel_goes_the_plain_way(kernel_always):
    for n, rows in ((96, 20), (32, 40), (8192, 16), (64, 15)):
        params = numerology(n, 4)
        grid = random(np.random.default_rng(3), rows, n)
        assert not (kernels.possible(n) and rows >= 16)
        np.testing.assert_allclose(demodulate(modulate(grid, params), params), grid, atol=1e-5)


def test_small_work_compiles_nothing(monkeypatch):
    monkeypatch.setattr(kernels, "demodulate_rows", None)
    params = numerology(256, 20)
    demodulate(np.zeros(100 * 276, np.complex64), params)
