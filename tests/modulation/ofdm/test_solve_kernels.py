import numpy as np
import pytest

from semwave.modulation.ofdm.solve_kernels import posterior, posterior_reference, product


@pytest.mark.parametrize("kind", [np.float64, np.complex128])
@pytest.mark.parametrize(("q", "r", "groups"), [(1, 1, 1), (3, 5, 2), (4, 22, 6)])
def test_equals_the_inverse_written_out(kind, q, r, groups):
    rng = np.random.default_rng(q * r)
    v, u = rng.standard_normal((groups, q + 1, q)), rng.standard_normal((groups, 4, r)).astype(kind)
    if kind is np.complex128:
        u += 1j * rng.standard_normal(u.shape)
    over_time, over_carriers = np.swapaxes(v, 1, 2) @ v, np.swapaxes(u.conj(), 1, 2) @ u
    prior = 10.0 ** rng.uniform(-3, 6, q * r)  # as far apart as coefficients in and out of a delay window
    got = posterior(over_time, over_carriers, 0.01, prior)
    expected = posterior_reference(over_time, over_carriers, 0.01, prior)
    assert got.dtype == kind
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-9 * np.abs(expected).max())
    np.testing.assert_allclose(got, got.conj().T, atol=1e-12 * np.abs(got).max())


@pytest.mark.parametrize(
    ("a", "b"), [(np.float64, np.float64), (np.float64, np.complex128), (np.complex64, np.float64)]
)
def test_product_is_numpys(a, b):
    rng = np.random.default_rng(1)
    x = (rng.standard_normal((7, 5)) + (1j * rng.standard_normal((7, 5)) if a is np.complex64 else 0)).astype(a)
    y = (rng.standard_normal((9, 5)) + (1j * rng.standard_normal((9, 5)) if b is np.complex128 else 0)).astype(b).T
    got = product(x, y)
    np.testing.assert_allclose(got, x @ y, rtol=1e-12, atol=1e-12)
    assert got.dtype == (np.float64 if a is b is np.float64 else np.complex128)
