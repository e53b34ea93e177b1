"""Examples of the blocks that talk to GNU Radio for the jig: a server that answers, and one that collects.

The server is plain pyzmq and struct; it gives everyone who asks the same stream (or the same PDUs) from the start.
"""

import queue
import struct
import threading
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import zmq
from jig import Example, Tag, frames, stream

from semwave.runtime import Packet

RNG = np.random.default_rng(11)
SAMPLES = (RNG.normal(size=3000) + 1j * RNG.normal(size=3000)).astype(np.complex64)
SENT = (RNG.normal(size=2500) + 1j * RNG.normal(size=2500)).astype(np.complex64)
TAGS = [Tag(0, "frequency", 1e9), Tag(77, "burst", 5), Tag(1234, "label", "here"), Tag(2499, "burst", 6)]
PDUS = [RNG.integers(0, 256, n).astype(np.uint8) for n in (5, 0, 700)]
BURST = b"\x02\x00\x05burst" + b"\x03\x00\x00\x00\x2a" + b"\x01"  # symbol, int32 42, no source


def stream_answer(asked: int, at: int) -> tuple[bytes | None, int]:
    """A message with the items from ``at`` on, a tag on the first, and where the next begins."""
    items = SAMPLES[at : at + min(asked, 700)]
    if not len(items):
        return None, at
    header = struct.pack("<HBQQ", 0x5FF0, 1, at, 1) + struct.pack("<Q", at) + BURST
    return header + items.tobytes(), at + len(items)


def pdu_answer(asked: int, at: int) -> tuple[bytes | None, int]:
    """PDU number ``at`` with its number as metadata, and the next number."""
    assert asked == 1
    if at >= len(PDUS):
        return None, at
    meta = b"\x09\x07\x02\x00\x01n" + struct.pack(">Bi", 3, at) + b"\x06"
    data = struct.pack(">BBIBB", 10, 0, len(PDUS[at]), 1, 0) + PDUS[at].tobytes()
    return b"\x07" + meta + data, at + 1


@cache
def server(answer: Callable[[int, int], tuple[bytes | None, int]]) -> str:
    """The address of a thread that answers requests."""
    socket = zmq.Context.instance().socket(zmq.ROUTER)
    port = socket.bind_to_random_port("tcp://127.0.0.1")

    def serve() -> None:
        places: dict[bytes, int] = {}
        while True:
            who, *_, request = socket.recv_multipart()
            body, places[who] = answer(struct.unpack("=I", request)[0], places.get(who, 0))
            if body is not None:
                socket.send_multipart([who, b"", body])

    threading.Thread(target=serve, daemon=True).start()
    return f"tcp://127.0.0.1:{port}"


@cache
def collector(what: str) -> tuple[str, "queue.Queue[bytes]"]:
    """The address of a thread that takes what is pushed, and where it puts that."""
    socket = zmq.Context.instance().socket(zmq.PULL)
    port = socket.bind_to_random_port("tcp://127.0.0.1")
    taken: queue.Queue[bytes] = queue.Queue()

    def take() -> None:
        while True:
            taken.put(socket.recv())

    threading.Thread(target=take, name=what, daemon=True).start()
    return f"tcp://127.0.0.1:{port}", taken


def collected_stream(block: Any) -> Any:
    """The items that arrived, and the bytes of their tags by index."""
    items: list[np.ndarray] = []
    tags: list[tuple[int, bytes]] = []
    until = time.monotonic() + 30
    while sum(map(len, items)) < len(SENT):
        body = collector("stream")[1].get(timeout=max(0.0, until - time.monotonic()))
        magic, version, offset, count = struct.unpack_from("<HBQQ", body)
        assert (magic, version, offset) == (0x5FF0, 1, sum(map(len, items)))
        found = _tags(body[19:], count)
        tags += found
        items.append(np.frombuffer(body[19 + sum(8 + len(pmts) for _, pmts in found) :], np.complex64))
    return np.concatenate(items), tags


def _tags(head: bytes, count: int) -> list[tuple[int, bytes]]:
    """Cut ``count`` tags off; the PMTs in the examples are symbols, doubles, int32 and false."""
    sizes = {1: 1, 2: 3, 3: 5, 4: 9}
    found, at = [], 0
    for _ in range(count):
        (index,), begin = struct.unpack_from("<Q", head, at), at + 8
        at = begin
        for _ in range(3):
            at += sizes[head[at]] + (int.from_bytes(head[at + 1 : at + 3], "big") if head[at] == 2 else 0)
        found.append((index, head[begin:at]))
    return found


def collected_pdus(block: Any) -> Any:
    """The bytes of three PDUs."""
    return [collector("pdus")[1].get(timeout=30) for _ in range(3)]


EXAMPLES = [
    Example(
        "GrZmqSource",
        lambda folder: {"address": server(stream_answer), "pattern": "req/rep", "count": 2900, "idle_timeout_s": 20.0},
        expect=lambda: {"items": SAMPLES[:2900]},
    ),
    Example(
        "GrZmqSink",
        lambda folder: {"address": collector("stream")[0], "bind": False},
        {"items": stream(SENT, TAGS)},
        state=collected_stream,
    ),
    Example(
        "GrPduSource",
        lambda folder: {"address": server(pdu_answer), "pattern": "req/rep", "count": 3, "idle_timeout_s": 20.0},
        expect=lambda: {"pdus": PDUS},
    ),
    Example(
        "GrPduSink",
        lambda folder: {"address": collector("pdus")[0], "bind": False},
        {"pdus": frames(*(Packet(data, meta={"n": i, "snr_db": 1.5}) for i, data in enumerate(PDUS)))},
        state=collected_pdus,
    ),
]
