"""Edges that cross parts: who may meet, who is turned away, and what a run leaves behind."""

import os
import sys
import threading
import time
from pathlib import Path

import pytest
from parts import FrameNumbers, Numbers

from semwave.blocks.basic import VectorSink
from semwave.runtime import (
    ConnectError,
    Flowgraph,
    LinkError,
    Run,
)
from semwave.runtime.address import free_tcp

sys.path.insert(0, str(Path(__file__).parent))
from linked import QUICK, Part, chain, spread

pytestmark = pytest.mark.usefixtures("nothing_stays")


def test_parts_that_do_not_fit_say_so_in_the_same_words() -> None:
    def build(kind: type) -> Flowgraph:
        fg = Flowgraph(chunk=10).add(a=kind(count=10), k=VectorSink())
        return fg.connect("a > k").place(tx=["a"], rx=["k"]).link("a > k", address)

    address = free_tcp()
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

    one, two = free_tcp(), free_tcp()
    parts = [Part(build(one, two), "rx"), Part(build(two, one), "tx")]
    for part in parts:
        with pytest.raises(LinkError, match=r"part tx sends [ab]\.items > [km]\.items here"):
            part.check()


def test_a_second_sender_is_turned_away_and_harms_nothing() -> None:
    address = free_tcp()
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
    address = free_tcp()
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
    with pytest.raises(ConnectError, match=r"no part 'tz'; \[place\] has tx, rx"):
        Run(chain(), part="tz")
    said = r"part rx needs an address for every edge to another part, and \[links\] has none for b\.noisy > c\.items"
    with pytest.raises(ConnectError, match=said):
        Run(chain(), part="rx")
    with pytest.raises(ConnectError, match="deadline_s must be above 0, not 0"):
        Run(chain(), part="rx", deadline_s=0)
