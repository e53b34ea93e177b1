import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semwave.modulation.ofdm import OfdmParams, clip_and_filter, demodulate, modulate, papr_db
from semwave.modulation.ofdm.waveform import despread, ramp, spread


def grid_of(signals, params, *shape):
    grid = np.zeros((*shape, params.fft_size), np.complex64)
    grid[..., params.columns] = signals.qpsk(int(np.prod(shape)) * params.active).reshape(*shape, params.active)
    return grid


def test_formula_typed_out(signals):
    params = OfdmParams(fft_size=12, cp_len=3, active=8, pilot_spacing_f=2, pilot_spacing_t=2)
    grid = grid_of(signals, params, 2)
    expected = [
        sum(symbol[k + 6] * np.exp(2j * np.pi * k * n / 12) for k in range(-6, 6)) / np.sqrt(12)
        for symbol in grid
        for n in range(-3, 12)
    ]
    np.testing.assert_allclose(modulate(grid, params), expected, atol=2e-6)


@given(
    fft_size=st.integers(8, 70),
    cp=st.integers(0, 7),
    extra=st.none() | st.integers(0, 0),
    window=st.integers(0, 7),
    symbols=st.integers(0, 5),
    lead=st.integers(0, 2),
)
@settings(max_examples=60, deadline=None)
def test_demodulate_inverts_modulate(fft_size, cp, extra, window, symbols, lead):
    first = None if extra is None else min(cp + 1, fft_size - 1)
    params = OfdmParams(
        fft_size=fft_size, cp_len=cp, first_cp_len=first, active=fft_size - 2, window_len=min(window, cp),
        pilot_pattern="block",
    )  # fmt: skip
    rng = np.random.default_rng(fft_size)
    shape = (*(3,) * lead, symbols, fft_size)
    grid = (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(np.complex64)
    samples = modulate(grid, params)
    assert samples.dtype == np.complex64
    assert samples.shape == (*shape[:-2], params.grid_length(symbols))
    np.testing.assert_allclose(demodulate(samples, params), grid, atol=1e-5)


def test_power_is_active_over_fft_size(signals):
    params = OfdmParams(cp_len=0)
    power = np.mean(np.abs(modulate(grid_of(signals, params, 50), params)) ** 2)
    np.testing.assert_allclose(power, 180 / 256, rtol=1e-5)  # Parseval: exact without a prefix


def test_windowing_lowers_the_spectrum_outside(signals):
    plain, windowed = OfdmParams(), OfdmParams(window_len=12)
    grid = grid_of(signals, plain, 200)
    outside = []
    for params in (plain, windowed):
        x = modulate(grid, params)[: 200 * 276].reshape(-1, 276 * 4)
        spectrum = np.mean(np.abs(np.fft.fft(x * np.hanning(276 * 4))) ** 2, axis=0)
        f = np.abs(np.fft.fftfreq(276 * 4)) * 256
        outside.append(10 * np.log10(spectrum[f > 110].mean() / spectrum[f < 80].mean()))
    assert outside[1] < outside[0] - 10  # raised-cosine edges fall off with the cube of frequency


def test_ramp_edges_add_to_one():
    np.testing.assert_allclose(ramp(9) + ramp(9)[::-1], 1, rtol=1e-6)


def test_workers_do_not_change_the_result(signals):
    params = OfdmParams()
    grid = grid_of(signals, params, 40)
    np.testing.assert_array_equal(modulate(grid, params, workers=2), modulate(grid, params))


def test_spread_is_unitary_and_lowers_papr(signals):
    data = signals.qpsk(300 * 180).reshape(300, 180)
    np.testing.assert_allclose(despread(spread(data)), data, atol=1e-5)
    peaks = []
    for values in (data, spread(data)):
        grid = np.zeros((300, 256), np.complex64)
        grid[:, 38:218] = values  # contiguous: a gap at DC would cost some of the gain
        peaks.append(np.median(papr_db(modulate(grid, OfdmParams(cp_len=0))[: 300 * 256].reshape(300, 256))))
    assert peaks[1] < peaks[0] - 1.5


def test_papr_of_known_signals():
    n = np.arange(64)
    np.testing.assert_allclose(papr_db(np.exp(2j * np.pi * 5 * n / 64)), 0, atol=1e-6)
    two = np.exp(2j * np.pi * 5 * n / 64) + np.exp(2j * np.pi * 9 * n / 64 + 0.4j)
    np.testing.assert_allclose(papr_db(two, 16), 10 * np.log10(2), atol=0.02)
    with pytest.raises(ValueError, match="oversampling must be at least 1"):
        papr_db(two, 0)


def test_clipping_lowers_peaks_and_keeps_free_carriers_free(signals):
    params = OfdmParams(cp_len=0)
    grid = grid_of(signals, params, 100)
    clipped = clip_and_filter(grid, 5.0, params)
    assert not clipped[grid == 0].any()
    before, after = (papr_db(modulate(g, params).reshape(100, 256)) for g in (grid, clipped))
    assert np.max(after) < np.min(before) + 1.0
    assert np.quantile(after, 0.9) < 6.5
    evm_db = 10 * np.log10(np.mean(np.abs(clipped - grid)[:, params.columns] ** 2))
    assert -25 < evm_db < -12
    with pytest.raises(ValueError, match="papr_limit_db must be above 0"):
        clip_and_filter(grid, 0.0, params)


def test_wrong_shape():
    with pytest.raises(ValueError, match=r"grid must be \[..., symbols, fft_size = 256\], not \[3, 255\]"):
        modulate(np.zeros((3, 255)), OfdmParams())
