import time
from collections.abc import Iterator

import jig
import numpy as np
import pytest
from parts import (
    FRAMES,
    INTS,
    Batches,
    Either,
    Fork,
    FrameNumbers,
    HeavyCopy,
    HeavyHoard,
    HeavyPass,
    HeavyStopper,
    Hoard,
    Numbers,
    Pair,
    Pass,
    Stopper,
    Sum,
    left_threads,
    values,
)

from semwave.blocks.basic import Copy, Head, NullSink, VectorSink
from semwave.runtime import BlockError, Context, Flowgraph, FrameBlock, In, Out, Packet, PortError, Source, Tag

BOTH = pytest.mark.parametrize("threads", [True, False])


# ---- numbering ----------------------------------------------------------------------------------------------


def test_what_is_yielded_is_numbered_and_its_tags_go_along() -> None:
    class Middle(FrameBlock):
        """Drop the first three items of a stream."""

        x = In(INTS)
        y = Out(INTS)

        def work(self, x: Packet) -> Iterator[Packet]:
            cut = max(0, min(3 - x.start, len(x.data)))
            yield Packet(x.data[cut:], x.start + cut, tuple(t for t in x.tags if t.at >= x.start + cut))

    sink = VectorSink()
    fg = Flowgraph(chunk=2).add(s=Numbers(count=9, tag_every=4), m=Middle(), k=sink).connect("s > m > k")
    fg.run(timeout_s=20)
    assert values(sink) == [3, 4, 5, 6, 7, 8]
    assert [p.start for p in sink.packets] == [0, 1, 3, 5]
    assert [(t.at, t.value) for p in sink.packets for t in p.tags] == [(1, 4), (5, 8)]


def test_empty_stream_packets_do_not_travel() -> None:
    class Sparse(Source):
        y = Out(INTS)

        def packets(self) -> Iterator[Packet]:
            for size in (0, 2, 0, 0, 3, 0):
                yield Packet(np.ones(size, np.int64))

    sink = VectorSink()
    result = Flowgraph().add(s=Sparse(), c=Copy(), k=sink).connect("s > c > k").run(timeout_s=20)
    assert [(p.start, len(p.data)) for p in sink.packets] == [(0, 2), (2, 3)]
    assert (result["s"].calls, result["c"].calls) == (6, 2)


def test_empty_frames_do_travel() -> None:
    class Blank(Source):
        y = Out(FRAMES)

        def packets(self) -> Iterator[Packet]:
            yield from (Packet(np.zeros(n, np.int64)) for n in (0, 1, 0))

    sink = VectorSink()
    Flowgraph().add(s=Blank(), p=Pass(), k=sink).connect("s > p > k").run(timeout_s=20)
    assert [(p.start, len(p.data)) for p in sink.packets] == [(0, 0), (1, 1), (2, 0)]


# ---- several inputs -----------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("middle", [Pass, HeavyPass, Batches, HeavyHoard])
def test_pairs_stay_pairs(threads: bool, middle: type[FrameBlock]) -> None:
    sink = VectorSink()
    fg = Flowgraph().add(a=FrameNumbers(count=30), b=FrameNumbers(count=30), m=middle(), p=Pair(), k=sink)
    fg.connect("a > m > p.a", "b > p.b", "p > k").run(timeout_s=20, threads=threads, queue_depth=3)
    assert [p.data.tolist() for p in sink.packets] == [[i] * 4 for i in range(30)]
    assert [(p.start, p.meta["a"], p.meta["b"]) for p in sink.packets] == [(i, i, i) for i in range(30)]


@BOTH
@pytest.mark.parametrize(("a", "b"), [(3, 8), (8, 3), (0, 4), (5, None)])
def test_the_shorter_input_ends_a_pairing(threads: bool, a: int, b: int | None) -> None:
    sink = VectorSink()
    fg = Flowgraph().add(a=FrameNumbers(count=a), b=FrameNumbers(count=b), p=Pair(), k=sink)
    fg.connect("a > p.a", "b > p.b", "p > k")
    result = fg.run(timeout_s=20, threads=threads)
    pairs = min(a, a if b is None else b)
    assert [p.data[0] for p in sink.packets] == list(range(pairs))
    lost = result["p"].counts
    assert set(lost) <= {"unpaired", "discarded"}
    assert sum(lost.values()) <= max(a, 10 if b is None else b) - pairs


