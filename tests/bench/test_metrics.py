"""Every metric against the published table, when it is there; PSNR and SSIM against the formulas typed out."""

import csv
import math
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from semwave.bench.metrics import dists, lpips, ms_ssim, psnr, ssim, vsi
from semwave.bench.weights import FETCH, missing

CALIBRATION = Path(__file__).resolve().parents[2].parent / "shared/data/research/iqa_calibration.zip"


def pair(rows: int = 19, columns: int = 23) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    y, x = np.mgrid[0:rows, 0:columns]
    ref = np.stack([x * 9 % 256, y * 11 % 256, (x * y) % 256], axis=2).astype(np.uint8)
    test = np.clip(ref + rng.normal(0, 20, ref.shape), 0, 255).astype(np.uint8)
    return ref, test


def typed_ssim_map(ref: np.ndarray, test: np.ndarray) -> dict[tuple[int, int], float]:
    """Wang et al. 2004, equations 13 to 16, one window at a time; the keys are the window centres."""
    grey = [np.array([[round(0.298936 * r + 0.587043 * g + 0.114021 * b) for r, g, b in row] for row in im])
            for im in (ref.astype(float), test.astype(float))]  # fmt: skip
    rows, columns = grey[0].shape
    weight = {(i, j): math.exp(-(i * i + j * j) / 4.5) for i in range(-5, 6) for j in range(-5, 6)}
    total = sum(weight.values())
    result = {}
    for r in range(5, rows - 5):
        for c in range(5, columns - 5):
            items = [(w / total, grey[0][r + i, c + j], grey[1][r + i, c + j]) for (i, j), w in weight.items()]
            ma, mb = sum(w * a for w, a, _ in items), sum(w * b for w, _, b in items)
            va, vb = sum(w * (a - ma) ** 2 for w, a, _ in items), sum(w * (b - mb) ** 2 for w, _, b in items)
            cov = sum(w * (a - ma) * (b - mb) for w, a, b in items)
            c1, c2 = 2.55**2, 7.65**2
            result[r, c] = (2 * ma * mb + c1) * (2 * cov + c2) / ((ma**2 + mb**2 + c1) * (va + vb + c2))
    return result


PICTURES = ("I03", "I04", "I06", "I08", "I19")
OFFICIAL = {"psnr": psnr, "ssim": ssim, "ms_ssim": ms_ssim, "vsi": vsi, "lpips": lpips, "dists": dists}


def official(name: str) -> tuple[list[np.ndarray], dict[str, str]]:
    """Reference and distorted picture, and the published figures as they are printed."""
    with zipfile.ZipFile(CALIBRATION) as archive:
        table = list(csv.reader(archive.read("iqa_calibration/results_official.csv").decode().splitlines()))
        pictures = []
        for folder in ("ref_dir", "dist_dir"):
            with archive.open(f"iqa_calibration/{folder}/{name}.png") as file:
                pictures.append(np.asarray(Image.open(file).convert("RGB")))
    column = table[0].index(f"{name}.bmp")
    return pictures, {row[0]: row[column] for row in table if row[0] in OFFICIAL}


@pytest.mark.skipif(not CALIBRATION.exists(), reason="the calibration pictures are not here")
@pytest.mark.parametrize(
    ("name", "metric"),  # DISTS takes ten times as long: two are enough here, benchmarks/metrics.py has all five
    [(n, m) for n in PICTURES for m in OFFICIAL if m != "dists" or n in ("I04", "I08")],
)
def test_the_official_figures_to_every_digit(name, metric):
    if metric == "dists" and missing():
        pytest.skip(f"{missing()}: {FETCH}")
    pictures, figures = official(name)
    digits = len(figures[metric].partition(".")[2])
    # one in a hundred of the last digit for our own rounding (16-bit kernels, float32)
    assert abs(OFFICIAL[metric](*pictures) - float(figures[metric])) <= 0.501 * 10**-digits


def test_ssim_equals_the_formula_window_by_window():
    ref, test = pair()
    windows = typed_ssim_map(ref, test)
    assert ssim(ref, test) == pytest.approx(np.mean(list(windows.values())), abs=1e-9)
    mask = np.zeros(ref.shape[:2], bool)
    mask[4:9, 10:15] = True
    inside = [value for centre, value in windows.items() if mask[centre]]
    assert ssim(ref, test, mask) == pytest.approx(np.mean(inside), abs=1e-9)
    assert ssim(ref, test, np.ones_like(mask)) == ssim(ref, test)


def test_psnr_equals_the_formula():
    ref, test = pair()
    errors = [(float(a) - float(b)) ** 2 for a, b in zip(ref.ravel(), test.ravel(), strict=True)]
    assert psnr(ref, test) == pytest.approx(10 * math.log10(65025 / (sum(errors) / len(errors))), abs=1e-9)
    assert psnr(ref, ref) == math.inf
    grey = np.zeros((2, 2), np.uint8)
    assert psnr(grey, grey + np.uint8(255)) == 0.0


def test_psnr_inside_a_mask_sees_nothing_outside():
    ref, test = pair()
    mask = np.zeros(ref.shape[:2], bool)
    mask[3:7, 2:20] = True
    changed = np.where(mask[:, :, None], test, 255 - ref)
    assert psnr(ref, changed, mask) == psnr(ref, test, mask)
    assert psnr(ref, np.where(mask[:, :, None], ref, test), mask) == math.inf


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (10, 10), (11, 11), (3, 12)])
def test_small_pictures_have_an_ssim(shape):
    ref, test = pair(max(shape[0], 11), max(shape[1], 11))
    ref, test = ref[: shape[0], : shape[1]], test[: shape[0], : shape[1]]
    assert ssim(ref, ref) == pytest.approx(1.0)
    assert -1.0 <= ssim(ref, test) < 1.0


def test_a_mask_on_the_rim_has_an_ssim():
    ref, test = pair()
    rim = np.zeros(ref.shape[:2], bool)
    rim[0, 3] = True
    assert ssim(ref, ref, rim) == pytest.approx(1.0)
    assert -1.0 <= ssim(ref, test, rim) < 1.0


@pytest.mark.parametrize("metric", [psnr, ssim])
def test_bad_input_is_named(metric):
    ref, test = pair()
    with pytest.raises(ValueError, match=r"one shape, not \[19, 23, 3\] and \[18, 23, 3\]"):
        metric(ref, test[:-1])
    with pytest.raises(ValueError, match=r"\[rows, columns, 3\], not \[19, 23, 2\]"):
        metric(ref[:, :, :2], test[:, :, :2])
    with pytest.raises(ValueError, match=r"mask must be bool \[19, 23\], not bool \[3, 3\]"):
        metric(ref, test, np.ones((3, 3), bool))
    with pytest.raises(ValueError, match="mask must hold at least one pixel"):
        metric(ref, test, np.zeros((19, 23), bool))
