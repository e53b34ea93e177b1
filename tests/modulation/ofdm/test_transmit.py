import numpy as np
import pytest

from semwave.modulation.ofdm import (
    BurstLayout,
    BurstTransmitter,
    OfdmParams,
    burst_permutation,
    demodulate,
    papr_db,
    preamble,
)


@pytest.mark.parametrize("n", [0, 1, 171, 172, 173, 690, 691, 5000])
@pytest.mark.parametrize("pattern", ["scattered", "comb", "block"])
def test_every_channel_use_is_counted(signals, pattern, n):
    params = OfdmParams(pilot_pattern=pattern, window_len=4)
    transmitter = BurstTransmitter(params, 144)
    used = transmitter.symbols_used(n)
    elements = ("payload", "payload_padding", "header", "header_padding", "pilots", "preamble")
    assert sum(used[k] for k in elements) == 180 * (used["ofdm_symbols"] + 2)
    assert min(used.values()) >= 0
    assert used["payload_padding"] < 180
    samples = transmitter.burst(signals.qpsk(144), signals.qpsk(n))
    assert samples.size == transmitter.length(n) == used["samples"]
    useful = 256 * (used["ofdm_symbols"] + 2)
    assert used["cyclic_prefix_samples"] == used["samples"] - useful - 4 == 20 * (used["ofdm_symbols"] + 2)


def test_fewest_symbols():
    layout = BurstLayout(OfdmParams(pilot_pattern="block"), 144)  # three data symbols, then pilots
    assert [layout.ofdm_symbols(n) for n in (0, 1, 360, 361)] == [1, 2, 3, 5]


def test_grid_holds_what_the_layout_says(signals):
    params = OfdmParams()
    header, payload = signals.qpsk(200), signals.qpsk(1000)
    samples = BurstTransmitter(params, 200).burst(header, payload)
    layout = BurstLayout(params, 200)
    grid = demodulate(samples[2 * 276 :], params)[:, params.columns]
    mask = params.pilot_mask(grid.shape[0])
    np.testing.assert_allclose(grid[mask], params.pilot_values(grid.shape[0])[mask], atol=1e-5)
    flat = grid.reshape(-1)
    np.testing.assert_allclose(flat[layout.header_cells], header, atol=1e-5)
    cells = layout.payload_cells(1000)
    np.testing.assert_allclose(flat[cells[:1000]], payload[burst_permutation(1000)], atol=1e-5)
    np.testing.assert_allclose(np.abs(flat), 1, atol=1e-5)  # padding too: no drop of power at the end
    assert layout.header_ofdm == 2
    assert np.ptp(layout.header_cells % 180) > 170  # spread over the carriers


def test_preamble_has_the_power_of_data_and_low_peaks():
    params = OfdmParams()
    a, b = preamble.template(params).reshape(2, 276)
    for part in (a, b):
        np.testing.assert_allclose(np.mean(np.abs(part[20:]) ** 2), 180 / 256, rtol=1e-5)
        assert papr_db(part[20:]) < 5
    np.testing.assert_allclose(a[32:], a[:-32], atol=1e-6)  # eight equal parts
    np.testing.assert_allclose(b[:20], b[-20:], atol=1e-6)
    np.testing.assert_allclose(np.abs(np.fft.fft(b[20:])[params.carriers]) / 16, 1, rtol=1e-5)


def test_length_without_padding_is_linear_in_symbols():
    transmitter = BurstTransmitter(OfdmParams(), 144)
    assert transmitter.length(0) == 3 * 276
    assert transmitter.length(1) == 4 * 276


def test_errors():
    transmitter = BurstTransmitter(OfdmParams(), 10)
    with pytest.raises(ValueError, match=r"header must be \[header_symbols = 10\], not \[9\]"):
        transmitter.burst(np.ones(9), np.ones(3))
    with pytest.raises(ValueError, match="must be finite"):
        transmitter.burst(np.ones(10), np.array([np.nan]))
    with pytest.raises(ValueError, match=r"payload must be \[n\]"):
        transmitter.burst(np.ones(10), np.ones((2, 2)))
    with pytest.raises(ValueError, match="header_symbols must be at least 1, not 0"):
        BurstTransmitter(OfdmParams(), 0)
    with pytest.raises(ValueError, match="a burst needs fft_size of at least 32 and active of at least 16"):
        BurstTransmitter(OfdmParams(fft_size=256, active=12, pilot_spacing_t=1), 10)
