import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from parts import (
    FRAMES,
    INTS,
    FrameNumbers,
    Gain,
    Gate,
    HeavyCopy,
    HeavyPass,
    HeavyStopper,
    Numbers,
    Pass,
    left_threads,
    values,
)

from semwave.blocks.basic import Copy, NullSink, NullSource, VectorSink
from semwave.runtime import Context, Flowgraph, FlowgraphError, FrameBlock, In, Out, Packet, ParameterError, Source
from semwave.runtime.run import Result


def gated(**blocks: object) -> tuple[Flowgraph, Gate, VectorSink]:
    gate, sink = Gate(), VectorSink()
    fg = Flowgraph(chunk=1).add(src=Numbers(count=20), gate=gate, sink=sink, **blocks)  # type: ignore[arg-type]
    return fg, gate, sink


def wait_for(gate: Gate) -> None:
    assert gate.reached.wait(20)


# ---- parameters that change ---------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [True, False])
def test_a_tunable_parameter_changes_between_two_calls(threads: bool) -> None:
    gain = Gain(gain=2)
    fg, gate, sink = gated(gain=gain)
    run = fg.connect("src > gate > gain > sink").start(threads=threads)
    wait_for(gate)
    run.set("gain", gain=5)
    gate.open.set()
    run.wait(20)
    assert values(sink) == [5 * i for i in range(20)]
    assert (gain.told, gain.gain) == ([{"gain"}], 5)


def test_a_change_in_the_midst_of_a_stream() -> None:
    class Ask(Numbers):
        def packets(self) -> Iterator[Packet]:
            for packet in super().packets():
                if packet.start == 10:
                    run.set("gain", gain=np.int64(3))
                yield packet

    gain, sink = Gain(), VectorSink()
    fg = Flowgraph(chunk=1).add(src=Ask(count=20), c=Copy(), gain=gain, d=Copy(), sink=sink)
    run = fg.connect("src > c > gain > d > sink").start()
    run.wait(20)
    assert values(sink) == [*range(10), *(3 * i for i in range(10, 20))]
    assert type(gain.gain) is int


@pytest.mark.parametrize(
    ("block", "changes", "text"),
    [
        ("gian", {"gain": 1}, "no block 'gian'; there are src, gate, gain, sink"),
        ("gain", {"gian": 1}, r"gain \(Gain\): no parameter 'gian'; it takes gain, other \(did you mean gain\?\)"),
        ("gain", {"gain": 11}, r"gain \(Gain\): gain must be at most 10, not 11"),
        ("gain", {"gain": "x"}, r"gain \(Gain\): gain must be int, not 'x'"),
        ("gain", {"gain": 7}, r"gain \(Gain\): gain must not be 7, an unlucky number"),
        ("gain", {"other": 2}, r"gain \(Gain\): other cannot change while running; these can: gain"),
        ("src", {"count": 2}, r"src \(Numbers\): count cannot change while running; these can: none"),
    ],
)
def test_a_change_that_is_refused_changes_nothing(block: str, changes: dict[str, object], text: str) -> None:
    fg, gate, sink = gated(gain=Gain(gain=2))
    run = fg.connect("src > gate > gain > sink").start()
    wait_for(gate)
    with pytest.raises(ParameterError, match=text):
        run.set(block, **changes)
    gate.open.set()
    run.wait(20)
    assert values(sink) == [2 * i for i in range(20)]


def test_setting_a_parameter_of_a_run_that_is_over_is_an_error() -> None:
    fg, gate, _ = gated(gain=Gain(gain=2))
    fg.connect("src > gate > gain > sink")
    run = fg.start()
    gate.open.set()
    run.wait(20)
    with pytest.raises(ParameterError, match="the run is over, so gain of gain can change nothing more"):
        run.set("gain", gain=3)


def test_changed_that_fails_names_the_block() -> None:
    from semwave.runtime import BlockError

    class Bad(Gain):
        def changed(self, names: set[str]) -> None:
            raise KeyError("x")

    fg, gate, _ = gated(gain=Bad())
    run = fg.connect("src > gate > gain > sink").start()
    wait_for(gate)
    run.set("gain", gain=3)
    gate.open.set()
    with pytest.raises(BlockError, match=r"in gain \(Bad\), changed: KeyError\('x'\)"):
        run.wait(20)


