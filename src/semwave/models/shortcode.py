"""Exact arithmetic coding for messages of a few dozen bytes.

A range coder's registers cost it 2 to 4 bytes at the end of a message; here a whole message is one exact
fraction in Python integers, so it ends within one byte of its information content, on every machine alike.
The work grows with the square of the length: fine for a prompt or a sketch, not for an image.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from math import log2

MAX_BYTES = 4096  # of one message: bounds the work that a damaged length could cause


class Encoder:
    """Collects symbols as the interval [low, low + width) / scale."""

    def __init__(self) -> None:
        self._low, self._width, self._scale = 0, 1, 1

    def put(self, start: int, frequency: int, total: int) -> None:
        """Add a symbol that owns [start, start + frequency) of ``total``."""
        if frequency < 1 or start < 0 or start + frequency > total:
            raise ValueError(f"frequency must be positive and inside {total}, not {start} + {frequency}")
        self._low = self._low * total + self._width * start
        self._width *= frequency
        self._scale *= total

    def finish(self) -> bytes:
        """The shortest bytes that, followed by zeros for ever, lie inside the interval."""
        count = max(0, (self._scale.bit_length() - self._width.bit_length()) // 8 - 1)
        while True:
            value = -(-(self._low << 8 * count) // self._scale)
            if value * self._scale < (self._low + self._width) << 8 * count:
                return value.to_bytes(count, "big").rstrip(b"\0")
            count += 1


class Decoder:
    """Reads symbols back; any bytes decode to something, missing bytes count as zeros."""

    def __init__(self, data: bytes) -> None:
        if len(data) > MAX_BYTES:
            raise ValueError(f"data must have at most {MAX_BYTES} bytes, not {len(data)}")
        self._value, self._scale = int.from_bytes(data, "big"), 1 << 8 * len(data)

    def peek(self, total: int) -> int:
        """Position of the next symbol in [0, total)."""
        return self._value * total // self._scale

    def take(self, start: int, frequency: int, total: int) -> None:
        """Consume the symbol that owns [start, start + frequency) of ``total``."""
        self._value = self._value * total - start * self._scale
        self._scale *= frequency


class Table:
    """A static distribution over len(frequencies) symbols; the first symbol is what missing bytes decode to."""

    def __init__(self, frequencies: Sequence[int]) -> None:
        if not frequencies or min(frequencies) < 1:
            raise ValueError("frequencies must be positive integers, at least one")
        self.frequencies = tuple(frequencies)
        self._starts = (0, *accumulate(self.frequencies))
        self.total = self._starts[-1]

    def put(self, encoder: Encoder, symbol: int) -> None:
        """Encode ``symbol`` in 0 ... len(frequencies) - 1."""
        encoder.put(self._starts[symbol], self.frequencies[symbol], self.total)

    def cost(self, symbol: int) -> float:
        """Bits that ``symbol`` takes."""
        return log2(self.total / self.frequencies[symbol])

    def get(self, decoder: Decoder) -> int:
        """Decode one symbol."""
        symbol = bisect_right(self._starts, decoder.peek(self.total)) - 1
        decoder.take(self._starts[symbol], self.frequencies[symbol], self.total)
        return symbol


def uniform(size: int) -> Table:
    """The flat distribution over ``size`` symbols."""
    return Table([1] * size)
