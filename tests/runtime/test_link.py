"""Edges that cross parts: the same results, ends and stops as in one process."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from parts import FRAMES, Batches, Every, FrameNumbers, HeavyCopy, Hoard, Numbers, Pair, Repeat, values

from semwave.blocks.basic import Head, VectorSink
from semwave.runtime import (
    ANY,
    Flowgraph,
    FrameBlock,
    In,
    LinkError,
    Out,
    Packet,
    Source,
    Tag,
)
from semwave.runtime.address import free_tcp

sys.path.insert(0, str(Path(__file__).parent))
from linked import Part, chain, items, spread

pytestmark = pytest.mark.usefixtures("nothing_stays")


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
    address = free_tcp()
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
