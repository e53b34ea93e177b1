"""Edges that cross parts: the same results, ends, stops, failures, silence, broken connections."""

import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from parts import FRAMES, Batches, Dice, Every, FrameNumbers, HeavyCopy, Hoard, Numbers, Pair, Pass, Repeat, values

from semwave.blocks.basic import Copy, Head, VectorSink
from semwave.runtime import (
    ANY,
    BlockError,
    Flowgraph,
    FrameBlock,
    In,
    LinkError,
    Out,
    Packet,
    Run,
    Source,
    Tag,
)

sys.path.insert(0, str(Path(__file__).parent))
from linked import Part, Proxy, spread, tcp
from parts import left_threads

QUICK = {"deadline_s": 1.0}


@pytest.fixture(autouse=True)
def _nothing_stays() -> Iterator[None]:
    yield
    assert not left_threads()


def chain(count: int | None = 3000, seed: int = 1) -> Flowgraph:
    fg = Flowgraph(seed=seed, chunk=50)
    fg.add(a=Numbers(count=count, tag_every=7), b=Dice(), c=Repeat(), k=VectorSink())
    return fg.connect("a > b > c > k").place(tx=["a", "b"], rx=["c", "k"])


def items(sink: VectorSink) -> tuple[list[int], list[tuple[int, int]]]:
    return values(sink), [(t.at, t.value) for p in sink.packets for t in p.tags]


def test_a_split_run_gives_what_the_whole_gives() -> None:
    whole = chain()
    whole.run(timeout_s=10)
    parts = spread(chain)
    for part in parts.values():
        part.check()
    assert items(parts["rx"].graph.blocks["k"]) == items(whole.blocks["k"])
    assert [b.name for b in parts["tx"].result.blocks] == ["a", "b"]
    assert parts["rx"].result["k"].items_in == 6000
    assert not parts["rx"].result.warnings


@pytest.mark.parametrize("first", ["tx", "rx"])
def test_start_order_does_not_matter(first: str) -> None:
    address = tcp()
    order = [first, "rx" if first == "tx" else "tx"]
    parts = {}
    for name in order:
        parts[name] = Part(chain(200).link("b > c", address), name)
        time.sleep(0.5)
    for part in parts.values():
        part.check()
    assert len(values(parts["rx"].graph.blocks["k"])) == 400


def test_queues_of_one_packet_and_one_thread() -> None:
    parts = spread(chain, queue_depth=1, threads=False)
    parts["tx"].check()
    parts["rx"].check()
    assert len(values(parts["rx"].graph.blocks["k"])) == 6000


def test_there_and_back_again() -> None:
    def build() -> Flowgraph:
        fg = Flowgraph(chunk=9).add(a=Numbers(count=100), b=HeavyCopy(), c=Repeat(), d=Every(), k=VectorSink())
        return fg.connect("a > b > c > d > k").place(one=["a", "c", "k"], two=["b", "d"])

    whole = build()
    whole.run(timeout_s=10)
    parts = spread(build)
    for part in parts.values():
        part.check()
    assert values(parts["one"].graph.blocks["k"]) == values(whole.blocks["k"])


class Rich(Source):
    """Frames with all that meta and tags may hold, in every memory order."""

    out = Out(ANY)

    def packets(self) -> Iterator[Packet]:
        for data in ARRAYS:
            yield Packet(data, 0, (Tag(0, "frame", (1, b"x")),), META)


META = {
    "tuple": (1, (2.5, None)),
    "list": [1, [2]],
    "bytes": b"\0\xff",
    "float": [0.1, float("inf"), -0.0],
    "complex": 1 - 2j,
    "numpy": [np.float32(0.1), np.int8(-3), np.bool_(True), np.complex64(1j)],
    "array": np.arange(6, dtype=">i2").reshape(2, 3),
    "dict": {"$": 1, 2: "x", ("a", 1): True},
    "tags": (Tag(3, "number", 7),),
    "text": "naïve \ud800 ☂",
    "big": 1 << 200,
}
ARRAYS = [
    np.arange(12.0).reshape(3, 4),
    np.asfortranarray(np.arange(12.0).reshape(3, 4)),
    np.arange(12, dtype=">u4")[::3],
    np.zeros((0, 3), np.complex64),
    np.array(5, np.float16),
    np.array([True, False]),
    np.random.default_rng(1).standard_normal(1 << 17),
]


