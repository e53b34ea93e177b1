"""The one pass equals its three parts."""

import numpy as np
import pytest

from semwave.modulation import awgn_link, noise, qam


@pytest.mark.parametrize("order", [4, 16, 64, 256, 1024])
def test_equals_mapper_channel_and_demapper(order: int) -> None:
    k = qam.bits_per_symbol(order)
    bits = np.random.default_rng(order).integers(0, 2, (3, k * 1111), np.uint8)  # more than one piece, the last short
    received = noise.add_awgn_fast(qam.map_bits(bits, order), 0.1, 12, 77)
    want = qam.demap_llr(received, order, 0.1)
    got = awgn_link.soft_bits(bits, order, 0.1, 12, 77)
    assert got.shape == bits.shape
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4 * np.abs(want).max())
    assert ((got > 0) == (want > 0)).mean() > 0.9999


def test_any_cut_has_the_same_noise() -> None:
    bits = np.random.default_rng(1).integers(0, 2, 4 * 3000, np.uint8)
    whole = awgn_link.soft_bits(bits, 16, 0.3, 5)
    parts = [awgn_link.soft_bits(bits[4 * a : 4 * b], 16, 0.3, 5, a) for a, b in ((0, 1300), (1300, 3000))]
    np.testing.assert_allclose(np.concatenate(parts), whole, rtol=1e-4, atol=1e-3)


def test_refusals() -> None:
    bits = np.zeros(12, np.uint8)
    with pytest.raises(ValueError, match="order must be 4, 16, 64, 256 or 1024, not 8"):
        awgn_link.soft_bits(bits, 8, 0.1, 0)
    with pytest.raises(ValueError, match="bits must come in groups of 10 on the last axis"):
        awgn_link.soft_bits(bits, 1024, 0.1, 0)
    with pytest.raises(ValueError, match="n0 must be above 0, not 0"):
        awgn_link.soft_bits(bits, 4, 0.0, 0)
    with pytest.raises(ValueError, match="bits must be 0 or 1"):
        awgn_link.soft_bits(bits + 2, 4, 0.1, 0)
    with pytest.raises(ValueError, match="seed must be within"):
        awgn_link.soft_bits(bits, 4, 0.1, -1)
    assert awgn_link.soft_bits(bits[:0], 4, 0.1, 0).size == 0
