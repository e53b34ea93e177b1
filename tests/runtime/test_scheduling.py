import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
from parts import (
    INTS,
    Batches,
    Dice,
    Every,
    FrameNumbers,
    Gate,
    HeavyCopy,
    HeavyHoard,
    HeavyPass,
    Hoard,
    Numbers,
    Pair,
    Pass,
    Repeat,
    Sum,
    left_threads,
    values,
)

from semwave.blocks.basic import Copy, NullSink, VectorSink
from semwave.runtime import Array, Flowgraph, FrameBlock, Frames, In, Out, Packet, ParameterError, Source, SyncBlock
from semwave.runtime.group import assign


def groups(fg: Flowgraph, threads: bool = True) -> list[list[str]]:
    found: dict[int, list[str]] = {}
    for name, number in assign(fg.check(), threads).items():
        found.setdefault(number, []).append(name)
    return sorted(sorted(names) for names in found.values())


# ---- how a graph is cut into threads ------------------------------------------------------------------------


def test_light_blocks_share_their_feeders_thread() -> None:
    fg = Flowgraph().add(a=Numbers(), b=Numbers(), sum=Sum(), c=Copy(), k=VectorSink())
    fg.connect("a > sum.a", "b > c > sum.b", "sum.total > k")
    assert groups(fg) == [["a", "b", "c", "k", "sum"]]


def test_heavy_blocks_and_what_follows_them_get_their_own() -> None:
    fg = Flowgraph().add(a=Numbers(), h=HeavyCopy(), c=Copy(), sum=Sum(), k=VectorSink())
    fg.connect("a > h > c > sum.a", "a > sum.b", "sum.total > k")
    assert groups(fg) == [["a"], ["c", "h"], ["k", "sum"]]
    assert groups(fg, threads=False) == [["a", "c", "h", "k", "sum"]]
    assert fg.run(timeout_s=20).threads == 3
    assert fg.run(timeout_s=20, threads=False).threads == 1


def test_unconnected_parts_run_side_by_side() -> None:
    one, two = VectorSink(), VectorSink()
    fg = Flowgraph().add(a=Numbers(count=5), one=one, b=Numbers(count=7), two=two).connect("a > one", "b > two")
    assert fg.run(timeout_s=20).threads == 2
    assert (len(values(one)), len(values(two))) == (5, 7)


# ---- results do not depend on the schedule ------------------------------------------------------------------


def web(seed: int) -> tuple[Flowgraph, VectorSink]:
    """A net with two sources, rates, heavy arms, a hoarder and noise."""
    sink = VectorSink()
    fg = Flowgraph(seed=seed).add(
        a=Numbers(count=600, tag_every=50), b=Numbers(count=300, tag_every=70),
        up=Repeat(times=2), heavy=HeavyCopy(), down=Every(up=2, down=4), dice=Dice(), late=Hoard(),
        s1=Sum(), s2=Sum(), k=sink,
    )  # fmt: skip
    fg.connect("a > heavy > s1.a", "b > up > dice > s1.b", "s1.total > down > late > s2.a", "a > s2.b", "s2.total > k")
    return fg, sink


@pytest.mark.parametrize(
    "options", [{"threads": False}, {"queue_depth": 1}, {"queue_depth": 100}, {"chunk": 1}, {"chunk": 77}]
)
def test_results_do_not_depend_on_how_a_graph_runs(options: dict[str, object]) -> None:
    fg, sink = web(5)
    fg.run(timeout_s=30)
    expected = values(sink)
    tags = sorted((t.at, t.value) for p in sink.packets for t in p.tags)
    fg.run(timeout_s=30, **options)
    assert values(sink) == expected
    assert sorted((t.at, t.value) for p in sink.packets for t in p.tags) == tags
    assert len(expected) == 300


def test_seeds() -> None:
    def noise(seed: int, name: str = "dice") -> list[int]:
        sink = VectorSink()
        fg = Flowgraph(seed=seed).add({"s": Numbers(), name: Dice(), "k": sink}).connect(f"s > {name} > k")
        fg.run(timeout_s=20)
        return values(sink)

    assert noise(1) == noise(1)
    assert noise(1) != noise(2)
    assert noise(1) != noise(1, "dice2"), "each block has its own numbers"


