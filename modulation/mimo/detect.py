"""Linear detection of symbols sent at once from several antennas."""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_LEAST = 1e-12


def detect(received: Array, channel: Array, n0: float | Array, method: str = "mmse") -> tuple[Array, Array]:
    """Estimates of x from y = H x + w, and the variance of what is left of noise and other streams on each.

    mmse: ``G = (H'H / n0 + I)^-1``, ``x = G H'y / n0``, made unbiased by ``1 / (1 - G_kk)``; the SINR of stream k is
    ``1 / G_kk - 1`` (Paulraj, Nabar, Gore, Introduction to Space-Time Wireless Communications, 2003, 7.4).
    zf: ``x = (H'H)^-1 H'y`` with noise ``n0 [(H'H)^-1]_kk``.

    received  [..., rx] complex
    channel   [..., rx, tx] complex; x has unit energy, so what an antenna sends less is part of H
    n0        a number, [...] or, where receive antennas differ, [..., rx]
    returns   [..., tx] complex64, [..., tx] float32

    Raises ValueError for another method, shapes that do not fit, or n0 not above 0.
    """
    if method not in ("mmse", "zf"):
        raise ValueError(f"method must be 'mmse' or 'zf', not {method!r}")
    h, y = np.asarray(channel, np.complex64), np.asarray(received, np.complex64)
    if h.ndim < 2 or y.shape != h.shape[:-1]:
        raise ValueError(f"received must be [..., rx] and channel [..., rx, tx], not {list(y.shape)}, {list(h.shape)}")
    if method == "zf" and h.shape[-1] > h.shape[-2]:
        raise ValueError(f"channel must have as many receive antennas as streams for 'zf', not {list(h.shape)}")
    noise = np.asarray(n0, np.float32)
    if not np.all(noise > 0):
        raise ValueError(f"n0 must be above 0 everywhere, its least value is {noise.min()}")
    whole = noise if noise.ndim and noise.shape == y.shape else np.broadcast_to(noise[..., None], y.shape)
    scale = 1 / np.sqrt(whole)  # whitens: from here on the noise has variance 1
    gram, matched = _products(h * scale[..., None], y * scale)
    if method == "mmse":
        gram = gram + np.eye(h.shape[-1], dtype=np.float32)
    inverse = _inverse(gram)
    diagonal = np.maximum(np.diagonal(inverse, axis1=-2, axis2=-1).real, _LEAST)
    found = np.sum(inverse * matched[..., None, :], axis=-1)
    if method == "mmse":
        kept = np.maximum(1 - diagonal, _LEAST)
        found, diagonal = found / kept, diagonal / kept
    return found.astype(np.complex64), diagonal.astype(np.float32)


def _products(h: Array, y: Array) -> tuple[Array, Array]:
    """H'H [..., tx, tx] and H'y [..., tx]."""
    adjoint = np.conj(h)
    gram = np.sum(adjoint[..., :, :, None] * h[..., :, None, :], axis=-3)
    return gram, np.sum(adjoint * y[..., None], axis=-2)


def _inverse(a: Array) -> Array:
    """Inverses of Hermitian matrices [..., t, t], by hand where they are 2 x 2."""
    if a.shape[-1] != 2:
        return np.asarray(np.linalg.inv(a.astype(np.complex128)))
    p, q, b = a[..., 0, 0].real.astype(np.float64), a[..., 1, 1].real.astype(np.float64), a[..., 0, 1]
    determinant = np.maximum(p * q - b.real.astype(np.float64) ** 2 - b.imag.astype(np.float64) ** 2, 1e-30)
    out = np.empty(a.shape, np.complex128)
    out[..., 0, 0], out[..., 1, 1] = q, p
    out[..., 0, 1], out[..., 1, 0] = -b, -np.conj(b)
    return np.asarray(out / determinant[..., None, None])
