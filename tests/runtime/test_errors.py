"""A block that fails on purpose, in every hook, light and heavy, with threads and without."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from parts import FRAMES, INTS, Batches, FrameNumbers, HeavyPass, Numbers, Pass, left_threads

from semwave.blocks.basic import Copy, VectorSink
from semwave.runtime import (
    Array,
    BatchBlock,
    Block,
    BlockError,
    ConnectError,
    Context,
    Flowgraph,
    FlowgraphError,
    FrameBlock,
    In,
    LinkError,
    Out,
    Packet,
    ParameterError,
    Source,
    SyncBlock,
    UserError,
)
from semwave.runtime import run as run_module

LOG: dict[str, list[str]] = {"start": [], "stop": []}


class Tidy(FrameBlock):
    """An innocent block that must be stopped whatever happens."""

    label: str = ""

    x = In(FRAMES)
    y = Out(FRAMES)

    def start(self, ctx: Context) -> None:
        LOG["start"].append(ctx.name)
        self._name = ctx.name

    def work(self, x: Packet) -> Iterator[Packet]:
        yield x

    def stop(self) -> None:
        LOG["stop"].append(self._name)


class HeavyTidy(Tidy):
    """The same in a thread of its own."""

    heavy = True


class Boom(Exception):
    """What goes wrong."""


class Bad:
    """Fails in the hook called ``where``."""

    def _fail(self, where: str) -> None:
        if self.where == where:  # type: ignore[attr-defined]
            raise Boom(where)

    def check(self) -> None:
        self._fail("check")

    def negotiate(self, inputs: Any) -> Any:
        self._fail("negotiate")
        return super().negotiate(inputs)  # type: ignore[misc]

    def start(self, ctx: Context) -> None:
        LOG["start"].append(ctx.name)
        self._name, self._ctx = ctx.name, ctx
        self._fail("start")

    def stop(self) -> None:
        LOG["stop"].append(self._name)
        self._fail("stop")

    def conclude(self, result: Any) -> None:
        self._fail("conclude")

    def finish(self) -> Iterator[Packet]:
        self._fail("finish")
        return self._tail()

    def _tail(self) -> Iterator[Packet]:
        self._fail("finish, midway")
        yield from ()


class BadFrame(Bad, FrameBlock):
    where: str = ""
    x = In(FRAMES)
    y = Out(FRAMES)

    def work(self, x: Packet) -> Iterator[Packet]:
        self._fail("work")
        return self._rest(x)

    def _rest(self, x: Packet) -> Iterator[Packet]:
        yield x
        if x.start == 3:
            self._fail("work, midway")


class BadBatch(Bad, BatchBlock):
    where: str = ""
    x = In(FRAMES)
    y = Out(FRAMES)

    def work(self, batch: list[Packet], /) -> Iterator[Packet]:
        self._fail("work")
        return self._rest(batch)

    def _rest(self, batch: list[Packet]) -> Iterator[Packet]:
        yield from batch
        if batch[-1].start >= 3:
            self._fail("work, midway")


class BadHeavyFrame(BadFrame):
    heavy = True


class BadSource(Bad, Source):
    where: str = ""
    y = Out(FRAMES)

    def packets(self) -> Iterator[Packet]:
        self._fail("work")
        return self._rest()

    def _rest(self) -> Iterator[Packet]:
        for i in range(8):
            yield Packet(np.full(2, i))
            if i == 3:
                self._fail("work, midway")


class BadHeavySource(BadSource):
    heavy = True


FEW = ["start", "work", "work, midway", "stop", "conclude"]
HOOKS = [*FEW, "finish", "finish, midway"]
CASES = [
    pytest.param(cls, where, id=f"{cls.__name__}-{where}")
    for cls in (BadFrame, BadHeavyFrame, BadBatch, BadSource, BadHeavySource)
    for where in (FEW if issubclass(cls, Source) else HOOKS)
]


def graph(bad: Block) -> Flowgraph:
    """``source > a > b > [bad] > c > d > sink`` with a and c light, b and d heavy."""
    fg = Flowgraph().add(a=Tidy(), b=HeavyTidy(), bad=bad, c=Tidy(), d=HeavyTidy(), sink=VectorSink())
    if isinstance(bad, Source):
        return fg.connect("bad > a > b > c > d > sink")
    return fg.add(source=FrameNumbers(count=40)).connect("source > a > b > bad > c > d > sink")


@pytest.fixture(autouse=True)
def clean_log() -> None:
    LOG["start"].clear()
    LOG["stop"].clear()


@pytest.mark.parametrize("threads", [True, False])
@pytest.mark.parametrize(("cls", "where"), CASES)
def test_a_failing_hook(cls: type[Block], where: str, threads: bool) -> None:
    fg = graph(cls(where=where))
    begin = time.monotonic()
    with pytest.raises(BlockError) as caught:
        fg.run(timeout_s=30, threads=threads, queue_depth=2)
    assert time.monotonic() - begin < 25, "found at once, not by the timeout"
    assert f"in bad ({cls.__name__})" in str(caught.value)
    assert f"Boom('{where}')" in str(caught.value)
    assert isinstance(caught.value.__cause__, Boom)
    if where.startswith("work") and not issubclass(cls, Source):
        assert "port x, int64[2]@" in str(caught.value)
    elif where.partition(",")[0] in ("start", "stop", "finish", "conclude"):
        assert f"), {where.partition(',')[0]}: " in str(caught.value)
    assert sorted(LOG["start"]) == sorted(LOG["stop"]), "every block that was started is stopped, once"
    assert "bad" in LOG["stop"]
    assert not left_threads()


@pytest.mark.parametrize("cls", [BadFrame, BadBatch, BadSource])
def test_failing_before_the_run(cls: type[Block]) -> None:
    with pytest.raises(Boom, match="check"):
        cls(where="check")
    with pytest.raises(ConnectError, match=rf"in bad \({cls.__name__}\), negotiate: Boom\('negotiate'\)") as caught:
        graph(cls(where="negotiate")).run()
    assert isinstance(caught.value.__cause__, Boom)
    assert LOG["start"] == []


def test_blocks_after_the_one_that_fails_to_start_are_left_alone() -> None:
    fg = Flowgraph().add(s=FrameNumbers(), a=Tidy(), bad=BadFrame(where="start"), c=Tidy(), k=VectorSink())
    with pytest.raises(BlockError, match="start: Boom"):
        fg.connect("s > a > bad > c > k").run(timeout_s=20)
    assert LOG == {"start": ["a", "bad"], "stop": ["a", "bad"]}


def test_a_sync_block_in_the_middle_of_a_fused_chain() -> None:
    class Bad(SyncBlock):
        x = In(INTS)
        y = Out(INTS)

        def work(self, x: Array) -> Array:
            if x[0] >= 32:
                raise ZeroDivisionError("division by zero")
            return x.copy()

    fg = Flowgraph(chunk=8).add(s=Numbers(), a=Copy(), bad=Bad(), c=Copy(), k=VectorSink())
    with pytest.raises(BlockError) as caught:
        fg.connect("s > a > bad > c > k").run(timeout_s=20)
    assert str(caught.value) == "in bad (Bad), port x, int64[8]@32: ZeroDivisionError('division by zero')"
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_the_first_error_is_raised_and_others_are_notes() -> None:
    class Worse(Tidy):
        def stop(self) -> None:
            raise Boom("second")

    fg = Flowgraph().add(s=FrameNumbers(), w=Worse(), h=HeavyTidy(), bad=BadFrame(where="work"), k=VectorSink())
    run = fg.connect("s > w > h > bad > k").start()
    with pytest.raises(BlockError, match=r"in bad \(BadFrame\).*Boom\('work'\)") as caught:
        run.wait(20)
    assert caught.value.__notes__ == ["then: in w (Worse), stop: Boom('second')"]
    with pytest.raises(BlockError) as again:
        run.wait(20)
    assert len(again.value.__notes__) == 1, "asking twice does not say it twice"


def test_every_stop_is_called_even_when_stop_fails() -> None:
    class Worse(Tidy):
        def stop(self) -> None:
            super().stop()
            raise Boom("stop")

    fg = Flowgraph().add(s=FrameNumbers(), a=Worse(), b=Worse(), c=Tidy(), k=VectorSink())
    with pytest.raises(BlockError, match=r"in a \(Worse\), stop"):
        fg.connect("s > a > b > c > k").run(timeout_s=20)
    assert LOG["stop"] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (UserError("plug in the radio"), BlockError, r"^in bad \(Raises\), port x, int64\[2\]@0: plug in the radio$"),
        (FileNotFoundError(2, "No such file", "x.png"), BlockError, r"@0: \[Errno 2\] No such file: 'x.png'$"),
        (ValueError("photo is 3 wide, not 4"), BlockError, r"@0: photo is 3 wide, not 4$"),
        (ValueError(), BlockError, r"@0: ValueError\(\)$"),
        (KeyError("number"), BlockError, r"@0: KeyError\('number'\)$"),
        (StopIteration(3), BlockError, r"@0: StopIteration\(3\)$"),
        (MemoryError(), BlockError, r"@0: MemoryError\(\)$"),
        (ParameterError("gain must be 1"), ParameterError, r"^in bad \(Raises\), port x, .*@0: gain must be 1$"),
        (LinkError("peer gone"), LinkError, r"^in bad \(Raises\), port x, .*@0: peer gone$"),
        (FlowgraphError("inner"), FlowgraphError, r"^in bad \(Raises\), port x, .*@0: inner$"),
    ],
)
def test_what_is_said_of_an_error(error: Exception, kind: type[Exception], text: str) -> None:
    class Raises(FrameBlock):
        x = In(FRAMES)

        def work(self, x: Packet) -> None:
            raise error

    with pytest.raises(kind, match=text) as caught:
        Flowgraph().add(s=FrameNumbers(), bad=Raises()).connect("s > bad").run(timeout_s=20)
    assert type(caught.value) is kind
    assert caught.value.__cause__ is error


def test_an_error_while_others_wait_for_room_ends_all() -> None:
    """Producers blocked on full queues hear of it."""

    class Stuck(FrameBlock):
        heavy = True
        x = In(FRAMES)

        def work(self, x: Packet) -> None:
            if x.start == 5:
                time.sleep(0.1)  # everything upstream is full by now
                raise Boom("late")

    fg = Flowgraph().add(s=FrameNumbers(count=None), a=HeavyPass(), b=Batches(), k=Stuck())
    with pytest.raises(BlockError, match="late"):
        fg.connect("s > a > b > k").run(timeout_s=20, queue_depth=1)
    assert not left_threads()


def test_a_generator_without_end_does_not_survive_an_error_elsewhere() -> None:
    class Endless(Pass):
        def work(self, items: Packet) -> Iterator[Packet]:
            while True:
                yield items

    class Late(FrameBlock):
        x = In(FRAMES)

        def work(self, x: Packet) -> None:
            if x.start == 5:
                raise Boom("enough")

    fg = Flowgraph().add(s=FrameNumbers(), e=Endless(), k=VectorSink(), t=FrameNumbers(), late=Late())
    with pytest.raises(BlockError, match="enough"):
        fg.connect("s > e > k", "t > late").run(timeout_s=20)
    assert not left_threads()


def test_a_run_that_takes_too_long_says_who_is_busy() -> None:
    fg = Flowgraph().add(s=FrameNumbers(count=None), h=HeavyPass(), k=VectorSink()).connect("s > h > k")
    with pytest.raises(BlockError, match=r"the run did not end in time; busy: semwave-0-s, semwave-1-h"):
        fg.run(timeout_s=0.2)
    assert not left_threads()


def test_a_block_that_does_not_come_back_is_left_behind_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_module, "STOP_DEADLINE_S", 0.2)
    free, deep = threading.Event(), threading.Event()

    class Deaf(FrameBlock):
        heavy = True
        x = In(FRAMES)

        def work(self, x: Packet) -> None:
            deep.set()
            free.wait(30)

    fg = Flowgraph().add(s=FrameNumbers(), deaf=Deaf()).connect("s > deaf")
    with pytest.raises(BlockError, match="did not end in time") as caught:
        fg.run(timeout_s=0.2)
    assert caught.value.__notes__ == ["these did not stop within 0.2 s and were left behind: semwave-1-deaf"]
    deep.clear()
    run = Flowgraph().add(s=FrameNumbers(), deaf=Deaf()).connect("s > deaf").start()
    assert deep.wait(20)
    run.abort()
    result = run.wait()
    free.set()
    assert result.warnings == ["these did not stop within 0.2 s and were left behind: semwave-1-deaf"]
    for thread in threading.enumerate():
        if thread.name == "semwave-1-deaf":
            thread.join(20)


def test_a_summary_that_fails_spoils_nothing() -> None:
    class Talks(Tidy):
        def summary(self) -> str:
            raise Boom("summary")

    result = Flowgraph().add(s=FrameNumbers(), t=Talks(), k=VectorSink()).connect("s > t > k").run(timeout_s=20)
    assert result.summaries == {}
    assert result.warnings == ["in t (Talks), summary: Boom('summary')"]
