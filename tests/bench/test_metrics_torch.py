"""Metrics of tensors: vectors of the authors' programs, formulas typed out, masks, batches, gradients, bad input."""

import numpy as np
import pytest
import torch
from scipy.signal import convolve2d

from semwave.bench import metrics
from semwave.bench.weights import missing

needs_vgg = pytest.mark.skipif(bool(missing()), reason=f"{missing()}: semwave models fetch metrics")
NAMES = [*(n for n in metrics.__all__ if n not in ("dists", "hallucination")), pytest.param("dists", marks=needs_vgg)]
EQUAL = {"psnr": np.inf, "lpips": 0.0, "dists": 0.0}  # all others give 1


def pictures(rows: int = 72, columns: int = 96) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A pattern, the same with noise, the same in eight steps."""
    y, x = np.mgrid[0:rows, 0:columns]
    plain = np.stack([128 + 100 * np.sin(x / 7 + y / 13), 128 + 90 * np.cos(y / 5), (3 * x + 2 * y) % 256], 2)
    noisy = np.clip(plain + np.random.default_rng(3).normal(0, 20, plain.shape), 0, 255)
    return plain.astype(np.uint8), noisy.astype(np.uint8), (plain // 32 * 32).astype(np.uint8)


def tensor(*some: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.stack(some)).permute(0, 3, 1, 2).float() / 255


def box(rows: int = 72, columns: int = 96) -> np.ndarray:
    mask = np.zeros((rows, columns), bool)
    mask[20:52, 10:50] = True
    return mask


@pytest.mark.parametrize(("which", "expected"), [(1, 0.316454), (2, 0.050189)])
def test_lpips_equals_the_authors_program(which, expected):
    """The package lpips 0.1.4 with torchvision's AlexNet in float32; our kernels are rounded to 16 bits."""
    some = pictures()
    assert metrics.lpips(some[0], some[which]) == pytest.approx(expected, abs=2e-5)


@needs_vgg
@pytest.mark.parametrize(("which", "expected"), [(1, 0.292012), (2, 0.265542)])
def test_dists_equals_the_authors_program(which, expected):
    """The package DISTS_pytorch 0.1 with torchvision's VGG16."""
    some = pictures()
    assert metrics.dists(some[0], some[which]) == pytest.approx(expected, abs=2e-6)


def typed_scales(ref: np.ndarray, test: np.ndarray) -> list[tuple[float, float]]:
    """(SSIM, contrast-structure) at each of five scales, by two-dimensional convolution."""
    at = np.arange(-5, 6)
    window = np.exp(-(at[:, None] ** 2 + at**2) / 4.5)
    window /= window.sum()
    a, b = (np.rint(p.astype(float) @ [0.298936021293776, 0.587043074451121, 0.114020904255103]) for p in (ref, test))
    found = []
    for _ in range(5):
        blur = [convolve2d(p, window, "valid") for p in (a, b, a * a, b * b, a * b)]
        cs = (2 * (blur[4] - blur[0] * blur[1]) + 7.65**2) / (blur[2] - blur[0] ** 2 + blur[3] - blur[1] ** 2 + 7.65**2)
        lum = (2 * blur[0] * blur[1] + 2.55**2) / (blur[0] ** 2 + blur[1] ** 2 + 2.55**2)
        found.append(((cs * lum).mean(), cs.mean()))
        a, b = ((p[::2, ::2] + p[1::2, ::2] + p[::2, 1::2] + p[1::2, 1::2]) / 4 for p in (a, b))
    return found


def test_ms_ssim_equals_its_two_formulas():
    ref, noisy, _ = pictures(192, 224)
    scales = typed_scales(ref, noisy)
    parts = [cs for _, cs in scales[:4]] + [scales[4][0]]
    weights = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333]
    total = sum(w * p for w, p in zip(weights, parts, strict=True)) / sum(weights)
    assert metrics.ms_ssim(ref, noisy) == pytest.approx(total, abs=1e-9)
    assert metrics.ms_ssim_product(ref, noisy) == pytest.approx(np.prod(np.power(parts, weights)), abs=1e-9)


