"""Constellations, mapping and soft demapping against the standard's formulas and a brute-force reference."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semwave.modulation import qam, qam_reference

SQUARE = (4, 16, 64, 256, 1024)


def standard_symbol(bits, order):
    """TS 38.211, 5.1.2 to 5.1.7, written out as printed there."""
    b = [1 - 2 * int(x) for x in bits]
    if order == 2:
        return (b[0] + 1j * b[0]) / np.sqrt(2)
    if order == 4:
        return (b[0] + 1j * b[1]) / np.sqrt(2)
    if order == 16:
        return (b[0] * (2 - b[2]) + 1j * b[1] * (2 - b[3])) / np.sqrt(10)
    if order == 64:
        return (b[0] * (4 - b[2] * (2 - b[4])) + 1j * b[1] * (4 - b[3] * (2 - b[5]))) / np.sqrt(42)
    if order == 256:
        real = b[0] * (8 - b[2] * (4 - b[4] * (2 - b[6])))
        return (real + 1j * b[1] * (8 - b[3] * (4 - b[5] * (2 - b[7])))) / np.sqrt(170)
    real = b[0] * (16 - b[2] * (8 - b[4] * (4 - b[6] * (2 - b[8]))))
    return (real + 1j * b[1] * (16 - b[3] * (8 - b[5] * (4 - b[7] * (2 - b[9]))))) / np.sqrt(682)


@pytest.mark.parametrize("order", [2, *SQUARE])
def test_points_are_the_standard_ones(order):
    k = qam.bits_per_symbol(order)
    words = (np.arange(order)[:, None] >> np.arange(k - 1, -1, -1)) & 1
    expected = [standard_symbol(word, order) for word in words]
    np.testing.assert_allclose(qam.constellation(order), expected, atol=2e-7)
    np.testing.assert_allclose(qam.map_bits(words.astype(np.uint8).ravel(), order), expected, atol=2e-7)


@pytest.mark.parametrize("order", qam.ORDERS)
def test_unit_energy_and_gray_neighbours(order):
    points = qam.constellation(order)
    assert np.mean(np.abs(points) ** 2) == pytest.approx(1, abs=1e-6)
    distance = np.abs(points[:, None] - points)
    np.fill_diagonal(distance, np.inf)
    for i, j in zip(*np.nonzero(distance < distance.min() * 1.01), strict=True):
        assert (int(i) ^ int(j)).bit_count() == 1


@pytest.mark.parametrize("order", qam.ORDERS)
@settings(deadline=None, max_examples=50)
@given(data=st.data())
def test_hard_demapping_undoes_mapping(order, data):
    k = qam.bits_per_symbol(order)
    n = data.draw(st.integers(0, 40))
    bits = np.array(data.draw(st.lists(st.integers(0, 1), min_size=n * k, max_size=n * k)), np.uint8)
    symbols = qam.map_bits(bits, order)
    np.testing.assert_array_equal(qam.demap_hard(symbols, order), bits)
    llr = qam.demap_llr(symbols, order, 0.01)
    np.testing.assert_array_equal(llr > 0, bits == 1)  # positive means 1


def noisy(order, n=700, seed=5):
    """Symbols of every noise level at once, among them lengths that are no multiple of the kernels' block."""
    rng = np.random.default_rng(seed)
    bits = rng.integers(0, 2, n * qam.bits_per_symbol(order)).astype(np.uint8)
    n0 = 10 ** rng.uniform(-3, 0.5, n)
    noise = rng.standard_normal(n) + 1j * rng.standard_normal(n)
    return (qam.map_bits(bits, order) + np.sqrt(n0 / 2) * noise).astype(np.complex64), n0


@pytest.mark.parametrize("method", ["maxlog", "exact"])
@pytest.mark.parametrize("order", qam.ORDERS)
def test_llrs_equal_brute_force(order, method):
    received, n0 = noisy(order)
    points = qam.constellation(order)
    for noise in (n0, float(n0.mean())):
        expected = qam_reference.demap_llr(received, points, noise, method)
        # float32 distances: the error grows with |y|^2/n0, not with the LLR
        scale = np.repeat((1 + np.abs(received) ** 2) / noise, qam.bits_per_symbol(order))
        error = np.abs(qam.demap_llr(received, points, noise, method) - expected)
        assert np.all(error < 2e-6 + 1e-6 * scale)
    np.testing.assert_array_equal(qam.demap_hard(received, order), qam_reference.demap_hard(received, points))


@pytest.mark.parametrize("method", ["maxlog", "exact"])
def test_llrs_far_outside_the_constellation_stay_finite(method):
    received = np.array([100 + 100j, -50, 1e-9j, 3 - 40j], np.complex64)
    for order in (2, 8, 16, 256):
        llr = qam.demap_llr(received, order, 1e-3, method)
        expected = qam_reference.demap_llr(received, qam.constellation(order), 1e-3, method)
        np.testing.assert_allclose(llr, expected, rtol=1e-4, atol=2)


@pytest.mark.parametrize("method", ["maxlog", "exact"])
def test_user_constellation(method):
    rng = np.random.default_rng(3)
    points = qam.from_labels(rng.standard_normal(8) + 1j * rng.standard_normal(8), rng.permutation(8))
    assert np.mean(np.abs(points) ** 2) == pytest.approx(1, abs=1e-6)
    received = rng.standard_normal(300) + 1j * rng.standard_normal(300)
    expected = qam_reference.demap_llr(received, points, 0.2, method)
    np.testing.assert_allclose(qam.demap_llr(received, points, 0.2, method), expected, rtol=2e-5, atol=2e-5)


