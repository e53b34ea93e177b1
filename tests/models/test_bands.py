"""Subbands: perfect reconstruction of what is kept, and shapes."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from semwave.models import bands  # noqa: E402


def test_grey_pictures_come_back() -> None:
    grey = torch.rand((2, 1, 48, 64), generator=torch.Generator().manual_seed(1)).expand(2, 3, 48, 64)
    split = bands.analyse(grey)
    assert split.shape == (2, bands.CHANNELS, 12, 16)
    assert torch.allclose(bands.synthesise(split) + 0.5, grey, atol=1e-5)


def test_smooth_colours_come_back_and_constants_have_no_detail() -> None:
    y, x = np.mgrid[0:64, 0:64] / 64
    picture = torch.tensor(np.stack([x, y, 0.5 + 0.3 * x * y])[None], dtype=torch.float32)
    inner = (bands.synthesise(bands.analyse(picture)) + 0.5 - picture)[..., 8:-8, 8:-8]
    assert inner.abs().max() < 2e-3
    flat = bands.analyse(torch.full((1, 3, 32, 32), 0.7))
    assert flat[:, 3:].abs().max() < 1e-5
