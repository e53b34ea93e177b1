"""VSI: similarity of gradients and chroma, weighted by visual saliency.

Zhang, Shen, Li, "VSI: A visual saliency-induced index for perceptual image quality assessment", IEEE TIP 23(10), 2014;
the saliency is SDSP: Zhang, Gu, Li, ICIP 2013. Two programs of it are in use and differ by up to 0.012. The published
calibration table has the values of IQA-optimization (Ding et al., IJCV 2021): saliency at the picture's own size, white
point *multiplied* in CIELAB, means of blocks. `vsi` is that one; `vsi_authors` follows the authors' MATLAB program:
saliency on a square of 256, CIELAB with a D50 white, means over windows that reach over the rim.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import torch
from torch.nn.functional import avg_pool2d, conv2d, pad

from semwave.bench.metrics._pictures import Tensor, metric

_C_SALIENCY, _C_GRADIENT, _C_CHROMA = 1.27, 386.0, 130.0
_ALPHA, _BETA = 0.40, 0.020
_SIGMA_F, _OMEGA, _SIGMA_D, _SIGMA_C = 1.34, 0.0210, 145.0, 0.001  # of SDSP
_SIDE = 256  # pictures are brought to about so many rows; the authors' SDSP works on a square of this side

_LMN = ((0.06, 0.63, 0.27), (0.30, 0.04, -0.35), (0.34, -0.60, 0.17))
_XYZ = ((0.412453, 0.357580, 0.180423), (0.212671, 0.715160, 0.072169), (0.019334, 0.119193, 0.950227))
_XYZ_AUTHORS = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))
_WHITE = (1 / 0.950456, 1.0, 1 / 1.088754)  # upside down on purpose: the table was made so
_WHITE_AUTHORS = (0.9642, 1.0, 0.8251)  # D50
_SCHARR = ((3.0, 0.0, -3.0), (10.0, 0.0, -10.0), (3.0, 0.0, -3.0))
_TINY = 1e-12  # keeps the gradient of a root finite at zero

Part = Callable[..., Tensor]


@metric(colour=True)
def vsi(x: Tensor, y: Tensor, mask: Tensor | None = None) -> Tensor:
    """Visual saliency-induced index: sum(S * w) / sum(w), w the greater saliency of the two; 1 for equal pictures.

    S = S_saliency * S_gradient^0.40 * |S_m * S_n|^0.020 at a resolution of about 256 rows. With a mask, w is multiplied
    by the mask, brought to that resolution by the same means; the saliency itself is that of the whole picture.
    Differentiable.

    [B, 3, H, W] float in [0, 1] -> [B]; also [3, H, W], and NumPy pictures, values 0..255, -> float.
    """
    return _vsi(x, y, mask, _saliency, _blocks)


@metric(colour=True)
def vsi_authors(x: Tensor, y: Tensor, mask: Tensor | None = None) -> Tensor:
    """VSI after the authors' MATLAB program; all else as in `vsi`. No published figures were at hand to hold it to."""
    return _vsi(x, y, mask, _saliency_authors, _windows)


def _vsi(x: Tensor, y: Tensor, mask: Tensor | None, salience: Part, means: Part) -> Tensor:
    x, y = x * 255.0, y * 255.0
    factor = max(1, round(min(x.shape[2:]) / _SIDE))
    (light_a, *chroma_a), (light_b, *chroma_b) = (means(_opponent(p), factor).split(1, 1) for p in (x, y))
    salient_a, salient_b = (means(salience(p), factor) for p in (x, y))
    weight = torch.maximum(salient_a, salient_b)
    place = None if mask is None else means(mask, factor)
    weight = weight if place is None else weight * place
    m, n = (_alike(a, b, _C_CHROMA) for a, b in zip(chroma_a, chroma_b, strict=True))
    alike = _alike(_gradient(light_a), _gradient(light_b), _C_GRADIENT) ** _ALPHA
    alike = alike * _alike(salient_a, salient_b, _C_SALIENCY) * (m * n).abs().clamp_min(_TINY) ** _BETA
    total = weight.sum((1, 2, 3))
    even = torch.ones_like(alike) if place is None else place  # where nothing at all is salient
    flat = (alike * even).sum((1, 2, 3)) / even.sum((1, 2, 3)).clamp_min(_TINY)
    return torch.where(total > 0, (alike * weight).sum((1, 2, 3)) / total.clamp_min(_TINY), flat)


def _saliency(x: Tensor) -> Tensor:
    """SDSP of pictures with values 0..255, at their own size: [B, 3, H, W] -> [B, 1, H, W] in [0, 1]."""
    return _spread(_sdsp(_lab(x, _XYZ, _WHITE), 0))


def _saliency_authors(x: Tensor) -> Tensor:
    """SDSP as the authors have it, on a square of 256 and back."""
    lab = _lab(_resize(x, _SIDE, _SIDE), _XYZ_AUTHORS, _WHITE_AUTHORS)
    return _spread(_resize(_sdsp(lab, 1), *x.shape[2:]))


