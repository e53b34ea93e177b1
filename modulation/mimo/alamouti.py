"""Alamouti's code: two antennas, two channel uses, full diversity (IEEE JSAC 16(8), 1998; TS 36.211, 6.3.4.3)."""

from typing import Any

import numpy as np
import numpy.typing as npt

from semwave.modulation.mimo.detect import detect

Array = npt.NDArray[Any]

_HALF = np.float32(np.sqrt(0.5))


def alamouti_encode(symbols: Array) -> Array:
    """Symbols of two antennas, unit energy together: first use (s1, s2)/sqrt 2, second (-s2*, s1*)/sqrt 2.

    [..., n], n even -> [2, ..., n] complex64. ValueError for an odd n.
    """
    s = np.asarray(symbols, np.complex64)
    if s.ndim == 0 or s.shape[-1] % 2:
        raise ValueError(f"symbols must come in pairs on the last axis, not shape {list(s.shape)}")
    out = np.empty((2, *s.shape), np.complex64)
    out[0, ..., 0::2], out[1, ..., 0::2] = s[..., 0::2], s[..., 1::2]
    out[0, ..., 1::2], out[1, ..., 1::2] = -np.conj(s[..., 1::2]), np.conj(s[..., 0::2])
    return out * _HALF


def alamouti_decode(received: Array, channel: Array, n0: float | Array, method: str = "mmse") -> tuple[Array, Array]:
    """Detect what :func:`alamouti_encode` sent, from any number of receive antennas.

    The pair is detected over both uses together, y = (y(1), y(2)*), so that the channel may change between them; where
    it does not, this is Alamouti's combining, with noise ``2 n0 / sum |h|^2``.

    received  [..., n, rx] complex
    channel   [..., n, rx, 2] complex, of antennas that send unit energy each
    n0        a number, or [..., n] with one value for each use
    returns   [..., n] complex64, [..., n] float32
    """
    y, h = np.asarray(received, np.complex64), np.asarray(channel, np.complex64)
    if y.ndim < 2 or y.shape[-2] % 2 or h.shape != (*y.shape, 2):
        raise ValueError(f"received must be [..., n, rx] with even n and channel [..., n, rx, 2], not "
                         f"{list(y.shape)}, {list(h.shape)}")  # fmt: skip
    both = np.concatenate([y[..., 0::2, :], np.conj(y[..., 1::2, :])], axis=-1)
    turned = np.conj(h[..., 1::2, :, ::-1]) * np.array([1, -1], np.float32)  # y2* = (h2* s1 - h1* s2)/sqrt 2
    pair = np.concatenate([h[..., 0::2, :, :], turned], axis=-2) * _HALF
    noise = np.asarray(n0, np.float32)
    if noise.ndim:
        noise = np.broadcast_to(noise, y.shape[:-1])
        noise = np.repeat(noise.reshape(*noise.shape[:-1], -1, 2), y.shape[-1], axis=-1)
    symbols, variance = detect(both, pair, noise, method)
    return symbols.reshape(*y.shape[:-1]), variance.reshape(*y.shape[:-1])
