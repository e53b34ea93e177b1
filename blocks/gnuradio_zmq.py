"""GNU Radio on the other side of ZeroMQ: streams and PDUs, both ways, with gr-zeromq's own blocks as peers.

Their names there: ``push_sink`` and ``pull_source``, ``pub_sink`` and ``sub_source``, ``rep_sink`` and ``req_source``,
and the same with ``_msg`` for PDUs. Sinks bind and sources connect there by default, and here.
"""

import struct
import time
from collections import deque
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import numpy as np

from semwave.runtime import (
    ANY,
    BatchBlock,
    ConnectError,
    Context,
    Frames,
    In,
    Out,
    Packet,
    Param,
    Source,
    Stream,
)
from semwave.wire.gr_messages import Pile, StreamReader, read_pdu, stream_message, write_pdu
from semwave.wire.pmt import UNIFORM_DTYPES
from semwave.wire.zmq_sockets import Receiver, Sender, check_address

Pattern = Literal["push/pull", "pub/sub", "req/rep"]
ADDRESS = Param("where, such as tcp://127.0.0.1:5555 or ipc:///run/name; sinks may bind port * (any free one)")
BIND = Param("whether this side binds and the other connects")
HWM = Param("messages queued on this side; none: ZeroMQ's 1000", unit="messages", low=1)
REMOTE = Param("whether other machines may be talked to: there is no encryption and no password")
KEY = Param("PUB/SUB only: sent before every message, and chosen by, as a prefix")
MESSAGE_BYTES = 1 << 19  # of items in one message when more is waiting; larger ones gain nothing
REQUEST_ITEMS = 1 << 16


def _check_dtype(dtype: str) -> None:
    try:
        known = np.dtype(dtype)
    except TypeError:
        known = np.dtype(object)
    if known.hasobject or not known.itemsize:
        raise ValueError(f"dtype must be a numpy dtype such as complex64 or uint8, not {dtype!r}")


class _ZmqSource(Source):
    """What the sources share: waiting, and ending."""

    heavy = True
    address: Annotated[str, ADDRESS] = "tcp://127.0.0.1:5555"
    pattern: Annotated[Pattern, Param("push/pull, pub/sub or req/rep")] = "push/pull"
    bind: Annotated[bool, BIND] = False
    dtype: Annotated[str, Param("numpy dtype of the items")] = "complex64"
    count: Annotated[int | None, Param("end after so many items (PDUs); none: no end", low=0)] = None
    idle_timeout_s: Annotated[float | None, Param("end after this much silence; none: never", unit="s", low=0)] = None
    hwm: Annotated[int | None, HWM] = None
    allow_remote: Annotated[bool, REMOTE] = False

    def check(self) -> None:
        """Address, dtype."""
        check_address(self.address, bind=self.bind, allow_remote=self.allow_remote)
        _check_dtype(self.dtype)

    def start(self, ctx: Context) -> None:
        """Open the socket; raises UserError when that is impossible."""
        self._ctx, self._got = ctx, 0
        self._socket: Receiver | None = Receiver(
            self.pattern, self.address, bind=self.bind, hwm=self.hwm, stopping=lambda: ctx.stopping, key=self._key()
        )
        ctx.facts["address"] = self._socket.address
        if self.count is not None:
            self._socket.ahead = 1  # what is asked for beyond the end would be lost

    def _key(self) -> bytes:
        return b""

    def _left(self) -> int | None:
        return None if self.count is None else self.count - self._got

    def _messages(self, asking_items: int) -> Iterator[list[Any] | None]:
        """Messages as they come; None now and then while there is silence."""
        socket, heard = self._socket, time.monotonic()
        while socket is not None and not self._ctx.stopping and self._left() != 0:
            left = self._left()
            request = struct.pack("=I", asking_items if left is None else min(asking_items, left))
            message = socket.receive(request)
            if message is not None:
                yield message
                heard = time.monotonic()
                continue
            if self.idle_timeout_s is not None and time.monotonic() - heard >= self.idle_timeout_s:
                return
            yield None

    def progress(self) -> tuple[float, float] | None:
        """Items received, of how many."""
        return (self._got, self.count) if self.count is not None and hasattr(self, "_got") else None

    def stop(self) -> None:
        """Close the socket."""
        socket, self._socket = getattr(self, "_socket", None), None
        if socket is not None:
            socket.close(0)


class GrZmqSource(_ZmqSource):
    """Give the stream that a GNU Radio ZeroMQ sink (or :class:`GrZmqSink`) sends, with its tags.

    With ``tags`` (``pass_tags`` there) items lost on PUB/SUB are counted and marked with a ``lost`` tag. A stream has no
    end on the wire: ``count`` or ``idle_timeout_s`` end it.
    """

    tags: Annotated[bool, Param("whether the other side sends tags (pass_tags)")] = True
    vlen: Annotated[int, Param("items in one vector", low=1)] = 1
    key: Annotated[str, KEY] = ""
    sample_rate: Annotated[float | None, Param("rate of the stream, which the wire does not tell", unit="Hz")] = None
    translate: Annotated[bool, Param("rx_rate, rx_freq, rx_time as sample_rate, frequency, datetime")] = True

    items = Out(Stream(None))

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


