"""Streams and PDUs with the real GNU Radio at the other end of the socket, both ways."""

import contextlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semwave.blocks.basic import VectorSink
from semwave.blocks.gnuradio_zmq import GrPduSink, GrPduSource, GrZmqSink, GrZmqSource
from semwave.runtime import Flowgraph, Frames, Out, Packet, Result, Run, Source, Stream, Tag
from semwave.wire import pmt

pytestmark = pytest.mark.peer
PYTHON = "/usr/bin/python3"
DRIVER = Path(__file__).with_name("zmq_driver.py")
N = 1000
COUNT = 5000
STREAMS = [
    {"what": "stream", "pattern": pattern, "tags": tags, "key": key, "count": COUNT}
    for pattern, key in (("push/pull", ""), ("pub/sub", ""), ("pub/sub", "ch1"), ("req/rep", ""))
    for tags in (True, False)
]
PDUS = [{"what": "pdu", "pattern": pattern, "count": 5} for pattern in ("push/pull", "pub/sub", "req/rep")]
ODD = [
    {"what": "float", "pattern": "push/pull", "tags": True, "key": ""},
    *({"what": "stream", "pattern": "push/pull", "tags": tags, "key": ""} for tags in (True, False)),
    {"what": "stream", "pattern": "pub/sub", "tags": True, "key": "ch1"},
]
TIME = "2023-11-14T22:13:20.25Z"
FOUND = {0: ("frequency", 1e9), 37: ("burst", 37), 500: ("datetime", TIME), 999: ("facts", {"a": 1.5})}


def name(end: dict[str, Any]) -> str:
    return "-".join(str(v) for v in (end["pattern"], "tags" * end.get("tags", False), end.get("key", "")) if v)


