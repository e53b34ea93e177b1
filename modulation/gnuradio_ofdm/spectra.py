"""FFTs of a frame's symbols, carrier offset and constant taken off, sixteen symbols at a time."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from semwave.modulation.gnuradio_ofdm.channel import EARLY
from semwave.modulation.gnuradio_ofdm.frame import CP_LEN, FFT_SIZE, SYMBOL_LEN
from semwave.modulation.ofdm.fft_kernels import plan, transform16
from semwave.modulation.ofdm.lanes import LANES

Array = npt.NDArray[Any]

WORK = 2 * LANES * (FFT_SIZE + 4 * 8)
"""Floats of work space of one FFT."""


@lru_cache(maxsize=1)
def tables() -> tuple[Array, Array, Array]:
    """``plan`` of the FFT over 64."""
    twiddles, places, _ = plan(FFT_SIZE)
    return twiddles, places, np.full(1, 1 / FFT_SIZE, np.float32)


def whole(symbols: int) -> int:
    """Rows that ``spectra`` fills for so many symbols."""
    return -(-symbols // LANES) * LANES


@njit(nogil=True, cache=True, fastmath={"contract", "reassoc"}, error_model="numpy")
def dc_offset(samples: Array) -> complex:
    """Mean of the samples where it is beyond chance, else 0.

    Data under a carrier offset may lie at 0 Hz: |mean|^2 must exceed 16 times the power over the number of samples.
    """
    parts = samples.view(np.float32)
    n = samples.size
    re, im, power = 0.0, 0.0, 0.0
    for low in range(0, n, 64):  # sums of single precision stay short
        zero = np.float32(0)
        a, b, c = zero, zero, zero
        piece = parts[2 * low : 2 * min(low + 64, n)]
        for i in range(piece.size // 2):
            x, y = piece[2 * i], piece[2 * i + 1]
            a += x
            b += y
            c += x * x + y * y
        re, im, power = re + float(a), im + float(b), power + float(c)
    mean = complex(re / n, im / n)
    return mean if (mean.real**2 + mean.imag**2) * n > 16 * power / n else complex(0)


@njit(nogil=True, cache=True, error_model="numpy")
def _windows(x: Array, count: int, at: int, cfo: float, dc: complex, turns: Array, out: Array) -> None:
    """64 samples of each of ``count`` symbols, 80 apart from ``x[at]`` on, offset taken off, phase 0 at ``x[0]``."""
    samples, steps, parts = x.view(np.float32), turns.view(np.float32), out.view(np.float32).reshape(-1)
    mean_re, mean_im = np.float32(dc.real), np.float32(dc.imag)
    turn = np.empty(2 * FFT_SIZE, np.float32)
    for t in range(count):
        low = at + t * SYMBOL_LEN
        c, s = np.float32(np.cos(cfo * low)), np.float32(np.sin(cfo * low))
        for n in range(FFT_SIZE):
            re, im = steps[2 * n], steps[2 * n + 1]
            turn[2 * n], turn[2 * n + 1] = re * c + im * s, im * c - re * s
        source, to = samples[2 * low : 2 * (low + FFT_SIZE)], parts[2 * t * FFT_SIZE : 2 * (t + 1) * FFT_SIZE]
        for n in range(FFT_SIZE):
            re, im = source[2 * n] - mean_re, source[2 * n + 1] - mean_im
            to[2 * n] = re * turn[2 * n] - im * turn[2 * n + 1]
            to[2 * n + 1] = im * turn[2 * n] + re * turn[2 * n + 1]


@njit(nogil=True, cache=True, error_model="numpy")
def turns_of(cfo: float, out: Array) -> None:
    """What takes a carrier offset off the samples of one symbol: [64] complex64."""
    for n in range(FFT_SIZE):
        out[n] = np.complex64(complex(np.cos(cfo * n), -np.sin(cfo * n)))


@njit(nogil=True, cache=True, error_model="numpy")
def spectra(
    x: Array, first: int, count: int, shift: int, cfo: float, turns: Array, dc: complex, plan: Any, work: Array,
    rows: Array,
) -> None:  # fmt: skip
    """FFT over 64 of symbols ``first ..`` of a frame (0 is word 1), windows ``shift`` late, to ``rows`` [n, 64].

    ``x[0]`` is the frame's first sample. There must be ``whole(count)`` rows; those behind the symbols become garbage.
    """
    _windows(x, count, first * SYMBOL_LEN + CP_LEN - EARLY + shift, cfo, dc, turns, rows)
    parts = rows.view(np.float32).reshape(-1)
    for group in range(0, count, LANES):
        at = 2 * FFT_SIZE * group
        transform16(parts, at, 2 * FFT_SIZE, plan, work, False, (0, 0), parts, at, 2 * FFT_SIZE)


def spectra_reference(x: Array, first: int, count: int, shift: int, cfo: float, dc: complex) -> Array:
    """The same as ``spectra``, as in the formula: [count, 64] complex128."""
    low = (first + np.arange(count)) * SYMBOL_LEN + CP_LEN - EARLY + shift
    at = low[:, None] + np.arange(FFT_SIZE)
    return np.asarray(np.fft.fft((x[at] - dc) * np.exp(-1j * cfo * at), norm="forward"))