class GrPduSource(_ZmqSource):
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


class _ZmqSink(BatchBlock):
    """What the sinks share: waiting for the other side, and saying what it did not take."""

    max_batch: Annotated[int, Param("most packets in one call", unit="packets", low=1)] = 64
    address: Annotated[str, ADDRESS] = "tcp://127.0.0.1:5555"
    pattern: Annotated[Pattern, Param("push/pull, pub/sub or req/rep")] = "push/pull"
    bind: Annotated[bool, BIND] = True
    full: Annotated[Literal["wait", "drop"], Param("when the other side is slower: wait, or drop and count")] = "wait"
    subscribers: Annotated[int, Param("PUB only: wait for so many before the first item", low=0)] = 1
    timeout_s: Annotated[float | None, Param("fail when nobody takes anything for so long", unit="s", low=0)] = None
    linger_s: Annotated[float, Param("longest wait at the end for what is on its way", unit="s", low=0)] = 5.0
    hwm: Annotated[int | None, HWM] = 64
    allow_remote: Annotated[bool, REMOTE] = False

    _what = "items"

    def check(self) -> None:
        """Address, and what does not go together."""
        check_address(self.address, bind=self.bind, allow_remote=self.allow_remote)
        if self.full == "drop" and self.pattern == "req/rep":
            raise ValueError("full must be 'wait' with req/rep: nothing is sent that was not asked for")

    def start(self, ctx: Context) -> None:
        """Open the socket; raises UserError when that is impossible."""
        self._ctx, self._met, self._ended = ctx, False, False
        self._requests: deque[tuple[list[bytes], int | None]] = deque()
        self._socket: Sender | None = Sender(
            self.pattern,
            self.address,
            bind=self.bind,
            hwm=self.hwm,
            stopping=lambda: ctx.stopping,
            key=self._key(),
            timeout_s=self.timeout_s,
        )
        ctx.facts["address"] = self._socket.address

    def _key(self) -> bytes:
        return b""

    def _meet(self, socket: Sender) -> None:
        """PUB sends to nobody without a word, so wait for the first subscriptions and count what nobody hears."""
        socket.begin()
        while not self._met and socket.subscriptions < self.subscribers and socket.patient():
            socket.hear_subscriptions(wait=True)
        self._met = True
        socket.hear_subscriptions()

    def _push(self, body: Any, count: int) -> None:
        """Send one message, or count what it carries as dropped."""
        socket = self._socket
        assert socket is not None
        if self.pattern == "pub/sub" and not socket.subscriptions:
            self._ctx.count(f"unheard {self._what}", count)
        elif not socket.send(body, wait=self.full == "wait"):
            self._ctx.count(f"dropped {self._what}", count)

    def _request(self, socket: Sender) -> tuple[list[bytes], int | None] | None:
        """The next request; None when the run ends before there is one."""
        while socket.patient():
            request = socket.next_request()
            if request is not None:
                return request
        return None

    def finish(self) -> tuple[()]:
        """The input has ended: what was sent has ``linger_s`` to arrive."""
        self._ended = True
        return ()

    def stop(self) -> None:
        """Close the socket; after a stop or an error without much waiting."""
        socket, self._socket = getattr(self, "_socket", None), None
        if socket is None:
            return
        linger_s = self.linger_s if self._ended and not self._ctx.stopping else min(self.linger_s, 0.2)
        if not socket.close(linger_s):
            self._ctx.warn(f"the other side had not taken all after {linger_s:g} s; the rest is lost")


class GrZmqSink(_ZmqSink):
    """Send a stream to a GNU Radio ZeroMQ source (or :class:`GrZmqSource`), with its tags.

    A packet is sent at once; those that wait while one is sent go together. ``pass_tags`` there must be what ``tags`` is
    here. Loses nothing by default: when the other side is slower, this one waits.
    """

    tags: Annotated[bool, Param("send tags (pass_tags)")] = True
    key: Annotated[str, KEY] = ""
    translate: Annotated[bool, Param("sample_rate, frequency, datetime as rx_rate, rx_freq, rx_time")] = True

    items = In(Stream(None))

    def check(self) -> None:
        """A key is for PUB."""
        super().check()
        if self.key and self.pattern != "pub/sub":
            raise ValueError(f"key must be empty with {self.pattern}: only pub/sub has one")

    def _key(self) -> bytes:
        return self.key.encode()

    def work(self, batch: list[Packet]) -> Iterator[Any]:
        """``packets ->`` messages of up to half a MiB, or of what was asked for."""
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
        return stream_message(message, tags=self.tags, translate=self.translate, notes=self._ctx)

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


class GrPduSink(_ZmqSink):
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
