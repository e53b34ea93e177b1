"""Our own ends of a ZeroMQ link against each other and against plain sockets: what goes in comes out."""

from typing import Any

import numpy as np
import pytest
import zmq
from zmq_streams import COUNT, DATA, WAIT_S, WAYS, Pdus, Uneven, receiving, sending, tags_of, with_context

from semwave.blocks.gnuradio_zmq import GrPduSink, GrPduSource, GrZmqSink, GrZmqSource
from semwave.runtime import (
    Packet,
    Result,
    Tag,
)
from semwave.wire.gr_messages import MESSAGE_BYTES
from semwave.wire.gr_stream import decode_header, encode_header


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
