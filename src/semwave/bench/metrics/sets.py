"""Distance of two sets of pictures: Fréchet and kernel distance of EfficientNet-Lite0 features.

The formulas are those of FID (Heusel et al., NeurIPS 2017) and KID (Bińkowski et al., ICLR 2018), the features are not:
Inception is not used. The figures are therefore FD and KD, to be compared only with figures made the same way.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

FEATURES = "EfficientNet-Lite0, 1280 channels before the classifier, 224 pixels on the shorter side"


def features(pictures: Iterable[Array], device: str = "cpu") -> Array:
    """Mean features of pictures uint8 [rows, columns, 3]: float64 [n, 1280]."""
    import torch

    from semwave.bench.metrics.tagger import scaled
    from semwave.models import efficientnet

    net = efficientnet.load(device)
    with torch.inference_mode():
        rows = [net.head(net.stages(scaled(p, efficientnet.SIDE)[0].to(device))[-1]).mean((2, 3))[0] for p in pictures]
    return np.stack([row.cpu().numpy() for row in rows]).astype(np.float64)


def frechet_distance(a: Array, b: Array) -> float:
    """|mean_a - mean_b|^2 + tr(C_a + C_b - 2 (C_a C_b)^(1/2)) of feature rows [n, d] and [m, d].

    With fewer pictures than channels the covariances are singular and the value is biased upwards: compare only sets
    of the same size.

    Raises:
        ValueError: fewer than two rows, or rows of different lengths.
    """
    _check(a, b)
    a0, b0 = a - a.mean(0), b - b.mean(0)
    # tr (C_a C_b)^(1/2) is the sum of the singular values of A B^T: no d x d matrix is needed
    cross = np.linalg.svd(a0 @ b0.T, compute_uv=False).sum() / np.sqrt((len(a) - 1) * (len(b) - 1))
    spread = (a0**2).sum() / (len(a) - 1) + (b0**2).sum() / (len(b) - 1)
    return float(((a.mean(0) - b.mean(0)) ** 2).sum() + spread - 2 * cross)


def kernel_distance(a: Array, b: Array) -> float:
    """Unbiased squared maximum mean discrepancy with the kernel (x.y / d + 1)^3 of rows [n, d] and [m, d].

    Around 0 for two sets from one source, below 0 by chance.

    Raises:
        ValueError: fewer than two rows, or rows of different lengths.
    """
    _check(a, b)
    d = a.shape[1]
    aa, bb, ab = ((x @ y.T / d + 1) ** 3 for x, y in ((a, a), (b, b), (a, b)))
    n, m = len(a), len(b)
    own = (aa.sum() - np.trace(aa)) / (n * (n - 1)) + (bb.sum() - np.trace(bb)) / (m * (m - 1))
    return float(own - 2 * ab.mean())


def _check(a: Array, b: Array) -> None:
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or min(len(a), len(b)) < 2:
        raise ValueError(f"features must be [n, d] and [m, d] with n and m at least 2, not {a.shape} and {b.shape}")