@BOTH
def test_unpaired_frames_are_counted(threads: bool) -> None:
    fg = Flowgraph().add(s=FrameNumbers(count=9), f=Fork(), h=Hoard(), p=Pair(), k=VectorSink())
    fg.connect("s > f", "f.even > p.a", "f.odd > h > p.b", "p > k")
    assert fg.run(timeout_s=20, threads=threads)["p"].counts == {"unpaired": 1}


@BOTH
def test_any_pairing_sees_the_port(threads: bool) -> None:
    sink = VectorSink()
    fg = Flowgraph().add(a=FrameNumbers(count=5), b=FrameNumbers(count=7), h=HeavyPass(), e=Either(), k=sink)
    fg.connect("a > e.a", "b > h > e.b", "e > k").run(timeout_s=20, threads=threads)
    got = [(p.meta["port"], p.meta["number"]) for p in sink.packets]
    assert [n for port, n in got if port == "a"] == list(range(5))
    assert [n for port, n in got if port == "b"] == list(range(7))


def test_any_pairing_with_one_input_open_still_says_the_port() -> None:
    sink = VectorSink()
    fg = Flowgraph().add(a=FrameNumbers(count=2), e=Either(), k=sink).connect("a > e.a", "e > k")
    fg.run(timeout_s=20)
    assert [p.meta["port"] for p in sink.packets] == ["a", "a"]


def test_paired_inputs_that_are_open_are_left_out() -> None:
    class Layers(FrameBlock):
        a = In(FRAMES, optional=True)
        b = In(FRAMES, optional=True)
        c = In(FRAMES)

        def start(self, ctx: Context) -> None:
            self.names, self.got = list(ctx.inputs), []  # type: ignore[var-annotated]

        def work(self, *packets: Packet) -> None:
            self.got.append(len(packets))

    block = Layers()
    fg = Flowgraph().add(s=FrameNumbers(count=3), it=block).connect("s > it.a", "s > it.c")
    fg.run(timeout_s=20)
    assert (block.names, block.got) == (["a", "c"], [2, 2, 2])


# ---- several outputs ----------------------------------------------------------------------------------------


@BOTH
def test_frames_go_where_they_are_sent(threads: bool) -> None:
    even, odd = VectorSink(), VectorSink()
    fg = Flowgraph().add(s=FrameNumbers(count=7), f=Fork(), even=even, odd=odd)
    fg.connect("s > f", "f.even > even", "f.odd > odd").run(timeout_s=20, threads=threads)
    assert [(p.start, p.meta["number"]) for p in even.packets] == [(0, 0), (1, 2), (2, 4), (3, 6)]
    assert [(p.start, p.meta["number"]) for p in odd.packets] == [(0, 1), (1, 3), (2, 5)]


def test_what_goes_to_an_open_output_is_dropped() -> None:
    even = VectorSink()
    fg = Flowgraph().add(s=FrameNumbers(count=7), f=Fork(), even=even).connect("s > f", "f.even > even")
    fg.run(timeout_s=20)
    assert [p.meta["number"] for p in even.packets] == [0, 2, 4, 6]


@pytest.mark.parametrize(
    ("item", "text"),
    [
        (("odd", 3), r"f \(Bad\) gave int, not a Packet"),
        (None, r"f \(Bad\) gave NoneType, not a Packet"),
        (Packet([1, 2]), r"f \(Bad\) gave a Packet of list, not of a numpy array"),  # type: ignore[arg-type]
        (("what", Packet(np.zeros(2, int))), r"f \(Bad\) gave a packet for 'what'; the outputs are even, odd"),
        (Packet(np.zeros(2, int)), r"f \(Bad\) must yield \(port, packet\): the outputs are even, odd"),
        (("even", Packet(np.zeros(2, np.int8))), r"f.even \(Bad\) gave a packet that is int8, not int64; it declares"),
        (("even", Packet(np.zeros((2, 1), int))), r"f.even \(Bad\) gave a packet that has shape \[2, 1\], not \['item"),
    ],
)
@pytest.mark.parametrize("hook", ["work", "finish"])
def test_what_cannot_be_sent_is_refused(item: object, text: str, hook: str) -> None:
    class Bad(Fork):
        def work(self, items: Packet) -> Iterator[object]:  # type: ignore[override]
            if hook == "work":
                yield item

        def finish(self) -> Iterator[object]:
            if hook == "finish":
                yield item

    fg = Flowgraph().add(s=FrameNumbers(), f=Bad(), even=VectorSink(), odd=VectorSink())
    fg.connect("s > f", "f.even > even", "f.odd > odd")
    with pytest.raises(PortError, match=text):
        fg.run(timeout_s=20)


