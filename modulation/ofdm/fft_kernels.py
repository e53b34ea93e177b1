"""Sixteen FFTs side by side (numba, compiled at the first call), with cyclic prefix and DC in the middle in one pass.

A plan's transforms lie in the lanes of vectors: sample k of all sixteen is a row of real and a row of imaginary parts.
Symbols come in and go out through transpositions in registers; the first radix-4 stage is done on the way in, what is
left per quarter, while that is in the cache. Nothing holds the interpreter's lock, so that threads do not meet.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from semwave.modulation.ldpc.transpose import transpose16
from semwave.modulation.ofdm.lanes import LANES, broadcast, load, minus, plus, store, times

Array = npt.NDArray[Any]

_PAIR = 2 * LANES  # floats of one sample of all transforms
_PIECE = 8  # samples of one transposition
_BLOCK = _PIECE * _PAIR


def possible(n: int) -> bool:
    """Whether there is a kernel for this length: powers of two from 64 to 4096."""
    return 64 <= n <= 4096 and n & (n - 1) == 0


@lru_cache(maxsize=8)
def plan(n: int) -> tuple[Array, Array, Array]:
    """Twiddle factors of all stages, ``w^p, w^2p, w^3p`` as six float32 for p = 0 ... L/4 - 1, L = n, n/4, ...;
    where each frequency lies at the end, [n] int64; the scale of a unitary transform, [1] float32.
    """
    stages, size = [], n
    while size >= 4:
        w = np.exp(-2j * np.pi / size * np.outer(np.arange(size // 4), [1, 2, 3]))
        stages.append(w.astype(np.complex64).view(np.float32).ravel())
        size //= 4
    return np.concatenate(stages), np.argsort(_frequencies(n)), np.full(1, 1 / np.sqrt(n), np.float32)


def _frequencies(n: int) -> Array:
    """Frequency at each place after decimation in frequency by four (and by two at the end)."""
    radix = min(n, 4)
    if n == radix:
        return np.arange(n)
    return np.concatenate([radix * _frequencies(n // radix) + j for j in range(radix)])


@njit(cache=True, nogil=True, boundscheck=False, error_model="numpy")
def _butterfly(
    source: Array, at: int, part: int, apart: int, target: Array, to: int, apart_to: int, w: Array, i: int
) -> None:
    """One radix-4 butterfly, decimation in frequency: ``y_j = w^(jp) sum_l (-i)^(jl) x_l``.

    The four samples lie ``apart``, imaginary parts ``part`` after the real ones.
    """
    ar, ai = load(source, at), load(source, at + part)
    br, bi = load(source, at + apart), load(source, at + apart + part)
    cr, ci = load(source, at + 2 * apart), load(source, at + 2 * apart + part)
    dr, di = load(source, at + 3 * apart), load(source, at + 3 * apart + part)
    sr, si, tr, ti = plus(ar, cr), plus(ai, ci), minus(ar, cr), minus(ai, ci)
    ur, ui = plus(br, dr), plus(bi, di)
    vr, vi = minus(bi, di), minus(dr, br)  # -i (b - d)
    store(target, to, plus(sr, ur))
    store(target, to + LANES, plus(si, ui))
    pr, pi, c, s = plus(tr, vr), plus(ti, vi), broadcast(w, i), broadcast(w, i + 1)
    store(target, to + apart_to, minus(times(pr, c), times(pi, s)))
    store(target, to + apart_to + LANES, plus(times(pr, s), times(pi, c)))
    pr, pi, c, s = minus(sr, ur), minus(si, ui), broadcast(w, i + 2), broadcast(w, i + 3)
    store(target, to + 2 * apart_to, minus(times(pr, c), times(pi, s)))
    store(target, to + 2 * apart_to + LANES, plus(times(pr, s), times(pi, c)))
    pr, pi, c, s = minus(tr, vr), minus(ti, vi), broadcast(w, i + 4), broadcast(w, i + 5)
    store(target, to + 3 * apart_to, minus(times(pr, c), times(pi, s)))
    store(target, to + 3 * apart_to + LANES, plus(times(pr, s), times(pi, c)))


@njit(cache=True, nogil=True, boundscheck=False, error_model="numpy")
def _quarter(work: Array, base: int, size: int, w: Array, i: int) -> None:
    """All stages after the first on ``size`` samples from ``base``; their twiddles begin at ``i``."""
    whole = size
    while size >= 4:
        apart = size // 4 * _PAIR
        for p in range(size // 4):
            for block in range(whole // size):
                at = base + (block * size + p) * _PAIR
                _butterfly(work, at, LANES, apart, work, at, apart, w, i + 6 * p)
        i += 6 * (size // 4)
        size //= 4
    if size == 2:
        for at in range(base, base + whole * _PAIR, 2 * _PAIR):
            for part in range(at, at + _PAIR, LANES):
                a, b = load(work, part), load(work, part + _PAIR)
                store(work, part, plus(a, b))
                store(work, part + _PAIR, minus(a, b))


@njit(cache=True, nogil=True, boundscheck=False, error_model="numpy")
def transform16(
    source: Array, at: int, step: int, tables: Any, work: Array, inverse: bool, turns: tuple[int, int], out: Array,
    to: int, out_step: int,
) -> None:  # fmt: skip
    """Transform sixteen symbols: FFT, or inverse FFT without its 1/n, both times ``tables[2][0]``.

    Sample i of symbol r comes from ``at + step r + 2 ((i + turns[0]) mod n)`` and goes to
    ``to + out_step r + 2 ((i + turns[1]) mod n)``; source and out are float32, real and imaginary parts in turn.
    ``work`` holds 2 * 16 * n floats and four pieces. The inverse is the FFT with both parts exchanged before and after.
    """
    w, place, scale = tables
    n, quarter = place.size, place.size // 4
    spare, flip = n * _PAIR, LANES if inverse else 0
    for p in range(0, quarter, _PIECE):
        for j in range(4):
            begin = (p + j * quarter + turns[0]) % n
            transpose16(source, at + 2 * begin, step, work, spare + j * _BLOCK, LANES)
        for i in range(_PIECE):
            there, here = spare + i * _PAIR + flip, (p + i) * _PAIR
            _butterfly(work, there, LANES - 2 * flip, _BLOCK, work, here, quarter * _PAIR, w, 6 * (p + i))
    for j in range(4):
        _quarter(work, j * quarter * _PAIR, quarter, w, 6 * quarter)
    level = broadcast(scale, 0)
    for k in range(0, n, _PIECE):
        for i in range(_PIECE):
            here, there = place[k + i] * _PAIR, spare + i * _PAIR + flip
            store(work, there, times(load(work, here), level))
            store(work, there + LANES - 2 * flip, times(load(work, here + LANES), level))
        transpose16(work, spare, LANES, out, to + 2 * ((k + turns[1]) % n), out_step)


@njit(cache=True, nogil=True, boundscheck=False, error_model="numpy")
def demodulate_rows(samples: Array, begin: int, pitch: int, tables: Any, grid: Array, first: int, last: int) -> None:
    """Symbols first ... last - 1, sixteen or more: their n samples start at ``begin + pitch * symbol``.

    samples, grid  float32, real and imaginary parts in turn; where sixteen do not divide the number, the last sixteen
    overlap the ones before: a symbol's result depends on nothing but its samples.
    """
    n = tables[1].size
    work = np.empty(n * _PAIR + 4 * _BLOCK, np.float32)
    for group in range(first, last, LANES):
        symbol = min(group, last - LANES)
        at = 2 * (begin + pitch * symbol)
        transform16(samples, at, 2 * pitch, tables, work, False, (0, n // 2), grid, 2 * n * symbol, 2 * n)


@njit(cache=True, nogil=True, boundscheck=False, error_model="numpy")
def modulate_rows(grid: Array, prefix: int, tables: Any, samples: Array, first: int, last: int) -> None:
    """The other way round, each symbol with ``prefix`` samples of its end before it."""
    n = tables[1].size
    pitch = n + prefix
    work = np.empty(n * _PAIR + 4 * _BLOCK, np.float32)
    for group in range(first, last, LANES):
        symbol = min(group, last - LANES)
        to = 2 * (pitch * symbol + prefix)
        transform16(grid, 2 * n * symbol, 2 * n, tables, work, True, (n // 2, 0), samples, to, 2 * pitch)
        for r in range(LANES):
            start = 2 * pitch * (symbol + r)
            samples[start : start + 2 * prefix] = samples[start + 2 * n : start + 2 * pitch]
