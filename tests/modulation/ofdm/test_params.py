import numpy as np
import pytest

from semwave.modulation.ofdm import OfdmParams


def test_carriers_surround_dc():
    params = OfdmParams(active=5, fft_size=16, cp_len=2, pilot_spacing_f=2, pilot_spacing_t=2)
    np.testing.assert_array_equal(params.carriers, [-2, -1, 1, 2, 3])
    np.testing.assert_array_equal(params.columns, [6, 7, 9, 10, 11])


def test_scattered_pilots_show_every_spacing_within_a_period():
    params = OfdmParams()
    seen = np.flatnonzero(params.pilot_mask(4).any(axis=0))
    np.testing.assert_array_equal(seen, np.arange(3, 180, 6))
    assert params.pilot_mask(4).sum() == seen.size  # each once
    assert (params.pilot_mask(9).sum(axis=1) >= 7).all()  # every symbol shows its phase
    np.testing.assert_array_equal(params.pilot_mask(9)[5], params.pilot_mask(9)[1])


def test_comb_and_block_pilots():
    comb = OfdmParams(pilot_pattern="comb", pilot_spacing_f=9).pilot_mask(3)
    assert (comb == comb[0]).all()
    assert comb[0].sum() == 20
    block = OfdmParams(pilot_pattern="block", pilot_spacing_t=5).pilot_mask(10)
    np.testing.assert_array_equal(block.all(axis=1), [False] * 4 + [True] + [False] * 4 + [True])
    assert not block[[0, 1, 2, 3]].any()


@pytest.mark.parametrize("pattern", ["scattered", "comb", "block"])
def test_data_count_counts_the_mask(pattern):
    params = OfdmParams(pilot_pattern=pattern)
    for symbols in range(12):
        assert params.data_count(symbols) == (~params.pilot_mask(symbols)).sum()


def test_pilot_values_are_qpsk_and_do_not_depend_on_the_length_asked():
    params = OfdmParams()
    values = params.pilot_values(7)
    np.testing.assert_allclose(np.abs(values), 1, rtol=1e-6)
    np.testing.assert_array_equal(values, params.pilot_values(3000)[:7])
    assert abs(values.mean()) < 5 / np.sqrt(values.size)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"fft_size": 4}, "fft_size must be at least 8, not 4"),
        ({"fft_size": 256.0}, "fft_size must be an integer"),
        ({"active": 255}, r"active must be 2 to fft_size - 2 = 254, not 255"),
        ({"cp_len": 256}, "cp_len must be 0 to fft_size - 1 = 255, not 256"),
        ({"first_cp_len": 10}, "first_cp_len must be cp_len = 20 or longer"),
        ({"window_len": 21}, "window_len must be 0 to cp_len = 20, not 21"),
        ({"sample_rate": 0.0}, "sample_rate must be positive"),
        ({"pilot_pattern": "grid"}, "pilot_pattern must be one of scattered, comb, block, not 'grid'"),
        ({"pilot_spacing_f": 1}, "pilot_spacing_f must be 2 to active / 2 = 90, not 1"),
        ({"pilot_spacing_f": 13}, "pilot_spacing_f must be at most fft_size / cp_len = 12, not 13"),
        ({"pilot_spacing_t": 0}, "pilot_spacing_t must be at least 1"),
        ({"pilot_pattern": "block", "pilot_spacing_t": 1}, "pilot_spacing_t must be at least 2"),
        ({"pilot_spacing_t": 31}, r"pilot_spacing_f \* pilot_spacing_t must be at most active = 180, not 186"),
    ],
)
def test_errors_name_the_parameter(change, message):
    with pytest.raises(ValueError, match=message):
        OfdmParams(**change)
