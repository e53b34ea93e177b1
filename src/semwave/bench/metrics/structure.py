"""PSNR, SSIM and MS-SSIM as the published calibration tables define them.

PSNR is taken over all samples of R, G and B. SSIM and MS-SSIM are taken on luma rounded to whole numbers,
Y = round(0.2989 R + 0.5870 G + 0.1140 B) on the scale 0..255, as in the authors' programs: without the rounding, or on
R, G and B, other numbers come out. The gradient passes through the rounding as if it were not there.
"""

from typing import Any

import torch
from torch.nn.functional import avg_pool2d, conv2d

from semwave.bench.metrics._pictures import Tensor, metric, weighted_mean

_PEAK = 255.0
_RADIUS = 5  # the window is 11x11
_SIGMA = 1.5
_C1, _C2 = (0.01 * _PEAK) ** 2, (0.03 * _PEAK) ** 2
_LUMA = (0.298936021293776, 0.587043074451121, 0.114020904255103)  # ITU-R BT.601, MATLAB's digits
_LEVELS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # exponents of MS-SSIM, finest scale first


@metric()
def psnr(x: Tensor, y: Tensor, mask: Tensor | None = None) -> Tensor:
    """Peak signal-to-noise ratio 10 log10(1 / mean((x - y)^2)) in dB; infinite for equal pictures.

    With a mask the mean is sum(mask * error^2) / sum(mask). Differentiable where the pictures differ.

    [B, C, H, W] float in [0, 1] -> [B]; also [C, H, W], and NumPy pictures [rows, columns(, 3)], 0..255, -> float.
    """
    mse = weighted_mean((x - y).square(), mask).mean(1)
    return -10.0 * torch.log10(mse)


@metric()
def ssim(x: Tensor, y: Tensor, mask: Tensor | None = None) -> Tensor:
    """Structural similarity (Wang et al., IEEE TIP 13(4), 2004), Gaussian 11x11 window of sigma 1.5, on luma.

    The mean over all windows that lie wholly inside the picture, weighted by the mask at their centres. Where no such
    window has weight (a side below 11 pixels, a mask along the rim), the picture is continued by reflection.
    Differentiable. Shapes as for `psnr`.
    """
    a, b = luma(x), luma(y)
    return _pooled(a, b, mask)[0]


@metric()
def ms_ssim(x: Tensor, y: Tensor, mask: Tensor | None = None) -> Tensor:
    """Multi-scale SSIM on luma as in the published table: the weighted *sum* sum_j w_j CS_j + w_5 SSIM_5, sum(w) = 1.

    Five scales, halved by 2x2 means; CS_j and SSIM_5 are means over windows as in `ssim`, the mask halved with the
    picture. `ms_ssim_product` has the form of the paper. Differentiable. Shapes as for `psnr`.
    """
    total = sum(_LEVELS)
    return torch.stack([w / total * part for w, part in zip(_LEVELS, _scales(x, y, mask), strict=True)]).sum(0)


@metric()
def ms_ssim_product(x: Tensor, y: Tensor, mask: Tensor | None = None) -> Tensor:
    """Multi-scale SSIM as in the paper (Wang, Simoncelli, Bovik, Asilomar 2003): prod_j CS_j^w_j * SSIM_5^w_5.

    A negative mean counts as zero. All else as in `ms_ssim`.
    """
    parts = [part.clamp_min(0.0) ** w for w, part in zip(_LEVELS, _scales(x, y, mask), strict=True)]
    return torch.stack(parts).prod(0)


def _scales(x: Tensor, y: Tensor, mask: Tensor | None) -> list[Tensor]:
    """Contrast-structure of four scales, finest first, and SSIM of the fifth: [B] each."""
    a, b = luma(x), luma(y)
    found = []
    for level in range(len(_LEVELS)):
        if level:
            a, b, mask = (None if p is None else _halved(p) for p in (a, b, mask))
        whole, contrast = _pooled(a, b, mask)
        found.append(whole if level == len(_LEVELS) - 1 else contrast)
    return found


def luma(x: Tensor) -> Tensor:
    """Luma in whole numbers 0..255 with a straight gradient: [B, 1 or 3, H, W] -> [B, 1, H, W]."""
    scaled = x * _PEAK
    if x.shape[1] == 3:
        scaled = (scaled * scaled.new_tensor(_LUMA)[:, None, None]).sum(1, keepdim=True)
    return scaled + (scaled.round() - scaled).detach()


def _pooled(a: Tensor, b: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
    """Weighted means of the SSIM map and of its contrast-structure part, [B] each."""
    r = _RADIUS
    inner = None if mask is None else mask[:, :, r:-r, r:-r]
    room = min(a.shape[2:]) > 2 * r
    full = room and (inner is None or bool((inner.sum((1, 2, 3)) > 0).all()))
    if full:
        maps = _maps(a, b)
        return weighted_mean(maps[0], inner)[:, 0], weighted_mean(maps[1], inner)[:, 0]
    around = [weighted_mean(m, mask)[:, 0] for m in _maps(_reflected(a), _reflected(b))]
    if not room or inner is None:
        return around[0], around[1]
    has = inner.sum((1, 2, 3)) > 0
    safe = torch.where(has[:, None, None, None], inner, torch.ones_like(inner))
    inside = [weighted_mean(m, safe)[:, 0] for m in _maps(a, b)]
    return torch.where(has, inside[0], around[0]), torch.where(has, inside[1], around[1])


def _maps(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """SSIM and contrast-structure of each full window: [B, 1, H, W] -> [B, 1, H - 10, W - 10] twice."""
    means = _smooth(torch.cat([a, b, a * a, b * b, a * b], 1))
    mean_a, mean_b, aa, bb, ab = means.split(1, 1)
    var_a, var_b, cov = aa - mean_a.square(), bb - mean_b.square(), ab - mean_a * mean_b
    contrast = (2 * cov + _C2) / (var_a + var_b + _C2)
    return contrast * (2 * mean_a * mean_b + _C1) / (mean_a.square() + mean_b.square() + _C1), contrast


def _smooth(planes: Tensor) -> Tensor:
    """Gaussian window average, full windows only."""
    offsets = torch.arange(-_RADIUS, _RADIUS + 1, device=planes.device, dtype=planes.dtype)
    window = torch.exp(-offsets.square() / (2 * _SIGMA**2))
    window = window / window.sum()
    channels = planes.shape[1]
    if planes.dtype == torch.float32:  # depthwise and channels last: 25 times as fast as plane by plane
        planes = planes.contiguous(memory_format=torch.channels_last)
    kernel = window.view(1, 1, -1, 1).expand(channels, 1, -1, 1)
    return conv2d(conv2d(planes, kernel, groups=channels), kernel.transpose(2, 3), groups=channels)


def _reflected(a: Tensor) -> Tensor:
    """The picture continued by `_RADIUS` pixels of its mirror image, the edge pixel repeated."""
    for axis in (2, 3):
        n = a.shape[axis]
        at: Any = torch.arange(-_RADIUS, n + _RADIUS, device=a.device) % (2 * n)
        a = a.index_select(axis, torch.where(at < n, at, 2 * n - 1 - at))
    return a


def _halved(a: Tensor) -> Tensor:
    """Means of 2x2 pixels; an odd last row or column is repeated."""
    return avg_pool2d(a, 2, ceil_mode=True, count_include_pad=False)
