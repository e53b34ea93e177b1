"""All metrics by name, for rows of tables."""

from collections.abc import Iterable, Sequence
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semwave.bench.metrics._pictures import Metric
from semwave.bench.metrics.objects import hallucination
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
    "hallucination": hallucination,
    "ms_ssim_product": ms_ssim_product,
    "vsi_authors": vsi_authors,
}
HEADS = {"psnr": "PSNR", "ssim": "SSIM", "ms_ssim": "MS-SSIM", "vsi": "VSI", "lpips": "LPIPS", "dists": "DISTS"}
HEADS |= {"ms_ssim_product": "MS-SSIM (product)", "vsi_authors": "VSI (authors)", "hallucination": "objects"}
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
    """Metrics of two pictures uint8 [rows, columns, 3] by name, whole or inside a mask bool [rows, columns].

    None for the PSNR of equal pictures (JSON has no infinity), for LPIPS of pictures that are too small for it, and for
    all where the mask is empty.
    """
    return measure_regions(ref, test, names, [mask])[0]


def measure_regions(
    ref: Array, test: Array, names: Iterable[str], masks: Sequence[NDArray[np.bool_] | None]
) -> list[dict[str, float | None]]:
    """`measure` for several masks (None: the whole picture), cheaper than one call for each."""
    names = known(names)
    found: list[dict[str, float | None]] = [dict.fromkeys(names) for _ in masks]
    whole = np.ones(ref.shape[:2], np.bool_)
    used = [(row, whole if mask is None else mask) for row, mask in zip(found, masks, strict=True)]
    used = [(row, mask) for row, mask in used if mask.any()]
    for name in names if used else ():
        if name == "lpips" and min(ref.shape[:2]) < LPIPS_LEAST:
            continue
        if name == "hallucination":
            values = [hallucination(ref, test, None if mask is whole else mask) for _, mask in used]
        elif len(used) == 1 and used[0][1] is whole:
            values = [METRICS[name](ref, test)]
        else:
            values = METRICS[name](ref, test, np.stack([mask for _, mask in used])).tolist()
        for (row, _), value in zip(used, values, strict=True):
            row[name] = value if isfinite(value) else None
    return found
