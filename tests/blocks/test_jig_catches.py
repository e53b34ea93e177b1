"""The jig itself: the usual mistakes in blocks are found by the check that is meant to find them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jig
import numpy as np
import parts
import pytest

from semwave.runtime import (
    Array,
    BatchBlock,
    Block,
    BlockError,
    Context,
    FrameBlock,
    Frames,
    In,
    Out,
    Packet,
    Source,
    Stream,
    SyncBlock,
    Tag,
    registry,
)

REAL = Stream(np.float64)
IMAGES = Frames(np.float64, ("row",))
DATA = np.random.default_rng(0).normal(size=900)
Feeds = Callable[[], dict[str, jig.Feed]]


def stream_feed() -> dict[str, jig.Feed]:
    """A stream, made anew since one of the blocks below damages it."""
    return {"x": jig.stream(DATA, [Tag(10, "label", "a"), Tag(500, "label", "b")])}


def frames_feed() -> dict[str, jig.Feed]:
    """Frames of several lengths."""
    return {"x": jig.frames(DATA[:5], DATA[5:12], DATA[:3])}


def no_feed() -> dict[str, jig.Feed]:
    """For sources."""
    return {}


class Base(SyncBlock):
    """A sync block without a mistake."""

    x = In(REAL)
    y = Out(REAL)

    def start(self, ctx: Context) -> None:
        self._last, self._rng, self._ctx = 0.0, ctx.rng(), ctx

    def work(self, x: Array) -> Array:
        return x + self._rng.normal(size=len(x))


class Good(Base):
    """None."""


class ForgetsAcrossChunks(Base):
    """A difference that starts from zero in every chunk."""

    def work(self, x: Array) -> Array:
        return np.diff(x, prepend=0.0)


class KeepsStateOverRuns(Base):
    """No ``start`` for its state."""

    def check(self) -> None:
        self._sum = 0.0

    def work(self, x: Array) -> Array:
        out = np.cumsum(x) + self._sum
        self._sum = float(out[-1])
        return out


class ScalesByTheChunk(Base):
    """Normalises what it happens to see."""

    def work(self, x: Array) -> Array:
        return x / np.abs(x).max()


class FrameBase(FrameBlock):
    """A frame block on streams."""

    x = In(REAL)
    y = Out(REAL)

    def start(self, ctx: Context) -> None:
        self._ctx, self._buffer = ctx, np.zeros(10_000)

    def work(self, x: Packet) -> Iterator[Packet]:
        yield x


class ReusesItsBuffer(FrameBase):
    """One buffer for all packets."""

    def work(self, x: Packet) -> Iterator[Packet]:
        out = self._buffer[: len(x.data)]
        out[:] = x.data
        yield Packet(out, x.start, x.tags)


class DropsTags(FrameBase):
    """Loses tags unless they are on the packet's first item."""

    def work(self, x: Packet) -> Iterator[Packet]:
        yield Packet(x.data, x.start, tuple(t for t in x.tags if t.at == x.start))


class MovesTags(FrameBase):
    """Tags relative to the packet, as if absolute."""

    def work(self, x: Packet) -> Iterator[Packet]:
        yield Packet(x.data, x.start, tuple(t._replace(at=t.at - x.start) for t in x.tags))


class UsesWallEntropy(FrameBase):
    """Randomness from nowhere."""

    def work(self, x: Packet) -> Iterator[Packet]:
        yield Packet(np.random.default_rng().normal(size=len(x.data)), x.start, x.tags)


class WritesThroughTheBack(FrameBase):
    """Makes its input writable."""

    def work(self, x: Packet) -> Iterator[Packet]:
        base = x.data
        while base.base is not None:
            base = base.base
        base[0] = 0.0
        yield x


class DependsOnTheBatch(BatchBlock):
    """Subtracts the mean of the batch."""

    x = In(IMAGES)
    y = Out(IMAGES)

    def work(self, batch: list[Packet], /) -> Iterator[Packet]:
        mean = np.concatenate([p.data for p in batch]).mean()
        for p in batch:
            yield p.with_data(p.data - mean)


class CountsInMeta(BatchBlock):
    """Says in ``meta`` how many came along."""

    x = In(IMAGES)
    y = Out(IMAGES)

    def work(self, batch: list[Packet], /) -> Iterator[Packet]:
        for p in batch:
            yield p.with_data(p.data, along=len(batch))


class DependsOnTheChunk(Source):
    """Draws a byte at a time, which numpy buffers."""

    y = Out(Stream(np.uint8))

    def start(self, ctx: Context) -> None:
        self._chunk, self._rng = ctx.chunk, ctx.rng()

    def packets(self) -> Iterator[Packet]:
        while True:
            yield Packet(self._rng.integers(0, 2, self._chunk, dtype=np.uint8))


