"""The parts of the semantic codec, each against a formula or another library."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from semwave.models.jscc import WEIGHTS, allocation, blocks, codebook, entropy, fallback, transform


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


def coarse(image: np.ndarray, cover: np.ndarray, noise_var: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Block means as sent, as received, and the variances told; in units of a coefficient."""
    book = codebook.load(WEIGHTS / "semantic-classes" / "model.safetensors")
    sent = fallback.encode(image, cover)
    noise = np.random.default_rng(5).standard_normal((sent.size, 2)).view(np.complex128)[:, 0] * np.sqrt(noise_var / 2)
    found, spread = fallback.decode(book, sent + noise, np.full(sent.size, noise_var), cover)
    return transform.forward(image)[cover][:, fallback.PLACES], *(x[cover][:, fallback.PLACES] for x in (found, spread))


def test_coarse_picture_comes_without_side_information() -> None:
    ramp = np.linspace(0.2, 0.7, 160, dtype=np.float32)
    image = np.broadcast_to(ramp[None, :, None], (96, 160, 3)).copy()
    cover = np.ones((6, 10), bool)
    cover[2, 3] = cover[5] = False
    assert fallback.encode(image, cover).size == fallback.symbols(cover) == -(-3 * 49 // 2)
    true, found, _ = coarse(image, cover, 1e-6)
    np.testing.assert_allclose(found, true, atol=0.02)
    true, found, spread = coarse(image, cover, 1.0)
    alone = 0.5 / fallback.GAINS**2  # error of each mean by itself
    assert (np.square(found - true).mean(0) < 0.5 * alone).all()
    assert (spread < alone).all()


def test_coarse_picture_minimises_its_sum() -> None:
    cover, rng = np.ones((3, 4), bool), np.random.default_rng(7)
    weight, pull = rng.random(12) + 0.1, rng.standard_normal(12)
    found, variances = fallback._smooth(cover, weight, pull, 0.7)
    full = np.diag(weight)
    for a in range(12):
        for b in range(12):
            if abs(a // 4 - b // 4) + abs(a % 4 - b % 4) == 1:
                full[a, b] -= 0.7
                full[a, a] += 0.7
    np.testing.assert_allclose(found, np.linalg.solve(full, pull), rtol=1e-9)
    assert (variances < 1 / weight).all()
