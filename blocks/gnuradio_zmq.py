"""GNU Radio on the other side of ZeroMQ: streams and PDUs, both ways, with gr-zeromq's own blocks as peers.

Their names there: ``push_sink`` and ``pull_source``, ``pub_sink`` and ``sub_source``, ``rep_sink`` and ``req_source``,
and the same with ``_msg`` for PDUs. Sinks bind and sources connect there by default, and here.
"""

from collections.abc import Iterator
from typing import Annotated, Any

import numpy as np

from semwave.blocks.zmq_ends import KEY, ZmqSink, ZmqSource
from semwave.runtime import ANY, ConnectError, Context, Frames, In, Out, Packet, Param, Stream
from semwave.wire.gr_messages import (
    MESSAGE_BYTES,
    SLAB_BYTES,
    SLABS,
    Pile,
    StreamReader,
    read_pdu,
    stream_message,
    write_pdu,
)
from semwave.wire.pmt import UNIFORM_DTYPES
from semwave.wire.slabs import Slabs
from semwave.wire.zmq_sockets import Sender

REQUEST_ITEMS = 1 << 16


def _check_key(key: str, pattern: str) -> None:
    if key and pattern != "pub/sub":
        raise ValueError(f"key must be empty with {pattern}: only pub/sub has one")


class GrZmqSource(ZmqSource):
    """Give the stream that a GNU Radio ZeroMQ sink (or :class:`GrZmqSink`) sends, with its tags.

    With ``tags`` (``pass_tags`` there) items lost on PUB/SUB are counted and marked with a ``lost`` tag. A stream
    has no end on the wire: ``count`` or ``idle_timeout_s`` end it.
    """

    tags: Annotated[bool, Param("whether the other side sends tags (pass_tags)")] = True
    vlen: Annotated[int, Param("items in one vector", low=1)] = 1
    key: Annotated[str, KEY] = ""
    sample_rate: Annotated[float | None, Param("rate of the stream, which the wire does not tell", unit="Hz")] = None
    translate: Annotated[bool, Param("rx_rate, rx_freq, rx_time as sample_rate, frequency, datetime")] = True

    items = Out(Stream(None))

    def check(self) -> None:
        """A key is for SUB."""
        super().check()
        _check_key(self.key, self.pattern)

    def negotiate(self, inputs: Any) -> dict[str, Any]:
        """A stream of ``dtype``."""
        item = (self.vlen,) if self.vlen > 1 else ()
        return {"items": Stream(np.dtype(self.dtype), item, self.sample_rate)}

    def _key(self) -> bytes:
        return self.key.encode()

    def packets(self) -> Iterator[Packet]:
        """One for each message; empty ones in silence, so that others in this thread get their turn."""
        reader = StreamReader(
            self.dtype,
            self.vlen,
            tags=self.tags,
            keyed=bool(self.key),
            sequence=self.pattern == "pub/sub",
            translate=self.translate,
            notes=self._ctx,
        )
        shape = (0, self.vlen) if self.vlen > 1 else (0,)
        nothing = Packet(np.empty(shape, self.dtype))
        for message in self._messages(REQUEST_ITEMS):
            packet = None if message is None else reader.push(message)
            packet = nothing if packet is None else self._first(packet)
            self._got += len(packet.data)
            yield packet

    def _first(self, packet: Packet) -> Packet:
        """What ``count`` leaves of a packet."""
        left = self._left()
        if left is None or left >= len(packet.data):
            return packet
        end = packet.start + left
        return Packet(packet.data[:left], packet.start, tuple(t for t in packet.tags if t.at < end))


class GrPduSource(ZmqSource):
    """Give the PDUs that a GNU Radio ZeroMQ message sink (or :class:`GrPduSink`) sends; metadata become ``meta``."""

    dtype: Annotated[str, Param("numpy dtype of the PDUs' vectors; others are skipped and counted")] = "uint8"

    pdus = Out(Frames(None, ("item",)))

    def negotiate(self, inputs: Any) -> dict[str, Any]:
        """Frames of ``dtype``."""
        return {"pdus": Frames(np.dtype(self.dtype), ("item",))}

    def packets(self) -> Iterator[Packet]:
        """One for each PDU."""
        for message in self._messages(1):
            packet = None if message is None else read_pdu(message, self.dtype, self._ctx)
            if packet is not None:
                self._got += 1
                yield packet