def _sdsp(lab: Tensor, first: int) -> Tensor:
    """Band-passed energy, times nearness to the middle, times warmth of colour; ``first`` numbers the first pixel."""
    height, width = lab.shape[2:]
    passed = torch.fft.ifft2(torch.fft.fft2(lab) * _log_gabor(height, width, lab.device, lab.dtype)).real
    by_frequency = (passed.square().sum(1, keepdim=True) + _TINY).sqrt()
    by_colour = 1.0 - torch.exp(-_spread(lab[:, 1:]).square().sum(1, keepdim=True) / _SIGMA_C**2)
    rows, columns = (torch.arange(n, device=lab.device, dtype=lab.dtype) + first - n / 2 for n in (height, width))
    return by_frequency * by_colour * torch.exp(-(rows[:, None].square() + columns.square()) / _SIGMA_D**2)


def _spread(planes: Tensor) -> Tensor:
    """Each plane brought to [0, 1]."""
    low, high = planes.amin((2, 3), keepdim=True), planes.amax((2, 3), keepdim=True)
    return (planes - low) / (high - low).clamp_min(_TINY)


def _opponent(x: Tensor) -> Tensor:
    """Lightness and two chroma planes."""
    return torch.einsum("kc,bchw->bkhw", x.new_tensor(_LMN), x)


def _blocks(planes: Tensor, factor: int) -> Tensor:
    """Means of factor x factor blocks; what does not fill a block is left out."""
    return planes if factor == 1 else avg_pool2d(planes, factor)


def _windows(planes: Tensor, factor: int) -> Tensor:
    """Mean over factor x factor pixels around every factor-th pixel, zeros outside the picture."""
    before = (factor - 1) // 2
    after = factor - 1 - before
    return avg_pool2d(pad(planes, (before, after, before, after)), factor, ceil_mode=True) if factor > 1 else planes


def _gradient(plane: Tensor) -> Tensor:
    across = plane.new_tensor(_SCHARR) / 16.0
    both = conv2d(plane, torch.stack([across, across.T])[:, None], padding=1)
    return (both.square().sum(1, keepdim=True) + _TINY).sqrt()


def _alike(a: Tensor, b: Tensor, constant: float) -> Tensor:
    return (2 * a * b + constant) / (a.square() + b.square() + constant)


def _lab(x: Tensor, matrix: tuple[Any, ...], white: tuple[float, ...]) -> Tensor:
    """CIELAB of sRGB values 0..255."""
    value = x / 255.0
    linear = torch.where(value <= 0.04045, value / 12.92, ((value.clamp_min(0.0) + 0.055) / 1.055) ** 2.4)
    xyz = torch.einsum("kc,bchw->bkhw", x.new_tensor(matrix), linear) / x.new_tensor(white)[:, None, None]
    f = torch.where(xyz > (6 / 29) ** 3, xyz.clamp_min(1e-6) ** (1 / 3), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    fx, fy, fz = f.split(1, 1)
    return torch.cat([116.0 * fy - 16.0, 500.0 * (fx - fy), 200.0 * (fy - fz)], 1)


@cache
def _log_gabor(height: int, width: int, device: Any, dtype: Any) -> Tensor:
    """Log-Gabor band-pass over an FFT, nothing from half the sampling rate on: [height, width]."""
    # Steps of 1 / (n - 1), not 1 / n, are what gives the table's fourth digit; the difference is below 4e-5.
    at = [np.fft.ifftshift(np.arange(n) - n // 2) / max(n - 1, 1) for n in (height, width)]
    radius = np.hypot(at[0][:, None], at[1])
    with np.errstate(divide="ignore"):
        band = np.exp(-(np.log(radius / _OMEGA) ** 2) / (2 * _SIGMA_F**2)) * (radius < 0.5)
    with torch.inference_mode(False):
        return torch.from_numpy(band).to(device, dtype)


def _resize(x: Tensor, height: int, width: int) -> Tensor:
    """MATLAB's imresize(..., 'bilinear'): a triangle, widened where the picture shrinks, the edge mirrored."""
    down = _resize_matrix(x.shape[2], height, x.device, x.dtype)
    across = _resize_matrix(x.shape[3], width, x.device, x.dtype)
    return down @ x @ across.T


@cache
def _resize_matrix(n_in: int, n_out: int, device: Any, dtype: Any) -> Tensor:
    scale = n_out / n_in
    wide = max(1.0, 1.0 / scale)
    centre = (np.arange(n_out) + 0.5) / scale - 0.5
    taps = np.floor(centre - wide).astype(int)[:, None] + np.arange(int(np.ceil(2 * wide)) + 2)
    weight = np.maximum(0.0, 1.0 - np.abs(taps - centre[:, None]) / wide)
    weight /= weight.sum(1, keepdims=True)
    mirrored = taps % (2 * n_in)
    mirrored = np.where(mirrored < n_in, mirrored, 2 * n_in - 1 - mirrored)
    matrix = np.zeros((n_out, n_in))
    np.add.at(matrix, (np.arange(n_out)[:, None], mirrored), weight)
    with torch.inference_mode(False):
        return torch.from_numpy(matrix).to(device, dtype)
