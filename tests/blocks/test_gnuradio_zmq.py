"""Our own ends of a ZeroMQ link against each other and against plain sockets: every pattern, setting and mishap."""

import struct
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import zmq

from semwave.blocks.basic import Add, Head, NullSource, VectorSink
from semwave.blocks.gnuradio_zmq import MESSAGE_BYTES, GrPduSink, GrPduSource, GrZmqSink, GrZmqSource
from semwave.runtime import (
    BlockError,
    ConnectError,
    Context,
    Flowgraph,
    FrameBlock,
    Frames,
    In,
    Out,
    Packet,
    ParameterError,
    Result,
    Run,
    Source,
    Stream,
    Tag,
)
from semwave.wire.gr_messages import StreamReader
from semwave.wire.gr_stream import decode_header, encode_header

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


@pytest.fixture
def plain() -> Iterator[Any]:
    """A maker of plain sockets on a free port: ``socket, address = plain(zmq.PUSH)``."""
    context = zmq.Context()

    def make(kind: int) -> tuple[Any, str]:
        socket = context.socket(kind)
        socket.rcvtimeo = socket.sndtimeo = int(WAIT_S * 1000)
        return socket, f"tcp://127.0.0.1:{socket.bind_to_random_port('tcp://127.0.0.1')}"

    yield make
    context.destroy(linger=0)


# ---- what goes in comes out ----------------------------------------------------------------------------------


@pytest.mark.parametrize("sink_binds", [True, False])
@pytest.mark.parametrize("tags", [True, False])
@pytest.mark.parametrize(("pattern", "key"), WAYS)
def test_a_stream_arrives_whole(pattern: str, key: str, tags: bool, sink_binds: bool) -> None:
    same = {"pattern": pattern, "key": key, "tags": tags}
    free = "tcp://127.0.0.1:*"
    if sink_binds:
        tx, address = sending(Uneven(), GrZmqSink(address=free, **same))
        rx, sink = receiving(GrZmqSource(address=address, count=COUNT, **same))
    else:
        rx, sink = receiving(GrZmqSource(address=free, bind=True, count=COUNT, **same))
        address = rx.result()["source"].facts["address"]
        tx, _ = sending(Uneven(), GrZmqSink(address=address, bind=False, **same))
    received, sent = rx.wait(WAIT_S), tx.wait(WAIT_S)
    assert np.array_equal(sink.data, DATA)
    assert all(t.at == t.value for t in tags_of(sink))
    assert {t.key for t in tags_of(sink)} == ({"first", "last"} if tags else set())
    for result in (received, sent):
        assert all(not block.counts for block in result.blocks)
        assert result.warnings == []


