"""Rate matching of NR LDPC: bit selection from the circular buffer and bit interleaving (TS 38.212, 5.4.2)."""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_STARTS = {1: (0, 17, 33, 56), 2: (0, 13, 25, 43)}  # table 5.4.2.1-2: numerators for rv 0 to 3
_BUFFER_COLUMNS = {1: 66, 2: 50}
REDUNDANCY_VERSIONS = range(4)


def buffer_start(base_graph: int, z: int, n_cb: int, rv: int) -> int:
    """Place k0 in the circular buffer of n_cb bits where redundancy version rv starts (table 5.4.2.1-2)."""
    if rv not in REDUNDANCY_VERSIONS:
        raise ValueError(f"rv must be 0, 1, 2 or 3, not {rv}")
    return _STARTS[base_graph][rv] * n_cb // (_BUFFER_COLUMNS[base_graph] * z) * z


def selection(n_cb: int, start: int, filler: tuple[int, int], length: int) -> Array:
    """Runs of buffer bits that are sent [runs, 3]: first bit, first place in the output, length (5.4.2.1).

    The buffer is read cyclically from ``start``; filler bits (half-open range) are skipped.
    """
    low, high = filler
    stretches = [(a, b) for a, b in ((0, min(low, n_cb)), (min(high, n_cb), n_cb)) if b > a]
    runs: list[tuple[int, int, int]] = []
    sent, first_lap = 0, True
    while sent < length:
        for a, b in stretches:
            a = max(a, start) if first_lap else a
            size = min(b - a, length - sent)
            if size > 0:
                runs.append((a, sent, size))
                sent += size
        first_lap = False
    return np.array(runs, np.int64).reshape(-1, 3)


def interleave(bits: Array, bits_per_symbol: int) -> Array:
    """Write row by row into bits_per_symbol rows, read column by column (5.4.2.2): [..., E] -> [..., E]."""
    rows = bits.reshape(*bits.shape[:-1], bits_per_symbol, -1)
    return rows.swapaxes(-1, -2).reshape(bits.shape)


def deinterleave(values: Array, bits_per_symbol: int) -> Array:
    """Undo :func:`interleave`: [..., E] -> [..., E]."""
    columns = values.reshape(*values.shape[:-1], -1, bits_per_symbol)
    return columns.swapaxes(-1, -2).reshape(values.shape)


def gather(values: Array, runs: Array, n_cb: int) -> Array:
    """Add received values back into their buffer places: [..., E] -> float32 [..., n_cb]."""
    out = np.zeros((*values.shape[:-1], n_cb), np.float32)
    for first, at, size in runs:
        out[..., first : first + size] += values[..., at : at + size]
    return out