def test_a_packet_returned_and_not_yielded_is_explained() -> None:
    class Bad(Pass):
        def work(self, items: Packet) -> Packet:  # type: ignore[override]
            return items

    with pytest.raises(PortError, match=r"bad \(Bad\) gave back Packet; yield packets, or return a list"):
        Flowgraph().add(s=FrameNumbers(), bad=Bad(), k=VectorSink()).connect("s > bad > k").run(timeout_s=20)


def test_a_sink_that_gives_packets_is_refused() -> None:
    class Bad(FrameBlock):
        x = In(FRAMES)

        def work(self, x: Packet) -> list[Packet]:
            return [x]

    with pytest.raises(PortError, match=r"bad \(Bad\) gave a packet, but has no output"):
        Flowgraph().add(s=FrameNumbers(), bad=Bad()).connect("s > bad").run(timeout_s=20)


def test_a_source_that_yields_none_does_not_end_in_silence() -> None:
    class Bad(Source):
        y = Out(FRAMES)

        def packets(self) -> Iterator[Packet | None]:
            yield Packet(np.zeros(1, np.int64))
            yield None

    with pytest.raises(PortError, match=r"s \(Bad\) gave NoneType, not a Packet"):
        Flowgraph().add(s=Bad(), k=VectorSink()).connect("s > k").run(timeout_s=20)


# ---- batches ------------------------------------------------------------------------------------------------


def test_a_batch_takes_what_is_queued_up_to_its_size() -> None:
    block, sink = Batches(max_batch=4, nap_s=0.02), VectorSink()
    fg = Flowgraph().add(s=FrameNumbers(count=21), b=block, k=sink).connect("s > b > k")
    result = fg.run(timeout_s=20, queue_depth=16)
    assert [p.meta["number"] for p in sink.packets] == list(range(21))
    assert sum(block.sizes) == 21
    assert max(block.sizes) == 4
    assert result["b"].calls == len(block.sizes)
    assert result["b"].items_in == 21


def test_a_batch_waits_for_more_but_not_for_ever() -> None:
    class Slow(FrameNumbers):
        def packets(self) -> Iterator[Packet]:
            for packet in super().packets():
                yield packet
                time.sleep(0.02)

    patient, hasty = Batches(max_batch=5, max_wait_s=5.0), Batches(max_batch=5)
    fg = Flowgraph().add(s=Slow(count=10), patient=patient, hasty=hasty, a=VectorSink(), b=VectorSink())
    fg.connect("s > patient > a", "s > hasty > b").run(timeout_s=20)
    assert patient.sizes == [5, 5]
    assert sum(hasty.sizes) == 10
    assert len(hasty.sizes) > 2


def test_the_end_does_not_wait_for_a_full_batch() -> None:
    block = Batches(max_batch=100, max_wait_s=60.0)
    begin = time.monotonic()
    Flowgraph().add(s=FrameNumbers(count=3), b=block, k=VectorSink()).connect("s > b > k").run(timeout_s=30)
    assert block.sizes == [3]
    assert time.monotonic() - begin < 30


def test_in_one_thread_batches_are_of_one() -> None:
    block = Batches(max_batch=4)
    Flowgraph().add(s=FrameNumbers(count=3), b=block, k=VectorSink()).connect("s > b > k").run(threads=False)
    assert block.sizes == [1, 1, 1]


# ---- ending early -------------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("after", [Pass, HeavyPass, HeavyCopy, Copy])
@pytest.mark.parametrize("before", [Pass, HeavyPass, HeavyCopy, Copy])
def test_head_ends_an_endless_source(before: type[FrameBlock], after: type[FrameBlock], threads: bool) -> None:
    sink = VectorSink()
    fg = Flowgraph(chunk=7).add(s=Numbers(count=None), x=before(), h=Head(count=40), y=after(), k=sink)
    fg.connect("s > x > h > y > k").run(timeout_s=20, threads=threads)
    assert values(sink) == list(range(40))
    assert not left_threads()


@BOTH
@pytest.mark.parametrize("stopper", [Stopper, HeavyStopper])
def test_one_consumer_that_ends_does_not_end_the_others(stopper: type[Stopper], threads: bool) -> None:
    sink, early = VectorSink(), stopper(count=2)
    fg = Flowgraph(chunk=7).add(s=Numbers(count=5000), early=early, k=sink).connect("s > early", "s > k")
    fg.run(timeout_s=20, threads=threads)
    assert values(sink) == list(range(5000))
    assert early.seen == 2


