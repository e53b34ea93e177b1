"""Memory for large messages, used again as soon as nobody holds it.

A MiB of fresh memory costs more than to copy a MiB: the system clears it, page by page, at the first touch.
"""

import sys
from collections.abc import Sequence

import numpy as np

from semwave.runtime.packet import Array

SMALL = 1 << 16  # bytes up to which the allocator has memory at hand (and pyzmq copies rather than keeps what is sent)


class Slabs:
    """Up to ``most`` buffers of ``size`` bytes; what is larger, or when all are in use, is made and thrown away."""

    def __init__(self, size: int, most: int) -> None:
        self.size, self.most = size, most
        self._made: list[bytearray] = []
        self._idle = _holders([bytearray()], 0)

    def take(self, size: int) -> Array:
        """``size`` bytes, not cleared: uint8 [size]; lent until the last array or view of them is gone."""
        buffer = self._free() if SMALL <= size <= self.size else None
        return np.empty(size, np.uint8) if buffer is None else np.frombuffer(buffer, np.uint8, size)

    def _free(self) -> bytearray | None:
        made = self._made
        for i in range(len(made)):
            if _holders(made, i) == self._idle:
                return made[i]
        if len(made) == self.most:
            return None
        made.append(bytearray(self.size))
        return made[-1]

    def join(self, parts: Sequence[bytes | memoryview]) -> bytes | Array:
        """All bytes of ``parts``, one after the other."""
        size = sum(map(len, parts))
        if size < SMALL:
            return b"".join(parts)
        whole, at = self.take(size), 0
        for part in parts:
            whole[at : at + len(part)] = np.frombuffer(part, np.uint8)
            at += len(part)
        return whole


def _holders(buffers: list[bytearray], i: int) -> int:
    """How many hold a buffer, this module included: whoever uses its memory, in whatever form, holds it."""
    return sys.getrefcount(buffers[i])
