"""DISTS: structure and texture in the features of VGG16 (Ding, Ma, Wang, Simoncelli, IEEE TPAMI 44(5), 2022)."""

from functools import cache
from typing import Any

import torch
from torch.nn.functional import conv2d

from semwave.bench.metrics._pictures import Tensor, metric, weighted_mean
from semwave.bench.metrics.perceptual import MEAN, STD
from semwave.bench.weights import fetched

_STAGES = (2, 2, 3, 3, 3)  # convolutions between two poolings
_CHANNELS = (3, 64, 128, 256, 512, 512)  # of the picture and the stages
_C = 1e-6


@metric(exact=False, colour=True)
def dists(x: Tensor, y: Tensor, mask: Tensor | None = None) -> Tensor:
    """Distance 1 - sum_ij (alpha_ij l(x_ij, y_ij) + beta_ij s(x_ij, y_ij)) over channels j of layers i; 0 when equal.

    l = (2 mx my + c) / (mx^2 + my^2 + c) compares means, s = (2 cov + c) / (vx + vy + c) compares structure, layer 0
    being the picture. With a mask, means, variances and covariances are weighted by the mask, resized to each layer by
    area; activations near the border see up to 100 pixels beyond it. Differentiable.

    [B, 3, H, W] float in [0, 1] -> [B]; also [3, H, W], and NumPy pictures, values 0..255, -> float. The weights are
    fetched by 'semwave models fetch metrics'; without them UserError.
    """
    layers, alphas, betas = _network(x.device, x.dtype)
    likeness: Tensor = 0.0
    for alpha, beta, a, b in zip(alphas, betas, _features(layers, x), _features(layers, y), strict=True):
        mean_a, mean_b = weighted_mean(a, mask), weighted_mean(b, mask)
        off_a, off_b = a - mean_a[:, :, None, None], b - mean_b[:, :, None, None]
        var_a, var_b = weighted_mean(off_a.square(), mask), weighted_mean(off_b.square(), mask)
        cov = weighted_mean(off_a * off_b, mask)
        likeness = likeness + (alpha * (2 * mean_a * mean_b + _C) / (mean_a.square() + mean_b.square() + _C)).sum(1)
        likeness = likeness + (beta * (2 * cov + _C) / (var_a + var_b + _C)).sum(1)
    return 1.0 - likeness


def _features(layers: list[tuple[Tensor, Tensor]], x: Tensor) -> list[Tensor]:
    """The picture and the last activations of each stage."""
    found = [x]
    x = (x - x.new_tensor(MEAN)[:, None, None]) / x.new_tensor(STD)[:, None, None]
    at = 0
    for stage, depth in enumerate(_STAGES):
        x = _pooled(x) if stage else x
        for kernel, bias in layers[at : at + depth]:
            x = conv2d(x, kernel, bias, padding=1).relu()
        at += depth
        found.append(x)
    return found


def _pooled(x: Tensor) -> Tensor:
    """Root of the Hann-weighted mean square over 3x3, every second pixel."""
    hann = x.new_tensor([0.25, 0.5, 0.25])
    kernel = (hann[:, None] * hann).expand(x.shape[1], 1, 3, 3)
    return (conv2d(x.square(), kernel, stride=2, padding=1, groups=x.shape[1]) + 1e-12).sqrt()


@cache
def _network(device: Any, dtype: Any) -> tuple[list[tuple[Tensor, Tensor]], list[Tensor], list[Tensor]]:
    """Kernels and biases of VGG16; alpha and beta of each layer, all together of sum one."""
    with torch.inference_mode(False):
        kept = {name: value.to(device, dtype) for name, value in fetched().items()}
        layers = [(kept[f"conv{n}.weight"], kept[f"conv{n}.bias"]) for n in range(sum(_STAGES))]
        total = kept["alpha"].sum() + kept["beta"].sum()
        alphas, betas = (list((kept[name] / total).split(_CHANNELS)) for name in ("alpha", "beta"))
        return layers, alphas, betas
