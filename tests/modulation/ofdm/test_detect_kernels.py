import numpy as np
import pytest

from semwave.modulation.ofdm.detect_kernels import periodicity, periodicity_reference


@pytest.mark.parametrize(("hop", "part"), [(16, 32), (4, 8), (7, 7), (64, 128)])
def test_equals_the_formula(signals, hop, part):
    x = signals.noise(40 * part) + np.complex64(0.7 - 0.2j)
    x[5 * part : 14 * part] += np.tile(2 * signals.noise(part), 9)
    x[20 * part : 22 * part] = 0
    np.testing.assert_allclose(periodicity(x, hop, part), periodicity_reference(x, hop, part), atol=2e-6)


def test_a_hop_sees_its_own_window_only(signals):
    x = signals.noise(9000)
    whole = periodicity(x, 16, 32)
    assert whole.size == (9000 - 256) // 16 + 1
    for first in (1, 17, 300):
        part = periodicity(x[first * 16 : first * 16 + 2000], 16, 32)
        np.testing.assert_array_equal(part, whole[first : first + part.size])  # bit for bit


def test_one_for_a_periodic_signal_and_zero_for_none(signals):
    x = np.tile(signals.noise(32), 8)
    x -= x.mean()
    np.testing.assert_allclose(periodicity(x, 16, 32), 1, rtol=1e-5)
    turned = x * np.exp(2j * np.pi * np.arange(256) * 5 / 16 / 32).astype(np.complex64)
    np.testing.assert_allclose(periodicity(turned, 16, 32), 1, atol=0.01)  # a little of it lies at 0 Hz now
    assert not periodicity(np.zeros(256, np.complex64), 16, 32).any()
    assert not periodicity(np.full(256, 3 + 4j, np.complex64), 16, 32).any()  # a constant is not a preamble
    assert periodicity(x[:255], 16, 32).size == 0


def test_part_must_hold_whole_hops():
    with pytest.raises(ValueError, match="part must be a multiple of hop = 16, not 40"):
        periodicity(np.zeros(999, np.complex64), 16, 40)
