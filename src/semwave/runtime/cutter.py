"""Cut frames out of a stream wherever a tag says that one starts: all chunk arithmetic of the frame blocks."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from semwave.runtime.packet import Array, Packet, Tag, frozen


class Cutter:
    """Collect stream packets and give back whole frames.

    A tag ``key`` marks a frame's first item; ``length(value)`` says how many items it has. Each frame comes out as a
    packet with its number as ``start``, the tag's value as ``meta[key]``, its absolute position as ``meta["at"]`` and
    the tags inside it, relative to its first item, as ``meta["tags"]``. Items outside frames are counted in
    ``skipped``.
    """

    def __init__(self, key: str = "frame", length: Callable[[Any], int] = int, limit: int = 1 << 28) -> None:
        self.key, self.skipped = key, 0
        self._length, self._limit = length, limit
        self._parts: list[Array] = []  # items not yet given out, oldest first
        self._have, self._at, self._count = 0, 0, 0
        self._tags: list[Tag] = []
        self._meta: dict[str, Any] = {}

    def push(self, packet: Packet) -> Iterator[Packet]:
        """Take the next packet; yield the frames that are complete now. Raises ValueError on an impossible length."""
        if not self._have:
            self._at = packet.start
        self._parts.append(packet.data)
        self._have += len(packet.data)
        self._tags.extend(packet.tags)
        self._meta = {**self._meta, **packet.meta}
        while (first := self._next_frame()) is not None:
            size = self._size(first)
            self._drop(first.at - self._at)
            if self._have < size:
                return
            yield self._frame(first, size)
        self._drop(self._have)  # no frame starts in what is here

    def finish(self) -> Packet | None:
        """What is left of a frame whose end never came, ``meta["truncated"]`` true; None when nothing is."""
        first = self._next_frame()
        if first is None:
            return None
        self._drop(first.at - self._at)
        frame = self._frame(first, self._have)
        return frame.with_data(frame.data, truncated=True)

    def _next_frame(self) -> Tag | None:
        return next((t for t in self._tags if t.key == self.key), None)

    def _size(self, tag: Tag) -> int:
        size = self._length(tag.value)
        if not 0 <= size <= self._limit:
            raise ValueError(
                f"tag {self.key} at {tag.at} gives a frame of {size} items; 0 to {self._limit} can be held"
            )
        return size

    def _join(self) -> Array:
        if len(self._parts) != 1:
            self._parts = [np.concatenate(self._parts)]
        return self._parts[0]

    def _drop(self, count_items: int, count: bool = True) -> None:
        """Forget the oldest items; those outside frames are counted."""
        if count_items <= 0:
            return
        if count:
            self.skipped += count_items
        rest = self._join()[count_items:]
        self._at += count_items
        self._have = len(rest)
        self._parts = [rest] if self._have else []
        self._tags = [t for t in self._tags if t.at >= self._at]

    def _frame(self, tag: Tag, size: int) -> Packet:
        data = self._join()[:size] if self._have else np.empty(0)
        inside = tuple(
            t._replace(at=t.at - tag.at) for t in self._tags if t.at < tag.at + max(size, 1) and t is not tag
        )
        meta = {**self._meta, self.key: tag.value, "at": tag.at, "tags": inside}
        self._tags = [t for t in self._tags if t is not tag and t.at >= tag.at + size]
        self._drop(size, count=False)
        self._count += 1
        return Packet(frozen(data), self._count - 1, (), meta)
