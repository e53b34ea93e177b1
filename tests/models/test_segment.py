"""Key masks keep their promises for any importance; the backends find what they are for."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from semwave.models.segment import (
    BACKENDS,
    centre_prior,
    expand,
    key_mask,
    load_segmenter,
    spectral_residual,
)
from semwave.models.segment.ask import parse_key

PHOTOS = Path(__file__).resolve().parents[2] / "recordings" / "images"


def square(side: int = 128, at: tuple[int, int] = (32, 64), size: int = 32) -> np.ndarray:
    """A textured square on a quiet ground."""
    rng = np.random.default_rng(5)
    image = np.full((side, side, 3), 120, np.uint8)
    image[at[0] : at[0] + size, at[1] : at[1] + size] = rng.integers(0, 256, (size, size, 3))
    return image


@settings(max_examples=150, deadline=None)
@given(
    rows=st.integers(1, 90),
    columns=st.integers(1, 90),
    block=st.integers(1, 20),
    budget=st.floats(0.01, 1.0),
    seed=st.integers(0, 9999),
    coarse=st.integers(1, 12),
)
def test_key_mask_stays_within_the_budget_or_is_one_block(rows, columns, block, budget, seed, coarse):
    rng = np.random.default_rng(seed)
    small = rng.random((-(-rows // coarse), -(-columns // coarse)))
    importance = np.kron(small, np.ones((coarse, coarse)))[:rows, :columns].astype(np.float32)
    mask = key_mask(importance, budget, block)
    assert mask.dtype == np.bool_
    assert mask.shape == (-(-rows // block), -(-columns // block))
    covered = expand(mask, block, (rows, columns))
    assert covered.shape == (rows, columns)
    assert mask.sum() >= 1
    assert covered.sum() <= budget * rows * columns or mask.sum() == 1
    assert np.array_equal(mask, key_mask(importance, budget, block))


def test_key_mask_takes_the_object_and_not_the_whole_budget():
    importance = np.zeros((160, 160), np.float32)
    importance[32:96, 48:112] = 1.0
    mask = key_mask(importance, 0.9, 16)
    inside = np.zeros((10, 10), bool)
    inside[2:6, 3:7] = True
    assert mask[inside].all()
    around = np.zeros((10, 10), bool)
    around[1:7, 2:8] = True  # smoothing may add the ring of neighbours, never more
    assert not mask[~around].any()


def test_holes_are_filled_and_specks_dropped():
    importance = np.zeros((20, 20), np.float32)
    importance[3:12, 3:12] = 1.0
    importance[7, 7] = 0.0
    importance[17, 17] = 1.0
    mask = key_mask(importance, 0.8, 1)
    assert mask[7, 7]
    assert not mask[15:, 15:].any()


def test_flat_importance_gives_the_middle():
    mask = key_mask(np.zeros((96, 96), np.float32), 0.1, 16)
    assert mask[2:4, 2:4].any()
    assert not mask[[0, -1]].any()
    assert mask.sum() * 256 <= 0.1 * 96 * 96


def test_a_tiny_budget_still_gives_one_block():
    assert key_mask(np.ones((40, 40), np.float32), 1e-6, 16).sum() == 1


@pytest.mark.parametrize(
    ("values", "budget", "block", "message"),
    [
        (np.zeros((4, 4)), 0.0, 4, r"budget must be in \(0, 1\], not 0.0"),
        (np.zeros((4, 4)), 1.5, 4, r"budget must be in \(0, 1\], not 1.5"),
        (np.zeros((4, 4)), 0.5, 0, "block must be at least 1 pixel, not 0"),
        (np.zeros(4), 0.5, 4, r"importance must be finite, \[rows, columns\], not \[4\]"),
        (np.full((4, 4), np.nan), 0.5, 4, "importance must be finite"),
    ],
)
def test_bad_arguments_are_named(values, budget, block, message):
    with pytest.raises(ValueError, match=message):
        key_mask(values.astype(np.float32), budget, block)


def test_expand_checks_the_grid():
    mask = np.array([[True, False]])
    assert expand(mask, 4, (3, 6)).tolist() == [[True] * 4 + [False] * 2] * 3
    with pytest.raises(ValueError, match=r"mask must be \[2, 2\] for \[5, 6\] pixels, not \[1, 2\]"):
        expand(mask, 4, (5, 6))


def test_spectral_residual_finds_the_odd_patch():
    saliency = spectral_residual(square())
    assert saliency.dtype == np.float32
    assert saliency[32:64, 64:96].mean() > 3 * saliency[96:].mean()


def test_centre_prior_is_symmetric_and_highest_in_the_middle():
    prior = centre_prior(np.zeros((41, 60, 3), np.uint8))
    assert np.allclose(prior, prior[::-1, ::-1])
    assert prior.argmax() in (20 * 60 + 29, 20 * 60 + 30)
    assert prior[0, 0] < 0.1 < 0.9 < prior.max()


@pytest.mark.parametrize("name", BACKENDS)
def test_every_backend_takes_any_size(name):
    segmenter = load_segmenter(name)
    images = [np.full(shape, 77, np.uint8) for shape in ((1, 1, 3), (3, 500, 3), (97, 31, 3))] + [square()]
    maps = segmenter.importance(images)
    for image, importance in zip(images, maps, strict=True):
        assert importance.dtype == np.float32
        assert importance.shape == image.shape[:2]
        assert np.isfinite(importance).all()
        assert importance.min() >= 0.0
        assert importance.max() <= 1.0
    again = segmenter.importance(images[-1:])
    assert np.array_equal(again[0], maps[-1])  # the company of other pictures changes nothing


def test_wrong_names_and_pictures_are_named():
    with pytest.raises(ValueError, match=r"name must be one of .*tiny, spectral, centre or hub:ID, not 'big'"):
        load_segmenter("big")
    with pytest.raises(ValueError, match=r"not float64 \[4, 4, 3\]"):
        load_segmenter("centre").importance([np.zeros((4, 4, 3))])


def test_a_device_that_is_not_here_is_named():
    with pytest.raises(ValueError, match="device must be one that torch has here, not 'nowhere'"):
        load_segmenter("tiny", "nowhere")


def test_the_network_is_small_and_gives_a_quarter_of_the_size():
    import torch

    from semwave.models.segment import tiny_net as segment_net

    net = segment_net.build().eval()
    assert sum(p.numel() for p in net.parameters()) < 300_000
    with torch.inference_mode():
        assert segment_net.forward(net, torch.zeros(2, 3, 96, 64)).shape == (2, 1, 24, 16)


def test_the_trained_network_tells_objects_from_ground():
    """A smoke test of the shipped weights: a bright figure on a lawn stands out, and turning it over moves it."""
    y, x = np.mgrid[0:192, 0:256]
    rng = np.random.default_rng(2)
    picture = np.full((192, 256, 3), (70, 120, 50)) + rng.normal(0, 12, (192, 256, 1))
    body = ((x - 80) / 18) ** 2 + ((y - 110) / 45) ** 2 < 1
    head = (x - 80) ** 2 + (y - 52) ** 2 < 14**2
    picture[body], picture[head] = (190, 40, 45), (215, 170, 140)
    picture = np.clip(picture, 0, 255).astype(np.uint8)
    straight, mirrored = load_segmenter("tiny").importance([picture, np.ascontiguousarray(picture[:, ::-1])])
    assert straight[body].mean() > straight[~(body | head)].mean() + 0.3
    assert mirrored[:, ::-1][body].mean() > mirrored[:, ::-1][~(body | head)].mean() + 0.3


def test_importing_the_module_does_not_import_torch():
    code = "import sys, semwave.models.segment; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_detail_decides_where_the_budget_is_short():
    """Half of the object is flat, half is busy: of a budget for half, the busy half gets more."""
    importance = np.zeros((128, 128), np.float32)
    importance[32:96, 16:112] = 1.0
    picture = np.full((128, 128, 3), 90, np.uint8)
    picture[32:96, 64:112] = np.random.default_rng(1).integers(0, 256, (64, 48, 3))
    mask = expand(key_mask(importance, 0.19, 8, picture), 8, (128, 128))
    assert mask[:, 64:].sum() > 1.5 * mask[:, :64].sum()
    plain = expand(key_mask(importance, 0.19, 8), 8, (128, 128))
    assert plain[:, 64:].sum() < 1.3 * plain[:, :64].sum()
    with pytest.raises(ValueError, match=r"image must be \[128, 128\] pixels as importance, not \[64, 128, 3\]"):
        key_mask(importance, 0.3, 8, picture[:64])


def test_the_default_network_finds_the_cat_on_either_side():
    photo = Image.open(PHOTOS / "chelsea.jpg").convert("RGB").resize((192, 128))
    wide = np.full((128, 384, 3), (110, 140, 170), np.uint8)
    wide[:, :192] = np.asarray(photo)
    left, right = load_segmenter("lite").importance([wide, np.ascontiguousarray(wide[:, ::-1])])
    for importance in (left, right[:, ::-1]):
        assert importance[32:96, 48:144].mean() > importance[:, 224:].mean() + 0.4


def test_words_find_the_cat_and_not_the_zebra():
    model, picture = load_segmenter("lite"), np.asarray(Image.open(PHOTOS / "chelsea.jpg").convert("RGB"))
    height, width = picture.shape[:2]
    found = model.find(picture, parse_key("word:cat"))
    face = found[height // 4 : 3 * height // 4, width // 3 : 2 * width // 3].mean()
    assert face > 0.4
    assert found[: height // 8, -width // 8 :].mean() < 0.5 * face
    assert model.find(picture, parse_key("word:zebra")) is None


@pytest.mark.slow
def test_huge_thin_and_grey_pictures():
    model = load_segmenter("lite")
    for shape in ((9000, 7, 3), (1, 9000, 3), (4500, 3000, 3)):
        importance = model.importance([np.full(shape, 128, np.uint8)])[0]
        assert importance.shape == shape[:2]
        assert np.isfinite(importance).all()
