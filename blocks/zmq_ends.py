"""What blocks that end in a ZeroMQ socket share: addresses, waiting for the other side, stopping."""

import struct
import time
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import numpy as np

from semwave.runtime import BatchBlock, Context, Packet, Param, Source
from semwave.wire.slabs import SMALL
from semwave.wire.zmq_sockets import Receiver, Sender, check_address

Pattern = Literal["push/pull", "pub/sub", "req/rep"]
ADDRESS = Param("where, such as tcp://127.0.0.1:5555 or ipc:///run/name; sinks may bind port * (any free one)")
BIND = Param("whether this side binds and the other connects")
# a few messages of up to a MiB stay in the processor's cache; a thousand of them would be a GiB of delay
HWM = Param("messages queued on this side; none: ZeroMQ's 1000", unit="messages", low=1)
REMOTE = Param("whether other machines may be talked to: there is no encryption and no password")
KEY = Param("PUB/SUB only: sent before every message, and chosen by, as a prefix")


def _check_dtype(dtype: str) -> None:
    try:
        known = np.dtype(dtype)
    except TypeError:
        known = np.dtype(object)
    if known.hasobject or not known.itemsize:
        raise ValueError(f"dtype must be a numpy dtype such as complex64 or uint8, not {dtype!r}")


class ZmqSource(Source):
    """What the sources share: waiting, and ending."""

    heavy = True
    address: Annotated[str, ADDRESS] = "tcp://127.0.0.1:5555"
    pattern: Annotated[Pattern, Param("push/pull, pub/sub or req/rep")] = "push/pull"
    bind: Annotated[bool, BIND] = False
    dtype: Annotated[str, Param("numpy dtype of the items")] = "complex64"
    count: Annotated[int | None, Param("end after so many items (PDUs); none: no end", low=0)] = None
    idle_timeout_s: Annotated[float | None, Param("end after this much silence; none: never", unit="s", low=0)] = None
    hwm: Annotated[int | None, HWM] = 16
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


class ZmqSink(BatchBlock):
    """What the sinks share: waiting for the other side, and saying what it did not take."""

    max_batch: Annotated[int, Param("most packets in one call", unit="packets", low=1)] = 64
    address: Annotated[str, ADDRESS] = "tcp://127.0.0.1:5555"
    pattern: Annotated[Pattern, Param("push/pull, pub/sub or req/rep")] = "push/pull"
    bind: Annotated[bool, BIND] = True
    full: Annotated[Literal["wait", "drop"], Param("when the other side is slower: wait, or drop and count")] = "wait"
    subscribers: Annotated[int, Param("PUB only: wait for so many before the first item", low=0)] = 1
    timeout_s: Annotated[float | None, Param("fail when nobody takes anything for so long", unit="s", low=0)] = None
    linger_s: Annotated[float, Param("longest wait at the end for what is on its way", unit="s", low=0)] = 5.0
    hwm: Annotated[int | None, HWM] = 8
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

    def at_once(self, packet: Packet) -> bool:
        """Small packets, unless the other side is late: those had better wait and go together."""
        if packet.data.nbytes >= SMALL or self.pattern == "req/rep" or self._socket is None:
            return False
        return self._socket.has_room() and (self._met or self.pattern != "pub/sub")

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
