"""Basic blocks: sources, sinks, copies, heads, taps; they take any dtype."""

from collections.abc import Iterable, Iterator
from typing import Annotated, Any

import numpy as np

from semwave.runtime import (
    ANY,
    Array,
    Context,
    FrameBlock,
    Frames,
    In,
    Out,
    Packet,
    Param,
    Source,
    Stream,
    SyncBlock,
    frozen,
)


class NullSource(Source):
    """Give zeros for ever, or ``count`` of them."""

    count: Annotated[int | None, Param("items in all; none: no end", unit="items", low=0)] = None
    dtype: Annotated[str, Param("numpy dtype of the items")] = "complex64"

    items = Out(Stream(None))

    def check(self) -> None:
        """The dtype must be one numpy knows."""
        try:
            np.dtype(self.dtype)
        except TypeError:
            raise ValueError(f"dtype must be a numpy dtype such as complex64 or uint8, not {self.dtype!r}") from None

    def negotiate(self, inputs: Any) -> dict[str, Any]:
        """A stream of ``dtype``."""
        return {"items": Stream(np.dtype(self.dtype))}

    def start(self, ctx: Context) -> None:
        """One array of zeros serves all packets."""
        self._zeros = frozen(np.zeros(ctx.chunk, np.dtype(self.dtype)))

    def packets(self) -> Iterator[Packet]:
        """The same zeros again and again."""
        left = self.count
        while left is None or left > 0:
            zeros = self._zeros if left is None or left >= len(self._zeros) else self._zeros[:left]
            yield Packet(zeros)
            left = None if left is None else left - len(zeros)


class VectorSource(Source):
    """Give the numbers in ``values``, ``repeat`` times, in chunks."""

    values: Annotated[tuple[float, ...], Param("the items")] = ()
    dtype: Annotated[str, Param("numpy dtype of the items")] = "float32"
    repeat: Annotated[int, Param("times over", low=0)] = 1

    items = Out(Stream(None))

    def negotiate(self, inputs: Any) -> dict[str, Any]:
        """A stream of ``dtype``."""
        return {"items": Stream(np.dtype(self.dtype))}

    def start(self, ctx: Context) -> None:
        """Make the array once."""
        self._chunk, self._data = ctx.chunk, np.tile(np.array(self.values, np.dtype(self.dtype)), self.repeat)

    def packets(self) -> Iterator[Packet]:
        """Chunk by chunk."""
        for at in range(0, len(self._data), self._chunk):
            yield Packet(self._data[at : at + self._chunk])


class RandomBits(Source):
    """Give ``count`` random bits, ``uint8`` 0 or 1; the same ones for any chunk size."""

    count: Annotated[int | None, Param("bits in all; none: no end", unit="bits", low=0)] = None

    bits = Out(Stream(np.uint8))

    def start(self, ctx: Context) -> None:
        """Take the seed."""
        self._chunk, self._rng, self._given = ctx.chunk, ctx.rng(), 0

    def packets(self) -> Iterator[Packet]:
        """Chunk by chunk; int64 draws, since narrower ones depend on how they are cut."""
        left = self.count
        while left is None or left > 0:
            n = self._chunk if left is None else min(self._chunk, left)
            yield Packet(self._rng.integers(0, 2, n).astype(np.uint8))
            left = None if left is None else left - n
            self._given += n

    def progress(self) -> tuple[float, float] | None:
        """Bits given, of how many."""
        return None if self.count is None else (self._given, self.count)


class Copy(SyncBlock):
    """Copy every item: for benchmarks and tests."""

    items = In(Stream(None))
    copied = Out(Stream(None))

    def work(self, items: Array) -> Array:
        """``[n] -> [n]``."""
        return items.copy()


class MultiplyConst(SyncBlock):
    """Multiply every sample by ``gain``."""

    gain: Annotated[float, Param("factor", tunable=True)] = 1.0

    samples = In(Stream(np.complex64))
    scaled = Out(Stream(np.complex64))

    def work(self, samples: Array) -> Array:
        """``[n] -> [n]``."""
        return samples * np.float32(self.gain)


class Add(SyncBlock):
    """Add two streams sample by sample; the shorter one ends the sum."""

    a = In(Stream(np.complex64))
    b = In(Stream(np.complex64))
    total = Out(Stream(np.complex64))

    def work(self, a: Array, b: Array) -> Array:
        """``[n], [n] -> [n]``."""
        return a + b


class Head(FrameBlock):
    """Pass the first ``count`` items, then end the stream and, if nobody else needs it, its source."""

    count: Annotated[int, Param("items to pass", unit="items", low=0)] = 1

    items = In(Stream(None))
    first = Out(Stream(None))

    def start(self, ctx: Context) -> None:
        """Nothing has passed yet."""
        self._ctx, self._left = ctx, self.count
        if not self._left:
            ctx.finish()

    def work(self, items: Packet) -> Iterable[Packet]:
        """Pass on what still fits."""
        part = items.data[: self._left]
        self._left -= len(part)
        if not self._left:
            self._ctx.finish()
        yield Packet(part, items.start, tuple(t for t in items.tags if t.at < items.start + len(part)), items.meta)


class NullSink(SyncBlock):
    """Take a stream and forget it."""

    items = In(Stream(None))

    def work(self, items: Array) -> None:
        """Nothing."""


class NullFrameSink(FrameBlock):
    """Take frames and forget them."""

    frames = In(ANY)

    def work(self, frames: Packet) -> Iterable[Packet]:
        """Nothing."""
        return ()


class VectorSink(FrameBlock):
    """Keep everything that comes, for tests and notebooks: ``sink.data``, ``sink.packets``."""

    items = In(ANY)

    def start(self, ctx: Context) -> None:
        """Forget the last run."""
        self.packets: list[Packet] = []
        self._frames = isinstance(ctx.inputs["items"], Frames)

    def work(self, items: Packet) -> Iterable[Packet]:
        """Keep it."""
        self.packets.append(items)
        return ()

    @property
    def data(self) -> Array:
        """All items of a stream in one array (of frames: use ``packets``)."""
        return np.concatenate([p.data for p in self.packets]) if self.packets else np.empty(0)
