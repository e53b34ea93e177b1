"""Links between two processes: throughput, latency, memory over a slow consumer.

    python benchmarks/link.py [--quick]

The peer is pyzmq alone: the same payloads as bare PUSH/PULL messages between two processes, without headers, credits
or flowgraph.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from _report import emit

from semwave.runtime import (
    Array,
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
    SyncBlock,
)
from semwave.runtime.address import free_tcp

CHUNKS, FRAMES_ = Stream(np.complex64), Frames(np.uint8, ("byte",))


class Samples(Source):
    """The same chunk again and again, or one every ``period_s`` with the time in its first items."""

    count: int = 100
    size: int = 8192
    period_s: float = 0.0

    samples = Out(CHUNKS)

    def packets(self) -> Iterator[Packet]:
        """``count`` chunks."""
        data = np.ones(self.size, np.complex64)
        due = time.monotonic()
        for _ in range(self.count):
            if self.period_s:
                due += self.period_s
                time.sleep(max(0.0, due - time.monotonic()))
                data = data.copy()
                data[:1].view(np.float64)[0] = time.monotonic()  # one clock for all processes of a machine
            yield Packet(data)


class Blobs(Source):
    """Frames of ``size`` bytes; with ``fresh`` each has memory of its own."""

    count: int = 100
    size: int = 1 << 20
    fresh: bool = False

    frames = Out(FRAMES_)

    def packets(self) -> Iterator[Packet]:
        """``count`` frames."""
        data = np.ones(self.size, np.uint8)
        for _ in range(self.count):
            yield Packet(data.copy() if self.fresh else data)


class Clock(SyncBlock):
    """Note when the first and the last items came, and how old they were."""

    samples = In(CHUNKS)

    def start(self, ctx: Context) -> None:
        """Nothing yet."""
        self._ctx, self._ages, self._begun = ctx, [], 0.0

    def work(self, samples: Array) -> None:
        """Look at the clock."""
        now = time.monotonic()
        self._begun = self._begun or now
        sent = float(samples[:1].view(np.float64)[0])
        self._ages.append(now - sent)
        self._ctx.facts.update(seconds=now - self._begun, ages=self._ages)


class Taker(FrameBlock):
    """Take frames, ``nap_s`` for each."""

    nap_s: float = 0.0

    frames = In(FRAMES_)

    def start(self, ctx: Context) -> None:
        """Nothing yet."""
        self._ctx, self._begun = ctx, 0.0

    def work(self, frames: Packet) -> None:
        """Look at the clock."""
        self._begun = self._begun or time.monotonic()
        time.sleep(self.nap_s)
        self._ctx.facts["seconds"] = time.monotonic() - self._begun


def graph(case: str, count: int, address: str) -> Flowgraph:
    """The graph of a case, in parts tx and rx."""
    fg = Flowgraph()
    if case in ("stream", "latency"):
        source = Samples(count=count) if case == "stream" else Samples(count=count, size=1024, period_s=1e-3)
        fg.add(a=source, k=Clock())
    else:
        fg.add(a=Blobs(count=count, fresh=case == "slow"), k=Taker(nap_s=0.02 if case == "slow" else 0.0))
    return fg.connect("a > k").place(tx=["a"], rx=["k"]).link("a > k", address)


def part(case: str, name: str, count: int, address: str) -> None:
    """One process: print the facts of the sink and the growth of the memory."""
    run = Run(graph(case, count, address), part=name, deadline_s=20).start()
    before, high = rss_mb(), 0.0
    while run.running:
        time.sleep(0.05)
        high = max(high, rss_mb())
    result = run.wait()
    facts = result["k"].facts if name == "rx" else {}
    print(json.dumps({"rss_mb": max(0.0, high - before), **facts}))


def rss_mb() -> float:
    """Memory of this process; 0 where /proc does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6
    except OSError:
        return 0.0


def bare(name: str, count: int, size: int, address: str) -> None:
    """The peer: the same bytes over PUSH and PULL."""
    import zmq

    socket = zmq.Context().socket(zmq.PUSH if name == "tx" else zmq.PULL)
    socket.set_hwm(8)
    payload = np.ones(size, np.uint8)
    if name == "tx":
        socket.connect(address)
        for _ in range(count):
            socket.send(payload, copy=size < 256 << 10)
        print("{}")
        socket.close(20_000)
        return
    socket.bind(address)
    socket.recv(copy=False)
    begun = time.monotonic()
    for _ in range(count - 1):
        socket.recv(copy=False)
    print(json.dumps({"seconds": time.monotonic() - begun}))


def both(*argv: object) -> dict[str, dict[str, object]]:
    """Run tx and rx as processes; what each printed."""
    started = {}
    for name in ("rx", "tx"):
        words = [sys.executable, __file__, "--role", name, *map(str, argv)]
        started[name] = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    return {name: json.loads(process.communicate(timeout=300)[0]) for name, process in started.items()}


def main() -> None:
    """All cases."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--role", nargs="+", help=argparse.SUPPRESS)
    args, rest = parser.parse_known_args()
    if args.role:
        name, kind, *numbers = [*args.role, *rest]
        if kind == "bare":
            bare(name, int(numbers[0]), int(numbers[1]), numbers[2])
        else:
            part(kind, name, int(numbers[0]), numbers[1])
        return
    scale = 1 if args.quick else 5
    with tempfile.TemporaryDirectory() as folder:
        cases(scale, folder)


def cases(scale: int, folder: str) -> None:
    """Measure and print."""
    tcp, count = free_tcp(), 4000 * scale
    ours, peer = both("stream", count, tcp)["rx"], both("bare", count, 65536, tcp)["rx"]
    rate = [count * 65536 / float(str(x["seconds"])) / 1e6 for x in (ours, peer)]
    emit("link", "complex64 chunks of 8192 items, tcp", rate[0], "MB/s", "pyzmq push/pull", rate[1])
    count = 1000 * scale
    ours = both("frames", count, f"ipc://{folder}/a")["rx"]
    peer = both("bare", count, 1 << 20, f"ipc://{folder}/b")["rx"]
    rate = [count * (1 << 20) / float(str(x["seconds"])) / 1e6 for x in (ours, peer)]
    emit("link", "frames of 1 MiB, ipc", rate[0], "MB/s", "pyzmq push/pull", rate[1])
    ages = 1e6 * np.asarray(both("latency", 1000 * scale, tcp)["rx"]["ages"])
    for percent in (50, 99):
        emit("link", f"age of chunks of 1 ms, tcp, percentile {percent}", float(np.percentile(ages, percent)), "us")
    memory = both("slow", 100 * scale, f"ipc://{folder}/c")
    for name in ("tx", "rx"):
        text = f"memory of {name}, {100 * scale} frames of 1 MiB to a slow consumer, 8 credits"
        emit("link", text, float(str(memory[name]["rss_mb"])), "MB")


if __name__ == "__main__":
    main()
