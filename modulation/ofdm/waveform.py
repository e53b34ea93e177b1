"""OFDM modulation and demodulation of grids, edge windowing, DFT spreading and peak power."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.fft

from semwave.modulation.ofdm.params import OfdmParams
from semwave.modulation.threads import split

Array = npt.NDArray[Any]


BLOCK = 1 << 14
"""Samples worked on at a time: transform, halves swapped and prefix written while they are in the cache."""
_WORTH_A_KERNEL = 1 << 16
"""Samples from which on the compiled transforms pay for being loaded."""


def modulate(grid: Array, params: OfdmParams, workers: int = 1, out: Array | None = None) -> Array:
    """OFDM symbols with cyclic prefix, ``x[n] = sum_k X[k] exp(2j pi k n / N) / sqrt(N)`` (TS 38.211, 5.3.1).

    grid     [..., symbols, fft_size] complex, DC in the middle (column ``fft_size // 2``)
    workers  threads
    out      array to write to, of the shape returned (saves the page faults of a fresh one)
    returns  [..., params.grid_length(symbols)] complex64

    Raises ValueError when the last axis is not ``fft_size`` long, or ``out`` does not fit.
    """
    grid = np.asarray(grid)
    n, cp = params.fft_size, params.cp_len
    if grid.ndim < 2 or grid.shape[-1] != n:
        raise ValueError(f"grid must be [..., symbols, fft_size = {n}], not {list(grid.shape)}")
    symbols, first = grid.shape[-2], cp if params.first_cp_len is None else params.first_cp_len
    out = _output(out, (*grid.shape[:-2], params.grid_length(symbols)))
    if symbols == 0:
        return out
    body = out[..., first - cp : first - cp + symbols * params.symbol_len]
    body = body.reshape(*grid.shape[:-1], params.symbol_len)  # a view: the last axis is contiguous
    if _by_kernel(grid, symbols, n):
        _modulate_by_kernel(np.ascontiguousarray(grid, np.complex64), body, cp, workers)
    else:
        _modulate_plain(grid, body, cp, workers)
    out[..., : first - cp] = body[..., 0, cp + n - first : n]
    if params.window_len:
        _ramp(out, body, cp, params.window_len)
    return out


def _modulate_plain(grid: Array, body: Array, cp: int, workers: int) -> None:
    """Any length, in NumPy and SciPy; what the kernel must equal."""
    n = grid.shape[-1]

    def work(at: tuple[int | slice, ...]) -> None:
        block, to = grid[at], body[at]
        swapped = np.empty(block.shape, np.complex64)
        swapped[:, : n - n // 2] = block[:, n // 2 :]
        swapped[:, n - n // 2 :] = block[:, : n // 2]
        useful = scipy.fft.ifft(swapped, norm="ortho", overwrite_x=True)
        to[:, cp:] = useful
        to[:, :cp] = useful[:, n - cp :]

    _in_blocks(work, grid.shape, workers)


def _modulate_by_kernel(grid: Array, body: Array, cp: int, workers: int) -> None:
    from semwave.modulation.ofdm import fft_kernels as kernels

    tables = kernels.plan(grid.shape[-1])
    for item in np.ndindex(*grid.shape[:-2]):
        given = _parts(grid[item]), cp, tables, _parts(body[item])
        _in_groups(kernels.modulate_rows, given, grid.shape[-2], workers)


def _parts(array: Array) -> Array:
    """Real and imaginary parts in turn, in one row."""
    return array.reshape(-1).view(np.float32)


def _by_kernel(array: Array, symbols: int, n: int) -> bool:
    """Whether the compiled transforms can do it and there is enough to do."""
    if array.size < _WORTH_A_KERNEL or symbols < 16:
        return False
    from semwave.modulation.ofdm import fft_kernels as kernels

    return kernels.possible(n)


def _in_groups(kernel: Callable[..., None], given: tuple[Any, ...], symbols: int, workers: int) -> None:
    """Share symbols among workers, sixteen or more to each."""
    groups = symbols // 16

    def work(first: int, last: int) -> None:
        kernel(*given, 16 * first, symbols if last == groups else 16 * last)

    split(groups, 1, work, max(workers, 1))


def _output(out: Array | None, shape: tuple[int, ...]) -> Array:
    if out is None:
        return np.empty(shape, np.complex64)
    if out.shape != shape or out.dtype != np.complex64 or not out.flags.c_contiguous:
        raise ValueError(f"out must be {list(shape)} complex64 in C order, not {list(out.shape)} {out.dtype}")
    return out


def _in_blocks(work: Callable[[tuple[int | slice, ...]], None], shape: tuple[int, ...], workers: int) -> None:
    """Call ``work`` with an index for every few symbols of a grid; each worker has symbols that follow each other."""
    rows = max(BLOCK // shape[-1], 1)
    places = [
        (*item, slice(first, first + rows)) for item in np.ndindex(*shape[:-2]) for first in range(0, shape[-2], rows)
    ]

    def share(first: int, last: int) -> None:
        for place in places[first:last]:
            work(place)

    split(len(places), 1, share, max(workers, 1))


def ramp(window_len: int) -> Array:
    """Rising raised-cosine edge, ``r[i] + r[W-1-i] = 1``: [window_len] float32."""
    return (0.5 - 0.5 * np.cos(np.pi * (np.arange(window_len) + 0.5) / max(window_len, 1))).astype(np.float32)


def _ramp(out: Array, body: Array, cp: int, width: int) -> None:
    rising = ramp(width)
    tails = body[..., cp : cp + width] * rising[::-1]  # each symbol goes on cyclically while the next one rises
    out[..., :width] *= rising  # of the first symbol, whose prefix may be longer
    body[..., 1:, :width] *= rising
    body[..., 1:, :width] += tails[..., :-1, :]
    out[..., -width:] = tails[..., -1, :]


def demodulate(samples: Array, params: OfdmParams, workers: int = 1, out: Array | None = None) -> Array:
    """Grid of the whole symbols in ``samples``, unitary FFT, prefix dropped.

    samples  [..., n] complex; samples after the last whole symbol are ignored
    workers  threads
    out      array to write to, of the shape returned
    returns  [..., symbols, fft_size] complex64, DC in the middle
    """
    samples = np.asarray(samples)
    if samples.dtype != np.complex64:
        samples = samples.astype(np.complex64)
    n, cp = params.fft_size, params.cp_len
    extra = 0 if params.first_cp_len is None else params.first_cp_len - cp
    symbols = max(samples.shape[-1] - extra, 0) // params.symbol_len
    shape = (*samples.shape[:-1], symbols)
    grid = _output(out, (*shape, n))
    used = samples[..., extra : extra + symbols * params.symbol_len]
    if _by_kernel(used, symbols, n):
        _demodulate_by_kernel(np.ascontiguousarray(used), grid, cp, workers)
    else:
        _demodulate_plain(used.reshape(*shape, params.symbol_len), grid, cp, workers)
    return grid


def _demodulate_by_kernel(samples: Array, grid: Array, cp: int, workers: int) -> None:
    from semwave.modulation.ofdm import fft_kernels as kernels

    symbols, n = grid.shape[-2:]
    tables = kernels.plan(n)
    for item in np.ndindex(*grid.shape[:-2]):
        given = _parts(samples[item]), cp, n + cp, tables, _parts(grid[item])
        _in_groups(kernels.demodulate_rows, given, symbols, workers)


def _demodulate_plain(body: Array, grid: Array, cp: int, workers: int) -> None:
    """Any length, in SciPy; what the kernel must equal."""
    n = grid.shape[-1]

    def work(at: tuple[int | slice, ...]) -> None:
        spectrum = scipy.fft.fft(body[at][:, cp:], norm="ortho")
        to = grid[at]
        to[:, n // 2 :] = spectrum[:, : n - n // 2]
        to[:, : n // 2] = spectrum[:, n - n // 2 :]

    _in_blocks(work, grid.shape, workers)


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
