"""Samples of a stream by absolute index, kept as long as they are needed."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[Any]

LIMIT = np.float32(1e15)
"""Larger magnitudes would overflow in a product of single precision; no receiver means them."""


_MAGNITUDE, _LIMIT = np.int32(0x7FFFFFFF), LIMIT.view(np.int32)


@njit(nogil=True, cache=True)
def take(source: Array, target: Array) -> Any:
    """Copy the bit patterns of floats, [n] int32; give the largest magnitude's pattern, which NaN and infinity top."""
    largest = np.int32(0)
    for i in range(source.size):
        target[i] = source[i]
        largest = np.int32(max(largest, np.int32(source[i] & _MAGNITUDE)))
    return largest


class SampleBuffer:
    """``append`` at the end, ``read`` anywhere, ``drop`` what lies before an index."""

    def __init__(self) -> None:
        self._data = np.empty(0, np.complex64)
        self._first = 0  # place in _data of the oldest sample kept
        self._size = 0
        self.base = 0
        """Absolute index of the oldest sample kept."""
        self.bad_samples = 0
        """NaN, infinite or absurdly large samples so far, each taken as silence."""

    @property
    def end(self) -> int:
        """Absolute index after the newest sample."""
        return self.base + self._size

    def append(self, samples: Array) -> None:
        """Add samples: [n] complex."""
        need = self._first + self._size + samples.size
        if need > self._data.size:
            self._make_room(self._size + samples.size)
        at = self._first + self._size
        piece = self._data[at : at + samples.size]
        whole = np.ascontiguousarray(samples, np.complex64)
        if take(whole.view(np.int32), piece.view(np.int32)) >= _LIMIT:
            self._clean(piece)
        self._size += samples.size

    def read(self, first: int, last: int) -> Array:
        """Samples first..last-1, zeros where there are none: [last - first] complex64."""
        low, high = max(first, self.base), min(last, self.end)
        at = self._first - self.base
        if low == first and high == last:
            return self._data[at + first : at + last]
        out = np.zeros(last - first, np.complex64)
        if high > low:
            out[low - first : high - first] = self._data[at + low : at + high]
        return out

    def drop(self, before: int) -> None:
        """Forget the samples before an index."""
        count = min(max(before - self.base, 0), self._size)
        self._first += count
        self._size -= count
        self.base += count

    def _make_room(self, size: int) -> None:
        data = self._data if self._data.size >= 2 * size else np.empty(max(2 * size, 1 << 14), np.complex64)
        data[: self._size] = self._data[self._first : self._first + self._size]
        self._data, self._first = data, 0

    def _clean(self, samples: Array) -> None:
        bad = ~((np.abs(samples.real) < LIMIT) & (np.abs(samples.imag) < LIMIT))
        samples[bad] = 0
        self.bad_samples += int(bad.sum())