# ---- stop, abort --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [True, False])
def test_stop_ends_the_sources_and_loses_nothing(threads: bool) -> None:
    sink = VectorSink()
    fg = Flowgraph(chunk=4).add(s=Numbers(count=None), h=HeavyCopy(), p=Pass(), k=sink).connect("s > h > p > k")
    run = fg.start(threads=threads)
    while len(sink.packets if hasattr(sink, "packets") else ()) < 3:
        time.sleep(0.001)
    run.stop()
    result = run.wait(20)
    got = values(sink)
    assert got == list(range(len(got)))
    assert len(got) == result["s"].items_out
    assert result.interrupted
    assert not left_threads()


def test_abort_ends_at_once() -> None:
    fg, gate, _ = gated(h=HeavyPass())
    run = fg.connect("src > gate > h > sink").start()
    wait_for(gate)
    run.abort()
    assert run.wait(20).interrupted
    assert not run.running
    assert not left_threads()


def test_a_waiting_source_hears_of_the_end() -> None:
    class Waits(Source):
        y = Out(FRAMES)

        def start(self, ctx: Context) -> None:
            self._ctx, self.waiting = ctx, threading.Event()

        def packets(self) -> Iterator[Packet]:
            self.waiting.set()
            while not self._ctx.stopping:
                time.sleep(0.002)
            return
            yield

    source = Waits()
    run = Flowgraph().add(s=source, k=VectorSink()).connect("s > k").start()
    while not hasattr(source, "waiting"):
        time.sleep(0.001)
    assert source.waiting.wait(20)
    assert run.running
    run.stop()
    run.wait(20)


def test_a_graph_runs_once_at_a_time() -> None:
    fg, gate, _ = gated()
    run = fg.connect("src > gate > sink").start()
    wait_for(gate)
    with pytest.raises(FlowgraphError, match="flowgraph is running already, and its blocks hold the state of one run"):
        fg.start()
    gate.open.set()
    run.wait(20)
    run = fg.start()
    run.abort()
    run.wait(20)


@pytest.mark.parametrize("light", [Pass, HeavyPass])
def test_a_waiting_source_hears_that_nobody_listens_any_more(light: type[Pass]) -> None:
    """Its consumers end in other threads, so it cannot be told by the call that it makes."""

    class Live(Source):
        y = Out(FRAMES)

        def start(self, ctx: Context) -> None:
            self._ctx = ctx

        def packets(self) -> Iterator[Packet]:
            yield Packet(np.zeros(1, np.int64))
            while not self._ctx.stopping:
                time.sleep(0.002)

    one, two = HeavyStopper(count=1), HeavyStopper(count=1)
    fg = Flowgraph().add(s=Live(), x=light(), one=one, two=two).connect("s > x > one", "x > two")
    assert not fg.run(timeout_s=20).interrupted
    assert not left_threads()


def test_a_block_may_choose_its_work_when_it_starts() -> None:
    class Chooses(Copy):
        def start(self, ctx: Context) -> None:
            self.work = lambda items: items + 1  # type: ignore[method-assign]

    sink = VectorSink()
    fg = Flowgraph().add(s=Numbers(count=3), a=Copy(), b=Chooses(), c=Copy(), k=sink).connect("s > a > b > c > k")
    fg.run(timeout_s=20)
    assert values(sink) == [1, 2, 3]


# ---- Ctrl-C -------------------------------------------------------------------------------------------------

INTERRUPTED = """
import sys, time
sys.path.insert(0, {tests!r})
import numpy as np
from parts import Numbers, HeavyCopy
from semwave.blocks.basic import NullSink
from semwave.runtime import Flowgraph, FrameBlock, In, ANY

class Tell(FrameBlock):
    x = In(ANY)
    def start(self, ctx):
        {start}
    def work(self, x):
        print("going", flush=True) if x.start == 0 else None
        {work}
    def stop(self):
        print("stopped", flush=True)

fg = Flowgraph(chunk=10).add(s=Numbers(count=None), h=HeavyCopy(), t=Tell()).connect("s > h > t")
try:
    result = fg.run()
    print("result", result.interrupted, flush=True)
except KeyboardInterrupt:
    print("interrupt", flush=True)
"""


def interrupted(times: int, start: str = "pass", work: str = "pass", after_s: float = 0.3) -> list[str]:
    script = INTERRUPTED.format(tests=str(Path(__file__).parents[1]), start=start, work=work)
    child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    try:
        lines = [child.stdout.readline().strip()]
        for _ in range(times):
            time.sleep(after_s)
            child.send_signal(signal.SIGINT)
        out, _ = child.communicate(timeout=40)
    finally:
        child.kill()
    assert child.returncode == 0
    return lines + out.split("\n")[:-1]


