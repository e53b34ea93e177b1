"""All metrics by name, for rows of tables."""

from collections.abc import Iterable
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semwave.bench.metrics._pictures import Metric
from semwave.bench.metrics.perceptual import LPIPS_LEAST, lpips
from semwave.bench.metrics.saliency import vsi, vsi_authors
from semwave.bench.metrics.structure import ms_ssim, ms_ssim_product, psnr, ssim
from semwave.bench.metrics.texture import dists

Array = NDArray[Any]

METRICS: dict[str, Metric] = {
    "psnr": psnr,
    "ssim": ssim,
    "ms_ssim": ms_ssim,
    "vsi": vsi,
    "lpips": lpips,
    "dists": dists,
    "ms_ssim_product": ms_ssim_product,
    "vsi_authors": vsi_authors,
}
HEADS = {"psnr": "PSNR", "ssim": "SSIM", "ms_ssim": "MS-SSIM", "vsi": "VSI", "lpips": "LPIPS", "dists": "DISTS"}
HEADS |= {"ms_ssim_product": "MS-SSIM (product)", "vsi_authors": "VSI (authors)", "object_score": "objects"}
STANDARD = ("psnr", "ssim", "ms_ssim", "vsi", "lpips", "dists")


def known(names: Iterable[str]) -> tuple[str, ...]:
    """The names without repeats.

    Raises:
        ValueError: one is unknown, or there are none.
    """
    chosen = tuple(dict.fromkeys(names))
    for name in chosen:
        if name not in METRICS:
            raise ValueError(f"metrics must be some of {', '.join(METRICS)}, not {name!r}")
    if not chosen:
        raise ValueError(f"metrics must be some of {', '.join(METRICS)}, not none")
    return chosen


def measure(
    ref: Array, test: Array, names: Iterable[str] = STANDARD, mask: NDArray[np.bool_] | None = None
) -> dict[str, float | None]:
    """Metrics of two pictures uint8 [rows, columns, 3] by name; None for the PSNR of equal pictures (JSON has no
    infinity), for LPIPS of pictures that are too small for it, and for all where the mask is empty."""
    if mask is not None and not mask.any():
        return dict.fromkeys(known(names))
    values: dict[str, float | None] = {}
    for name in known(names):
        small = name == "lpips" and min(ref.shape[:2]) < LPIPS_LEAST
        value = None if small else METRICS[name](ref, test, mask)
        values[name] = value if value is not None and isfinite(value) else None
    return values