@contextlib.contextmanager
def driver(command: str, ends: list[dict[str, Any]]) -> Iterator[Any]:
    """GNU Radio in a process of its own, and what it printed."""
    process = subprocess.Popen(
        [PYTHON, str(DRIVER), command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(json.dumps(ends) + "\n")
        process.stdin.flush()
        line = next((text for text in process.stdout if text.startswith("[")), None)
        assert line is not None, process.communicate(timeout=10)[1][-2000:]
        yield json.loads(line)
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module", autouse=True)
def peer() -> None:
    try:
        done = subprocess.run(
            [PYTHON, "-c", "import pmt, gnuradio.zeromq"], check=False, capture_output=True, timeout=60
        )
    except OSError:
        pytest.skip(f"there is no {PYTHON}")
    if done.returncode:
        pytest.skip(f"GNU Radio cannot be imported by {PYTHON}")


@pytest.fixture(scope="module")
def addresses(peer: None) -> Iterator[dict[str, str]]:
    """Where GNU Radio sends."""
    ends = [*STREAMS, *PDUS, *ODD]
    with driver("send", ends) as found:
        yield {json.dumps(end): address for end, address in zip(ends, found, strict=True)}


def received(source: Source) -> tuple[VectorSink, Result]:
    sink = VectorSink()
    result = Flowgraph().add(source=source, sink=sink).connect("source > sink").run(timeout_s=60)
    return sink, result


# ---- GNU Radio sends -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", STREAMS, ids=name)
def test_gets_a_stream(end: dict[str, Any], addresses: dict[str, str]) -> None:
    source = GrZmqSource(
        address=addresses[json.dumps(end)], pattern=end["pattern"], tags=end["tags"], key=end["key"],
        count=COUNT, idle_timeout_s=20.0,
    )  # fmt: skip
    sink, result = received(source)
    values = sink.data.real.astype(int)
    assert len(values) == COUNT
    assert np.array_equal(values, (values[0] + np.arange(COUNT)) % N)
    if end["pattern"] != "pub/sub":
        assert values[0] == 0
    tags = [t for p in sink.packets for t in p.tags]
    if end["tags"]:
        expected = [(at, *FOUND[v]) for at, v in enumerate(values) if v in FOUND]
        assert sorted(tags, key=lambda t: t.at) == expected
    else:
        assert tags == []
    assert result["source"].counts == {}
    assert result.warnings == []


@pytest.mark.parametrize("end", PDUS, ids=name)
def test_gets_pdus(end: dict[str, Any], addresses: dict[str, str]) -> None:
    source = GrPduSource(address=addresses[json.dumps(end)], pattern=end["pattern"], count=5, idle_timeout_s=20.0)
    sink, result = received(source)
    numbers = [p.meta["n"] for p in sink.packets]
    assert numbers == list(range(numbers[0], numbers[0] + 5))
    assert [p.data.tolist() for p in sink.packets] == [[n % 256, 2, 3] for n in numbers]
    assert result["source"].counts == {}


def test_the_other_side_sends_tags_unasked(addresses: dict[str, str]) -> None:
    source = GrZmqSource(address=addresses[json.dumps(ODD[1])], tags=False, count=COUNT, idle_timeout_s=20.0)
    sink, result = received(source)
    assert np.array_equal(sink.data.real, np.arange(COUNT) % N)
    assert result["source"].counts["messages with a header"] > 0
    assert result.warnings == ["source: the other side sends tags (pass_tags is on there); set tags to true"]


def test_the_other_side_sends_no_tags(addresses: dict[str, str]) -> None:
    source = GrZmqSource(address=addresses[json.dumps(ODD[2])], tags=True, count=COUNT, idle_timeout_s=20.0)
    sink, result = received(source)
    assert np.array_equal(sink.data.real, np.arange(COUNT) % N)
    assert result["source"].counts["messages without a header"] > 0
    (warning,) = result.warnings
    assert "pass_tags is off there" in warning


def test_the_other_side_sends_a_key_unasked(addresses: dict[str, str]) -> None:
    address = addresses[json.dumps(ODD[3])]
    sink, result = received(GrZmqSource(address=address, pattern="pub/sub", count=COUNT, idle_timeout_s=20.0))
    values = sink.data.real
    assert np.array_equal(values, (values[0] + np.arange(COUNT)) % N)
    assert result["source"].counts["messages with a key"] > 0


def test_the_other_side_has_another_item_size(addresses: dict[str, str]) -> None:
    sink, result = received(GrZmqSource(address=addresses[json.dumps(ODD[0])], idle_timeout_s=1.5))
    assert result["source"].counts["unreadable messages"] > 0
    assert "the other side's item size differs" in result.warnings[0]
    assert len(sink.data) < N


# ---- GNU Radio receives --------------------------------------------------------------------------------------

SENT = np.arange(COUNT).astype(np.complex64)
MARKS = [Tag(0, "frequency", 1e9), Tag(1, "burst", -5), Tag(1999, "datetime", TIME),
         Tag(2000, "facts", {"a": 1, "b": (1.5, None)}), Tag(4999, "sample_rate", 1e6)]  # fmt: skip
WIRE = [[0, "rx_freq", 1e9], [1, "burst", -5], [1999, "rx_time", (pmt.UInt64(1700000000), 0.25)],
        [2000, "facts", {"a": 1, "b": (1.5, None)}], [4999, "rx_rate", 1e6]]  # fmt: skip


class Ramp(Source):
    """``SENT`` in uneven packets."""

    items = Out(Stream(np.complex64))

    def packets(self) -> Iterator[Packet]:
        rng, at = np.random.default_rng(1), 0
        while at < COUNT:
            data = SENT[at : at + int(rng.integers(1, 900))]
            yield Packet(data, at, tuple(t for t in MARKS if at <= t.at < at + len(data)))
            at += len(data)


class Pdus(Source):
    """Five frames."""

    pdus = Out(Frames(np.float32, ("item",)))

    def packets(self) -> Iterator[Packet]:
        for n in range(5):
            yield Packet(np.arange(n).astype(np.float32), meta={"n": n, "name": f"µ{n}"})


@pytest.fixture(scope="module")
def arrived(peer: None) -> dict[str, Any]:
    """What GNU Radio got from one flowgraph that sends in all ways at once."""
    graph, ends = Flowgraph(), [*STREAMS, *PDUS]
    for number, end in enumerate(ends):
        common = {"address": "tcp://127.0.0.1:*", "pattern": end["pattern"], "timeout_s": 60.0}
        if end["what"] == "pdu":
            graph.add({f"in{number}": Pdus(), f"out{number}": GrPduSink(**common)})
        else:
            sink = GrZmqSink(tags=end["tags"], key=end["key"], **common)
            graph.add({f"in{number}": Ramp(), f"out{number}": sink})
        graph.connect(f"in{number} > out{number}")
    run = Run(graph).start()
    where = [run.result()[f"out{number}"].facts["address"] for number in range(len(ends))]
    with driver("receive", [{**end, "address": address} for end, address in zip(ends, where, strict=True)]) as found:
        result = run.wait(60)
    assert all(not block.counts for block in result.blocks)
    return {json.dumps(end): got for end, got in zip(ends, found, strict=True)}


@pytest.mark.parametrize("end", STREAMS, ids=name)
def test_gives_a_stream(end: dict[str, Any], arrived: dict[str, Any]) -> None:
    got = arrived[json.dumps(end)]
    assert got["items"] == SENT.real.tolist()
    tags = [[at, key, pmt.loads(bytes.fromhex(value))] for at, key, value in got["tags"]]
    assert sorted(tags, key=lambda t: t[0]) == (WIRE if end["tags"] else [])


@pytest.mark.parametrize("end", PDUS, ids=name)
def test_gives_pdus(end: dict[str, Any], arrived: dict[str, Any]) -> None:
    got = [pmt.loads(bytes.fromhex(text)) for text in arrived[json.dumps(end)]]
    expected = [pmt.Pair({"n": n, "name": f"µ{n}"}, np.arange(n).astype(np.float32)) for n in range(5)]
    assert got == expected
