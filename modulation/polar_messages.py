"""Around the polar decoders: undo rate matching before, undo the transform and check the CRC behind."""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[Any]

_KNOWN = np.float32(1e5)  # LLR of a bit known to be zero, in units of the mean magnitude of the frame
_CLIP = np.float32(1e3)


@njit(nogil=True, cache=True, fastmath={"reassoc", "nsz", "contract"})
def _sum_of_magnitudes(row: Array) -> Any:
    total = np.float32(0.0)
    for i in range(row.size):
        total += np.abs(row[i])
    return total


@njit(nogil=True, cache=True)
def _level(row: Array) -> Any:
    """Mean magnitude of the finite values, NaN if there is a NaN."""
    total, count = _sum_of_magnitudes(row), row.size
    if np.isinf(total):
        total, count = np.float32(0.0), 1
        for value in row:
            if np.isnan(value):
                return value
            if not np.isinf(value):
                total += np.abs(value)
                count += 1
    return total / np.float32(max(count, 1))


@njit(nogil=True, cache=True)
def recover(rows: Array, place: Array, shortened: bool, out: Array) -> bool:
    """Undo rate matching: LLRs, positive for 1 [frames, n] -> ln P(0) / P(1), mean magnitude 1 [frames, N].

    Bits sent more than once add up; bits never sent are unknown, or known zeros if ``shortened``. False if there
    is a NaN.
    """
    for f in range(rows.shape[0]):
        row, values = rows[f], out[f]
        level = _level(row)
        if np.isnan(level):
            return False
        scale = np.float32(-1.0) / level if level > 0 else np.float32(-1.0)
        values[:] = _KNOWN if shortened else np.float32(0.0)
        for i in range(place.size):
            value = row[i] * scale
            value = value if value < _CLIP else _CLIP
            value = value if value > -_CLIP else -_CLIP
            if shortened:
                values[place[i]] = value
            else:
                values[place[i]] += value
    return True


@njit(nogil=True, cache=True)
def transform_rows(words: Array) -> None:
    """Multiply rows by the Kronecker power in place: [rows, N] uint8."""
    for r in range(words.shape[0]):
        _transform(words[r])


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
