"""Capacities in bits per complex channel use: Shannon's, and those of constellations, whole or bit by bit."""

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import exp1, logsumexp

from semwave.modulation import qam

Array = npt.NDArray[Any]


def shannon(snr_db: npt.ArrayLike) -> Array:
    """C = log2(1 + SNR) of the AWGN channel, `[...]` dB -> `[...]` bit."""
    return np.asarray(np.log2(1 + 10 ** (np.asarray(snr_db, float) / 10)))


def shannon_rayleigh(snr_db: npt.ArrayLike) -> Array:
    """Ergodic capacity of Rayleigh fading known to the receiver, `[...]` dB -> `[...]` bit.

    C = e^(1/g) E1(1/g)/ln 2 with g the mean SNR.
    """
    inverse = 10 ** (-np.asarray(snr_db, float) / 10)
    # e^x E1(x) by its asymptotic series where e^x would overflow
    series = (1 - 1 / np.maximum(inverse, 1) + 2 / np.maximum(inverse, 1) ** 2) / np.maximum(inverse, 1)
    exact = np.exp(np.minimum(inverse, 500)) * exp1(np.minimum(inverse, 500))
    return np.asarray(np.where(inverse < 500, exact, series) / np.log(2))


@lru_cache(maxsize=8)
def _hermite(nodes: int, axes: int) -> tuple[Array, Array]:
    """Nodes (complex if two axes) and weights of E over noise of unit variance per complex dimension."""
    x, w = np.polynomial.hermite.hermgauss(nodes)
    w = w / np.sqrt(np.pi)  # e^(-x^2) is the density of a real axis with variance 1/2
    if axes == 1:
        return x, w
    return (x[:, None] + 1j * x).ravel(), np.outer(w, w).ravel()


def _axes_and_levels(order: int | str | Array) -> tuple[int, Array]:
    """How many equal axes the constellation splits into, and the points (real levels if it splits)."""
    points = order if isinstance(order, np.ndarray) else qam.constellation(order)
    size = points.size
    if size in (4, 16, 64, 256, 1024) and np.array_equal(points, qam.constellation(size)):
        levels = qam.pam_levels(qam.bits_per_symbol(size) // 2)
        return 2, levels / np.sqrt(2 * np.mean(levels**2))
    return 1, points.astype(complex)


def cm(order: int | str | Array, snr_db: npt.ArrayLike) -> Array:
    """Mutual information of the constellation with equiprobable points (coded modulation capacity) on AWGN.

    I = log2 M - 1/M sum_i E_w log2 sum_j exp(-(|x_i - x_j + w|^2 - |w|^2)/N0), by Gauss-Hermite.
    `[...]` dB -> `[...]` bit.
    """
    return _information(order, snr_db, bitwise=False)


def bicm(order: int | str | Array, snr_db: npt.ArrayLike) -> Array:
    """Sum of the bits' mutual informations with exact LLRs (Caire, Taricco, Biglieri 1998) on AWGN.

    I = log2 M - sum_k E log2(sum_all e^-d / sum_{points with the sent bit k} e^-d). `[...]` dB -> `[...]` bit.
    """
    return _information(order, snr_db, bitwise=True)


def _information(order: int | str | Array, snr_db: npt.ArrayLike, bitwise: bool) -> Array:
    axes, points = _axes_and_levels(order)
    snr = np.asarray(snr_db, float)
    values = [axes * _one_point(points, 10 ** (-s / 10), bitwise) for s in snr.ravel()]
    return np.array(values).reshape(snr.shape)


def _one_point(points: Array, n0: float, bitwise: bool) -> float:
    k = points.size.bit_length() - 1
    noise, weights = _hermite(*((24, 2) if np.iscomplexobj(points) else (128, 1)))
    labels = np.arange(points.size)
    lost = 0.0
    for i, sent in enumerate(points):
        received = sent + np.sqrt(n0) * noise
        metric = -(np.abs(received[:, None] - points) ** 2) / n0  # [node, point]
        total = logsumexp(metric, axis=1)
        if bitwise:
            for j in range(k):
                same = (labels ^ i) >> j & 1 == 0
                lost += float(weights @ (total - logsumexp(metric[:, same], axis=1)))
        else:
            lost += float(weights @ (total - metric[:, i]))
    return k - lost / points.size / np.log(2)
