"""Analogue symbols projected on a QAM constellation, so that a modem of constellation points can carry them.

Symbols of unit mean power but any distribution are first mixed by a unitary matrix, ``z = F (c x)`` with the DFT F and
known signs c, which makes them nearly Gaussian; else the rare large ones would be cut off. Each is rounded to the
nearest of ``order`` points whose spacing is the best for a Gaussian (Max, "Quantizing for minimum distortion", IRE
Trans. Inf. Theory 6, 1960) and sent at unit mean power. Rounding errs by D, which is uncorrelated with the point, so a
point is the symbol with gain ``1 - D``:

    q = (1 - D) z + e,   E|e|^2 = D (1 - D),   sent as s = q / sqrt(1 - D)

Points are those of :func:`semwave.modulation.qam.constellation` times a factor, which exceeds 1 because the outer ones
are rare.
"""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semwave.modulation.ofdm.sequences import qpsk_sequence

Array = NDArray[Any]
ORDERS = (4, 16, 64, 256, 1024)
SPREAD_SEED = 5  # of the signs; the OFDM bursts use those below


def project(symbols: Array, order: int) -> Array:
    """Mixed and rounded: complex [n] of unit mean power -> complex64 [n], on ``sent_points(order)``.

    Raises ValueError on an order that is none of 4, 16, 64, 256, 1024.
    """
    import scipy.fft

    step, _ = _design(order)
    half = _levels(order) // 2
    symbols = np.asarray(symbols, np.complex64)
    mixed = scipy.fft.fft(symbols * _signs(symbols.size), norm="ortho") if symbols.size else symbols
    parts = np.ascontiguousarray(mixed, np.complex64).view(np.float32)
    index = np.clip(np.floor(parts / np.float32(step)), -half, half - 1)
    points: Array = ((index + np.float32(0.5)) * np.float32(_scale(order) * step)).view(np.complex64)
    return points


def unproject(received: Array, noise_variance: Array | float, order: int) -> tuple[Array, Array]:
    """Equalised points as the symbols that they stand for: unbiased estimates and their noise variance.

    A point tells z with noise ``v = (n0 + D) / (1 - D)``. Minimum mean squared error weights ``w = 1 / (1 + v)`` of
    mean b, the mixing undone, leave noise ``(1 - b) / b`` on every symbol: fades and losses are shared by all.

    received        complex64 [n], ``sent + noise`` with ``noise_variance``, scalar or [n], infinite where lost
    returns         complex64 [n] and float32 [n]
    """
    import scipy.fft

    received = np.asarray(received, np.complex64)
    if not received.size:
        return received, np.empty(0, np.float32)
    kept = 1 - distortion(order)
    noise = np.broadcast_to(np.asarray(noise_variance, np.float64), received.shape)
    weight = kept / (1 + noise)  # 1 / (1 + v)
    mean = float(weight.mean())
    if not mean > 0:
        return np.zeros_like(received), np.full(received.shape, np.inf, np.float32)
    weighted = np.where(weight > 0, received, 0) * (weight / (np.sqrt(kept) * mean)).astype(np.float32)
    symbols = scipy.fft.ifft(weighted, norm="ortho") * np.conj(_signs(received.size))
    return symbols.astype(np.complex64), np.full(received.shape, (1 - mean) / mean, np.float32)


def sent_points(order: int) -> Array:
    """What :func:`project` can give: complex64 [order], by the labels of ``qam.constellation``."""
    from semwave.modulation import qam

    spacing = np.sqrt(6 / (order - 1))  # of unit mean energy over equally likely points
    return (qam.constellation(order) * (_scale(order) * _design(order)[0] / spacing)).astype(np.complex64)


def distortion(order: int) -> float:
    """Mean squared error D of rounding a circular Gaussian of unit power."""
    return _design(order)[1]


def _scale(order: int) -> float:
    """From rounded symbols to unit mean power."""
    return float(1 / np.sqrt(1 - distortion(order)))


@lru_cache(maxsize=8)
def _signs(n: int) -> Array:
    signs = qpsk_sequence(SPREAD_SEED, n)
    signs.setflags(write=False)
    return signs


def _levels(order: int) -> int:
    if order not in ORDERS:
        raise ValueError(f"order must be {', '.join(map(str, ORDERS[:-1]))} or {ORDERS[-1]}, not {order!r}")
    return 1 << ((order.bit_length() - 1) // 2)


@lru_cache(maxsize=8)
def _design(order: int) -> tuple[float, float]:
    """Step per axis and distortion, for a complex Gaussian of unit power: real parts of deviation sqrt(1/2)."""
    from scipy.optimize import minimize_scalar

    levels = _levels(order)
    found = minimize_scalar(lambda s: _error(s, levels), bounds=(1.0 / levels, 8.0 / levels + 0.5), method="bounded",
                            options={"xatol": 1e-10})  # fmt: skip
    return float(found.x * np.sqrt(0.5)), float(found.fun)


def _error(step: float, levels: int) -> float:
    """Mean squared error of a uniform mid-rise quantiser on a real Gaussian of variance 1."""
    from scipy.special import ndtr

    edges = step * (np.arange(levels + 1) - levels / 2)
    edges[0], edges[-1] = -np.inf, np.inf
    points = step * (np.arange(levels) - (levels - 1) / 2)
    chance = np.diff(ndtr(edges))
    density = np.exp(-(edges**2) / 2) / np.sqrt(2 * np.pi)
    mean = -np.diff(density)  # integral of x over each cell
    return float(1 - 2 * np.sum(points * mean) + np.sum(points**2 * chance))
