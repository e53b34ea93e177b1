"""The channel over the 52 carriers from noisy looks at them: MMSE within the delay window that explains them best.

A channel whose paths lie in a window of delays is spanned by the few eigenvectors of ``sinc(w (k - l) / 64)``. Of five
windows, from 1.5 samples around the strongest path to the whole prefix, the one with the greatest evidence is taken:
for line-of-sight channels the noise of a look falls to a twentieth, long echoes lose nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from semwave.modulation.gnuradio_ofdm.frame import ACTIVE, CP_LEN, FFT_SIZE, sync_words

Array = npt.NDArray[Any]

EARLY = 4
"""Samples by which FFT windows start within the prefix: room for a path before the first one seen."""
PEAK_WIDTHS, SPREAD_WIDTHS = (1.5, 4.0), (8.0, 13.0, CP_LEN + 2.0)
LEAST = 1e-6
"""Eigenvalues kept, over the greatest."""
LOOKS = 104
"""Noisy looks at carriers in the two sync words."""


@dataclass(frozen=True)
class Basis:
    """Span of the channels whose paths lie in one window of delays, each profile flat, mean of |H|^2 1."""

    rows: Array
    """Eigenvectors of their covariance R: [r, 52] complex64."""
    values: Array
    """Its eigenvalues: [r] float32."""
    looked: Array
    """Eigenvectors of ``A^(1/2) R A^(1/2)``, A the energy that both sync words show a carrier: [q, 52] complex64."""
    looked_values: Array


@lru_cache(maxsize=256)
def basis(center: float, width: float) -> Basis:
    """Basis of the window ``width`` samples wide around the delay ``center``."""
    delta = (ACTIVE[:, None] - ACTIVE) / FFT_SIZE
    root = np.sqrt((np.abs(sync_words()) ** 2).sum(axis=0))
    turn = np.exp(-2j * np.pi * ACTIVE * center / FFT_SIZE)
    parts: list[Array] = []
    for scale in (np.ones(ACTIVE.size), root):
        values, vectors = np.linalg.eigh(np.sinc(width * delta) * np.outer(scale, scale))
        keep = values > LEAST * values[-1]
        parts.append(np.ascontiguousarray((vectors[:, keep] * turn[:, None]).T, np.complex64))
        parts.append(values[keep].astype(np.float32))
    return Basis(*parts)


class Prior(NamedTuple):
    """What is believed of a packet's channel."""

    rows: Array
    values: Array
    """Variance of each coefficient, signal power included."""
    power: float
    """Mean of |H|^2."""
    noise: float
    """Variance of the noise on one carrier."""


def candidates(peak: int) -> list[tuple[float, float]]:
    """Windows tried, as centre and width in samples; ``peak``: the strongest path behind the first."""
    narrow = [(float(EARLY + peak), w) for w in PEAK_WIDTHS]
    return narrow + [(EARLY - 2 + w / 2, w) for w in SPREAD_WIDTHS]


def estimate(received: Array, peak: int) -> tuple[Prior, Array, Array, Array]:
    """Prior and channel from the two sync words: [2, 52] -> prior, channel, weighted sums, weights, each [52].

    The sums are ``sum conj(S) Y`` and the weights ``sum |S|^2``, to be carried on by ``smooth``.
    """
    rows, values, ends, words, root = looks(peak)
    sums, white, channel = np.empty((3, ACTIVE.size), np.complex64)
    kept, power, noise = choose(received, words, root, rows, values, ends, sums, white, channel)
    return prior_of(peak, kept, power, noise), channel, sums, root * root


def prior_of(peak: int, kept: int, power: float, noise: float) -> Prior:
    """Prior of one of the ``candidates``."""
    chosen = _chosen(peak, kept)
    return Prior(chosen.rows, chosen.values * np.float32(power), float(power), float(noise))


@lru_cache(maxsize=128)
def _chosen(peak: int, kept: int) -> Basis:
    return basis(*candidates(peak)[kept])


@lru_cache(maxsize=64)
def looks(peak: int) -> tuple[Array, Array, Array, Array, Array]:
    """For ``choose``: all windows' ``looked`` in a row, where each ends, the words, the root of their energy."""
    bases = [basis(*window) for window in candidates(peak)]
    rows = np.concatenate([b.looked for b in bases])
    values = np.concatenate([b.looked_values for b in bases])
    ends = np.cumsum([b.looked_values.size for b in bases])
    root = np.sqrt((np.abs(sync_words()) ** 2).sum(axis=0))
    return rows, values, ends, sync_words(), root


@njit(nogil=True, cache=True, fastmath={"contract", "reassoc"}, error_model="numpy")
def choose(
    received: Array, words: Array, root: Array, rows: Array, values: Array, ends: Array,
    sums: Array, white: Array, channel: Array,
) -> tuple[int, float, float]:  # fmt: skip
    """Window of the greatest evidence, mean of |H|^2 and noise; fills the sums and the channel."""
    observed, count = 0.0, root.size
    for k in range(count):
        a, b = received[0, k], received[1, k]
        observed += np.float64(a.real * a.real + a.imag * a.imag + b.real * b.real + b.imag * b.imag)
        sums[k] = a * words[0, k].conjugate() + b * words[1, k].conjugate()
        white[k] = sums[k] / root[k]  # noise of equal variance on all carriers
    seen = np.empty(values.size, np.complex64)
    for r in range(values.size):
        total = np.complex64(0)
        for k in range(count):
            total += rows[r, k].conjugate() * white[k]
        seen[r] = total
    widest = ends[-2]
    left = observed
    for r in range(widest, ends[-1]):
        left -= np.float64(seen[r].real ** 2 + seen[r].imag ** 2)
    noise = max(left / (LOOKS - ends[-1] + widest), 1e-9 * observed / LOOKS, 1e-30)
    power = max((observed - LOOKS * noise) / np.float64((root * root).sum()), 0.05 * noise)
    best, kept, first = -np.inf, 0, 0
    for i in range(ends.size):
        evidence = 0.0
        for r in range(first, ends[i]):
            ratio = values[r] * power / noise
            evidence += (seen[r].real ** 2 + seen[r].imag ** 2) / noise * ratio / (ratio + 1) - np.log1p(ratio)
        if evidence > best:
            best, kept = evidence, i
        first = ends[i]
    channel[:] = 0
    for r in range(ends[kept - 1] if kept else 0, ends[kept]):
        ratio = values[r] * power / noise
        weight = seen[r] * np.float32(ratio / (ratio + 1))
        for k in range(count):
            channel[k] += rows[r, k] * weight / root[k]
    return kept, power, noise


@njit(nogil=True, cache=True, fastmath={"contract", "reassoc"}, error_model="numpy")
def smooth(sums: Array, weights: Array, rows: Array, values: Array, noise: float, channel: Array) -> None:
    """One step towards the MMSE estimate, in place: exact where all weights are equal.

    ``channel <- U diag(v / (a v + n0)) U^H (a channel + sums - weights * channel)``, a the mean weight.
    """
    mean = np.float32(weights.mean())
    residual = np.empty(channel.size, np.complex64)
    for k in range(channel.size):
        residual[k] = sums[k] + (mean - weights[k]) * channel[k]
    channel[:] = 0
    for r in range(values.size):
        total = np.complex64(0)
        for k in range(channel.size):
            total += rows[r, k].conjugate() * residual[k]
        total *= np.float32(values[r] / (mean * values[r] + noise))
        for k in range(channel.size):
            channel[k] += rows[r, k] * total
