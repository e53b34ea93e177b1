"""Classical fills against an exact solution of the same equation and simple properties."""

import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.linalg import spsolve

from semwave.models import fill


def exact_membrane(image: np.ndarray, mask: np.ndarray, base: np.ndarray | None, reach: float) -> np.ndarray:
    """Sparse direct solution of (laplacian - 1 / r^2) d = 0 with d given on the mask, no flux at the border."""
    height, width = mask.shape
    pull = 0.0 if base is None else 1.0 / max(reach * max(mask.shape), 1.0) ** 2
    offset = np.full(image.shape, 0.5) if base is None else base
    number = np.arange(height * width).reshape(height, width)
    rows, columns, values, right = [], [], [], np.zeros((height * width, 3))
    for y in range(height):
        for x in range(width):
            me = number[y, x]
            if mask[y, x]:
                rows.append(me), columns.append(me), values.append(1.0)
                right[me] = image[y, x] - offset[y, x]
                continue
            near = [(y + a, x + b) for a, b in ((-1, 0), (1, 0), (0, -1), (0, 1))]
            near = [(a, b) for a, b in near if 0 <= a < height and 0 <= b < width]
            rows.append(me), columns.append(me), values.append(len(near) + pull)
            for a, b in near:
                rows.append(me), columns.append(number[a, b]), values.append(-1.0)
    matrix = coo_array((values, (rows, columns))).tocsr()
    solved = np.stack([spsolve(matrix, right[:, p]) for p in range(3)], axis=1)
    return np.clip(offset + solved.reshape(image.shape), 0, 1)


@pytest.mark.parametrize("with_base", [False, True])
def test_membrane_is_near_the_exact_solution(with_base: bool) -> None:
    rng = np.random.default_rng(5)
    y, x = np.mgrid[0:60, 0:80] / 80
    image = np.stack([x, y, 0.5 + 0.4 * np.sin(6 * x)], axis=-1).astype(np.float32)
    mask = np.zeros((60, 80), bool)
    mask[10:30, 20:50] = mask[45:50, 60:75] = True
    base = np.full(image.shape, 0.4, np.float32) + 0.1 * rng.random(3, np.float32) if with_base else None
    got = fill.membrane(image, mask, base, 0.08)
    want = exact_membrane(image, mask, base, 0.08)
    assert np.sqrt(np.mean((got - want)[~mask] ** 2)) < 0.02
    assert np.array_equal(got[mask], image[mask])


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (17, 31), (5, 2)])
def test_constant_key_gives_constant_picture(shape: tuple[int, int]) -> None:
    mask = np.zeros(shape, bool)
    mask[0, 0] = True
    out = fill.membrane(np.full((*shape, 3), 0.3, np.float32), mask)
    assert np.allclose(out, 0.3, atol=1e-5)


def test_nothing_known_and_everything_known() -> None:
    image = np.random.default_rng(0).random((6, 7, 3), np.float32)
    none, every = np.zeros((6, 7), bool), np.ones((6, 7), bool)
    assert np.array_equal(fill.membrane(image, every), image)
    assert np.all(fill.membrane(image, none) == 0.5)
    assert np.array_equal(fill.membrane(image, none, image), image)
    assert np.all(fill.one_colour(image, none) == 0.5)
    assert np.allclose(fill.one_colour(image, none, (1.0, 0.0, 0.5)), (1.0, 0.0, 0.5))
    half = every.copy()
    half[3:] = False
    assert np.allclose(fill.one_colour(image, half)[4, 4], image[half].mean(axis=0), atol=1e-6)


def test_cells_interpolate_between_centres() -> None:
    grid = np.zeros((3, 3, 3), np.float32)
    grid[1, 1] = 1.0
    out = fill.cells(grid, (9, 9))
    assert np.allclose(out[4, 4], 1.0)
    assert np.allclose(out[4, 1], 0.0)
    assert np.allclose(out[4, 2], 1 / 3, atol=1e-6)


def test_bad_mask() -> None:
    with pytest.raises(ValueError, match=r"mask must be bool \(4, 4\), not uint8"):
        fill.membrane(np.zeros((4, 4, 3), np.float32), np.zeros((4, 4), np.uint8))
