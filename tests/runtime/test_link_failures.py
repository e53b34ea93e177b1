"""Edges that cross parts: failures, silence and broken connections are told, survived, or end every part."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from parts import Batches, Dice, FrameNumbers, Numbers, Pass

from semwave.blocks.basic import Copy, VectorSink
from semwave.runtime import (
    BlockError,
    Flowgraph,
    LinkError,
    Packet,
)
from semwave.runtime.address import free_tcp

sys.path.insert(0, str(Path(__file__).parent))
from linked import QUICK, Part, Proxy, chain, items, spread

pytestmark = pytest.mark.usefixtures("nothing_stays")


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
    address = free_tcp()
    for name, other in (("tx", "rx"), ("rx", "tx")):
        part = Part(chain().link("b > c", address), name, **QUICK)
        said = rf"link b\.noisy > c\.items \({address}\): part {other} did not answer within 1 s: is it running\?"
        with pytest.raises(LinkError, match=said):
            part.check()
        assert part.seconds < 4


def test_a_part_that_falls_silent_is_named() -> None:
    proxy_target = free_tcp()
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
    target = free_tcp()
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
