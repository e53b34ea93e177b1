"""Sources, runs and plain sockets for the tests of streams and PDUs over ZeroMQ."""

import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from semwave.blocks.basic import VectorSink
from semwave.runtime import (
    Context,
    Flowgraph,
    FrameBlock,
    Frames,
    In,
    Out,
    Packet,
    Run,
    Source,
    Stream,
    Tag,
)

WAIT_S = 60.0
COUNT = 20_000
DATA = np.arange(COUNT).astype(np.complex64)
WAYS = [("push/pull", ""), ("pub/sub", ""), ("pub/sub", "key"), ("req/rep", "")]


class Uneven(Source):
    """``DATA``, or vectors of it, in uneven packets, each with a tag on its first and last item."""

    vlen: int = 1

    items = Out(Stream(None))

    def negotiate(self, inputs: Any) -> dict[str, Any]:
        return {"items": Stream(np.complex64, (self.vlen,) if self.vlen > 1 else ())}

    def packets(self) -> Iterator[Packet]:
        rng, at = np.random.default_rng(3), 0
        data = DATA.reshape(-1, self.vlen) if self.vlen > 1 else DATA
        while at < len(data):
            part = data[at : at + int(rng.integers(1, 3000))]
            yield Packet(part, at, (Tag(at, "first", at), Tag(at + len(part) - 1, "last", at + len(part) - 1)))
            at += len(part)


class Pdus(Source):
    """Some frames with metadata."""

    pdus = Out(Frames(np.int16, ("item",)))

    def packets(self) -> Iterator[Packet]:
        for n in range(40):
            yield Packet(np.full(n, n, np.int16), meta={"n": n})


class Slow(FrameBlock):
    """Take one packet at a time, and time for it."""

    items = In(Stream(None))
    taken = Out(Stream(None))

    def work(self, items: Packet) -> Iterator[Packet]:
        time.sleep(0.01)
        yield items


def sending(source: Source, sink: Any) -> tuple[Run, str]:
    """A run that sends, and where to."""
    run = Run(Flowgraph().add(source=source, sink=sink).connect("source > sink")).start()
    return run, run.result()["sink"].facts["address"]


def receiving(source: Source, *between: Any) -> tuple[Run, VectorSink]:
    """A run that receives."""
    graph, sink = Flowgraph(), VectorSink()
    names = ["source", *(f"b{i}" for i in range(len(between))), "sink"]
    graph.add(**dict(zip(names, (source, *between, sink), strict=True))).connect(" > ".join(names))
    return Run(graph).start(), sink


def tags_of(sink: VectorSink) -> list[Tag]:
    return [t for p in sink.packets for t in p.tags]


def with_context(sink: Any, *packets: Packet) -> Context:
    """One call of a sink's ``work`` and its end."""
    ctx = Context("sink", 0, {"items": Stream(packets[0].data.dtype)}, {}, 8192)
    sink.start(ctx)
    list(sink.work(list(packets)))
    sink.finish()
    sink.stop()
    return ctx
