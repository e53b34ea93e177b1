"""The parts of the semantic codec, each against a formula or another library."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from semwave.models.jscc import allocation, blocks, entropy, projection, transform
from semwave.modulation import qam


def test_transform_is_scipys_and_keeps_energy() -> None:
    from scipy.fft import dctn

    image = np.random.default_rng(1).random((32, 48, 3), np.float32)
    cosines = transform.forward(image)
    grey = -image.sum(2)[16:32, 16:32] / np.sqrt(3)
    np.testing.assert_allclose(cosines[1, 1, :256].reshape(16, 16), dctn(grey, norm="ortho"), atol=2e-5)
    np.testing.assert_allclose(np.square(cosines).sum(), np.square(image).sum(), rtol=1e-5)
    np.testing.assert_allclose(transform.backward(cosines), image, atol=2e-6)


def test_pixel_variance_is_that_of_the_linear_map() -> None:
    rng = np.random.default_rng(2)
    variances = rng.random((1, 1, 768)).astype(np.float32)
    columns = [transform.backward(row.reshape(1, 1, 768)) for row in np.eye(768, dtype=np.float32)]
    exact = sum(v * np.square(c) for v, c in zip(variances.ravel(), columns, strict=True))
    np.testing.assert_allclose(transform.backward_variance(variances), exact, rtol=1e-4)


def test_mask_covers_the_blocks_it_touches() -> None:
    mask = np.zeros((40, 33), bool)
    mask[39, 32] = mask[0, 0] = True
    assert np.argwhere(blocks.cover((40, 33), mask)).tolist() == [[0, 0], [2, 2]]
    with pytest.raises(ValueError, match=r"mask must be bool \[40, 33\], not bool \[40, 40\]"):
        blocks.cover((40, 33), np.zeros((40, 40), bool))


def test_gains_are_the_best_of_their_power() -> None:
    rng = np.random.default_rng(3)
    variances = rng.exponential(size=50) ** 3
    noise = 0.5 * 10**-0.4
    power = np.square(allocation.gains(variances, 4.0)) * variances
    assert power.mean() == pytest.approx(0.5)

    def error(p: np.ndarray) -> float:
        return float((variances * noise / (p + noise)).sum())

    for _ in range(200):  # move power from one value to another: never better
        a, b = rng.integers(0, 50, 2)
        moved = power.copy()
        some = power[a] * rng.random()
        moved[a] -= some
        moved[b] += some
        assert error(moved) >= error(power) - 1e-9


def test_estimate_is_the_regression_on_what_was_received() -> None:
    rng = np.random.default_rng(4)
    c = rng.standard_normal(200_000) * 1.7
    y = 0.6 * c + rng.standard_normal(c.size) * 0.5
    ones = np.ones(1)
    slope = float(allocation.estimate(ones, 0.6 * ones, 1.7**2 * ones, 0.25 * ones)[0][0])
    fit = stats.linregress(y, c)
    assert abs(slope - fit.slope) < 4 * fit.stderr
    lost, before = allocation.estimate(ones, ones, 2 * ones, np.array([np.inf]))
    assert lost[0] == 0
    assert before[0] == 2


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(-500, 500), st.integers(-30, 40)), min_size=1, max_size=60))
def test_integers_survive_the_range_coder(pairs: list[tuple[int, int]]) -> None:
    values, levels = (np.array(x, np.int32) for x in zip(*pairs, strict=True))
    writer = entropy.Writer()
    writer.symbols(np.array([2]), np.array([0.2, 0.3, 0.5]))
    writer.integers(values, levels)
    reader = entropy.Reader(writer.bytes())
    assert reader.symbol(np.array([0.2, 0.3, 0.5])) == 2
    assert reader.integers(levels).tolist() == values.tolist()


def test_range_coder_is_within_two_percent_of_the_entropy() -> None:
    rng = np.random.default_rng(5)
    values = np.round(rng.laplace(scale=2 / np.sqrt(2), size=20_000)).astype(np.int32)  # sigma = 2 steps
    edges = np.arange(-60, 62) - 0.5
    share = np.diff(stats.laplace.cdf(edges, scale=2 / np.sqrt(2)))
    bits = -np.log2(share[values + 60]).sum()
    writer = entropy.Writer()
    writer.integers(values, np.full(values.size, 4))
    assert bits <= 8 * len(writer.bytes()) * 1.001
    assert 8 * len(writer.bytes()) < 1.02 * bits


@pytest.mark.parametrize(("value", "level"), [(0, 0), (1, 0), (-2, 4), (0, 8)])
def test_expectation_within_a_cell(value: int, level: int) -> None:
    density = stats.laplace(scale=2 ** (level / 4) / np.sqrt(2)).pdf
    total, first, second = (
        integrate.quad(lambda x, k=k: density(x) * x**k, value - 0.5, value + 0.5)[0] for k in range(3)
    )
    mean, spread = entropy.expectation(np.array([value]), np.array([level]))
    assert mean[0] == pytest.approx(first / total, abs=2e-3)
    assert spread[0] == pytest.approx(second / total - (first / total) ** 2, abs=2e-3)


@pytest.mark.parametrize("order", projection.ORDERS)
def test_levels_are_those_of_the_modem(order: int) -> None:
    points = qam.constellation(order)
    np.testing.assert_allclose(projection.levels(order), np.unique(points.real.round(6)), atol=2e-6)


@pytest.mark.parametrize("even", [False, True])
def test_posterior_mean_beats_no_rival_and_knows_its_error(even: bool) -> None:
    rng = np.random.default_rng(6)
    n, spread, noise = 40_000, 1.3, 0.05
    x = rng.uniform(-1, 1, n) * np.sqrt(3) * spread if even else rng.standard_normal(n) * spread
    spreads, kind = np.full(n, spread), np.full(n, even)
    sent = projection.project(x, spreads, kind, 64)
    assert set(np.unique(sent.round(6))) <= set(projection.levels(64).round(6))
    y = sent + rng.standard_normal(n) * np.sqrt(noise)
    mean, variance = projection.expectation(y, spreads, kind, np.full(n, noise), 64)
    squared = np.square(x - mean)
    margin = 4 * squared.std() / np.sqrt(n)
    assert abs(squared.mean() - variance.mean()) < margin
    linear = y * (x @ y) / (y @ y)
    assert squared.mean() < np.square(x - linear).mean() + margin


def test_projection_refuses_odd_constellations() -> None:
    with pytest.raises(ValueError, match="constellation must be one of 4, 16, 64, 256, 1024, not 32"):
        projection.levels(32)
