"""How much the runtime costs: null source, N copy blocks, null sink; complex samples per second at the default chunk.

Where a Python with GNU Radio is found (``--gnuradio``, or /usr/bin/python3), the same chain runs there, in turn with
ours: once of its C++ ``blocks.copy``, once of a copy block written in Python. Every value is the median over the
rounds. On a machine that others use too, samples per CPU second are the fairer figure: there GNU Radio's many threads
get more turns.

    python benchmarks/runtime_chain.py [--quick] [--gnuradio /usr/bin/python3]
"""

import argparse
import json
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from _report import emit

from semwave.blocks.basic import Copy, NullSink, NullSource
from semwave.runtime import Flowgraph

TWIN = Path(__file__).with_name("gnuradio_chain.py")
COUNTS = (1, 10, 50, 200)
PYTHON_COUNTS = (1, 10, 50)
START_UP_LIMIT_S = 0.3

START_UP = """
from semwave.blocks.basic import Copy, NullSink, NullSource
from semwave.runtime import Flowgraph
Flowgraph().add(a=NullSource(count=1), b=Copy(), c=NullSink()).connect("a > b > c").run()
"""


def ours(count: int, seconds: float) -> dict[str, Any]:
    """Samples per second, per CPU second, and threads of our chain."""
    graph = Flowgraph().add(source=NullSource(), sink=NullSink())
    graph.add({f"copy{i}": Copy() for i in range(count)})
    graph.connect("source > " + " > ".join(f"copy{i}" for i in range(count)) + " > sink")
    run = graph.start()
    time.sleep(seconds / 4)
    sink = run.runners["sink"]
    first, begin, busy = sink.items_in, time.perf_counter(), time.process_time()
    time.sleep(seconds)
    last, end, busy = sink.items_in, time.perf_counter(), time.process_time() - busy
    threads = threading.active_count() - 1
    run.stop()
    run.wait()
    return {"rate": (last - first) / (end - begin), "per_cpu_s": (last - first) / busy, "threads": threads}


def twin(python: str, kind: str, count: int, seconds: float) -> dict[str, Any]:
    """The same in GNU Radio."""
    command = [python, str(TWIN), kind, str(count), str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def has_gnuradio(python: str) -> bool:
    """Whether that Python can import GNU Radio."""
    try:
        done = subprocess.run([python, "-c", "from gnuradio import gr, blocks"], capture_output=True, check=False)
    except OSError:
        return False
    return done.returncode == 0


def measure(kind: str, count: int, rounds: int, seconds: float, python: str | None) -> None:
    """One case: ours and theirs in turn."""
    mine, theirs = [], []
    for _ in range(rounds):
        mine.append(ours(count, seconds))
        if python:
            theirs.append(twin(python, kind, count, seconds))
    for key, unit in (("rate", "Msamples/s"), ("per_cpu_s", "Msamples per CPU second")):
        emit(
            "runtime_chain",
            f"{count} copy blocks" + (f", against {kind}" if python else ""),
            statistics.median(m[key] for m in mine) / 1e6,
            unit,
            f"GNU Radio {kind} copy" if python else None,
            statistics.median(t[key] for t in theirs) / 1e6 if theirs else None,
        )


def start_up(rounds: int, python: str | None) -> None:
    """Seconds from nothing to the end of a graph of three blocks, interpreter and imports included."""
    mine, theirs = [], []
    for _ in range(rounds):
        mine.append(_seconds([sys.executable, "-c", START_UP]))
        if python:
            theirs.append(_seconds([python, str(TWIN), "startup", "1", "0"]))
    emit(
        "runtime_chain",
        f"start-up of three blocks, imports included (limit {START_UP_LIMIT_S} s)",
        min(mine),
        "s",
        "GNU Radio" if python else None,
        min(theirs) if theirs else None,
    )


def _seconds(command: list[str]) -> float:
    begin = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - begin


def main() -> None:
    """All cases."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one short round of each case")
    parser.add_argument("--gnuradio", default="/usr/bin/python3", help="a Python that can import gnuradio")
    options = parser.parse_args()
    rounds, seconds = (1, 0.3) if options.quick else (5, 0.8)
    python = options.gnuradio if has_gnuradio(options.gnuradio) else None
    for count in COUNTS:
        measure("c++", count, rounds, seconds, python)
    for count in PYTHON_COUNTS if python else ():
        measure("python", count, rounds, seconds, python)
    start_up(3 if options.quick else 7, python)
    threads = ours(200, 0.2)["threads"]
    peer_threads = twin(python, "c++", 200, 0.2)["threads"] if python else None
    emit("runtime_chain", "threads at 200 blocks", threads, "threads", "GNU Radio" if python else None, peer_threads)


if __name__ == "__main__":
    main()