def typed_saliency(picture: np.ndarray) -> np.ndarray:
    """SDSP as the program of the table has it, in NumPy; the picture has even sides."""
    rows, columns, _ = picture.shape
    v = picture / 255
    linear = np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)
    matrix = [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]
    xyz = linear @ np.array(matrix).T * [0.950456, 1, 1.088754]
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    lab = [116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])]
    v, u = np.meshgrid(*(np.arange(-n // 2, n // 2) / (n - 1) for n in (rows, columns)), indexing="ij")
    radius = np.hypot(u, v)
    radius[rows // 2, columns // 2] = 1
    band = np.where(radius < 0.5, np.exp(-(np.log(radius / 0.021) ** 2) / (2 * 1.34**2)), 0)
    band[rows // 2, columns // 2] = 0
    passed = [np.fft.ifft2(np.fft.ifftshift(np.fft.fftshift(np.fft.fft2(p)) * band)).real for p in lab]
    a, b = ((p - p.min()) / (p.max() - p.min()) for p in lab[1:])
    y, x = np.mgrid[0:rows, 0:columns]
    near = np.exp(-((y - rows / 2) ** 2 + (x - columns / 2) ** 2) / 145**2)
    found = np.sqrt(sum(p**2 for p in passed)) * near * (1 - np.exp(-(a**2 + b**2) / 1e-6))
    return (found - found.min()) / (found.max() - found.min())


def test_vsi_equals_the_formula():
    ref, noisy, _ = (p.astype(float) for p in pictures())
    s1, s2 = typed_saliency(ref), typed_saliency(noisy)
    lmn = np.array([[0.06, 0.63, 0.27], [0.30, 0.04, -0.35], [0.34, -0.60, 0.17]])
    (l1, m1, n1), (l2, m2, n2) = (np.moveaxis(p @ lmn.T, 2, 0) for p in (ref, noisy))
    across = np.array([[3, 0, -3], [10, 0, -10], [3, 0, -3]]) / 16
    g1, g2 = (np.hypot(convolve2d(p, across, "same"), convolve2d(p, across.T, "same")) for p in (l1, l2))

    def alike(a, b, c):
        return (2 * a * b + c) / (a**2 + b**2 + c)

    weight = np.maximum(s1, s2)
    map_ = alike(s1, s2, 1.27) * alike(g1, g2, 386) ** 0.4 * abs(alike(m1, m2, 130) * alike(n1, n2, 130)) ** 0.02
    ref, noisy, _ = pictures()
    assert metrics.vsi(ref, noisy) == pytest.approx((map_ * weight).sum() / weight.sum(), abs=1e-7)
    inside = weight * box()
    assert metrics.vsi(ref, noisy, box()) == pytest.approx((map_ * inside).sum() / inside.sum(), abs=1e-7)


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_gives_what_single_pictures_give(name):
    metric = getattr(metrics, name)
    ref, noisy, dull = pictures()
    both = metric(tensor(ref, ref), tensor(noisy, dull))
    assert both.shape == (2,)
    alone = [metric(tensor(ref)[0], tensor(p)[0]) for p in (noisy, dull)]
    assert alone[0].shape == ()
    torch.testing.assert_close(both, torch.stack(alone), rtol=1e-5, atol=1e-6)
    assert metric(ref, noisy) == pytest.approx(float(both[0]), rel=2e-5, abs=2e-6)
    masks = torch.from_numpy(np.stack([box(), ~box()]))
    apart = [metric(tensor(ref), tensor(p), m) for p, m in zip((noisy, dull), masks, strict=True)]
    torch.testing.assert_close(
        metric(tensor(ref, ref), tensor(noisy, dull), masks), torch.cat(apart), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("name", NAMES)
def test_one_picture_may_have_several_masks(name):
    metric = getattr(metrics, name)
    ref, noisy, _ = pictures()
    masks = np.stack([box(), ~box(), np.ones_like(box())])
    found = metric(ref, noisy, masks)
    assert found == pytest.approx([metric(ref, noisy, mask) for mask in masks], rel=1e-6, abs=1e-7)
    several = metric(tensor(ref), tensor(noisy), torch.from_numpy(masks))
    assert several.tolist() == pytest.approx(found.tolist(), rel=2e-5, abs=2e-6)


@pytest.mark.parametrize("name", NAMES)
def test_equal_pictures_are_equal_and_a_full_mask_changes_nothing(name):
    metric = getattr(metrics, name)
    ref, noisy, _ = pictures()
    assert metric(ref, ref) == pytest.approx(EQUAL.get(name, 1.0), abs=1e-6)
    assert metric(ref, ref, box()) == pytest.approx(EQUAL.get(name, 1.0), abs=1e-6)
    assert metric(ref, noisy, np.ones_like(box())) == pytest.approx(metric(ref, noisy), rel=1e-5)
    grey = metric(ref[..., 0], noisy[..., 0])
    assert grey == pytest.approx(metric(*(np.repeat(p[..., :1], 3, 2) for p in (ref, noisy))), rel=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_a_mask_tells_where_the_damage_is(name):
    metric = getattr(metrics, name)
    ref, noisy, _ = pictures(256, 256)
    far = np.zeros((256, 256), bool)
    far[:, 224:] = True
    here = np.zeros_like(far)
    here[:, :96] = True
    spoilt = np.where(here[..., None], noisy, ref)
    sign = 1 if name in ("lpips", "dists") else -1
    assert sign * metric(ref, spoilt, here) > sign * metric(ref, spoilt) > sign * metric(ref, spoilt, far)


@pytest.mark.parametrize("name", NAMES)
def test_the_gradient_is_finite_and_points_the_right_way(name):
    metric = getattr(metrics, name)
    ref, noisy, _ = (tensor(p) for p in pictures())
    noisy.requires_grad_()
    sign = 1 if name in ("lpips", "dists") else -1
    mask = torch.from_numpy(box())
    before = metric(ref, noisy, mask)
    (slope,) = torch.autograd.grad(before.sum(), noisy)
    assert slope.isfinite().all()
    assert slope.abs().max() > 0
    with torch.no_grad():  # one small step against the damage must help
        step = 0.2 / 255 * torch.sign(slope)
        assert sign * metric(ref, noisy - sign * step, mask) < sign * before


@pytest.mark.parametrize("name", [n for n in NAMES if n != "psnr"])
def test_the_gradient_is_finite_where_nothing_differs(name):
    ref = tensor(pictures()[0])
    flat = torch.full_like(ref, 0.5)
    for a in (ref, flat):
        b = a.clone().requires_grad_()
        value = getattr(metrics, name)(a, b)
        (slope,) = torch.autograd.grad(value.sum(), b)
        assert value.isfinite().all()
        assert slope.isfinite().all()


def test_training_works_after_a_first_call_in_inference_mode():
    from semwave.bench.metrics import perceptual

    perceptual._network.cache_clear()
    ref, noisy, _ = (tensor(p) for p in pictures())
    with torch.inference_mode():
        metrics.lpips(ref, noisy)
    noisy.requires_grad_()
    metrics.lpips(ref, noisy).sum().backward()
    assert noisy.grad is not None


def test_soft_masks_weigh():
    ref, noisy, dull = pictures()
    mixed = np.where(box()[..., None], noisy, dull)
    weight = torch.where(torch.from_numpy(box()), 3.0, 1.0)
    inside, outside = (1.0 / 10 ** (metrics.psnr(ref, p, m) / 10) for p, m in ((noisy, box()), (dull, ~box())))
    n = box().sum()
    expected = -10 * np.log10((3 * n * inside + (~box()).sum() * outside) / (3 * n + (~box()).sum()))
    assert float(metrics.psnr(tensor(ref), tensor(mixed), weight)[0]) == pytest.approx(expected, abs=1e-4)


def test_bad_input_is_named():
    ref, noisy, _ = (tensor(p) for p in pictures())
    with pytest.raises(ValueError, match=r"one shape, not \[1, 3, 72, 96\] and \[1, 3, 71, 96\]"):
        metrics.ssim(ref, noisy[:, :, 1:])
    with pytest.raises(ValueError, match=r"x must be a floating-point tensor .* not torch.uint8"):
        metrics.ssim((ref * 255).byte(), noisy)
    with pytest.raises(ValueError, match=r"1 or 3 channels, not \[1, 2, 72, 96\]"):
        metrics.vsi(ref[:, :2], noisy[:, :2])
    with pytest.raises(ValueError, match=r"mask must be \[H, W\].*, not \[71, 96\]"):
        metrics.lpips(ref, noisy, torch.ones(71, 96))
    with pytest.raises(ValueError, match=r"weights of at least 0"):
        metrics.lpips(ref, noisy, -torch.ones(72, 96))
    with pytest.raises(ValueError, match="at least one pixel"):
        metrics.psnr(ref, noisy, torch.zeros(72, 96))
    with pytest.raises(ValueError, match=r"at least 31 pixels .* not \[30, 96\]"):
        metrics.lpips(ref[:, :, :30], noisy[:, :, :30])
    with pytest.raises(ValueError, match=r"one shape, not \[72, 96, 3\] and Tensor"):
        metrics.psnr(pictures()[0], noisy)
