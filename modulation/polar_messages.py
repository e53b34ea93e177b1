"""From code words to messages: undo the polar transform and check the CRC."""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[Any]


@njit(nogil=True, cache=True)
def _transform(word: Array) -> None:
    """Multiply by the Kronecker power in place, eight bits of uint8 at a time: [N] uint8, N >= 8."""
    packed = word.view(np.uint64)
    for i in range(packed.size):
        v = packed[i]
        v ^= v >> np.uint64(8) & np.uint64(0x00FF00FF00FF00FF)
        v ^= v >> np.uint64(16) & np.uint64(0x0000FFFF0000FFFF)
        packed[i] = v ^ (v >> np.uint64(32) & np.uint64(0x00000000FFFFFFFF))
    half = 1
    while half < packed.size:
        for first in range(0, packed.size, 2 * half):
            for i in range(first, first + half):
                packed[i] ^= packed[i + half]
        half *= 2


@njit(nogil=True, cache=True)
def _message(code_word: Array, info: Array, syndromes: Array, out: Array) -> bool:
    """Information bits of a code word, and whether their CRC holds (none: true)."""
    _transform(code_word)
    total = np.uint32(0)
    for i in range(info.size):
        bit = code_word[info[i]]
        out[i] = bit
        total ^= syndromes[i] * np.uint32(bit)
    return total == 0


@njit(nogil=True, cache=True)
def finish_sc(code_words: Array, info: Array, syndromes: Array, out: Array, good: Array) -> None:
    """Messages and CRC verdicts of hard decisions: [frames, N] uint8 -> [frames, K] uint8, [frames] bool."""
    for f in range(out.shape[0]):
        good[f] = _message(code_words[f], info, syndromes, out[f])


@njit(nogil=True, cache=True)
def choose(
    paths: int, reals: Array, right: Array, size: int, info: Array, syndromes: Array, word: Array, out: Array
) -> bool:
    """Message of the best path whose CRC holds; of the best path if none does. ``reals`` [:, 0] are the metrics."""
    tried = np.int64(0)
    for _attempt in range(paths + 1):
        best = -1
        for p in range(paths):
            if not tried >> p & 1 and (best < 0 or reals[p, 0] < reals[best, 0]):
                best = p
        if best < 0:  # all have failed: go back to the likeliest
            best = int(np.argmin(reals[:paths, 0]))
        tried |= 1 << best
        for i in range(size):
            word[i] = right[np.uint64((2 * best + 1) * size + i)] < 0
        if _message(word, info, syndromes, out):
            return True
    return False
