import numpy as np
import pytest

from semwave.modulation.ofdm.sequences import burst_permutation, hashed, qpsk_sequence, zadoff_chu


def test_splitmix64_reference_vector():
    # first outputs of SplitMix64 from state 0, as published with the reference code
    assert [int(x) for x in hashed(0, 3)] == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]


@pytest.mark.parametrize("n", [0, 1, 2, 3, 172, 5000])
def test_permutation_is_one(n):
    np.testing.assert_array_equal(np.sort(burst_permutation(n)), np.arange(n))


def test_permutation_differs_with_n_and_spreads_neighbours():
    assert not np.array_equal(burst_permutation(1000)[:50], burst_permutation(1001)[:50])
    places = np.argsort(burst_permutation(5160))  # where each payload symbol is sent
    step = np.abs(np.diff(places))
    assert np.median(step) > 0.2 * 5160  # 0.29 n for a random permutation


def test_negative_length():
    with pytest.raises(ValueError, match="n must be at least 0, not -1"):
        burst_permutation(-1)


def test_zadoff_chu_is_cazac_at_prime_length():
    z = zadoff_chu(3, 139)
    np.testing.assert_allclose(np.abs(z), 1, rtol=1e-6)
    spectrum = np.abs(np.fft.fft(z))
    np.testing.assert_allclose(spectrum, np.sqrt(139), rtol=1e-4)


def test_qpsk_uses_all_four_points():
    q = qpsk_sequence(9, 4000)
    counts = [np.sum((np.sign(q.real) == a) & (np.sign(q.imag) == b)) for a in (-1, 1) for b in (-1, 1)]
    assert min(counts) > 1000 - 5 * np.sqrt(4000 * 0.25 * 0.75)
