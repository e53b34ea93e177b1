import jig
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parts import INTS, Every, Numbers, Pass, Repeat, Sum, values

from semwave.blocks.basic import Copy, NullSink, VectorSink
from semwave.runtime import Array, Flowgraph, FrameBlock, In, Out, Packet, PortError, Stream, SyncBlock, Tag


def feed(block: SyncBlock, count: int, recut: object = None, chunk: int = 16, tag_every: int = 5) -> VectorSink:
    sink = VectorSink()
    fg = Flowgraph(chunk=chunk).add(src=Numbers(count=count, tag_every=tag_every), it=block, sink=sink)
    fg.connect("src > it > sink").run(timeout_s=30, recut=recut)
    return sink


def tags(sink: VectorSink) -> list[tuple[int, int]]:
    return [(t.at, t.value) for p in sink.packets for t in p.tags]


@pytest.mark.parametrize("recut", [None, jig.one_by_one, jig.at_random(3)])
def test_an_interpolator_moves_tags(recut: object) -> None:
    sink = feed(Repeat(times=3), 40, recut)
    assert values(sink) == [i // 3 for i in range(120)]
    assert tags(sink) == [(3 * i, i) for i in range(0, 40, 5)]


@pytest.mark.parametrize("recut", [None, jig.one_by_one, jig.at_random(3)])
def test_a_decimator_keeps_the_rest_and_moves_tags(recut: object) -> None:
    sink = feed(Every(up=1, down=4), 42, recut)
    assert values(sink) == list(range(0, 40, 4))
    assert tags(sink) == [(i // 4, i) for i in range(0, 40, 5)]


@given(
    up=st.integers(1, 4),
    down=st.integers(1, 7),
    count=st.integers(0, 90),
    chunk=st.integers(1, 40),
    seed=st.none() | st.integers(0, 99),
)
@settings(max_examples=60, deadline=None)
def test_rational_rates_for_any_chunk(up: int, down: int, count: int, chunk: int, seed: int | None) -> None:
    up = min(up, down)
    sink = feed(Every(up=up, down=down), count, None if seed is None else jig.at_random(seed), chunk)
    whole = count - count % down
    assert values(sink) == [i for i in range(whole) if i % down < up]
    assert tags(sink) == [(i * up // down, i) for i in range(0, whole, 5)]


def test_the_rest_that_fills_no_step_is_counted() -> None:
    fg = Flowgraph().add(s=Numbers(count=10), e=Every(down=4), k=VectorSink()).connect("s > e > k")
    assert fg.run(timeout_s=20)["e"].counts == {"unpaired": 2}


@pytest.mark.parametrize("threads", [True, False])
@pytest.mark.parametrize("recut", [None, jig.one_by_one, jig.at_random(8)])
def test_a_join_goes_item_by_item_and_counts_what_is_left(recut: object, threads: bool) -> None:
    both, less = VectorSink(), VectorSink()
    fg = Flowgraph(chunk=7).add(a=Numbers(count=50), b=Numbers(count=31), sum=Sum(), both=both, less=less)
    fg.connect("a > sum.a", "b > sum.b", "sum.total > both", "sum.difference > less")
    result = fg.run(timeout_s=20, threads=threads, recut=recut)
    assert values(both) == [2 * i for i in range(31)]
    assert values(less) == [0] * 31
    lost = result["sum"].counts
    assert set(lost) <= {"unpaired", "discarded"}
    assert 0 < sum(lost.values()) <= 19


def test_a_join_with_itself() -> None:
    sink = VectorSink()
    fg = Flowgraph(chunk=7).add(a=Numbers(count=50), sum=Sum(), k=sink)
    fg.connect("a > sum.a", "a > sum.b", "sum.total > k").run(timeout_s=20)
    assert values(sink) == [2 * i for i in range(50)]


def test_a_join_of_different_rates_in_one_group() -> None:
    sink = VectorSink()
    fg = Flowgraph(chunk=7).add(a=Numbers(count=50), up=Repeat(times=2), down=Every(down=2), sum=Sum(), k=sink)
    fg.connect("a > up > down > sum.a", "a > sum.b", "sum.total > k").run(timeout_s=20)
    assert values(sink) == [2 * i for i in range(50)]


def test_tags_of_all_inputs_go_to_all_outputs() -> None:
    total, less = VectorSink(), VectorSink()
    fg = Flowgraph().add(a=Numbers(count=9, tag_every=4), b=Numbers(count=9, tag_every=8), sum=Sum(), t=total, d=less)
    fg.connect("a > sum.a", "b > sum.b", "sum.total > t", "sum.difference > d").run(timeout_s=20)
    assert sorted(tags(total)) == sorted(tags(less)) == [(0, 0), (0, 0), (4, 4), (8, 8), (8, 8)]


@pytest.mark.parametrize("port", ["total", "difference"])
def test_one_of_two_outputs_is_enough(port: str) -> None:
    class Both(SyncBlock):
        x = In(INTS)
        total = Out(INTS, optional=True)
        difference = Out(INTS, optional=True)

        def work(self, x: Array) -> tuple[Array, Array]:
            return x + 1, x - 1

    sink = VectorSink()
    fg = Flowgraph().add(a=Numbers(count=5), both=Both(), k=sink).connect("a > both", f"both.{port} > k")
    fg.run(timeout_s=20)
    assert values(sink) == ([1, 2, 3, 4, 5] if port == "total" else [-1, 0, 1, 2, 3])


def test_outputs_follow_the_declaration_whatever_negotiate_says() -> None:
    class Crossed(SyncBlock):
        x = In(INTS)
        first = Out(INTS)
        second = Out(INTS)

        def negotiate(self, inputs: object) -> dict[str, Stream]:
            return {"second": INTS, "first": INTS}

        def work(self, x: Array) -> tuple[Array, Array]:
            return x + 1, x + 2

    one, two = VectorSink(), VectorSink()
    fg = Flowgraph().add(a=Numbers(count=2), c=Crossed(), one=one, two=two)
    fg.connect("a > c", "c.first > one", "c.second > two").run(timeout_s=20)
    assert (values(one), values(two)) == ([1, 2], [2, 3])


def test_finish_of_a_sync_block_is_sent() -> None:
    class Tail(Copy):
        def finish(self) -> list[Packet]:
            return [Packet(np.array([-1, -2]), 0, (Tag(1, "end", None),))]

    sink = feed(Tail(), 20)
    assert values(sink) == [*range(20), -1, -2]
    assert (21, "end") in [(t.at, t.key) for p in sink.packets for t in p.tags]


def test_a_sync_block_may_want_no_more() -> None:
    class Ten(Copy):
        def start(self, ctx: object) -> None:
            self._ctx, self._n = ctx, 0

        def work(self, items: Array) -> Array:
            self._n += len(items)
            if self._n >= 10:
                self._ctx.finish()  # type: ignore[attr-defined]
            return items.copy()

    for wrap in (Pass, Copy):  # before a slow block and within a fused chain
        sink = VectorSink()
        fg = Flowgraph(chunk=5).add(s=Numbers(count=None), c=Copy(), t=Ten(), after=wrap(), k=sink)
        fg.connect("s > c > t > after > k").run(timeout_s=20)
        assert values(sink) == list(range(10))


# ---- what work gives back is checked, in a fused chain and before other blocks ------------------------------


@pytest.mark.parametrize("after", [Copy, Pass])
@pytest.mark.parametrize(
    ("bad", "text"),
    [
        (lambda x: x[:-1], r"it.y \(Bad\) gave 6 items for 7; its rate 1/1 makes 7"),
        (lambda x: np.zeros(0, np.int64), r"it.y \(Bad\) gave 0 items for 7"),
        (lambda x: x.astype(np.float32), r"it.y \(Bad\) gave a packet that is float32, not int64"),
        (lambda x: x.reshape(-1, 1), r"it.y \(Bad\) gave a packet that has shape \[7, 1\], not \['n'\]"),
        (lambda x: x.sum(), r"it.y \(Bad\) gave int64 for 7"),
        (lambda x: np.array(3), r"it.y \(Bad\) gave ndarray for 7"),
        (lambda x: x.tolist(), r"it.y \(Bad\) gave list for 7"),
        (lambda x: None, r"it.y \(Bad\) gave NoneType for 7"),
    ],
)
def test_a_wrong_answer_is_refused(bad: object, text: str, after: type[SyncBlock]) -> None:
    class Bad(SyncBlock):
        x = In(INTS)
        y = Out(INTS)

        def work(self, x: Array) -> Array:
            return bad(x)  # type: ignore[operator]

    fg = Flowgraph(chunk=7).add(s=Numbers(), it=Bad(), after=after(), k=NullSink()).connect("s > it > after > k")
    with pytest.raises(PortError, match=text):
        fg.run(timeout_s=20)


def test_a_wrong_number_of_arrays_is_refused() -> None:
    class Bad(Sum):
        def work(self, a: Array, b: Array) -> Array:  # type: ignore[override]
            return a + b

    fg = Flowgraph().add(a=Numbers(), it=Bad(), k=NullSink()).connect("a > it.a", "a > it.b", "it.total > k")
    with pytest.raises(PortError, match=r"it \(Bad\) gave 1 arrays for 2 outputs"):
        fg.run(timeout_s=20)


@pytest.mark.parametrize("before", [Copy, Pass])
def test_writing_to_what_came_in_fails_where_it_is_done(before: type[SyncBlock]) -> None:
    class Vandal(SyncBlock):
        x = In(INTS)
        y = Out(INTS)

        def work(self, x: Array) -> Array:
            x *= 2
            return x

    from semwave.runtime import BlockError

    fg = Flowgraph(chunk=7).add(s=Numbers(), it=before(), vandal=Vandal(), k=NullSink())
    with pytest.raises(BlockError, match=r"in vandal \(Vandal\), port x, int64\[7\]@0: .*read-only"):
        fg.connect("s > it > vandal > k").run(timeout_s=20)


def test_meta_cannot_be_written_to() -> None:
    class Marker(FrameBlock):
        x = In(INTS)
        y = Out(INTS)

        def work(self, x: Packet) -> list[Packet]:
            return [Packet(x.data, x.start, (), {"own": 1})]

    class Vandal(Marker):
        def work(self, x: Packet) -> list[Packet]:
            x.meta["own"] = 2  # type: ignore[index]
            return [x]

    from semwave.runtime import BlockError

    fg = Flowgraph(chunk=7).add(s=Numbers(), m=Marker(), vandal=Vandal(), k=NullSink())
    with pytest.raises(BlockError, match=r"in vandal \(Vandal\), port x, .*does not support item assignment"):
        fg.connect("s > m > vandal > k").run(timeout_s=20)
