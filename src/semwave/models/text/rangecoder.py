"""Short messages through the range coder of the library ``constriction``, ended within a byte of their information.

The library keeps 24-bit fixed-point probabilities and writes words of 32 bits. It is given frequencies that sum to a
power of two, which are exact as floating-point numbers, so that what it makes of them is the same everywhere. Its last
words are cut to the fewest bytes that still give the same symbols.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semwave.models import shortcode
from semwave.models.text import language

Array = NDArray[Any]

MAX_BYTES = 4096
_TAIL = 12  # bytes at the end of a message that may be dispensable


def model(frequencies: Array) -> Any:
    """The library's model for frequencies that sum to language.TOTAL."""
    import constriction

    if int(frequencies.sum()) != language.TOTAL or int(frequencies.min()) < 1:
        raise ValueError(f"frequencies must be positive and sum to {language.TOTAL}")
    exact = (frequencies / language.TOTAL).astype(np.float32)  # multiples of 2^-20 below 1: no rounding
    return constriction.stream.model.Categorical(exact, perfect=False)


@lru_cache(maxsize=2048)
def static_model(frequencies: tuple[int, ...]) -> Any:
    """The library's model for a static table."""
    return model(language.fitted(np.array(frequencies, np.int64) << 20))


class RangeWriter:
    """Collects symbols."""

    def __init__(self) -> None:
        self._said: list[tuple[Any, int]] = []

    def put(self, known: Any, symbol: int) -> None:
        """Add a symbol of a model."""
        self._said.append((known, symbol))

    def table(self, table: shortcode.Table, symbol: int) -> None:
        """Add a symbol of a static table of two symbols or more."""
        if len(table.frequencies) > 1:
            self.put(static_model(table.frequencies), symbol)

    def finish(self) -> bytes:
        """The fewest bytes that read as the symbols, if zeros follow them."""
        import constriction

        encoder = constriction.stream.queue.RangeEncoder()
        for known, symbol in self._said:
            encoder.encode(symbol, known)
        whole: bytes = encoder.get_compressed().astype(">u4").tobytes()
        for length in range(max(0, len(whole) - _TAIL), len(whole)):
            value = int.from_bytes(whole[:length], "big")
            for rounded in (value, value + 1):
                if rounded < 1 << 8 * length and self._reads(cut := rounded.to_bytes(length, "big")):
                    return cut
        return whole

    def _reads(self, data: bytes) -> bool:
        reader = RangeReader(data)
        try:
            return all(reader.get(known) == symbol for known, symbol in self._said)
        except ValueError:
            return False


class RangeReader:
    """Reads symbols back; missing bytes count as zeros. Raises ValueError for bytes that no message has."""

    def __init__(self, data: bytes) -> None:
        import constriction

        if len(data) > MAX_BYTES:
            raise ValueError(f"data must have at most {MAX_BYTES} bytes, not {len(data)}")
        words = np.frombuffer(data + bytes(-len(data) % 4), ">u4").astype(np.uint32)
        self._decoder = constriction.stream.queue.RangeDecoder(words)

    def get(self, known: Any) -> int:
        """The next symbol of a model."""
        try:
            return int(self._decoder.decode(known))
        except (AssertionError, RuntimeError) as error:
            raise ValueError("the bytes are no message of the range coder") from error

    def table(self, table: shortcode.Table) -> int:
        """The next symbol of a static table."""
        return self.get(static_model(table.frequencies)) if len(table.frequencies) > 1 else 0
