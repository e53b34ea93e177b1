"""Bases of band-limited functions: what a channel can look like over carriers and over time.

A channel with paths anywhere in a delay window is, over the carriers, a sequence limited to that window; one
with Doppler shifts up to f_d is, over the symbols, limited to +-f_d. Both are spanned by a few discrete prolate
spheroidal sequences (Slepian, Bell Syst. Tech. J. 57(5), 1978; Zemen and Mecklenbraeuker, IEEE Trans. Signal
Process. 53(9), 2005), the Karhunen-Loeve basis for a flat profile: the robust choice where the true profile is
unknown (Li, Cimini, Sollenberger, IEEE Trans. Commun. 46(7), 1998).
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.fft
from scipy.linalg import eigh_tridiagonal

Array = npt.NDArray[Any]


@lru_cache(maxsize=256)
def slepian(n: int, bandwidth: float, spare: int = 5) -> tuple[Array, Array]:
    """Orthonormal sequences limited to +-bandwidth/2 cycles per sample, and the variance of their coefficients.

    The variances are those of a process of unit variance with a flat spectrum in that band. ``spare`` sequences beyond
    ``n * bandwidth`` are kept: with 5 what is left out lies some 50 dB down.

    returns  [n, rank] float64, [rank] float64, both read-only
    """
    half = min(bandwidth / 2, 0.5)
    rank = min(n, math.ceil(2 * n * half) + spare)
    i = np.arange(n)
    diagonal = ((n - 1 - 2 * i) / 2) ** 2 * math.cos(2 * math.pi * half)
    off = i[1:] * (n - i[1:]) / 2
    _, vectors = eigh_tridiagonal(diagonal, off, select="i", select_range=(n - rank, n - 1))
    vectors = np.ascontiguousarray(vectors[:, ::-1])
    variances = np.maximum(_concentration(vectors, half), 1e-9) / max(2 * half, 1e-9)
    keep = variances > 1e-7 * variances[0]
    vectors, variances = np.ascontiguousarray(vectors[:, keep]), variances[keep]
    vectors.setflags(write=False)
    variances.setflags(write=False)
    return vectors, variances


def _concentration(vectors: Array, half: float) -> Array:
    """Share of each sequence's energy in the band: its autocorrelation against ``sin(2 pi W d) / (pi d)``."""
    n = vectors.shape[0]
    size = scipy.fft.next_fast_len(2 * n)
    spectrum = np.abs(scipy.fft.rfft(vectors, size, axis=0)) ** 2
    correlation = scipy.fft.irfft(spectrum, size, axis=0)[:n]
    kernel = 2 * half * np.sinc(2 * half * np.arange(n))
    kernel[1:] *= 2
    return np.asarray(kernel @ correlation)
