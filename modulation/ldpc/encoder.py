"""Fast systematic encoder: whole circulants are exclusive-ored as vectors of bytes, frames go to threads.

Every block column lies twice in a row, so that reading z bytes from a shift never wraps. All that is computed is a sum
of such readings, and one table of addresses says which.
"""

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from semwave.modulation.ldpc.frames import copy
from semwave.modulation.ldpc.graph import QuasiCyclic
from semwave.modulation.ldpc.vector import load, peek, splat, store, xor
from semwave.modulation.threads import split

Array = npt.NDArray[Any]

_BITS_PER_THREAD = 250_000  # worth a thread: some 0.2 ms
_WIDTH = 32  # bytes of a vector
_MARGIN = 2 * _WIDTH  # what vectors read and write beyond the end of a column


def encode(graph: QuasiCyclic, info: Array, runs: Array, n: int, rows: int) -> Array:
    """Encode and select bits: info [frames, k] uint8 0/1 -> [frames, n].

    Bits beyond k in the systematic columns are zero (fillers). ``runs`` [any, 3] says which code word bits
    are sent: first bit, first place in the output, length. Parity comes from the first ``rows`` rows.
    """
    out = np.empty((info.shape[0], n), np.uint8)
    sizes = (graph.z, graph.systematic, graph.length, 2 * graph.z + _MARGIN)
    program = _program(graph, rows)
    worth = -(-_BITS_PER_THREAD // max(info.shape[1], 1))
    split(info.shape[0], worth, lambda lo, hi: _encode(info[lo:hi], out[lo:hi], sizes, program, runs))
    return out


@lru_cache(maxsize=64)
def _program(graph: QuasiCyclic, rows: int) -> tuple[Array, Array, Array]:
    """Sums in the order to compute them: where each one's terms begin, the terms' addresses, the column of each sum.

    First what the information adds to each core row, kept behind the columns; the sum of those, turned, is the first
    parity column; then row after row fixes its own.
    """
    z, kb, stride, spare = graph.z, graph.systematic, 2 * graph.z + _MARGIN, graph.n_cols

    def terms(row: int, chosen: Array) -> list[int]:
        edges = np.arange(graph.ptr[row], graph.ptr[row + 1])
        edges = edges[chosen[graph.col[edges]]]
        return [int(a) for a in graph.col[edges] * stride + graph.shift[edges]]

    columns = np.arange(graph.n_cols)
    sums = [(spare + row, terms(row, columns < kb)) for row in range(graph.core)]
    total = spare + graph.core
    sums.append((total, [(spare + row) * stride for row in range(graph.core)]))
    sums.append((kb, [total * stride + (z - graph.first_parity_shift()) % z]))
    for row in range(rows):
        target = graph.target(row)
        if target >= 0 and row < graph.core:
            sums.append((target, [(spare + row) * stride, *terms(row, (columns >= kb) & (columns != target))]))
        elif target >= 0:
            sums.append((target, terms(row, columns != target)))
    ptr = np.cumsum([0, *(len(addresses) for _, addresses in sums)])
    address = np.concatenate([np.array(addresses, np.int64) for _, addresses in sums])
    return ptr, address, np.array([to for to, _ in sums], np.int64)


@njit(cache=True, nogil=True, boundscheck=False, error_model="numpy")
def _copy_exactly(source: Array, at: int, target: Array, to: int, size: int) -> None:
    """Copy without a byte too many on either side."""
    whole = size - size % _WIDTH
    copy(source, at, target, to, whole, _WIDTH)
    for i in range(whole, size):
        target[to + i] = source[at + i]


@njit(cache=True, nogil=True, boundscheck=False, error_model="numpy")
def _encode(info: Array, out: Array, sizes: tuple[int, ...], program: tuple[Array, ...], runs: Array) -> None:
    z, kb, length, stride = sizes
    ptr, address, column = program
    word = np.zeros(length + _MARGIN, np.uint8)
    columns = np.zeros((column.max() + 1) * stride + _MARGIN, np.uint8)
    k = info.shape[1]
    for f in range(info.shape[0]):
        _copy_exactly(info[f], 0, word, 0, k)
        word[k : kb * z] = 0
        for c in range(kb):
            copy(word, c * z, columns, c * stride, z, _WIDTH)
            copy(word, c * z, columns, c * stride + z, z, _WIDTH)
        for s in range(column.size):
            to = peek(column, s) * stride
            for i in range(0, z, _WIDTH):
                total = splat(columns, 0)
                for q in range(peek(ptr, s), peek(ptr, s + 1)):
                    total = xor(total, load(columns, peek(address, q) + i))
                store(columns, to + i, total)
            copy(columns, to, columns, to + z, z, _WIDTH)
            if column[s] * z < length:
                copy(columns, to, word, column[s] * z, z, _WIDTH)
        for r in range(runs.shape[0]):
            _copy_exactly(word, runs[r, 0], out[f], runs[r, 1], runs[r, 2])
