"""Fast systematic encoder: whole circulants are exclusive-ored at once, frames go to threads."""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from semwave.modulation.ldpc.graph import QuasiCyclic
from semwave.modulation.threads import split

Array = npt.NDArray[Any]

_FRAMES_PER_THREAD = 16


def encode(graph: QuasiCyclic, info: Array, runs: Array, n: int, rows: int) -> Array:
    """Encode and select bits: info [frames, k] uint8 0/1 -> [frames, n].

    Bits beyond k in the systematic columns are zero (fillers). ``runs`` [any, 3] says which code word bits
    are sent: first bit, first place in the output, length. Parity comes from the first ``rows`` rows.
    """
    out = np.empty((info.shape[0], n), np.uint8)
    targets = np.array([graph.target(r) for r in range(rows)], np.int64)
    plan = (graph.z, graph.systematic, graph.core, graph.first_parity_shift(), graph.length)
    tables = (graph.ptr, graph.col, graph.shift, targets, runs)
    split(info.shape[0], _FRAMES_PER_THREAD, lambda lo, hi: _encode(info[lo:hi], out[lo:hi], plan, tables))
    return out


@njit(cache=True, nogil=True, boundscheck=False, error_model="numpy")
def _add_turned(word: Array, to: int, source: int, shift: int, z: int) -> None:
    """word[to + i] ^= word[source + (i + shift) mod z]."""
    for i in range(z - shift):
        word[to + i] ^= word[source + shift + i]
    for i in range(shift):
        word[to + z - shift + i] ^= word[source + i]


@njit(cache=True, nogil=True, boundscheck=False, error_model="numpy")
def _encode(info: Array, out: Array, plan: tuple[int, ...], tables: tuple[Array, ...]) -> None:
    z, kb, core, turn, length = plan
    ptr, col, shift, targets, runs = tables
    word = np.zeros(length + z, np.uint8)  # the last z bytes hold the sum of the core rows
    k = info.shape[1]
    for f in range(info.shape[0]):
        word[k:] = 0
        word[:k] = info[f]
        for row in range(core):  # what the information adds to each core row, and the sum of all of them
            to = targets[row] * z if targets[row] >= 0 else length
            for e in range(ptr[row], ptr[row + 1]):
                if col[e] < kb:
                    _add_turned(word, to, col[e] * z, shift[e], z)
            if to != length:
                _add_turned(word, length, to, 0, z)
        _add_turned(word, kb * z, length, (z - turn) % z, z)
        for row in range(targets.size):
            if targets[row] < 0:
                continue
            for e in range(ptr[row], ptr[row + 1]):
                if col[e] != targets[row] and (col[e] >= kb or row >= core):
                    _add_turned(word, targets[row] * z, col[e] * z, shift[e], z)
        for r in range(runs.shape[0]):
            start, at, size = runs[r, 0], runs[r, 1], runs[r, 2]
            out[f, at : at + size] = word[start : start + size]
