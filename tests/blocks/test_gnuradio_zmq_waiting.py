"""ZeroMQ sources and sinks whose other side is slow, late, gone or never there."""

import struct
import time
from typing import Any

import numpy as np
import pytest
import zmq
from zmq_streams import COUNT, DATA, WAIT_S, Pdus, Slow, Uneven, receiving, sending

from semwave.blocks.basic import Add, Head, NullSource, VectorSink
from semwave.blocks.gnuradio_zmq import GrPduSink, GrPduSource, GrZmqSink, GrZmqSource
from semwave.runtime import (
    BlockError,
    Context,
    Flowgraph,
    Packet,
    Stream,
)
from semwave.wire.gr_messages import MESSAGE_BYTES, StreamReader
from semwave.wire.gr_stream import decode_header, encode_header


def test_a_publisher_waits_for_slow_subscribers() -> None:
    tx, address = sending(Uneven(), GrZmqSink(address="tcp://127.0.0.1:*", pattern="pub/sub", hwm=1, subscribers=2))
    runs = [
        receiving(GrZmqSource(address=address, pattern="pub/sub", hwm=1, count=COUNT), *slow)
        for slow in ([], [Slow()])
    ]  # fmt: skip
    sent = tx.wait(WAIT_S)
    for rx, sink in runs:
        assert rx.wait(WAIT_S)["source"].counts == {}
        assert np.array_equal(sink.data, DATA)
    assert sent["sink"].counts == {}


def test_what_a_publisher_drops_both_sides_count(plain: Any) -> None:
    data = np.zeros(200_000, np.complex64)
    context = zmq.Context()
    subscriber = context.socket(zmq.SUB)
    subscriber.rcvhwm, subscriber.rcvbuf = 1, 4096
    subscriber.subscribe(b"")
    sink = GrZmqSink(address="tcp://127.0.0.1:*", pattern="pub/sub", full="drop", hwm=2, linger_s=20.0)
    ctx = Context("sink", 0, {"items": Stream(np.complex64)}, {}, 8192)
    sink.start(ctx)
    subscriber.connect(ctx.facts["address"])
    for number in range(60):
        list(sink.work([Packet(data, number * len(data))]))
    dropped = ctx.counters["dropped items"]
    assert 0 < dropped < 60 * len(data)
    heard = Context("source", 0, {}, {"items": Stream(np.complex64)}, 8192)
    reader = StreamReader("complex64", 1, tags=True, keyed=False, sequence=True, translate=True, notes=heard)
    subscriber.rcvtimeo = 2000
    got, marks = 0, 0
    try:
        while True:
            packet = reader.push(subscriber.recv_multipart())
            assert packet is not None
            got += len(packet.data)
            marks += sum(t.value for t in packet.tags if t.key == "lost")
    except zmq.Again:
        pass
    sink.stop()
    context.destroy(linger=0)
    assert marks == heard.counters.get("lost items", 0)
    assert got + dropped == 60 * len(data)
    assert reader.next is not None
    assert got + marks == reader.next


def test_a_publisher_that_need_not_wait_counts_what_nobody_hears() -> None:
    sink = GrZmqSink(address="tcp://127.0.0.1:*", pattern="pub/sub", subscribers=0)
    result = Flowgraph().add(a=Uneven(), sink=sink).connect("a > sink").run(timeout_s=WAIT_S)
    assert result["sink"].counts == {"unheard items": COUNT}


def test_a_pusher_that_drops_counts_what_nobody_takes() -> None:
    sink = GrZmqSink(address="tcp://127.0.0.1:*", full="drop")
    result = Flowgraph().add(a=Uneven(), sink=sink).connect("a > sink").run(timeout_s=WAIT_S)
    assert result["sink"].counts == {"dropped items": COUNT}


@pytest.mark.parametrize("pattern", ["push/pull", "pub/sub", "req/rep"])
@pytest.mark.parametrize("what", ["stream", "pdus"])
def test_a_sink_that_nobody_hears_stops_when_asked(pattern: str, what: str) -> None:
    cls, source = (GrZmqSink, Uneven()) if what == "stream" else (GrPduSink, Pdus())
    run, _ = sending(source, cls(address="tcp://127.0.0.1:*", pattern=pattern))
    time.sleep(0.1)
    assert run.running
    run.stop()
    counts = run.wait(WAIT_S)["sink"].counts
    if pattern == "push/pull" or what == "stream":
        assert sum(counts.values()) > 0


@pytest.mark.parametrize("pattern", ["push/pull", "pub/sub", "req/rep"])
@pytest.mark.parametrize("cls", [GrZmqSource, GrPduSource])
def test_a_source_that_hears_nothing_stops_when_asked(pattern: str, cls: Any) -> None:
    run, _ = receiving(cls(address="tcp://127.0.0.1:*", bind=True, pattern=pattern))
    time.sleep(0.1)
    assert run.running
    run.stop()
    assert run.wait(WAIT_S)["source"].items_out == 0


@pytest.mark.parametrize("cls", [GrZmqSource, GrPduSource])
def test_silence_ends_a_source_that_was_told_so(cls: Any) -> None:
    run, _ = receiving(cls(address="tcp://127.0.0.1:*", bind=True, idle_timeout_s=0.1))
    assert run.wait(WAIT_S)["source"].items_out == 0


