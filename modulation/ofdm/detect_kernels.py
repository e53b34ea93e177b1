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
_FAST = {"reassoc", "contract", "nsz"}  # no assumption about NaN: the caller has taken those out


@njit(cache=True, fastmath=_FAST, error_model="numpy")
def _block_products(pairs: Array, hop: int, part: int, products: Array, sums: Array) -> None:
    lags = products.shape[1]
    for b in range(products.shape[0]):
        start = 2 * b * hop
        re_sum = np.float32(0.0)
        im_sum = np.float32(0.0)
        for i in range(start, start + 2 * hop, 2):
            re_sum += pairs[i]
            im_sum += pairs[i + 1]
        sums[b] = complex(re_sum, im_sum)
        for m in range(lags):
            shift = 2 * m * part
            re = np.float32(0.0)
            im = np.float32(0.0)
            for i in range(start, start + 2 * hop, 2):
                ar, ai, br, bi = pairs[i], pairs[i + 1], pairs[i + shift], pairs[i + shift + 1]
                re += ar * br + ai * bi
                im += ar * bi - ai * br
            products[b, m] = complex(re, im)


@njit(cache=True, error_model="numpy")
def _window_metric(products: Array, sums: Array, per_part: int, part: int, turns: Array, out: Array) -> None:
    parts = products.shape[1]
    lagged = np.zeros(parts, np.complex128)
    for h in range(out.size):
        total = 0j
        for b in range(h, h + parts * per_part):
            total += sums[b]
        mean = total / (parts * part)
        head, tail = total, total  # sums over the first, last parts - m parts of the window
        for m in range(parts):
            r = 0j
            for b in range(h, h + (parts - m) * per_part):
                r += products[b, m]
            if m:
                for b in range(per_part):
                    head -= sums[h + (parts - m) * per_part + b]
                    tail -= sums[h + (m - 1) * per_part + b]
            r += (parts - m) * part * abs(mean) ** 2 - mean * np.conj(head) - np.conj(mean) * tail
            lagged[m] = r
        energy = lagged[0].real
        best = -np.inf
        for f in range(turns.shape[0]):
            t = 0.0
            for m in range(1, parts):
                t += lagged[m].real * turns[f, m].real - lagged[m].imag * turns[f, m].imag
            best = max(best, t)
        raw = products[h, 0].real * 1e-6  # what is left of a pure DC after taking it off is rounding, not signal
        out[h] = 2 * best / (energy * (parts - 1)) if energy > raw and energy > 1e-30 else 0.0


def periodicity(samples: Array, hop: int, part: int, parts: int) -> Array:
    """Periodicity metric at each multiple of ``hop``: ``[(hops + 1) * hop + parts * part] -> [hops]`` float64.

    samples  [n] complex64, finite; ``part`` must be a multiple of ``hop``. Hop h looks at
    ``samples[h * hop : h * hop + parts * part]`` and at nothing else.
    """
    hops = _hops(samples, hop, part, parts)
    blocks = hops + parts * part // hop - 1
    padded = np.zeros(blocks * hop + (parts - 1) * part, np.complex64)
    n = min(samples.size, padded.size)
    padded[:n] = samples[:n]
    products = np.empty((blocks, parts), np.complex64)
    sums = np.empty(blocks, np.complex64)
    out = np.empty(hops)
    _block_products(padded.view(np.float32), hop, part, products, sums)
    _window_metric(products, sums, part // hop, part, _turns(parts), out)
    return out


def periodicity_reference(samples: Array, hop: int, part: int, parts: int) -> Array:
    """The same as ``periodicity``, window by window as in the formula."""
    out = np.zeros(_hops(samples, hop, part, parts))
    for h in range(out.size):
        x = samples[h * hop : h * hop + parts * part].astype(np.complex128)
        x = (x - x.mean()).reshape(parts, part)
        gram = x.conj() @ x.T
        lagged = np.array([np.trace(gram, offset=m) for m in range(parts)])
        t = 2 * (_turns(parts)[:, 1:] @ lagged[1:]).real
        if lagged[0].real > 1e-30:
            out[h] = t.max() / (lagged[0].real * (parts - 1))
    return out


def _hops(samples: Array, hop: int, part: int, parts: int) -> int:
    if part % hop:
        raise ValueError(f"part must be a multiple of hop = {hop}, not {part}")
    return max((samples.size - parts * part) // hop + 1, 0)


def _turns(parts: int) -> Array:
    f, m = np.arange(FREQUENCIES)[:, None], np.arange(parts)
    return np.exp(-2j * np.pi * f * m / FREQUENCIES)