def test_rotated_square_qam_takes_the_general_path():
    points = (qam.constellation(16) * np.exp(0.3j)).astype(np.complex64)
    received, _ = noisy(16)
    expected = qam_reference.demap_llr(received, points, 0.3, "exact")
    np.testing.assert_allclose(qam.demap_llr(received, points, 0.3, "exact"), expected, rtol=2e-5, atol=2e-5)


def test_from_labels_puts_each_point_at_its_label():
    points = qam.from_labels([3, 1j, -3, -1j], [2, 0, 3, 1])
    np.testing.assert_allclose(points * np.sqrt(5), [1j, -1j, 3, -3], atol=1e-6)


def test_gain_is_the_channel():
    received, n0 = noisy(64)
    gain = np.exp(1j * np.linspace(0, 9, received.size)) * np.linspace(0.1, 3, received.size)
    plain = qam.demap_llr(received, 64, n0)
    through = qam.demap_llr(gain * received, 64, n0 * np.abs(gain) ** 2, gain=gain)
    np.testing.assert_allclose(through, plain, rtol=1e-3, atol=1e-3)
    assert not qam.demap_llr(received[:3], 64, 0.1, gain=np.zeros(3)).any()


def test_erased_symbols_have_no_opinion():
    for order in (2, 8, 16):
        for method in ("maxlog", "exact"):
            llr = qam.demap_llr(np.ones(5, np.complex64), order, np.inf, method)
            np.testing.assert_allclose(llr, 0, atol=1e-6)


def test_pi2_bpsk_turns_every_other_symbol_and_continues():
    bits = np.array([0, 1, 1, 0, 1], np.uint8)
    expected = [(1j if i % 2 else 1) * (1 - 2 * int(b)) * (1 + 1j) / np.sqrt(2) for i, b in enumerate(bits)]
    whole = qam.map_pi2_bpsk(bits)
    np.testing.assert_allclose(whole, expected, atol=1e-7)
    np.testing.assert_array_equal(np.concatenate([qam.map_pi2_bpsk(bits[:3]), qam.map_pi2_bpsk(bits[3:], 3)]), whole)
    np.testing.assert_array_equal(qam.demap_llr_pi2_bpsk(whole[3:], 0.5, first_index=3) > 0, bits[3:] == 1)
    assert qam.demap_llr_pi2_bpsk(whole, 0.5) == pytest.approx(8.0 * (2.0 * bits - 1), rel=1e-6)


def test_shapes_keep_their_leading_axes():
    bits = np.random.default_rng(0).integers(0, 2, (3, 5, 24)).astype(np.uint8)
    symbols = qam.map_bits(bits, "16-QAM")
    assert symbols.shape == (3, 5, 6)
    assert symbols.dtype == np.complex64
    llr = qam.demap_llr(symbols, 16, np.full((5, 1), 0.1))
    assert llr.shape == bits.shape
    assert llr.dtype == np.float32
    np.testing.assert_array_equal(qam.demap_hard(symbols, 16), bits)


@pytest.mark.parametrize("name, order", [("BPSK", 2), ("qpsk", 4), ("8-PSK", 8), ("64QAM", 64), ("qam256", 256)])
def test_names(name, order):
    np.testing.assert_array_equal(qam.constellation(name), qam.constellation(order))


def test_bad_input_says_what_was_expected():
    with pytest.raises(ValueError, match="order must be 2, 4, 8, 16, 64, 256 or 1024, not 17"):
        qam.constellation(17)
    with pytest.raises(ValueError, match="not '12qam'"):
        qam.constellation("12qam")
    with pytest.raises(ValueError, match=r"groups of 4 on the last axis, not \(6,\)"):
        qam.map_bits(np.zeros(6, np.uint8), 16)
    with pytest.raises(ValueError, match="bits must be 0 or 1"):
        qam.map_bits(np.array([0, 2], np.uint8), 4)
    with pytest.raises(ValueError, match="bits must be 0 or 1"):
        qam.map_bits(np.array([0, 256]), 4)
    with pytest.raises(ValueError, match="bits must be integers"):
        qam.map_bits(np.zeros(4), 4)
    with pytest.raises(ValueError, match="n0 must be above 0"):
        qam.demap_llr(np.ones(2, complex), 4, np.array([1.0, 0.0]))
    with pytest.raises(ValueError, match="method must be 'maxlog' or 'exact', not 'map'"):
        qam.demap_llr(np.ones(2, complex), 4, 1.0, "map")
    with pytest.raises(ValueError, match=r"must be one number or fit symbols \(2,\), not \(3,\)"):
        qam.demap_llr(np.ones(2, complex), 4, np.ones(3))
    with pytest.raises(ValueError, match="points must be 2, 4, 8"):
        qam.from_labels([1, 2, 3], [0, 1, 2])
    with pytest.raises(ValueError, match=r"labels must be a permutation of 0 \.\.\. 3"):
        qam.from_labels([1, 2, 3, 4], [0, 1, 1, 2])
    with pytest.raises(ValueError, match="mean energy"):
        qam.from_labels([0, 0], [0, 1])
    with pytest.raises(ValueError, match="at least one axis"):
        qam.demap_hard(np.complex64(1), 4)


@pytest.mark.parametrize("method", ["maxlog", "exact"])
@pytest.mark.parametrize("order", [8, 16, 256])
def test_threads_change_nothing(order, method, monkeypatch):
    received, n0 = noisy(order, 3000)
    alone = [qam.demap_llr(received, order, noise, method) for noise in (n0, 0.1)]
    monkeypatch.setattr("numba.get_num_threads", lambda: 3)
    monkeypatch.setattr(qam, "_SYMBOLS_PER_THREAD", 1)
    monkeypatch.setattr(qam, "_DISTANCES_PER_THREAD", 1)
    for noise, expected in zip((n0, 0.1), alone, strict=True):
        np.testing.assert_array_equal(qam.demap_llr(received, order, noise, method), expected)