@BOTH
def test_a_source_ends_when_its_last_consumer_does(threads: bool) -> None:
    early, later = HeavyStopper(count=2), Stopper(count=30)
    fg = Flowgraph(chunk=7).add(s=Numbers(count=None), early=early, later=later).connect("s > early", "s > later")
    fg.run(timeout_s=20, threads=threads)
    assert (early.seen, later.seen) == (2, 30)


@BOTH
def test_a_generator_nobody_listens_to_is_closed(threads: bool) -> None:
    closed = []

    class Endless(FrameBlock):
        x = In(FRAMES)
        y = Out(FRAMES)

        def work(self, x: Packet) -> Iterator[Packet]:
            try:
                while True:
                    yield x
            finally:
                closed.append(True)

    fg = Flowgraph().add(s=FrameNumbers(), e=Endless(), k=Stopper(count=5)).connect("s > e > k")
    fg.run(timeout_s=20, threads=threads)
    assert closed == [True]
    assert fg.blocks["k"].seen == 5  # type: ignore[attr-defined]


def test_a_source_that_ends_is_closed_and_sends_its_end_once() -> None:
    closed = []

    class Careful(Source):
        y = Out(FRAMES)

        def packets(self) -> Iterator[Packet]:
            try:
                while True:
                    yield Packet(np.zeros(1, np.int64))
            finally:
                closed.append(True)

    Flowgraph().add(s=Careful(), k=Stopper(count=3)).connect("s > k").run(timeout_s=20)
    assert closed == [True]


@BOTH
@pytest.mark.parametrize("hoard", [Hoard, HeavyHoard])
def test_what_is_held_back_is_flushed_before_the_end(hoard: type[FrameBlock], threads: bool) -> None:
    sink = VectorSink()
    fg = Flowgraph(chunk=3).add(s=Numbers(count=20, tag_every=6), h=hoard(), g=Hoard(), c=Copy(), k=sink)
    fg.connect("s > h > g > c > k").run(timeout_s=20, threads=threads)
    assert values(sink) == list(range(20))
    assert [(t.at, t.value) for p in sink.packets for t in p.tags] == [(0, 0), (6, 6), (12, 12), (18, 18)]


def test_a_source_may_end_itself() -> None:
    class Ends(Source):
        y = Out(FRAMES)

        def start(self, ctx: Context) -> None:
            self._ctx = ctx

        def packets(self) -> Iterator[Packet]:
            for i in range(10):
                if i == 4:
                    self._ctx.finish()
                yield Packet(np.full(1, i))

    sink = VectorSink()
    Flowgraph().add(s=Ends(), k=sink).connect("s > k").run(timeout_s=20)
    assert values(sink) == [0, 1, 2, 3, 4]


# ---- the rest -----------------------------------------------------------------------------------------------


def test_writing_to_a_shared_packet_is_refused_in_the_guilty_block() -> None:
    class Vandal(Pass):
        def work(self, items: Packet) -> Iterator[Packet]:
            items.data[0] = 9
            yield items

    sink = VectorSink()
    fg = Flowgraph(chunk=4).add(s=Numbers(), vandal=Vandal(), n=NullSink(), k=sink)
    fg.connect("s > vandal > n", "s > k")
    with pytest.raises(BlockError, match=r"in vandal \(Vandal\), port items, int64\[4\]@0: .*read-only"):
        fg.run(timeout_s=20)


@pytest.mark.parametrize("recut", [None, jig.one_by_one, jig.at_random(2)])
def test_recut_cuts_at_every_edge_and_loses_nothing(recut: object) -> None:
    sink = VectorSink()
    fg = Flowgraph(chunk=50).add(s=Numbers(count=200, tag_every=7), p=Pass(), c=Copy(), sum=Sum(), k=sink)
    fg.connect("s > p > c > sum.a", "s > sum.b", "sum.total > k").run(timeout_s=20, recut=recut)
    assert values(sink) == [2 * i for i in range(200)]
    assert sorted(t.at for p in sink.packets for t in p.tags) == sorted(2 * list(range(0, 200, 7)))
    assert all(p.start <= t.at < p.start + len(p.data) for p in sink.packets for t in p.tags)


def test_tag_is_a_tuple() -> None:
    assert Tag(1, "frame", 2) == (1, "frame", 2)