def test_the_order_in_which_blocks_are_added_changes_nothing() -> None:
    def noise(order: list[str]) -> list[int]:
        blocks = {"s": Numbers(), "x": Dice(), "y": Dice(), "k": VectorSink()}
        fg = Flowgraph(seed=3).add({name: blocks[name] for name in order}).connect("s > x > y > k")
        fg.run(timeout_s=20)
        return values(blocks["k"])

    assert noise(["s", "x", "y", "k"]) == noise(["k", "y", "x", "s"])


# ---- bounds -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", [1, 3])
def test_back_pressure_keeps_queues_within_their_bound(depth: int) -> None:
    class HeavyGate(Gate):
        heavy = True

    gate, sink = HeavyGate(), VectorSink()
    fg = Flowgraph(chunk=1).add(s=Numbers(count=200), g=gate, k=sink).connect("s > g > k")
    run = fg.start(queue_depth=depth)
    while not hasattr(gate, "reached"):
        time.sleep(0.001)
    assert gate.reached.wait(20)
    time.sleep(0.2)  # time to run ahead in, were it not bounded
    pulled = run.result()["s"].calls
    gate.open.set()
    result = run.wait(30)
    assert pulled <= depth + 2, "one in the gate, one waiting to be put, the rest in the queue"
    assert result["g"].queue_high <= depth
    assert result.queue_growth == 0
    assert values(sink) == list(range(200))


@pytest.mark.parametrize("threads", [True, False])
@pytest.mark.parametrize("hoard", [Hoard, HeavyHoard])
def test_a_diamond_with_a_slow_arm_grows_and_never_hangs(hoard: type[FrameBlock], threads: bool) -> None:
    sink = VectorSink()
    fg = Flowgraph(chunk=1).add(s=Numbers(count=150), h=HeavyPass(), late=hoard(), sum=Sum(), k=sink)
    fg.connect("s > h > sum.a", "s > late > sum.b", "sum.total > k")
    result = fg.run(timeout_s=30, queue_depth=2, threads=threads)
    assert values(sink) == [2 * i for i in range(150)]
    if threads:
        assert result.queue_growth > 0
        assert max(b.queue_high for b in result.blocks) <= 2 * 2**result.queue_growth


def test_two_sources_into_a_late_join_grow_and_never_hang() -> None:
    sink = VectorSink()
    fg = Flowgraph(chunk=1).add(a=Numbers(count=90), b=Numbers(count=90), late=Hoard(), sum=Sum(), k=sink)
    fg.connect("a > sum.a", "b > late > sum.b", "sum.total > k").run(timeout_s=30, queue_depth=2)
    assert values(sink) == [2 * i for i in range(90)]


def test_a_fast_source_waits_for_a_slow_one_at_a_join() -> None:
    """What waits for its partner is bounded too."""

    class Slow(FrameNumbers):
        def packets(self) -> Iterator[Packet]:
            for packet in super().packets():
                time.sleep(0.002)
                yield packet

    fg = Flowgraph().add(a=FrameNumbers(count=None), h=HeavyPass(), b=Slow(count=50), g=HeavyPass(), p=Pair())
    fg.add(k=VectorSink()).connect("a > h > p.a", "b > g > p.b", "p > k")
    run = fg.start(queue_depth=4)
    most = 0
    while run.running:
        most = max(most, run.runners["p"].backlog(0))
        time.sleep(0.001)
    result = run.wait(30)
    assert most <= 5
    assert result.queue_growth == 0
    assert len(fg.blocks["k"].packets) == 50  # type: ignore[attr-defined]


def test_growth_is_not_needed_where_batches_wait() -> None:
    sink = VectorSink()
    fg = Flowgraph().add(s=FrameNumbers(count=60), b=Batches(max_batch=8, max_wait_s=0.01), p=Pair(), k=sink)
    fg.connect("s > b > p.a", "s > p.b", "p > k")
    fg.run(timeout_s=30, queue_depth=16)
    assert [p.data.tolist() for p in sink.packets] == [[i] * 4 for i in range(60)]


# ---- size ---------------------------------------------------------------------------------------------------


def test_five_hundred_blocks() -> None:
    n, sink = 500, VectorSink()
    fg = Flowgraph(chunk=64).add(s=Numbers(count=1000), k=sink)
    fg.add({f"c{i}": Copy() if i % 7 else Pass() for i in range(n)})
    fg.connect("s > " + " > ".join(f"c{i}" for i in range(n)) + " > k")
    result = fg.run(timeout_s=60)
    assert values(sink) == list(range(1000))
    assert result.threads == 1
    assert result["c250"].items_in == result["c250"].items_out == 1000