class NeedsTheOtherOutput(FrameBlock):
    """Behaves differently when nobody listens to its second output."""

    x = In(REAL)
    y = Out(REAL)
    z = Out(REAL, optional=True)

    def start(self, ctx: Context) -> None:
        self._bias = len(ctx.outputs)

    def work(self, x: Packet) -> Iterator[tuple[str, Packet]]:
        yield "y", x.with_data(x.data + self._bias)


def _ways(**options: Any) -> Callable[[jig.Example, Path], None]:
    def check(example: jig.Example, folder: Path) -> None:
        jig.agree(jig.run(example, folder, **options), jig.run(example, folder), 0.0, "found")

    return check


def _again(example: jig.Example, folder: Path) -> None:
    block = example.make(folder)
    jig.agree(jig.run(example, folder, block=block), jig.run(example, folder, block=block), 0.0, "again")


ONES, RANDOM = _ways(recut=jig.one_by_one), _ways(recut=jig.at_random(1))
CHUNK, BATCH = _ways(chunk=7), _ways(changes={"max_batch": 1})


def once(example: jig.Example, folder: Path) -> None:
    jig.run(example, folder, recut=jig.at_random(2))


CAUGHT = [
    (ForgetsAcrossChunks, stream_feed, ONES, "differs first at"),
    (ForgetsAcrossChunks, stream_feed, RANDOM, "differs first at"),
    (ScalesByTheChunk, stream_feed, RANDOM, "differs first at"),
    (KeepsStateOverRuns, stream_feed, _again, "differs first at"),
    (ReusesItsBuffer, stream_feed, once, "was changed after it had been sent"),
    (DropsTags, stream_feed, ONES, "tags: 2 of them, not 0"),
    (MovesTags, stream_feed, RANDOM, "tags"),
    (UsesWallEntropy, stream_feed, _again, "differs first at"),
    (WritesThroughTheBack, stream_feed, once, "the run changed|was changed after it had been sent"),
    (DependsOnTheBatch, frames_feed, BATCH, "differs first at"),
    (CountsInMeta, frames_feed, BATCH, r"meta of .*\['along'\]"),
    (DependsOnTheChunk, no_feed, CHUNK, "differs first at"),
    (NeedsTheOtherOutput, stream_feed, _ways(required_only=True), "differs first at"),
]


@pytest.mark.parametrize(("cls", "feeds", "check", "text"), CAUGHT, ids=lambda v: getattr(v, "__name__", ""))
def test_a_mistake_is_caught(
    cls: type[Block],
    feeds: Feeds,
    check: Callable[[jig.Example, Path], None],
    text: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    example = _registered(cls, feeds, monkeypatch)
    with pytest.raises(AssertionError, match=text):
        check(example, tmp_path)


@pytest.mark.parametrize("check", [ONES, RANDOM, _again, once, jig.check_sync_tags, jig.check_repr, jig.check_toml])
def test_a_good_block_passes(
    check: Callable[[jig.Example, Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check(_registered(Good, stream_feed, monkeypatch), tmp_path)


def test_sync_tags_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The runtime moves them, so the wrong place is only seen where the runtime is wrong: here, where the jig is."""
    example = _registered(Good, stream_feed, monkeypatch)
    monkeypatch.setattr(jig, "Fraction", lambda rate: 2)
    with pytest.raises(AssertionError, match="tags at"):
        jig.check_sync_tags(example, tmp_path)


def test_the_right_answer_is_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    example = _registered(FrameBase, stream_feed, monkeypatch)
    right = jig.Example("FrameBase", {}, stream_feed, expect=lambda: {"y": DATA})
    wrong = jig.Example("FrameBase", {}, stream_feed, expect=lambda: {"y": DATA + 1e-9})
    outcome = jig.run(example, tmp_path)
    jig.check_expected(right, outcome)
    with pytest.raises(AssertionError, match="output y: differs first at"):
        jig.check_expected(wrong, outcome)


def test_writing_to_the_input_is_an_error_of_the_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Writes(FrameBase):
        def work(self, x: Packet) -> Iterator[Packet]:
            x.data[0] = 1.0
            yield x

    with pytest.raises(BlockError, match="read-only"):
        jig.run(_registered(Writes, stream_feed, monkeypatch), tmp_path)


def _registered(cls: type[Block], feeds: Feeds, monkeypatch: pytest.MonkeyPatch) -> jig.Example:
    monkeypatch.setattr(parts, cls.__name__, cls, raising=False)
    monkeypatch.setitem(registry.BLOCKS, cls.__name__, f"parts:{cls.__name__}")
    return jig.Example(cls.__name__, {}, feeds, items=500 if issubclass(cls, Source) else None)
