"""Interleavers against the standard's own equations and exact inverses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semwave.modulation import interleave


def place_80211a(k, n_cbps, n_bpsc):
    """IEEE 802.11-2020, equations 17-17 and 17-18, one index at a time."""
    i = (n_cbps // 16) * (k % 16) + k // 16
    s = max(n_bpsc // 2, 1)
    return s * (i // s) + (i + n_cbps - 16 * i // n_cbps) % s


@pytest.mark.parametrize("n_bpsc", [1, 2, 4, 6])
def test_80211a_equations(n_bpsc):
    n = 48 * n_bpsc
    out = interleave.wifi(n_bpsc).interleave(np.arange(n))
    for k in range(n):
        assert out[place_80211a(k, n, n_bpsc)] == k


def test_80211a_annex_example_16qam():
    # IEEE 802.11-2020, I.1.6.2: where coded bits 0, 1, 2, 16 and 17 go
    out = interleave.wifi(4).interleave(np.arange(192))
    assert [int(np.flatnonzero(out == k)[0]) for k in (0, 1, 2, 16, 17)] == [0, 13, 24, 1, 12]


@pytest.mark.parametrize("n_bpsc", [1, 2, 4, 6])
@pytest.mark.parametrize("stream", [1, 2, 3, 4])
def test_ht_equations(n_bpsc, stream):
    columns, rows, rotation = 13, 4 * n_bpsc, 11  # IEEE 802.11-2020, 19.3.11.8.3, 20 MHz
    n, s = 52 * n_bpsc, max(n_bpsc // 2, 1)
    out = interleave.wifi_ht(n_bpsc, stream=stream).interleave(np.arange(n))
    for k in range(n):
        i = rows * (k % columns) + k // columns
        j = s * (i // s) + (i + n - columns * i // n) % s
        turned = {1: 0, 2: 2, 3: 1, 4: 3}[stream]
        assert out[(j - turned * rotation * n_bpsc) % n] == k


def test_ht_40_mhz_is_a_permutation_of_108_carriers():
    assert interleave.wifi_ht(6, 40).n == 648


def test_block_is_a_transpose():
    np.testing.assert_array_equal(interleave.block(2, 3).interleave(np.arange(6)), [0, 3, 1, 4, 2, 5])


def test_random_depends_on_its_seed_only():
    first, again, other = (interleave.random(50, s).order for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@given(
    st.one_of(
        st.builds(interleave.golden, st.integers(1, 300)),
        st.builds(interleave.random, st.integers(1, 300), st.integers(0, 9)),
        st.builds(interleave.block, st.integers(1, 12), st.integers(1, 12)),
        st.builds(interleave.wifi, st.sampled_from([1, 2, 4, 6])),
        st.builds(interleave.wifi_ht, st.sampled_from([1, 2, 4, 6]), st.sampled_from([20, 40]), st.integers(1, 4)),
    ),
    st.integers(0, 3),
    st.sampled_from([np.uint8, np.float32, np.complex64]),
)
def test_inverse_is_exact(interleaver, blocks, dtype):
    items = np.random.default_rng(0).integers(0, 100, (2, blocks * interleaver.n)).astype(dtype)
    there = interleaver.interleave(items)
    assert there.dtype == dtype
    np.testing.assert_array_equal(interleaver.deinterleave(there), items)
    np.testing.assert_array_equal(interleaver.interleave(interleaver.deinterleave(items)), items)


@pytest.mark.parametrize("n", [48, 100, 480, 1000, 4800, 12345])
def test_golden_spreads_neighbours(n):
    order = interleave.golden(n).order
    place = np.argsort(order)
    for apart in range(1, min(65, n // 4)):
        assert np.abs(place[apart:] - place[:-apart]).min() * apart >= 0.23 * n
        assert np.abs(order[apart:] - order[:-apart]).min() * apart >= 0.23 * n


def test_messages():
    with pytest.raises(ValueError, match=r"items must come in blocks of 6, not shape \(7,\)"):
        interleave.block(2, 3).interleave(np.zeros(7))
    with pytest.raises(ValueError, match="bits_per_symbol must be 1, 2, 4, 6 or 8, not 3"):
        interleave.wifi(3)
    with pytest.raises(ValueError, match="bandwidth_mhz must be 20 or 40, not 80"):
        interleave.wifi_ht(2, 80)
    with pytest.raises(ValueError, match="stream must be 1 to 4, not 0"):
        interleave.wifi_ht(2, stream=0)
    with pytest.raises(ValueError, match="n must be 1 or more, not 0"):
        interleave.golden(0)
    with pytest.raises(ValueError, match=r"n must be 1 or more, not 0"):
        interleave.random(0, 1)
    with pytest.raises(ValueError, match="rows and columns must be 1 or more, not 0 and 3"):
        interleave.block(0, 3)
    with pytest.raises(ValueError, match=r"order must hold 0 \.\.\. n - 1 once each"):
        interleave.Interleaver(np.array([0, 0]))
