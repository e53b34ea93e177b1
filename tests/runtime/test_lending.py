"""Sinks that take a packet at once do so in the thread that has it: in order, never two at a time, errors as ever."""

import threading
import time
from collections.abc import Iterator
from itertools import count
from typing import Any

import numpy as np
import pytest
from parts import Numbers

from semwave.runtime import BatchBlock, BlockError, Context, Flowgraph, In, Out, Packet, Run, Source, Stream

MINE, GIVERS = "semwave-1-k", "semwave-0-a"


class Sink(BatchBlock):
    """Takes every ``each``-th packet at once; notes what came, in whose thread, and whether two were here together."""

    each: int = 1
    nap_s: float = 0.0
    fails_at: int = -1
    max_batch: int = 3

    items = In(Stream(np.int64))

    def start(self, ctx: Context) -> None:
        self.got: list[int] = []
        self.threads: set[str] = set()
        self.inside = self.together = self.asked = 0
        self.stopped_inside = False

    def at_once(self, packet: Packet) -> bool:
        self.asked += 1
        return self.asked % self.each == 0

    def work(self, batch: list[Packet]) -> Any:
        self.inside += 1
        self.together |= self.inside > 1
        self.threads.add(threading.current_thread().name)
        time.sleep(self.nap_s)
        for packet in batch:
            self.got += packet.data.tolist()
            if self.fails_at in packet.data:
                raise ValueError("no more")
        self.inside -= 1
        return ()

    def finish(self) -> Any:
        self.threads.add(f"finish: {threading.current_thread().name}")
        return ()

    def stop(self) -> None:
        self.stopped_inside = self.inside > 0


class Paced(Source):
    """Ten numbers, a pause in which the sink falls asleep, and so on for ever."""

    pause_s: float = 0.01

    items = Out(Stream(np.int64))

    def packets(self) -> Iterator[Packet]:
        for n in count(0, 10):
            yield Packet(np.arange(n, n + 10))
            time.sleep(self.pause_s)


def graph(sink: BatchBlock) -> Flowgraph:
    return Flowgraph(chunk=10).add(a=Numbers(count=2000), k=sink).connect("a > k")


def paced(sink: BatchBlock, pause_s: float = 0.01) -> Run:
    return Run(Flowgraph().add(a=Paced(pause_s=pause_s), k=sink).connect("a > k")).start()


@pytest.mark.parametrize("each", [1, 2, 3])
def test_all_come_once_and_in_order(each: int) -> None:
    sink = Sink(each=each)
    graph(sink).run(timeout_s=20)
    assert sink.got == list(range(2000))
    assert not sink.together
    assert f"finish: {MINE}" in sink.threads


def test_an_idle_sink_works_in_the_givers_thread() -> None:
    sink = Sink()
    run = paced(sink)
    until = time.monotonic() + 20
    while GIVERS not in sink.threads and time.monotonic() < until:
        time.sleep(0.01)
    run.stop()
    run.wait(20)
    assert GIVERS in sink.threads
    assert len(sink.got) >= 10
    assert sink.got == list(range(len(sink.got)))


def test_one_that_takes_nothing_at_once_keeps_its_thread() -> None:
    sink = Sink(each=1 << 30)
    graph(sink).run(timeout_s=20)
    assert sink.threads == {MINE, f"finish: {MINE}"}
    assert sink.got == list(range(2000))


def test_a_failure_names_the_sink() -> None:
    sink = Sink(fails_at=1234)
    with pytest.raises(BlockError, match=r"in k \(Sink\).*no more"):
        graph(sink).run(timeout_s=20)
    assert sink.got == list(range(1240))


def test_a_run_that_is_aborted_stops_no_sink_at_work() -> None:
    sink = Sink(nap_s=0.1)
    run = paced(sink, pause_s=0.2)
    until = time.monotonic() + 20
    while not (GIVERS in sink.threads and sink.inside) and time.monotonic() < until:
        time.sleep(0.005)
    run.abort()
    run.wait(20)
    assert GIVERS in sink.threads
    assert not sink.stopped_inside
    assert not sink.together
