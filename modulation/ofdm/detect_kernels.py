"""The burst search's inner loops (numba, compiled at the first call) and the same in plain NumPy.

For the samples x of a window of K equal parts of D samples, with the window's mean taken off (a receiver's DC
offset is periodic with any period), ``R_m = sum conj(x[i]) x[i + m D]`` and
``T(f) = R_0 + 2 Re sum_m R_m exp(-2j pi f m / F)``: the energy of the K parts added in phase under a carrier offset
hypothesis f, the likelihood-ratio statistic for a periodic signal of unknown shape. ``(T / R_0 - 1) / (K - 1)`` is 0
for white noise and S / (S + N) for a periodic signal.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[Any]

FREQUENCIES = 16
PARTS = 8
TILE = 256
"""Blocks worked on together: their samples stay in the first-level cache."""

# No fast-math: every hop's sums are in one fixed order, so that results do not depend on how a stream is cut.
# Every inner loop runs over hops, which lie side by side, so it becomes vector code without reordering.


@njit(cache=True, error_model="numpy")
def _transpose(samples: Array, hop: int, blocks: int, re: Array, im: Array) -> None:
    """Sample i of block b to place [i, b]."""
    for low in range(0, blocks, TILE):
        for i in range(hop):
            for b in range(low, min(low + TILE, blocks)):
                re[i, b] = samples[b * hop + i].real
                im[i, b] = samples[b * hop + i].imag


@njit(cache=True, error_model="numpy")
def _block_sums(re: Array, im: Array, per_part: int, out_re: Array, out_im: Array) -> None:
    """Sums over blocks: rows 0..7 of products with the sample 0..7 parts later, row 8 of the samples themselves."""
    blocks = out_re.shape[1]
    for low in range(0, blocks, TILE):
        n = min(TILE, blocks - low)
        for m in range(PARTS + 1):
            to_re, to_im = out_re[m, low : low + n], out_im[m, low : low + n]
            to_re[:] = np.float32(0.0)
            to_im[:] = np.float32(0.0)
            at = low + m * per_part
            for i in range(re.shape[0]):
                a_re, a_im = re[i, low : low + n], im[i, low : low + n]
                if m == PARTS:
                    for j in range(n):
                        to_re[j] += a_re[j]
                        to_im[j] += a_im[j]
                else:
                    b_re, b_im = re[i, at : at + n], im[i, at : at + n]
                    for j in range(n):
                        to_re[j] += a_re[j] * b_re[j] + a_im[j] * b_im[j]
                        to_im[j] += a_re[j] * b_im[j] - a_im[j] * b_re[j]


@njit(cache=True, error_model="numpy")
def _window_metric(re: Array, im: Array, per_part: int, part: int, cosine: Array, sine: Array, out: Array) -> None:
    """Add blocks up to windows, take the mean off, look at 16 offsets."""
    one = np.float32(1.0)
    lag_re, lag_im = np.zeros((PARTS, TILE), np.float32), np.zeros((PARTS, TILE), np.float32)
    head_re, head_im = np.zeros((PARTS, TILE), np.float32), np.zeros((PARTS, TILE), np.float32)
    tail_re, tail_im = np.zeros((PARTS, TILE), np.float32), np.zeros((PARTS, TILE), np.float32)
    t, raw = np.zeros(TILE, np.float32), np.zeros(TILE, np.float32)
    for low in range(0, out.size, TILE):
        n = min(TILE, out.size - low)
        for m in range(PARTS):
            count = (PARTS - m) * per_part
            _add_rows(re[m], low, n, count, lag_re[m])
            _add_rows(im[m], low, n, count, lag_im[m])
            _add_rows(re[PARTS], low, n, count, head_re[m])
            _add_rows(im[PARTS], low, n, count, head_im[m])
            _add_rows(re[PARTS], low + m * per_part, n, count, tail_re[m])
            _add_rows(im[PARTS], low + m * per_part, n, count, tail_im[m])
        raw[:n] = lag_re[0, :n]
        scale = one / np.float32(PARTS * part)
        for m in range(PARTS):
            size = np.float32((PARTS - m) * part)
            for j in range(n):
                # - mean conj(head) - conj(mean) tail + size |mean|^2
                u, v = head_re[0, j] * scale, head_im[0, j] * scale
                lag_re[m, j] += size * (u * u + v * v) - u * (head_re[m, j] + tail_re[m, j])
                lag_re[m, j] -= v * (head_im[m, j] + tail_im[m, j])
                lag_im[m, j] += u * (head_im[m, j] - tail_im[m, j]) + v * (tail_re[m, j] - head_re[m, j])
        best = out[low : low + n]
        best[:] = np.float32(0.0)
        for f in range(FREQUENCIES):
            t[:n] = np.float32(0.0)
            for m in range(1, PARTS):
                c, s = cosine[f, m], sine[f, m]
                for j in range(n):
                    t[j] += lag_re[m, j] * c + lag_im[m, j] * s
            for j in range(n):
                best[j] = max(best[j], t[j])
        for j in range(n):
            # what is left of a pure DC after taking it off is rounding, not signal
            energy = lag_re[0, j]
            real = energy > np.float32(1e-5) * raw[j] and energy > np.float32(1e-30)
            best[j] = np.float32(2 / (PARTS - 1)) * best[j] / energy if real else np.float32(0.0)


@njit(cache=True, error_model="numpy")
def _add_rows(row: Array, low: int, n: int, count: int, out: Array) -> None:
    """``out[j] = sum of row[low + j], ..., row[low + j + count - 1]``."""
    out[:n] = np.float32(0.0)
    for b in range(low, low + count):
        a = row[b : b + n]
        for j in range(n):
            out[j] += a[j]


def periodicity(samples: Array, hop: int, part: int) -> Array:
    """Periodicity metric, at least 0, at each multiple of ``hop``, for eight parts: [n] -> [hops] float32.

    samples  [n] complex64, finite; ``part`` must be a multiple of ``hop``. Hop h looks at
    ``samples[h * hop : h * hop + 8 * part]`` and at nothing else.
    """
    hops, per_part = _hops(samples, hop, part), part // hop
    out = np.empty(hops, np.float32)
    if hops == 0:
        return out
    blocks = hops + PARTS * per_part - 1
    rows = np.empty((2, hop, blocks + (PARTS - 1) * per_part), np.float32)
    rows[:, :, blocks:] = 0
    _transpose(samples, hop, blocks, rows[0], rows[1])
    sums_re, sums_im = np.empty((2, PARTS + 1, blocks), np.float32)
    _block_sums(rows[0], rows[1], per_part, sums_re, sums_im)
    turns = _turns().astype(np.complex64)
    _window_metric(sums_re, sums_im, per_part, part, turns.real.copy(), -turns.imag, out)
    return out


def periodicity_reference(samples: Array, hop: int, part: int) -> Array:
    """The same as ``periodicity``, window by window as in the formula."""
    out = np.zeros(_hops(samples, hop, part))
    for h in range(out.size):
        x = samples[h * hop : h * hop + PARTS * part].astype(np.complex128)
        x = (x - x.mean()).reshape(PARTS, part)
        gram = x.conj() @ x.T
        lagged = np.array([np.trace(gram, offset=m) for m in range(PARTS)])
        t = 2 * (_turns()[:, 1:] @ lagged[1:]).real
        if lagged[0].real > 1e-30:
            out[h] = max(t.max(), 0.0) / (lagged[0].real * (PARTS - 1))
    return out


def _hops(samples: Array, hop: int, part: int) -> int:
    if part % hop:
        raise ValueError(f"part must be a multiple of hop = {hop}, not {part}")
    return max((samples.size - PARTS * part) // hop + 1, 0)


def _turns() -> Array:
    """``exp(-2j pi f m / 16)``: [16, 8]."""
    f, m = np.arange(FREQUENCIES)[:, None], np.arange(PARTS)
    return np.asarray(np.exp(-2j * np.pi * f * m / FREQUENCIES))