@pytest.mark.parametrize("pattern", ["push/pull", "pub/sub", "req/rep"])
def test_a_sink_fails_when_nobody_takes_anything_for_too_long(pattern: str) -> None:
    graph = Flowgraph().add(a=Uneven(), k=GrZmqSink(address="tcp://127.0.0.1:*", pattern=pattern, timeout_s=0.2))
    with pytest.raises(BlockError, match=r"in k \(GrZmqSink\).*nobody took anything at tcp://127.0.0.1:\d+ for 0.2 s"):
        graph.connect("a > k").run(timeout_s=WAIT_S)


def test_a_source_ends_when_nobody_wants_more() -> None:
    tx, address = sending(NullSource(), GrZmqSink(address="tcp://127.0.0.1:*"))
    rx, sink = receiving(GrZmqSource(address=address), Head(count=1000))
    rx.wait(WAIT_S)
    assert len(sink.data) == 1000
    tx.stop()
    assert tx.wait(WAIT_S).interrupted


def test_two_sources_do_not_wait_for_each_other() -> None:
    senders = [sending(Uneven(), GrZmqSink(address="tcp://127.0.0.1:*")) for _ in range(2)]
    sink = VectorSink()
    graph = Flowgraph().add(sum=Add(), sink=sink).connect("sum > sink")
    for port, (_, address) in zip("ab", senders, strict=True):
        graph.add({f"source_{port}": GrZmqSource(address=address, count=COUNT)}).connect(f"source_{port} > sum.{port}")
    graph.run(timeout_s=WAIT_S)
    for tx, _ in senders:
        tx.wait(WAIT_S)
    assert np.array_equal(sink.data, 2 * DATA)


def test_an_answer_is_not_lost_with_who_asked() -> None:
    tx, address = sending(Uneven(), GrZmqSink(address="tcp://127.0.0.1:*", pattern="req/rep"))
    context = zmq.Context()
    for _ in range(3):
        asker = context.socket(zmq.REQ)
        asker.connect(address)
        asker.send(struct.pack("=I", 500))
        if _ == 1:
            time.sleep(0.1)
        asker.close(0)
    time.sleep(0.2)
    rx, sink = receiving(GrZmqSource(address=address, pattern="req/rep", idle_timeout_s=1.0))
    rx.wait(WAIT_S), tx.wait(WAIT_S)
    context.destroy(linger=0)
    end = DATA[COUNT - len(sink.data) :]
    assert np.array_equal(sink.data, end), "what the first askers took is gone, the rest comes in order"
    assert len(end) >= COUNT - 3 * 500


@pytest.mark.parametrize("request_bytes", [b"", b"\x01", struct.pack("=I", 0), struct.pack("=I", 7), bytes(50)])
def test_requests_of_any_form_are_answered(request_bytes: bytes) -> None:
    tx, address = sending(Uneven(), GrZmqSink(address="tcp://127.0.0.1:*", pattern="req/rep", linger_s=0.0))
    context = zmq.Context()
    asker = context.socket(zmq.REQ)
    asker.rcvtimeo = int(WAIT_S * 1000)
    asker.connect(address)
    asker.send(request_bytes)
    answer = asker.recv()
    asked = struct.unpack("=I", request_bytes[:4])[0] if len(request_bytes) >= 4 else None
    items = (len(answer) - decode_header(answer).size) // 8
    assert items == asked if asked is not None else items > 0
    context.destroy(linger=0)
    tx.abort()
    tx.wait(WAIT_S)


def test_a_requester_asks_again_after_its_partner_was_replaced() -> None:
    context = zmq.Context()
    first = context.socket(zmq.REP)
    port = first.bind_to_random_port("tcp://127.0.0.1")
    first.rcvtimeo = int(WAIT_S * 1000)
    address = f"tcp://127.0.0.1:{port}"
    rx, sink = receiving(GrZmqSource(address=address, pattern="req/rep", count=20, idle_timeout_s=WAIT_S))
    first.recv()
    first.close(0)  # asked, and gone without an answer
    second = context.socket(zmq.REP)
    second.rcvtimeo = int(WAIT_S * 1000)
    until = time.monotonic() + WAIT_S
    while True:
        try:
            second.bind(address)
            break
        except zmq.ZMQError:
            assert time.monotonic() < until
            time.sleep(0.05)
    at = 0
    while at < 20:
        (asked,) = struct.unpack("=I", second.recv())
        items = DATA[at : at + min(asked, 12)]
        second.send(encode_header(at) + items.tobytes())
        at += len(items)
    rx.wait(WAIT_S)
    context.destroy(linger=0)
    assert np.array_equal(sink.data, DATA[:20])


def test_what_was_not_taken_at_the_end_is_said() -> None:
    context = zmq.Context()
    taker = context.socket(zmq.PULL)
    taker.rcvhwm = taker.rcvbuf = 1
    sink = GrZmqSink(address="tcp://127.0.0.1:*", linger_s=0.1, hwm=64)
    ctx = Context("sink", 0, {"items": Stream(np.complex64)}, {}, 8192)
    sink.start(ctx)
    taker.connect(ctx.facts["address"])
    big = np.zeros(MESSAGE_BYTES // 8, np.complex64)
    for number in range(30):
        list(sink.work([Packet(big, number * len(big))]))
    sink.finish()
    sink.stop()
    context.destroy(linger=0)
    assert ctx.warnings == ["the other side had not taken all after 0.1 s; the rest is lost"]
