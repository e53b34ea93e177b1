"""Closed forms and one-dimensional integrals for the error rates that the modem should reach.

SNR is Es/N0 per symbol. Averages over fading use the moment generating function M(s) = E[e^(s gamma)] of the SNR
gamma (Simon and Alouini, *Digital Communication over Fading Channels*):
E[Q(sqrt(2 a gamma))] = 1/pi int_0^(pi/2) M(-a/sin^2 t) dt. Capacities are in :mod:`semwave.modulation.capacity`.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from semwave.modulation import qam

Array = npt.NDArray[Any]
Mgf = Callable[[Array], Array]


@lru_cache(maxsize=1)
def _legendre() -> tuple[Array, Array]:
    """Nodes and weights on -1 ... 1, made when first needed."""
    nodes, weights = np.polynomial.legendre.leggauss(256)
    return nodes, weights


def esn0_db(ebn0_db: npt.ArrayLike, bits_per_symbol: float, code_rate: float = 1.0) -> Array:
    """Es/N0 in dB from Eb/N0 in dB: Es = Eb * bits per symbol * code rate."""
    return np.asarray(np.asarray(ebn0_db, float) + 10 * np.log10(bits_per_symbol * code_rate))


def ebn0_db(esn0_db: npt.ArrayLike, bits_per_symbol: float, code_rate: float = 1.0) -> Array:
    """Eb/N0 in dB from Es/N0 in dB."""
    return np.asarray(np.asarray(esn0_db, float) - 10 * np.log10(bits_per_symbol * code_rate))


def mgf(snr_db: npt.ArrayLike, fading: str = "awgn", k_factor_db: float | None = None, diversity: int = 1) -> Mgf:
    """M(s) for s <= 0 at the mean SNR given, per branch of maximum ratio combining; broadcasts `[..., 1]` with s `[t]`.

    awgn e^(s g); rayleigh 1/(1 - s g); rician (1+K)/(1+K - s g) e^(K s g/(1+K - s g)), with g the mean SNR.
    """
    mean = 10 ** (np.asarray(snr_db, float)[..., None] / 10)
    if diversity < 1:
        raise ValueError(f"diversity must be 1 or more branches, not {diversity}")
    if fading == "rician":
        if k_factor_db is None:
            raise ValueError("k_factor_db must be given for fading 'rician', not None")
        ratio = 10 ** (k_factor_db / 10)
    elif fading not in ("awgn", "rayleigh"):
        raise ValueError(f"fading must be 'awgn', 'rayleigh' or 'rician', not {fading!r}")

    def one_branch(s: Array) -> Array:
        if fading == "awgn":
            return np.asarray(np.exp(s * mean))
        if fading == "rayleigh":
            return np.asarray(1 / (1 - s * mean))
        below = 1 + ratio - s * mean
        return np.asarray((1 + ratio) / below * np.exp(ratio * s * mean / below))

    return lambda s: one_branch(s) ** diversity


def _average(m: Mgf, slope: float, upper: float) -> Array:
    """1/pi int_0^upper M(-slope/sin^2 t) dt by Gauss-Legendre, `[...]`."""
    nodes, weights = _legendre()
    t = (nodes + 1) * upper / 2
    return np.asarray((m(-slope / np.sin(t) ** 2) * weights).sum(axis=-1) * upper / 2 / np.pi)


def _mean_q(m: Mgf, slope: float) -> Array:
    """E[Q(sqrt(2 slope gamma))]."""
    return _average(m, slope, np.pi / 2)


def _psk_tail(m: Mgf, angle: float) -> Array:
    """Probability that the phase error of one side exceeds ``angle`` in (0, pi]."""
    return _average(m, np.sin(angle) ** 2, np.pi - angle) / 2 if angle < np.pi else _average(m, 0.0, 0.0)


def ber(
    order: int | str,
    snr_db: npt.ArrayLike,
    fading: str = "awgn",
    k_factor_db: float | None = None,
    diversity: int = 1,
) -> Array:
    """Exact bit error rate of the Gray constellations of :mod:`semwave.modulation.qam` with coherent hard decisions.

    Square QAM as in Cho and Yoon (2002); PSK by summing the probabilities of the sectors times their Hamming
    distances. `[...]` dB -> `[...]` float64. ValueError for an unknown order or fading.
    """
    m, points = mgf(snr_db, fading, k_factor_db, diversity), qam.order_of(order)
    if points == 2:
        return _mean_q(m, 1.0)
    if points == 8:
        return _psk_ber(m, points)
    return _qam_ber(m, points)


def _psk_ber(m: Mgf, order: int) -> Array:
    steps = np.arange(order)
    gray = steps ^ (steps >> 1)
    total: Array = np.zeros(())
    for i in range(1, order // 2 + 1):
        inner = _psk_tail(m, (2 * i - 1) * np.pi / order)
        sector = inner - _psk_tail(m, (2 * i + 1) * np.pi / order) if i < order // 2 else inner
        distance = np.mean([int(a ^ b).bit_count() for a, b in zip(gray, np.roll(gray, i), strict=True)])
        total = total + 2 * sector * distance  # both signs of the phase error
    return total / qam.bits_per_symbol(order)


def _qam_ber(m: Mgf, order: int) -> Array:
    side, bits = int(np.sqrt(order)), qam.bits_per_symbol(order) // 2
    weights = np.zeros(side)  # of Q at (2i + 1) half distances
    for k in range(1, bits + 1):
        for i in range(side - (side >> k)):
            steps = i * 2 ** (k - 1) / side
            weights[i] += (-1) ** int(steps) * (2 ** (k - 1) - np.floor(steps + 0.5)) * 2 / side / bits
    slope = 3 / (2 * (order - 1))
    total: Array = np.zeros(())
    for i, weight in enumerate(weights):
        if weight:
            total = total + weight * _mean_q(m, slope * (2 * i + 1) ** 2)
    return total


def ser(
    order: int | str,
    snr_db: npt.ArrayLike,
    fading: str = "awgn",
    k_factor_db: float | None = None,
    diversity: int = 1,
) -> Array:
    """Exact symbol error rate with coherent hard decisions.

    PSK: 1/pi int_0^(pi - pi/M) M(-sin^2(pi/M)/sin^2 t) dt; square QAM: 4 q E[Q] - 4 q^2 E[Q^2], q = 1 - 1/sqrt M.
    `[...]` dB -> `[...]` float64.
    """
    m, points = mgf(snr_db, fading, k_factor_db, diversity), qam.order_of(order)
    if points in (2, 8):
        return _average(m, float(np.sin(np.pi / points) ** 2), np.pi - np.pi / points)
    slope, q = 3 / (2 * (points - 1)), 1 - 1 / np.sqrt(points)
    squared = _average(m, slope, np.pi / 4)
    return np.asarray(4 * q * _mean_q(m, slope) - 4 * q**2 * squared)