def test_packets_arrive_as_they_were_sent() -> None:
    def build() -> Flowgraph:
        fg = Flowgraph().add(a=Rich(), k=VectorSink())
        return fg.connect("a > k").place(tx=["a"], rx=["k"])

    parts = spread(build)
    for part in parts.values():
        part.check()
    got = parts["rx"].graph.blocks["k"].packets
    assert len(got) == len(ARRAYS)
    for packet, sent in zip(got, ARRAYS, strict=True):
        assert packet.data.dtype == sent.dtype
        assert packet.data.shape == sent.shape
        assert packet.data.tobytes() == sent.tobytes()
        assert packet.data.flags.f_contiguous or sent.ndim < 2 or sent.flags.c_contiguous
        assert not packet.data.flags.writeable
        assert packet.tags[0].value == (1, b"x")
        assert repr(dict(packet.meta)) == repr(META)


class Odd(FrameBlock):
    """Put something in meta that is no data."""

    items = In(FRAMES)
    out = Out(FRAMES)

    def work(self, items: Packet) -> Iterator[Packet]:
        yield items.with_data(items.data, thing={"inner": {1, 2}})


def test_meta_that_cannot_travel_is_named_at_the_sender() -> None:
    def build() -> Flowgraph:
        fg = Flowgraph().add(a=FrameNumbers(), b=Odd(), k=VectorSink())
        return fg.connect("a > b > k").place(tx=["a", "b"], rx=["k"])

    parts = spread(build)
    said = r"b\.out > k\.items: meta\['thing'\]\['inner'\] is a set, which cannot cross a link; it may hold None, bool"
    with pytest.raises(LinkError, match=said):
        parts["tx"].check()
    with pytest.raises(LinkError, match=f"part tx failed: {said}"):
        parts["rx"].check()


# ---- ends ------------------------------------------------------------------------------------------------------------


def test_a_finished_sink_ends_the_sources_of_the_other_part() -> None:
    def build() -> Flowgraph:
        fg = Flowgraph(chunk=10).add(a=Numbers(count=None), h=Head(count=25), k=VectorSink())
        return fg.connect("a > h > k").place(tx=["a"], rx=["h", "k"])

    parts = spread(build)
    for part in parts.values():
        part.check()
    assert values(parts["rx"].graph.blocks["k"]) == list(range(25))


def test_ctrl_c_in_one_part_ends_all_and_keeps_what_came() -> None:
    parts = spread(lambda: chain(None))
    while not parts["rx"].part_run.result()["k"].items_in:
        time.sleep(0.01)
    parts["rx"].part_run.stop()
    for part in parts.values():
        assert part.check().interrupted
    got = values(parts["rx"].graph.blocks["k"])
    assert len(got) == 2 * parts["tx"].part_run.result()["a"].items_out


def test_in_flight_memory_is_bounded_by_the_credits() -> None:
    def build() -> Flowgraph:
        fg = Flowgraph().add(a=FrameNumbers(count=60), b=Batches(nap_s=0.01, max_batch=1), k=VectorSink())
        return fg.connect("a > b > k").place(tx=["a"], rx=["b", "k"])

    parts = spread(build, queue_depth=3)
    seen = []
    while parts["rx"].is_alive():
        runs = [parts[p].part_run.result() for p in ("tx", "rx")]
        seen.append(runs[0]["a"].items_out - runs[1]["b"].items_in)
        time.sleep(0.005)
    parts["rx"].check()
    parts["tx"].check()
    assert max(seen) <= 3 + 2  # one more in the hands of each block
    assert parts["rx"].result["b"].queue_high <= 3


def test_a_diamond_over_two_parts_that_needs_a_higher_bound_gets_it() -> None:
    def build() -> Flowgraph:
        fg = Flowgraph().add(a=FrameNumbers(count=50), h=Hoard(), p=Pair(), k=VectorSink())
        fg.connect("a > h > p.a", "a > p.b", "p > k")
        return fg.place(one=["a"], two=["h"], three=["p", "k"])

    parts = spread(build, queue_depth=2)
    for part in parts.values():
        part.check()
    assert len(parts["three"].graph.blocks["k"].packets) == 50
    assert parts["three"].result.queue_growth >= 4


