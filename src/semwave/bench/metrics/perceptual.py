"""LPIPS: distance of AlexNet's features, weighted by what people said (Zhang et al., CVPR 2018), version 0.1."""

from functools import cache
from typing import Any

import torch
from torch.nn.functional import conv2d, max_pool2d

from semwave.bench.metrics._pictures import Tensor, metric, weighted_mean
from semwave.bench.weights import shipped

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet

_STRIDES, _PADDING = (4, 1, 1, 1, 1), (2, 2, 1, 1, 1)
_POOLED = (0, 1)  # a pool of 3 with stride 2 follows these
LPIPS_LEAST = 31  # fewer pixels leave nothing after the second pool


@metric(exact=False, colour=True, least=LPIPS_LEAST)
def lpips(x: Tensor, y: Tensor, mask: Tensor | None = None) -> Tensor:
    """Perceptual distance: sum over five layers l of mean_hw sum_c w_lc (f_lc(x) - f_lc(y))^2; 0 for equal pictures.

    f are AlexNet's activations, of unit length along the channels; w the trained heads, version 0.1. With a mask, the
    mean of each layer is weighted by the mask, resized by area; activations near the border see some 30 (first layer)
    to 195 pixels around them, so a little of what lies outside still counts. Differentiable.

    [B, 3, H, W] float in [0, 1] -> [B]; also [3, H, W], and NumPy pictures, values 0..255, -> float. Sides of at least
    31 pixels, else ValueError.
    """
    layers, heads = _network(x.device, x.dtype)
    distance: Tensor = 0.0
    for head, a, b in zip(heads, _features(layers, x), _features(layers, y), strict=True):
        apart = (_unit(a) - _unit(b)).square()
        distance = distance + weighted_mean((apart * head).sum(1, keepdim=True), mask)[:, 0]
    return distance


def alexnet_features(x: Tensor) -> list[Tensor]:
    """Activations of AlexNet's five convolutions after ReLU, of pictures [B, 3, H, W] in [0, 1]; not normalised."""
    return _features(_network(x.device, x.dtype)[0], x)


def _features(layers: list[tuple[Tensor, Tensor]], x: Tensor) -> list[Tensor]:
    x = (x - x.new_tensor(MEAN)[:, None, None]) / x.new_tensor(STD)[:, None, None]
    found = []
    for n, (kernel, bias) in enumerate(layers):
        x = conv2d(x, kernel, bias, stride=_STRIDES[n], padding=_PADDING[n]).relu()
        found.append(x)
        if n in _POOLED:
            x = max_pool2d(x, 3, 2)
    return found


def _unit(features: Tensor) -> Tensor:
    """Unit length along the channels; the small number under the root only keeps the gradient finite at zero."""
    return features / ((features.square().sum(1, keepdim=True) + 1e-24).sqrt() + 1e-10)


@cache
def _network(device: Any, dtype: Any) -> tuple[list[tuple[Tensor, Tensor]], list[Tensor]]:
    """Kernels and biases, and the heads as [1, C, 1, 1]."""
    with torch.inference_mode(False):  # or a first call in inference mode would spoil all later training
        kept = {name: value.to(device, dtype) for name, value in shipped("lpips-alex").items()}
        layers = [(kept[f"conv{n}.weight"], kept[f"conv{n}.bias"]) for n in range(5)]
        return layers, [kept[f"head{n}"].reshape(1, -1, 1, 1) for n in range(5)]
