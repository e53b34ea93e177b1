"""OFDM modulation and demodulation of grids, edge windowing, DFT spreading and peak power."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.fft

from semwave.modulation.ofdm.params import OfdmParams

Array = npt.NDArray[Any]


def modulate(grid: Array, params: OfdmParams, workers: int = 1) -> Array:
    """OFDM symbols with cyclic prefix, ``x[n] = sum_k X[k] exp(2j pi k n / N) / sqrt(N)`` (TS 38.211, 5.3.1).

    grid     [..., symbols, fft_size] complex, DC in the middle (column ``fft_size // 2``)
    returns  [..., params.grid_length(symbols)] complex64

    Raises ValueError when the last axis is not ``fft_size`` long.
    """
    grid = np.asarray(grid)
    n, cp = params.fft_size, params.cp_len
    if grid.ndim < 2 or grid.shape[-1] != n:
        raise ValueError(f"grid must be [..., symbols, fft_size = {n}], not {list(grid.shape)}")
    symbols, first = grid.shape[-2], params.cp_len if params.first_cp_len is None else params.first_cp_len
    out = np.zeros((*grid.shape[:-2], params.grid_length(symbols)), np.complex64)
    if symbols == 0:
        return out
    swapped = np.empty(grid.shape, np.complex64)
    swapped[..., : n - n // 2] = grid[..., n // 2 :]
    swapped[..., n - n // 2 :] = grid[..., : n // 2]
    useful = scipy.fft.ifft(swapped, axis=-1, norm="ortho", overwrite_x=True, workers=workers)
    body = out[..., first - cp : first - cp + symbols * params.symbol_len]
    body = body.reshape(*grid.shape[:-1], params.symbol_len)  # a view: the last axis is contiguous
    body[..., cp:] = useful
    body[..., :cp] = useful[..., n - cp :]
    out[..., :first] = useful[..., 0, n - first :]
    if params.window_len:
        _ramp(out, body, useful, params.window_len)
    return out


def ramp(window_len: int) -> Array:
    """Rising raised-cosine edge, ``r[i] + r[W-1-i] = 1``: [window_len] float32."""
    return (0.5 - 0.5 * np.cos(np.pi * (np.arange(window_len) + 0.5) / max(window_len, 1))).astype(np.float32)


def _ramp(out: Array, body: Array, useful: Array, width: int) -> None:
    rising = ramp(width)
    out[..., :width] *= rising  # of the first symbol, whose prefix may be longer
    body[..., 1:, :width] *= rising
    tails = useful[..., :width] * rising[::-1]  # each symbol goes on cyclically while the next one rises
    body[..., 1:, :width] += tails[..., :-1, :]
    out[..., -width:] = tails[..., -1, :]


def demodulate(samples: Array, params: OfdmParams, workers: int = 1) -> Array:
    """Grid of the whole symbols in ``samples``, unitary FFT, prefix dropped.

    samples  [..., n] complex; samples after the last whole symbol are ignored
    returns  [..., symbols, fft_size] complex64, DC in the middle
    """
    samples = np.asarray(samples)
    if samples.dtype != np.complex64:
        samples = samples.astype(np.complex64)
    n = params.fft_size
    extra = 0 if params.first_cp_len is None else params.first_cp_len - params.cp_len
    symbols = max(samples.shape[-1] - extra, 0) // params.symbol_len
    shape = (*samples.shape[:-1], symbols)
    body = samples[..., extra : extra + symbols * params.symbol_len].reshape(*shape, params.symbol_len)
    grid = np.empty((*shape, n), np.complex64)
    if grid.size == 0:
        return grid
    spectrum = scipy.fft.fft(body[..., params.cp_len :], axis=-1, norm="ortho", workers=workers)
    grid[..., n // 2 :] = spectrum[..., : n - n // 2]
    grid[..., : n // 2] = spectrum[..., n - n // 2 :]
    return grid


def spread(symbols: Array) -> Array:
    """DFT-spread one OFDM symbol's data over its carriers, unitary: [..., carriers] -> [..., carriers] complex64."""
    return np.asarray(scipy.fft.fft(np.asarray(symbols, np.complex64), axis=-1, norm="ortho"))


def despread(symbols: Array) -> Array:
    """Undo ``spread``: [..., carriers] -> [..., carriers] complex64."""
    return np.asarray(scipy.fft.ifft(np.asarray(symbols, np.complex64), axis=-1, norm="ortho"))


def papr_db(samples: Array, oversampling: int = 4) -> Array:
    """Peak-to-average power ratio in dB of the band-limited interpolation of ``samples``: [..., n] -> [...] float64.

    ``max |x|^2 / mean |x|^2``; Nyquist-rate samples miss the peaks between them, 4 times oversampling sees them
    within about 0.1 dB (Tellambura, IEEE Comm. Letters 5(5), 2001).
    """
    samples = np.asarray(samples)
    if oversampling < 1 or samples.shape[-1] == 0:
        raise ValueError(f"oversampling must be at least 1 (not {oversampling}) and samples not empty")
    power = np.abs(_interpolate(samples.astype(np.complex128), oversampling)) ** 2
    return np.asarray(10 * np.log10(power.max(axis=-1) / power.mean(axis=-1)))


def _interpolate(samples: Array, factor: int) -> Array:
    n = samples.shape[-1]
    spectrum = scipy.fft.fft(samples, axis=-1)
    padded = np.zeros((*samples.shape[:-1], n * factor), spectrum.dtype)
    padded[..., : (n + 1) // 2] = spectrum[..., : (n + 1) // 2]
    padded[..., padded.shape[-1] - n // 2 :] = spectrum[..., (n + 1) // 2 :]
    return np.asarray(scipy.fft.ifft(padded, axis=-1)) * factor


def clip_and_filter(grid: Array, papr_limit_db: float, params: OfdmParams, rounds: int = 4) -> Array:
    """Lower the peaks of each symbol by clipping at 4 times oversampling and dropping what falls outside the carriers.

    Iterated clipping and filtering (Armstrong, Electronics Letters 38(5), 2002): the limit is approached, not met;
    the price is an error on the carriers. Carriers that were zero stay zero.

    grid, returns  [..., symbols, fft_size] complex64, DC in the middle
    """
    if not math.isfinite(papr_limit_db) or papr_limit_db <= 0 or rounds < 1:
        raise ValueError(f"papr_limit_db must be above 0 (not {papr_limit_db}) and rounds at least 1 (not {rounds})")
    grid = np.asarray(grid, np.complex64)
    n, wide = params.fft_size, 4 * params.fft_size
    used, first = grid != 0, wide // 2 - n // 2
    current = grid
    for _ in range(rounds):
        padded = np.zeros((*grid.shape[:-1], wide), np.complex64)
        padded[..., first : first + n] = current
        x = scipy.fft.ifft(scipy.fft.ifftshift(padded, axes=-1), axis=-1, overwrite_x=True)
        size = np.abs(x)
        limit = np.sqrt(np.mean(size**2, axis=-1, keepdims=True) * 10 ** (papr_limit_db / 10))
        x *= np.minimum(1.0, limit / np.maximum(size, 1e-30))
        spectrum = scipy.fft.fftshift(scipy.fft.fft(x, axis=-1), axes=-1)[..., first : first + n]
        current = np.where(used, spectrum, 0).astype(np.complex64)
    return current
