"""PSNR and SSIM of a picture, whole or inside a mask, as the published calibration tables define them.

PSNR is taken over all samples of R, G and B. SSIM is taken on luma rounded to whole numbers,
Y = round(0.2989 R + 0.5870 G + 0.1140 B), as in the authors' programs: without the rounding, or on R, G
and B, other numbers come out.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_PEAK = 255.0
_RADIUS = 5  # the window is 11x11
_SIGMA = 1.5
_LUMA = np.array([0.298936021293776, 0.587043074451121, 0.114020904255103])  # ITU-R BT.601, MATLAB's digits


def psnr(ref: Array, test: Array, mask: NDArray[np.bool_] | None = None) -> float:
    """Peak signal-to-noise ratio 10 log10(255^2 / mean((ref - test)^2)) in dB; infinite for equal pictures.

    ``ref`` and ``test`` are [rows, columns] or [rows, columns, 3], values 0..255; ``mask`` [rows, columns]
    picks the pixels that count.

    Raises:
        ValueError: shapes that do not fit, or a mask without a pixel.
    """
    _check(ref, test, mask)
    error = ref.astype(np.float64) - test.astype(np.float64)
    mse = float(np.mean(np.square(error if mask is None else error[mask])))
    return float("inf") if mse == 0.0 else float(10.0 * np.log10(_PEAK**2 / mse))


def ssim(ref: Array, test: Array, mask: NDArray[np.bool_] | None = None) -> float:
    """Structural similarity (Wang et al., IEEE TIP 13(4), 2004), Gaussian 11x11 window of sigma 1.5, on luma.

    The mean over all windows that lie wholly inside the picture and, given a mask, whose centre lies in it.
    Where there is no such window (a side below 11 pixels, a mask along the rim), the picture is continued by
    reflection.

    Raises:
        ValueError: shapes that do not fit, or a mask without a pixel.
    """
    _check(ref, test, mask)
    a, b = _luma(ref), _luma(test)
    centre = np.ones(a.shape, np.bool_) if mask is None else mask
    inner = centre[_RADIUS:-_RADIUS, _RADIUS:-_RADIUS]
    if inner.any():
        return float(_ssim_map(a, b)[inner].mean())
    rim = [(_RADIUS, _RADIUS), (_RADIUS, _RADIUS)]
    return float(_ssim_map(np.pad(a, rim, mode="symmetric"), np.pad(b, rim, mode="symmetric"))[centre].mean())


def _ssim_map(a: Array, b: Array) -> Array:
    """SSIM of each full window: float64 [rows - 10, columns - 10]."""
    c1, c2 = (0.01 * _PEAK) ** 2, (0.03 * _PEAK) ** 2
    mean_a, mean_b = _smooth(a), _smooth(b)
    var_a = _smooth(a * a) - mean_a**2
    var_b = _smooth(b * b) - mean_b**2
    cov = _smooth(a * b) - mean_a * mean_b
    top = (2 * mean_a * mean_b + c1) * (2 * cov + c2)
    result: Array = top / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))
    return result


def _smooth(a: Array) -> Array:
    """Gaussian window average, full windows only."""
    from scipy.ndimage import correlate1d

    offsets = np.arange(-_RADIUS, _RADIUS + 1)
    weights = np.exp(-(offsets**2) / (2 * _SIGMA**2))
    weights /= weights.sum()
    rows = correlate1d(a, weights, axis=0)[_RADIUS:-_RADIUS]
    both: Array = correlate1d(rows, weights, axis=1)[:, _RADIUS:-_RADIUS]
    return both


def _luma(image: Array) -> Array:
    values = image.astype(np.float64)
    return np.rint(values @ _LUMA if values.ndim == 3 else values)


def _check(ref: Array, test: Array, mask: Array | None) -> None:
    if ref.shape != test.shape:
        raise ValueError(f"ref and test must have one shape, not {list(ref.shape)} and {list(test.shape)}")
    if ref.ndim not in (2, 3) or (ref.ndim == 3 and ref.shape[2] != 3) or 0 in ref.shape:
        raise ValueError(f"ref must be [rows, columns] or [rows, columns, 3], not {list(ref.shape)}")
    if mask is None:
        return
    if mask.shape != ref.shape[:2] or mask.dtype != np.bool_:
        raise ValueError(f"mask must be bool {list(ref.shape[:2])}, not {mask.dtype} {list(mask.shape)}")
    if not mask.any():
        raise ValueError("mask must hold at least one pixel")