@pytest.mark.parametrize("pattern", ["push/pull", "req/rep"])
def test_vectors_arrive_as_vectors(pattern: str) -> None:
    tx, address = sending(Uneven(vlen=8), GrZmqSink(address="tcp://127.0.0.1:*", pattern=pattern))
    rx, sink = receiving(GrZmqSource(address=address, pattern=pattern, vlen=8, count=COUNT // 8))
    rx.wait(WAIT_S), tx.wait(WAIT_S)
    assert np.array_equal(sink.data, DATA.reshape(-1, 8))


@pytest.mark.parametrize("pattern", ["push/pull", "pub/sub", "req/rep"])
def test_pdus_arrive_whole(pattern: str) -> None:
    tx, address = sending(Pdus(), GrPduSink(address="tcp://127.0.0.1:*", pattern=pattern))
    rx, sink = receiving(GrPduSource(address=address, pattern=pattern, dtype="int16", count=40))
    received, _ = rx.wait(WAIT_S), tx.wait(WAIT_S)
    assert [(p.meta["n"], p.data.tolist()) for p in sink.packets] == [(n, [n] * n) for n in range(40)]
    assert received["source"].counts == {}


def test_over_a_unix_socket(tmp_path: Any) -> None:
    address = f"ipc://{tmp_path}/link"
    tx, _ = sending(Uneven(), GrZmqSink(address=address))
    rx, sink = receiving(GrZmqSource(address=address, count=COUNT))
    rx.wait(WAIT_S), tx.wait(WAIT_S)
    assert np.array_equal(sink.data, DATA)


def test_frequency_rate_and_time_have_gnuradios_names_on_the_wire(plain: Any) -> None:
    socket, address = plain(zmq.PULL)
    for translate, names in ((True, ["rx_freq", "label"]), (False, ["frequency", "label"])):
        sink = GrZmqSink(address=address, bind=False, translate=translate)
        with_context(sink, Packet(DATA[:5], 0, (Tag(0, "frequency", 1e9), Tag(4, "label", "x"))))
        assert [t.key for t in decode_header(socket.recv()).tags] == names


def with_context(sink: Any, *packets: Packet) -> Context:
    """One call of a sink's ``work`` and its end."""
    ctx = Context("sink", 0, {"items": Stream(packets[0].data.dtype)}, {}, 8192)
    sink.start(ctx)
    list(sink.work(list(packets)))
    sink.finish()
    sink.stop()
    return ctx


def test_packets_that_wait_go_together_and_long_ones_are_cut(plain: Any) -> None:
    socket, address = plain(zmq.PULL)
    short = [Packet(DATA[i * 100 : i * 100 + 100], i * 100) for i in range(8)]
    with_context(GrZmqSink(address=address, bind=False), *short)
    body = socket.recv()
    assert np.array_equal(np.frombuffer(body[19:], np.complex64), DATA[:800])
    long = np.arange(3 * MESSAGE_BYTES // 16 + 1).astype(np.complex64)
    with_context(GrZmqSink(address=address, bind=False, tags=False), Packet(long))
    bodies = [socket.recv(), socket.recv()]
    assert len(bodies[0]) == MESSAGE_BYTES
    assert np.array_equal(np.frombuffer(b"".join(bodies), np.complex64), long)


def test_a_key_is_a_prefix(plain: Any) -> None:
    socket, address = plain(zmq.XPUB)
    rx, sink = receiving(GrZmqSource(address=address, pattern="pub/sub", key="ch1", count=20))
    assert socket.recv() == b"\x01ch1"
    for at, key in ((0, b"ch1"), (10, b"ch2"), (10, b"ch10")):
        socket.send_multipart([key, encode_header(at) + DATA[at : at + 10].tobytes()])
    rx.wait(WAIT_S)
    assert np.array_equal(sink.data, DATA[:20])


# ---- what is slow, late or gone ------------------------------------------------------------------------------


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


def test_damaged_messages_do_not_end_a_stream(plain: Any) -> None:
    socket, address = plain(zmq.PUSH)
    rx, sink = receiving(GrZmqSource(address=address, count=20))
    rng = np.random.default_rng(1)
    socket.send(encode_header(0) + DATA[:10].tobytes())
    for size in range(50):
        socket.send(b"\xf0\x5f\x01" + rng.bytes(size))
    socket.send_multipart([b"a", b"b", b"c"])
    socket.send(encode_header(10) + DATA[10:20].tobytes())
    result: Result = rx.wait(WAIT_S)
    assert np.array_equal(sink.data, DATA[:20])
    assert result["source"].counts == {"unreadable messages": 51}


# ---- what is refused -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("cls", [GrZmqSource, GrZmqSink, GrPduSource, GrPduSink])
@pytest.mark.parametrize("address", ["tcp://*:5555", "tcp://0.0.0.0:5555", "tcp://eth0:5555", "tcp://[::]:5555"])
def test_others_are_let_in_only_when_asked_for(cls: Any, address: str) -> None:
    with pytest.raises(ParameterError, match="lets other machines in: set allow_remote to true if that is meant"):
        cls(address=address, bind=True)
    cls(address=address, bind=True, allow_remote=True)


def test_others_are_talked_to_only_when_asked_for() -> None:
    with pytest.raises(ParameterError, match="is another machine: set allow_remote"):
        GrZmqSource(address="tcp://192.0.2.1:5555")
    for address in ("tcp://127.0.0.1:1", "tcp://127.9.9.9:1", "tcp://localhost:1", "tcp://[::1]:1", "ipc:///run/x"):
        GrZmqSource(address=address)


@pytest.mark.parametrize(
    "address",
    ["", "5555", "127.0.0.1:5555", "udp://127.0.0.1:5", "tcp://127.0.0.1", "tcp://127.0.0.1:99999", "tcp://:5",
     "ipc://", "tcp://127.0.0.1:*", "inproc://x", "tcp://127.0.0.1:-1", "tcp://127.0.0.1:٣"],
)  # fmt: skip
def test_odd_addresses(address: str) -> None:
    with pytest.raises(ParameterError, match=r"address must be like tcp://127\.0\.0\.1:5555"):
        GrZmqSource(address=address, allow_remote=True)


@pytest.mark.parametrize(
    ("cls", "settings", "message"),
    [
        (GrZmqSource, {"dtype": "nonsense"}, "dtype must be a numpy dtype"),
        (GrZmqSource, {"dtype": "object"}, "dtype must be a numpy dtype"),
        (GrZmqSource, {"pattern": "pair"}, "pattern must be 'push/pull', 'pub/sub' or 'req/rep'"),
        (GrZmqSource, {"key": "x"}, "key must be empty with push/pull"),
        (GrZmqSource, {"vlen": 0}, "vlen must be at least 1"),
        (GrZmqSink, {"key": "x", "pattern": "req/rep"}, "key must be empty with req/rep"),
        (GrZmqSink, {"full": "drop", "pattern": "req/rep"}, "full must be 'wait' with req/rep"),
    ],
)
def test_settings_that_do_not_go_together(cls: Any, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        cls(**settings)


def test_pdus_of_types_that_pmts_lack_are_refused() -> None:
    class Bools(Source):
        """Frames of bool."""

        pdus = Out(Frames(np.bool_, ("item",)))

        def packets(self) -> Iterator[Packet]:
            return iter(())

    with pytest.raises(ConnectError, match=r"pdus must be frames \[item\] of integers"):
        Run(Flowgraph().add(a=Bools(), k=GrPduSink(address="tcp://127.0.0.1:*")).connect("a > k"))


def test_a_port_that_is_taken_is_named(plain: Any) -> None:
    _, address = plain(zmq.PUSH)
    graph = Flowgraph().add(a=Uneven(), k=GrZmqSink(address=address)).connect("a > k")
    with pytest.raises(BlockError, match=f"in k .*cannot bind {address}: Address already in use"):
        graph.run(timeout_s=WAIT_S)