def test_five_hundred_of_one_fused_chain_count_right() -> None:
    fg = Flowgraph(chunk=100).add(s=Numbers(count=1000), k=NullSink())
    fg.add({f"c{i}": Copy() for i in range(500)})
    fg.connect("s > " + " > ".join(f"c{i}" for i in range(500)) + " > k")
    result = fg.run(timeout_s=60)
    assert {b.calls for b in result.blocks} == {10}
    assert {b.items_out for b in result.blocks if b.name != "k"} == {1000}
    assert all(b.busy_s > 0 for b in result.blocks)


def test_forty_heavy_blocks() -> None:
    sink = VectorSink()
    fg = Flowgraph(chunk=10).add(s=Numbers(count=300), k=sink).add({f"h{i}": HeavyCopy() for i in range(40)})
    fg.connect("s > " + " > ".join(f"h{i}" for i in range(40)) + " > k")
    assert fg.run(timeout_s=60, queue_depth=2).threads == 41
    assert values(sink) == list(range(300))
    assert not left_threads()


def test_wide_fan_out_and_in() -> None:
    n, sink = 30, VectorSink()
    fg = Flowgraph(chunk=16).add(s=Numbers(count=100), k=sink)
    fg.add(
        {f"c{i}": HeavyCopy() if i % 3 == 0 else Copy() for i in range(n)}, **{f"sum{i}": Sum() for i in range(1, n)}
    )
    fg.connect(*(f"s > c{i}" for i in range(n)))
    fg.connect("c0 > sum1.a", *(f"c{i} > sum{i}.b" for i in range(1, n)))
    fg.connect(*(f"sum{i}.total > sum{i + 1}.a" for i in range(1, n - 1)), f"sum{n - 1}.total > k")
    fg.run(timeout_s=60, queue_depth=2)
    assert values(sink) == [n * i for i in range(100)]


def test_a_graph_runs_again_and_again() -> None:
    fg, sink = web(1)
    fg.run(timeout_s=30)
    first = values(sink)
    for _ in range(5):
        fg.run(timeout_s=30, queue_depth=1)
        assert values(sink) == first
    assert not left_threads()


@pytest.mark.parametrize("option", ["queue_depth", "chunk"])
def test_run_options_are_checked(option: str) -> None:
    fg = Flowgraph().add(s=Numbers(), k=NullSink()).connect("s > k")
    with pytest.raises(ParameterError, match=rf"{option} must be at least 1, not 0"):
        fg.run(**{option: 0})


def test_blocks_of_one_group_are_touched_by_one_thread_only() -> None:
    seen: dict[str, set[str]] = {}

    class Trace(SyncBlock):
        label: str = ""

        x = In(INTS)
        y = Out(INTS)

        def _note(self) -> None:
            seen.setdefault(self.label, set()).add(threading.current_thread().name)

        def start(self, ctx: object) -> None:
            self._note()

        def work(self, x: Array) -> Array:
            self._note()
            return x.copy()

        def finish(self) -> list[Packet]:
            self._note()
            return []

        def stop(self) -> None:
            self._note()

    class Heavy(Trace):
        heavy = True

    fg = Flowgraph().add(s=Numbers(), a=Trace(label="a"), b=Heavy(label="b"), c=Trace(label="c"), k=NullSink())
    fg.connect("s > a > b > c > k").run(timeout_s=20)
    assert all(len(names) == 1 for names in seen.values())
    assert seen["b"] == seen["c"] != seen["a"]


def test_packets_go_depth_first() -> None:
    """Two buffers are alive in a chain of frame blocks, however many packets there are."""
    alive = []
    count = 0

    class Make(Source):
        y = Out(Frames(np.uint8, ("n",)))

        def packets(self) -> Iterator[Packet]:
            nonlocal count
            for _ in range(20):
                count += 1
                yield Packet(np.zeros(4, np.uint8))

    class Last(FrameBlock):
        x = In(Frames(np.uint8, ("n",)))

        def start(self, ctx: object) -> None:
            self.seen = 0

        def work(self, x: Packet) -> None:
            self.seen += 1
            alive.append(count - self.seen)

    fg = Flowgraph().add(s=Make(), a=Pass(), b=Pass(), k=Last()).connect("s > a > b > k")
    fg.run(timeout_s=20)
    assert set(alive) == {0}
