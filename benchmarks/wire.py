"""Streams over ZeroMQ between two processes on TCP loopback, beside GNU Radio's blocks in the same run.

``python benchmarks/wire.py [--quick]``: PUSH/PULL with tags on, complex64. Throughput is what the receiver's last block
gets; latency is from one process' clock reading to the other's, one way, through both flowgraphs.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from _report import emit

from semwave.blocks.basic import NullSink, NullSource
from semwave.blocks.gnuradio_zmq import GrZmqSink, GrZmqSource
from semwave.runtime import Flowgraph, FrameBlock, In, Out, Packet, Run, Source, Stream
from semwave.runtime.address import free_tcp

PEER_PYTHON = "/usr/bin/python3"
TWIN = Path(__file__).with_name("gnuradio_wire.py")
LATENCIES = {"1000 items every ms": (1000, 1e-3), "4 items every 357 ms": (4, 0.357), "4 items every 250 ms": (4, 0.25)}


class StampSource(Source):
    """``items`` each ``period_s``, all carrying CLOCK_MONOTONIC in nanoseconds."""

    items: int = 1000
    period_s: float = 1e-3

    stamps = Out(Stream(np.int64))

    def packets(self) -> Iterator[Packet]:
        """One chunk, when it is time."""
        due = time.monotonic()
        while True:
            time.sleep(max(0.0, due - time.monotonic()))
            due = max(due + self.period_s, time.monotonic() - 1)
            yield Packet(np.full(self.items, time.monotonic_ns()))


class StampSink(FrameBlock):
    """How old the newest item is, each time items come."""

    stamps = In(Stream(np.int64))

    def start(self, ctx: Any) -> None:
        """Nothing yet."""
        self.ages_us: list[float] = []

    def work(self, stamps: Packet) -> None:
        """Read the clock."""
        self.ages_us.append((time.monotonic_ns() - int(stamps.data[-1])) / 1e3)


def send(options: argparse.Namespace) -> None:
    """Send until killed."""
    source = NullSource() if options.kind == "rate" else StampSource(items=options.items, period_s=options.period)
    Flowgraph().add(source=source, sink=GrZmqSink(address=options.address)).connect("source > sink").run()


def receive(options: argparse.Namespace) -> None:
    """Receive for a while and say how that went."""
    rate = options.kind == "rate"
    sink = NullSink() if rate else StampSink()
    source = GrZmqSource(address=options.address, dtype="complex64" if rate else "int64")
    run = Run(Flowgraph().add(source=source, sink=sink).connect("source > sink")).start()
    while not run.result()["sink"].items_in:
        time.sleep(0.01)
    time.sleep(options.seconds / 2)
    ages = [] if rate else sink.ages_us  # type: ignore[union-attr]
    first, begin, skip = run.result()["sink"].items_in, time.perf_counter(), len(ages)
    time.sleep(options.seconds)
    last, end = run.result()["sink"].items_in, time.perf_counter()
    sys.stdout.write(json.dumps({"rate": (last - first) / (end - begin), "ages_us": ages[skip:]}) + "\n")
    sys.stdout.flush()
    run.abort()
    run.wait()


def measure(script: list[str], kind: str, seconds: float, items: int = 1000, period_s: float = 1e-3) -> Any:
    """Both ends as processes; what the receiver said."""
    more = [kind, free_tcp(), "--seconds", str(seconds), "--items", str(items), "--period", str(period_s)]
    sender = subprocess.Popen([*script, "send", *more], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        done = subprocess.run([*script, "receive", *more], check=True, capture_output=True, text=True, timeout=120)
    finally:
        sender.kill()
        sender.wait()
    return json.loads(next(line for line in done.stdout.splitlines() if line.startswith("{")))


def compare(seconds: float, rounds: int) -> None:
    """All cases, ours and the peer's in turn."""
    ours, peer = [sys.executable, str(Path(__file__).resolve())], [PEER_PYTHON, str(TWIN)]
    name = peer_name()
    found = [(measure(ours, "rate", seconds), measure(peer, "rate", seconds) if name else None) for _ in range(rounds)]
    rates, theirs = [a["rate"] for a, _ in found], [b["rate"] for _, b in found if b]
    for what, of in (("median", median), ("best", max)):
        case = f"PUSH/PULL, tags on, {what} of {rounds} windows of {seconds:g} s"
        emit("wire", case, of(rates), "samples/s", name, of(theirs) if theirs else None)
    for case, (items, period_s) in LATENCIES.items():
        lasts = max(seconds, 25 * period_s)
        who = (ours, peer)[: 2 if name else 1]
        runs = [[measure(w, "latency", lasts, items, period_s)["ages_us"] for w in who] for _ in range(min(rounds, 3))]
        for what, q in (("median", 50), ("p95", 95)):
            values = [median(float(np.percentile(ages, q)) for ages in side) for side in zip(*runs, strict=True)]
            emit("wire", f"one-way latency, {case}, {what}", values[0], "us", name, values[1] if name else None)


def peer_name() -> str | None:
    """GNU Radio with its version, None where there is none."""
    code = "from gnuradio import gr, zeromq; print('GNU Radio', gr.version())"
    try:
        done = subprocess.run([PEER_PYTHON, "-c", code], check=False, capture_output=True, text=True, timeout=60)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def main() -> None:
    """One end, or the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("side", nargs="?", choices=["send", "receive"])
    parser.add_argument("kind", nargs="?", choices=["rate", "latency"])
    parser.add_argument("address", nargs="?")
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--items", type=int, default=1000)
    parser.add_argument("--period", type=float, default=1e-3)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    if options.side:
        (send if options.side == "send" else receive)(options)
    else:
        compare(0.7 if options.quick else options.seconds, 2 if options.quick else 5)


if __name__ == "__main__":
    main()