def test_a_slow_feeder_does_not_raise_the_bound() -> None:
    def build() -> Flowgraph:
        fg = Flowgraph().add(a=FrameNumbers(count=12), b=Batches(nap_s=0.15, max_batch=1), p=Pair(), k=VectorSink())
        return fg.connect("a > b > p.a", "a > p.b", "p > k").place(one=["a", "b"], two=["p", "k"])

    parts = spread(build, queue_depth=2)
    for part in parts.values():
        part.check()
        assert part.result.queue_growth == 0


# ---- failures --------------------------------------------------------------------------------------------------------


class Bad(Pass):
    """Fail in the hook that ``where`` names."""

    where: str = "work"

    def start(self, ctx: object) -> None:
        self._fail("start")

    def work(self, items: Packet) -> Iterator[Packet]:
        self._fail("work")
        yield items

    def finish(self) -> list[Packet]:
        self._fail("finish")
        return []

    def stop(self) -> None:
        self._fail("stop")

    def _fail(self, hook: str) -> None:
        if hook == self.where:
            raise ZeroDivisionError(f"in {hook}")


@pytest.mark.parametrize("where", ["start", "work", "finish", "stop"])
@pytest.mark.parametrize("part", ["tx", "rx"])
def test_a_failure_raises_in_every_part(part: str, where: str) -> None:
    def build() -> Flowgraph:
        blocks = {"a": Numbers(count=100), "bad": Bad(where=where), "c": Copy(), "k": VectorSink()}
        fg = Flowgraph(chunk=10).add(blocks)
        if part == "tx":
            return fg.connect("a > bad > c > k").place(tx=["a", "bad"], rx=["c", "k"])
        return fg.connect("a > c > bad > k").place(tx=["a", "c"], rx=["bad", "k"])

    parts = spread(build)
    other = "rx" if part == "tx" else "tx"
    with pytest.raises(BlockError, match=rf"^in bad \(Bad\).*ZeroDivisionError\('in {where}'\)"):
        parts[part].check()
    parts[other].ended()
    assert isinstance(parts[other].error, LinkError)
    assert f"part {part} failed: in bad (Bad)" in str(parts[other].error)


def test_a_failure_goes_on_to_parts_further_away() -> None:
    def build() -> Flowgraph:
        fg = Flowgraph(chunk=10).add(a=Numbers(count=None), b=Copy(), bad=Bad(), k=VectorSink())
        return fg.connect("a > b > bad > k").place(one=["a"], two=["b"], three=["bad", "k"])

    parts = spread(build)
    for name in ("one", "two"):
        with pytest.raises(LinkError, match=r"^part three failed: in bad \(Bad\), port items, int64\[10\]@0: Zero"):
            parts[name].check()


def test_a_part_that_never_starts_is_named() -> None:
    address = tcp()
    for name, other in (("tx", "rx"), ("rx", "tx")):
        part = Part(chain().link("b > c", address), name, **QUICK)
        said = rf"link b\.noisy > c\.items \({address}\): part {other} did not answer within 1 s: is it running\?"
        with pytest.raises(LinkError, match=said):
            part.check()
        assert part.seconds < 4


def test_a_part_that_falls_silent_is_named() -> None:
    proxy_target = tcp()
    proxy = Proxy(int(proxy_target.rpartition(":")[2]))
    rx = Part(chain(None).link("b > c", proxy_target), "rx", **QUICK)
    tx = Part(chain(None).link("b > c", f"tcp://127.0.0.1:{proxy.port}"), "tx", **QUICK)
    while not rx.part_run.result()["k"].items_in:
        time.sleep(0.01)
    proxy.cut()
    with pytest.raises(LinkError, match=r"link b\.noisy > c\.items \(tcp.*\): part rx has been silent for 1 s"):
        tx.check()
    with pytest.raises(LinkError, match=r"link b\.noisy > c\.items \(tcp.*\): part tx has been silent for 1 s"):
        rx.check()


def test_a_connection_that_breaks_and_comes_back_loses_nothing() -> None:
    def build() -> Flowgraph:
        fg = Flowgraph(seed=3, chunk=40).add(a=Numbers(count=20_000, tag_every=9), b=Dice(), c=Copy(), k=VectorSink())
        return fg.connect("a > b > c > k").place(tx=["a", "b"], rx=["c", "k"])

    whole = build()
    whole.run(timeout_s=10)
    target = tcp()
    proxy = Proxy(int(target.rpartition(":")[2]))
    rx = Part(build().link("b > c", target), "rx", deadline_s=4.0)
    tx = Part(build().link("b > c", f"tcp://127.0.0.1:{proxy.port}"), "tx", deadline_s=4.0)
    cuts = 0
    while tx.is_alive() and cuts < 4:
        before = proxy.carried
        while tx.is_alive() and proxy.carried < before + 30_000:
            time.sleep(0.001)
        proxy.cut()
        cuts += 1
        time.sleep(0.3)
        proxy.mend()
    tx.check()
    rx.check()
    assert cuts == 4
    assert items(rx.graph.blocks["k"]) == items(whole.blocks["k"])


