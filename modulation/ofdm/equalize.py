"""One-tap equalisation with the noise that is left on each symbol."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from semwave.modulation.ofdm.burst_kernels import divide
from semwave.modulation.ofdm.waveform import despread

Array = npt.NDArray[Any]

_FLOOR = 1e-20


def equalize(received: Array, channel: Array, noise_variance: Array) -> tuple[Array, Array]:
    """Unbiased one-tap MMSE, which per carrier is zero forcing: ``x = y / h`` with noise ``n0 / |h|^2``.

    noise_variance: on the received carrier, channel estimation error included (``n0 + E|h - h_est|^2``);
    all three broadcast. The symbols sent have unit mean energy.

    returns  symbols complex64, their noise variance float32
    """
    if _same_grid(received, channel, noise_variance):
        symbols, variance = np.empty(received.shape, np.complex64), np.empty(received.shape, np.float32)
        flat = [x.reshape(-1) for x in (received, channel, noise_variance)]
        divide(*flat, _FLOOR, symbols.reshape(-1), variance.reshape(-1))
        return symbols, variance
    return equalize_reference(received, channel, noise_variance)


def _same_grid(received: Array, channel: Array, noise_variance: Array) -> bool:
    """Whether the kernel can do it: single precision, one shape, in C order."""
    arrays = (received, channel, noise_variance)
    kinds = [x.dtype for x in arrays] == [np.complex64, np.complex64, np.float32]
    return kinds and all(x.flags.c_contiguous and x.shape == received.shape for x in arrays)


def equalize_reference(received: Array, channel: Array, noise_variance: Array) -> tuple[Array, Array]:
    """The same as ``equalize``, in NumPy."""
    gain = np.maximum(channel.real**2 + channel.imag**2, _FLOOR)
    inverse = 1 / gain
    return (received * (np.conj(channel) * inverse)).astype(np.complex64), (noise_variance * inverse).astype(np.float32)


def equalize_spread(received: Array, channel: Array, noise_variance: Array) -> tuple[Array, Array]:
    """MMSE over the carriers of one DFT-spread symbol, then despread and made unbiased.

    ``w = h* / (|h|^2 + n0)``, ``beta = mean(w h)``, ``x = IDFT(w y) / beta`` with noise ``(1 - beta) / beta`` on every
    symbol: deep fades cost a little everywhere instead of infinitely much on one carrier.

    received, channel  [..., carriers]; noise_variance broadcasts
    returns            [..., carriers] complex64 and float32
    """
    gain = channel.real**2 + channel.imag**2
    weight = np.conj(channel) / np.maximum(gain + noise_variance, _FLOOR)
    beta = np.clip(np.mean((weight * channel).real, axis=-1, keepdims=True), 1e-9, 1 - 1e-9)
    symbols = despread(received * weight) / beta.astype(np.float32)
    variance = np.broadcast_to((1 - beta) / beta, symbols.shape)
    return symbols.astype(np.complex64), variance.astype(np.float32)
