"""Small blocks that the runtime's tests are wired from."""

import threading
import time
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Annotated, Any, ClassVar

import numpy as np

from semwave.runtime import (
    ANY,
    Array,
    BatchBlock,
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
    Tag,
)

INTS = Stream(np.int64)
FRAMES = Frames(np.int64, ("item",))


class Numbers(Source):
    """0, 1, 2, ... as a stream; every ``tag_every``-th item is tagged with its own number."""

    count: int | None = 100
    tag_every: int = 0

    items = Out(INTS)

    def start(self, ctx: Context) -> None:
        self._ctx, self._at = ctx, 0

    def packets(self) -> Iterator[Packet]:
        while self.count is None or self._at < self.count:
            n = self._ctx.chunk if self.count is None else min(self._ctx.chunk, self.count - self._at)
            data = np.arange(self._at, self._at + n)
            at = [i for i in data.tolist() if self.tag_every and i % self.tag_every == 0]
            yield Packet(data, self._at, tuple(Tag(i, "number", i) for i in at))
            self._at += n

    def progress(self) -> tuple[float, float] | None:
        return None if self.count is None else (float(self._at), float(self.count))


class FrameNumbers(Source):
    """Frames ``[i, i]``, numbered."""

    count: int | None = 10

    items = Out(FRAMES)

    def packets(self) -> Iterator[Packet]:
        number = 0
        while self.count is None or number < self.count:
            yield Packet(np.full(2, number), meta={"number": number})
            number += 1


class Repeat(SyncBlock):
    """Each item ``times`` over."""

    times: int = 2

    items = In(Stream(None))
    more = Out(Stream(None))

    def rate(self) -> Fraction:
        return Fraction(self.times)

    def work(self, items: Array) -> Array:
        return np.repeat(items, self.times)


class Every(SyncBlock):
    """``up`` of every ``down`` items."""

    up: int = 1
    down: int = 3

    items = In(Stream(None))
    some = Out(Stream(None))

    def rate(self) -> Fraction:
        return Fraction(self.up, self.down)

    def step(self) -> int:
        return self.down

    def work(self, items: Array) -> Array:
        return items.reshape(-1, self.down)[:, : self.up].reshape(-1).copy()


class Sum(SyncBlock):
    """``a + b``, and ``a - b`` where somebody listens."""

    a = In(INTS)
    b = In(INTS)
    total = Out(INTS)
    difference = Out(INTS, optional=True)

    def work(self, a: Array, b: Array) -> tuple[Array, Array]:
        return a + b, a - b


class Pass(FrameBlock):
    """Any packet, as it comes."""

    items = In(ANY)
    same = Out(ANY)

    def work(self, items: Packet) -> Iterator[Packet]:
        yield items


class HeavyPass(Pass):
    """The same in a thread of its own."""

    heavy: ClassVar[bool] = True


class HeavyCopy(SyncBlock):
    """A sync block with a thread of its own."""

    heavy: ClassVar[bool] = True
    nap_s: float = 0.0

    items = In(Stream(None))
    copied = Out(Stream(None))

    def work(self, items: Array) -> Array:
        time.sleep(self.nap_s)
        return items.copy()


class Hoard(FrameBlock):
    """Keep everything; let it go at the end."""

    items = In(ANY)
    late = Out(ANY)

    def start(self, ctx: Context) -> None:
        self._kept: list[Packet] = []

    def work(self, items: Packet) -> Iterable[Packet]:
        self._kept.append(items)
        return ()

    def finish(self) -> Iterable[Packet]:
        return self._kept


class HeavyHoard(Hoard):
    """The same in a thread of its own."""

    heavy: ClassVar[bool] = True


class Pair(FrameBlock):
    """One frame of each input, end to end."""

    a = In(FRAMES)
    b = In(FRAMES)
    both = Out(FRAMES)

    def work(self, a: Packet, b: Packet) -> Iterator[Packet]:
        yield Packet(np.concatenate([a.data, b.data]), meta={"a": a.start, "b": b.start})


class Either(FrameBlock):
    """Frames of both inputs as they come; says which port they came from."""

    pairing = "any"

    a = In(FRAMES)
    b = In(FRAMES, optional=True)
    out = Out(FRAMES)

    def work(self, port: str, packet: Packet) -> Iterator[Packet]:
        yield packet.with_data(packet.data, port=port)


class Fork(FrameBlock):
    """Even frames to one output, odd ones to the other."""

    items = In(FRAMES)
    even = Out(FRAMES)
    odd = Out(FRAMES, optional=True)

    def work(self, items: Packet) -> Iterator[tuple[str, Packet]]:
        yield ("odd" if items.data[0] % 2 else "even"), items


class Batches(BatchBlock):
    """Frames through; remembers how many came at a time."""

    nap_s: float = 0.0

    items = In(FRAMES)
    same = Out(FRAMES)

    def start(self, ctx: Context) -> None:
        self.sizes: list[int] = []

    def work(self, batch: list[Packet], /) -> Iterator[Packet]:
        self.sizes.append(len(batch))
        time.sleep(self.nap_s)
        yield from batch


class Stopper(FrameBlock):
    """Want no more after ``count`` packets."""

    count: int = 1

    items = In(ANY)

    def start(self, ctx: Context) -> None:
        self._ctx, self.seen = ctx, 0

    def work(self, items: Packet) -> None:
        self.seen += 1
        if self.seen >= self.count:
            self._ctx.finish()


class HeavyStopper(Stopper):
    """The same in a thread of its own."""

    heavy: ClassVar[bool] = True


class Gain(SyncBlock):
    """``items * gain``; remembers what it was told."""

    gain: Annotated[int, Param("factor", low=0, high=10, tunable=True)] = 1
    other: int = 0

    items = In(INTS)
    scaled = Out(INTS)

    def start(self, ctx: Context) -> None:
        self.told: list[set[str]] = []

    def check(self) -> None:
        if self.gain == 7:
            raise ValueError("gain must not be 7, an unlucky number")

    def work(self, items: Array) -> Array:
        return items * self.gain

    def changed(self, names: set[str]) -> None:
        self.told.append(names)


class Dice(SyncBlock):
    """Random numbers added, drawn in a way that chunks do not matter."""

    items = In(INTS)
    noisy = Out(INTS)

    def start(self, ctx: Context) -> None:
        self._rng = ctx.rng()

    def work(self, items: Array) -> Array:
        return items + self._rng.integers(0, 1 << 40, len(items))


class Gate(SyncBlock):
    """Let items pass only while ``open`` is set; ``reached`` says that it waits."""

    items = In(INTS)
    passed = Out(INTS)

    def start(self, ctx: Context) -> None:
        self.open, self.reached, self._ctx = threading.Event(), threading.Event(), ctx

    def work(self, items: Array) -> Array:
        self.reached.set()
        while not self.open.wait(0.01) and not self._ctx.stopping:
            pass
        return items.copy()


def left_threads() -> list[str]:
    """Names of the runtime's threads that are alive."""
    return [t.name for t in threading.enumerate() if t.name.startswith("semwave-")]


def values(sink: Any) -> list[int]:
    """What a VectorSink got, as a list of numbers."""
    return [int(i) for p in sink.packets for i in p.data]