def test_a_slow_block_is_not_taken_for_dead() -> None:
    def build() -> Flowgraph:
        fg = Flowgraph().add(a=FrameNumbers(count=3), b=Batches(nap_s=1.2, max_batch=1), k=VectorSink())
        return fg.connect("a > b > k").place(tx=["a"], rx=["b", "k"])

    parts = spread(build, deadline_s=0.6)
    for part in parts.values():
        part.check()
    assert len(parts["rx"].graph.blocks["k"].packets) == 3


# ---- meeting ---------------------------------------------------------------------------------------------------------


def test_parts_that_do_not_fit_say_so_in_the_same_words() -> None:
    def build(kind: type) -> Flowgraph:
        fg = Flowgraph(chunk=10).add(a=kind(count=10), k=VectorSink())
        return fg.connect("a > k").place(tx=["a"], rx=["k"]).link("a > k", address)

    address = tcp()
    rx, tx = Part(build(Numbers), "rx"), Part(build(FrameNumbers), "tx")
    said = r"link a\.items > k\.items \(tcp.*\): part tx sends Frames\[<i8, item\], rx takes Stream\[<i8\]"
    for part in (rx, tx):
        with pytest.raises(LinkError, match=said):
            part.check()
    assert str(rx.error) == str(tx.error)


def test_swapped_addresses_are_noticed() -> None:
    def build(one: str, two: str) -> Flowgraph:
        fg = Flowgraph().add(a=Numbers(), b=Numbers(), k=VectorSink(), m=VectorSink())
        fg.connect("a > k", "b > m").place(tx=["a", "b"], rx=["k", "m"])
        return fg.link("a > k", one).link("b > m", two)

    one, two = tcp(), tcp()
    parts = [Part(build(one, two), "rx"), Part(build(two, one), "tx")]
    for part in parts:
        with pytest.raises(LinkError, match=r"part tx sends [ab]\.items > [km]\.items here"):
            part.check()


def test_a_second_sender_is_turned_away_and_harms_nothing() -> None:
    address = tcp()
    rx, tx = (Part(chain(None).link("b > c", address), part) for part in ("rx", "tx"))
    while not rx.part_run.result()["k"].items_in:
        time.sleep(0.01)
    second = Part(chain(None).link("b > c", address), "tx")
    with pytest.raises(LinkError, match="has a sender already"):
        second.check()
    rx.part_run.stop()
    assert rx.check().warnings[0].endswith("messages were not the peer's, or not sound")
    tx.check()


def test_an_address_in_use_is_named() -> None:
    address = tcp()
    first = Part(chain().link("b > c", address), "rx", **QUICK)
    time.sleep(0.2)
    second = Part(chain().link("b > c", address), "rx", **QUICK)
    with pytest.raises(LinkError, match=r"link b\.noisy > c\.items .*: cannot listen: Address already in use"):
        second.check()
    first.ended()


def test_a_run_with_links_leaves_no_files_open() -> None:
    def count() -> int:
        return len(os.listdir("/proc/self/fd"))

    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("no /proc")
    for part in spread(lambda: chain(100)).values():
        part.check()
    before = count()
    for _ in range(3):
        for part in spread(lambda: chain(100)).values():
            part.check()
    assert count() <= before + 2
    assert threading.active_count() < 20


def test_what_a_run_refuses() -> None:
    from semwave.runtime import ConnectError

    with pytest.raises(ConnectError, match=r"no part 'tz'; \[place\] has tx, rx"):
        Run(chain(), part="tz")
    said = r"part rx needs an address for every edge to another part, and \[links\] has none for b\.noisy > c\.items"
    with pytest.raises(ConnectError, match=said):
        Run(chain(), part="rx")
    with pytest.raises(ConnectError, match="deadline_s must be above 0, not 0"):
        Run(chain(), part="rx", deadline_s=0)
