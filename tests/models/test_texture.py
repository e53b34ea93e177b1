"""Texture patterns: strength as told, direction, seeds, any size."""

import numpy as np
import pytest

from semwave.models import texture


def test_pattern_is_normal_and_follows_its_seed() -> None:
    made = [texture.pattern((120, 160), None, np.random.default_rng(seed)) for seed in (1, 1, 2)]
    assert np.array_equal(made[0], made[1])
    assert not np.array_equal(made[0], made[2])
    assert abs(made[0].mean()) < 1e-4
    assert made[0].std() == pytest.approx(1.0, abs=1e-3)


def test_edges_give_the_direction() -> None:
    flat = texture.pattern((150, 150), "horizontal", np.random.default_rng(3))
    steep = texture.pattern((150, 150), "vertical", np.random.default_rng(3))
    assert np.abs(np.diff(flat, axis=0)).mean() > 1.5 * np.abs(np.diff(flat, axis=1)).mean()
    assert np.abs(np.diff(steep, axis=1)).mean() > 1.5 * np.abs(np.diff(steep, axis=0)).mean()


def test_strength_is_as_told() -> None:
    told = np.full((3, 3), texture.MIDDLE, np.float32)
    alone = texture.synthesise((90, 90), told, "mixed", 5)
    assert alone.std() == pytest.approx(texture.MIDDLE * texture.STRENGTH, rel=0.02)
    assert 0 < texture.synthesise((90, 90), None, "mixed", 5).std() < alone.std()


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (5, 7), (17, 31), (700, 900)])
def test_any_size(shape: tuple[int, int]) -> None:
    made = texture.synthesise(shape, np.full((3, 3), 0.05, np.float32), "none", 0)
    assert made.shape == shape
    assert made.dtype == np.float32
    assert np.isfinite(made).all()