@pytest.mark.skipif(os.name != "posix", reason="sends a signal to another process")
@pytest.mark.parametrize("after_s", [0.1, 0.3])  # while it waits for the one thread, and for the other
def test_ctrl_c_stops_the_sources_and_gives_the_result(after_s: float) -> None:
    assert interrupted(1, after_s=after_s) == ["going", "stopped", "result True"]


@pytest.mark.skipif(os.name != "posix", reason="sends a signal to another process")
def test_a_second_ctrl_c_aborts_but_still_stops_the_blocks() -> None:
    assert interrupted(2, work="time.sleep(1.5)") == ["going", "stopped", "interrupt"]


@pytest.mark.skipif(os.name != "posix", reason="sends a signal to another process")
def test_ctrl_c_while_blocks_start_stops_them() -> None:
    slow = 'print("loading", flush=True); time.sleep(1.5)'
    assert interrupted(1, start=slow) == ["loading", "stopped", "interrupt"]


# ---- looking ------------------------------------------------------------------------------------------------


def test_progress_adds_up_what_sources_know() -> None:
    fg, gate, _ = gated(other=Numbers(count=30), null=NullSink(), endless=FrameNumbers(count=5), k2=VectorSink())
    run = fg.connect("src > gate > sink", "other > null", "endless > k2").start()
    wait_for(gate)
    done, total = run.progress() or (0.0, 0.0)
    assert total == 50.0
    assert 0 <= done < 50
    gate.open.set()
    run.wait(20)
    assert run.progress() == (50.0, 50.0)


def test_progress_is_unknown_where_no_source_knows() -> None:
    run = Flowgraph().add(s=NullSource(count=10), k=NullSink()).connect("s > k").start()
    run.wait(20)
    assert run.progress() is None


def test_what_a_run_tells() -> None:
    class Counts(FrameBlock):
        x = In(INTS)
        y = Out(INTS)

        def start(self, ctx: Context) -> None:
            self._ctx = ctx
            ctx.facts["device"] = "cpu"

        def work(self, x: Packet) -> Iterator[Packet]:
            self._ctx.count("lost", 2)
            self._ctx.count("never", 0)
            self._ctx.warn("one packet was odd")
            yield x

        def summary(self) -> str:
            return "all is well"

    concluded: list[Result] = []

    class Last(VectorSink):
        def conclude(self, result: Result) -> None:
            concluded.append(result)

    fg = Flowgraph(chunk=10).add(s=Numbers(count=25), c=Counts(), h=HeavyCopy(nap_s=0.01), k=Last())
    result = fg.connect("s > c > h > k").run(timeout_s=20)
    assert [b.name for b in result.blocks] == ["s", "c", "h", "k"]
    assert (result["c"].calls, result["c"].items_in, result["c"].items_out) == (3, 25, 25)
    assert (result["c"].counts, result["c"].facts) == ({"lost": 6}, {"device": "cpu"})
    assert result.warnings == ["c: one packet was odd"]
    assert result.summaries == {"c": "all is well"}
    assert result["h"].busy_s >= 0.03
    assert result.seconds >= 0.03
    assert 1 <= result["h"].queue_high <= 3
    assert result["s"].queue_high == 0
    assert result.threads == 2
    assert not result.interrupted
    assert concluded[0]["k"].items_in == 25
    assert result.as_dict()["blocks"][1]["counts"] == {"lost": 6}
    with pytest.raises(KeyError, match="no block 'x'; there are s, c, h, k"):
        result["x"]


def test_a_second_run_counts_anew() -> None:
    fg = Flowgraph(chunk=10).add(s=Numbers(count=25), k=NullSink()).connect("s > k")
    assert fg.run()["s"].items_out == fg.run()["s"].items_out == 25


# ---- what a block may ask -----------------------------------------------------------------------------------


def test_a_context_draws_by_seed_name_and_key() -> None:
    def draw(seed: int = 1, name: str = "a", *key: int) -> float:
        return float(Context(name, seed, {}, {}, 1).rng(*key).random())

    assert draw() == draw()
    assert len({draw(), draw(2), draw(1, "b"), draw(1, "a", 0), draw(1, "a", 1), draw(1, "a", 0, 1)}) == 6
    assert draw(2**63 - 1) != draw(0)


def test_torch_seeds_go_with_the_frame() -> None:
    ctx = Context("a", 1, {}, {}, 1)
    seeds = [ctx.torch_seed(Packet(np.zeros(1), i)) for i in (0, 1, 0)]
    assert seeds[0] == seeds[2] != seeds[1]
    assert all(0 <= s < 2**63 for s in seeds)
