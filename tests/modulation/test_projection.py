"""Projection of analogue symbols on QAM: Max's tables, the geometry of the constellation, unbiased estimates."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semwave.modulation import projection, qam
from semwave.modulation.ofdm.sequences import qpsk_sequence

# J. Max 1960, table II: spacing and mean squared error of uniform quantisers of a Gaussian of variance 1, by levels.
MAX_1960 = {4: (1.596, 0.3634), 16: (0.9957, 0.1188), 64: (0.5860, 0.03744), 256: (0.3352, 0.01154),
            1024: (0.1881, 0.003495)}  # fmt: skip


def gaussian(n: int, seed: int) -> np.ndarray:
    """Circular, unit power: complex64 [n]."""
    return np.random.default_rng(seed).standard_normal((n, 2)).astype(np.float32).view(np.complex64)[:, 0] * np.float32(
        np.sqrt(0.5)
    )


@pytest.mark.parametrize("order", projection.ORDERS)
def test_spacing_and_error_are_those_of_the_literature(order: int) -> None:
    spacing, error = MAX_1960[order]
    assert projection.distortion(order) == pytest.approx(error, rel=2e-3)
    axis = np.unique(projection.sent_points(order).real)
    assert np.diff(axis) * np.sqrt(2 * (1 - error)) == pytest.approx(spacing, rel=2e-3)


@pytest.mark.parametrize("order", projection.ORDERS)
def test_points_are_the_modems_constellation_scaled(order: int) -> None:
    ratio = projection.sent_points(order) / qam.constellation(order)
    assert np.allclose(ratio, ratio[0].real, rtol=1e-5)
    sent = projection.project(gaussian(5000, 1), order)
    distance = np.abs(sent[:, None] - projection.sent_points(order)[None]).min(axis=1)
    assert distance.max() < 1e-5


@given(st.sampled_from(projection.ORDERS), st.integers(0, 1000))
def test_each_mixed_symbol_goes_to_the_nearest_point(order: int, seed: int) -> None:
    """The mixing typed out: signs, then the matrix exp(-2 pi i j k / n) / sqrt(n)."""
    n = 50
    j = np.arange(n)
    matrix = np.exp(-2j * np.pi * np.outer(j, j) / n) / np.sqrt(n)
    symbols = gaussian(n, seed)
    mixed = matrix @ (symbols * qpsk_sequence(projection.SPREAD_SEED, n))
    points = projection.sent_points(order) * np.sqrt(1 - projection.distortion(order))  # as they lie before scaling
    nearest = points[np.abs(mixed[:, None] - points).argmin(axis=1)]
    got = projection.project(symbols, order) * np.sqrt(1 - projection.distortion(order))
    assert np.abs(mixed - got) == pytest.approx(np.abs(mixed - nearest), abs=1e-5)


@pytest.mark.parametrize("order", [16, 64, 256])
@pytest.mark.parametrize("n0", [0.0, 0.05, 0.5])
def test_estimates_are_unbiased_and_as_noisy_as_told(order: int, n0: float) -> None:
    n = 200_000
    symbols = gaussian(n, 2)
    sent = projection.project(symbols, order)
    assert np.mean(np.abs(sent) ** 2) == pytest.approx(1, abs=4 * np.sqrt(1 / n))
    got, told = projection.unproject(sent + gaussian(n, 3) * np.float32(np.sqrt(n0)), n0, order)
    error = got - symbols
    assert abs(np.vdot(symbols, error)) / n < 4 * np.sqrt(told[0] / n)
    assert np.mean(np.abs(error) ** 2) == pytest.approx(told[0], rel=4 * np.sqrt(3 / n))
    assert got.dtype == np.complex64
    assert told.dtype == np.float32


@pytest.mark.parametrize("order", [64, 1024])
def test_rare_large_symbols_are_not_cut_off(order: int) -> None:
    """One symbol in 100 has all the power, ten deviations each: as well kept as Gaussian ones."""
    rng = np.random.default_rng(4)
    symbols = (10 * (rng.random(20_000) < 0.01)).astype(np.complex64)
    got, told = projection.unproject(projection.project(symbols, order), 0.0, order)
    power = np.mean(np.abs(symbols) ** 2)
    assert np.mean(np.abs(got - symbols) ** 2) == pytest.approx(told[0] * power, rel=0.1)


def test_what_is_lost_is_shared_by_all() -> None:
    """A third of the points lost: as if each symbol had kept two thirds of its power."""
    n = 60_000
    symbols = gaussian(n, 6)
    sent = projection.project(symbols, 1024)
    lost = np.random.default_rng(1).random(n) < 1 / 3
    got, told = projection.unproject(np.where(lost, np.nan, sent), np.where(lost, np.inf, 0.0), 1024)
    kept = (1 - projection.distortion(1024)) * (1 - lost.mean())
    assert told == pytest.approx((1 - kept) / kept, rel=1e-5)
    assert np.mean(np.abs(got - symbols) ** 2) == pytest.approx(told[0], rel=4 * np.sqrt(2 / n))


def test_all_lost_and_nothing_at_all() -> None:
    got, told = projection.unproject(np.zeros(3, np.complex64), np.full(3, np.inf), 64)
    assert np.isinf(told).all()
    assert not got.any()
    assert projection.project(np.zeros(0, np.complex64), 64).size == 0
    assert projection.unproject(np.zeros(0, np.complex64), 1.0, 64)[0].size == 0


def test_a_constellation_that_is_none_is_named() -> None:
    with pytest.raises(ValueError, match=r"order must be 4, 16, 64, 256 or 1024, not 32"):
        projection.project(np.zeros(3, np.complex64), 32)