class GrZmqSink(ZmqSink):
    """Send a stream to a GNU Radio ZeroMQ source (or :class:`GrZmqSource`), with its tags.

    A packet is sent at once; those that wait while one is sent go together. ``pass_tags`` there must be what ``tags``
    is here. Loses nothing by default: when the other side is slower, this one waits.
    """

    tags: Annotated[bool, Param("send tags (pass_tags)")] = True
    key: Annotated[str, KEY] = ""
    translate: Annotated[bool, Param("sample_rate, frequency, datetime as rx_rate, rx_freq, rx_time")] = True

    items = In(Stream(None))

    def check(self) -> None:
        """A key is for PUB."""
        super().check()
        _check_key(self.key, self.pattern)

    def start(self, ctx: Context) -> None:
        """Open the socket; raises UserError when that is impossible."""
        super().start(ctx)
        self._slabs = Slabs(SLAB_BYTES, SLABS)

    def stop(self) -> None:
        """Close the socket and let go of the memory."""
        super().stop()
        self._slabs = Slabs(SLAB_BYTES, SLABS)

    def _key(self) -> bytes:
        return self.key.encode()

    def work(self, batch: list[Packet]) -> Iterator[Any]:
        """``packets ->`` messages of up to a MiB, or of what was asked for."""
        pile, socket = Pile(batch), self._socket
        assert socket is not None
        first = batch[0].data
        most = max(1, MESSAGE_BYTES // max(1, first.itemsize * first[0].size))
        if self.pattern == "req/rep":
            self._answer(pile, socket, most)
            return iter(())
        if self.pattern == "pub/sub":
            self._meet(socket)
        socket.begin()
        while pile.left:
            message = pile.take(most)
            self._push(self._body(message), message.items)
        return iter(())

    def _body(self, message: Any) -> Any:
        return stream_message(message, tags=self.tags, translate=self.translate, notes=self._ctx, slabs=self._slabs)

    def _answer(self, pile: Pile, socket: Sender, most: int) -> None:
        """REP: each request gets what it asks for, as far as it is there; who is gone gets nothing."""
        body = items = None
        socket.begin()
        while pile.left or body is not None:
            request = self._request(socket)
            if request is None:
                self._ctx.count("dropped items", pile.left + (items or 0))
                return
            if body is None:
                message = pile.take(most if request[1] is None else min(most, request[1]))
                body, items = self._body(message), message.items
            if socket.answer(request[0], body):
                body = items = None


class GrPduSink(ZmqSink):
    """Send frames as PDUs to a GNU Radio ZeroMQ message source (or :class:`GrPduSource`); ``meta`` become metadata."""

    pdus = In(ANY)
    _what = "PDUs"

    def negotiate(self, inputs: Any) -> dict[str, Any]:
        """Frames [item] of a type that PMTs have; raises ConnectError for others."""
        spec = inputs["pdus"]
        if not isinstance(spec, Frames) or len(spec.shape) != 1 or spec.dtype not in (None, *UNIFORM_DTYPES):
            raise ConnectError(f"pdus must be frames [item] of integers, float32/64 or complex64/128, not {spec}")
        return {}

    def work(self, batch: list[Packet]) -> Iterator[Any]:
        """``packets ->`` a message each."""
        socket = self._socket
        assert socket is not None
        if self.pattern == "pub/sub":
            self._meet(socket)
        socket.begin()
        for packet in batch:
            body = write_pdu(packet, self._ctx)
            if self.pattern != "req/rep":
                self._push(body, 1)
                continue
            while (request := self._request(socket)) is not None and not socket.answer(request[0], body):
                pass
            if request is None:
                self._ctx.count("dropped PDUs")
        return iter(())
