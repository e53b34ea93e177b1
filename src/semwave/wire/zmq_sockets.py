"""ZeroMQ sockets that wait without a busy loop, hear when to stop, and never outlive their thread.

REQ and REP are spoken by DEALER and ROUTER: the same bytes, but a peer that dies in the middle blocks nobody, several
requests may be on their way, and an answer that nobody can take is not thrown away.
"""

import ipaddress
import struct
import time
from collections.abc import Callable, Sequence
from typing import Any

import zmq

from semwave.runtime.errors import UserError

PATTERNS = ("push/pull", "pub/sub", "req/rep")
SLICE_MS = 50  # longest wait between two looks at whether the run is ending
GRACE_S = 0.1  # how long a run that is ending waits for a peer to take what is on its way
TIMER_S = 0.003  # libzmq counts in whole milliseconds: its waits may end that much early
ASK_AGAIN_S = 1.0  # silence after which a request is repeated: the peer may have been replaced
LARGEST_MESSAGE = 1 << 28  # bytes; a peer that announces more is disconnected before memory is taken
KERNEL_BUFFER = 1 << 18  # bytes a side; what waits in larger ones has left the processor's cache when it is read


def check_address(address: str, *, bind: bool, allow_remote: bool) -> None:
    """Raises ValueError for an address that cannot be meant, or that others can reach and nobody said they may."""
    scheme, _, rest = address.partition("://")
    if scheme == "ipc" and rest:
        return
    host, _, port = rest.rpartition(":")
    if scheme != "tcp" or not host or not _is_port(port, bind):
        example = "tcp://127.0.0.1:5555 or ipc:///run/name"
        raise ValueError(f"address must be like {example}, not {address!r}")
    if not (allow_remote or _is_loopback(host)):
        reach = "lets other machines in" if bind else "is another machine"
        raise ValueError(f"address {address!r} {reach}: set allow_remote to true if that is meant")


def _is_port(port: str, bind: bool) -> bool:
    return (port.isascii() and port.isdecimal() and len(port) < 6 and int(port) < 1 << 16) or (bind and port == "*")


def _is_loopback(host: str) -> bool:
    host = host.strip("[]")
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _End:
    """One socket in a context of its own."""

    kinds: dict[str, int] = {}

    def __init__(self, pattern: str, address: str, *, bind: bool, hwm: int | None, stopping: Callable[[], bool]):
        self.pattern, self.stopping = pattern, stopping
        self.context = zmq.Context()
        try:
            self.socket = self.context.socket(self.kinds[pattern])
            self.socket.linger = 0
            self.socket.sndtimeo = self.socket.rcvtimeo = SLICE_MS
            self.socket.sndbuf = self.socket.rcvbuf = KERNEL_BUFFER
            self.socket.maxmsgsize = LARGEST_MESSAGE
            self.socket.ipv6 = "[" in address
            if hwm is not None:
                self.socket.set_hwm(hwm)
            self.prepare()
            (self.socket.bind if bind else self.socket.connect)(address)
        except zmq.ZMQError as error:
            self.close(0)
            raise UserError(f"cannot {'bind' if bind else 'connect to'} {address}: {error.strerror}") from error
        endpoint = self.socket.getsockopt(zmq.LAST_ENDPOINT)
        self.address = endpoint.rstrip(b"\0").decode() if isinstance(endpoint, bytes) else address

    def prepare(self) -> None:
        """Options of the pattern, before the address is known."""

    def close(self, linger_s: float) -> bool:
        """Close, waiting up to ``linger_s`` for what is not sent; whether all was."""
        begin = time.monotonic()
        self.context.destroy(linger=round(linger_s * 1000))
        return linger_s == 0 or time.monotonic() - begin < linger_s - TIMER_S


class Receiver(_End):
    """The receiving side: SUB, PULL or REQ."""

    kinds = {"pub/sub": zmq.SUB, "push/pull": zmq.PULL, "req/rep": zmq.DEALER}

    def __init__(
        self, pattern: str, address: str, *, bind: bool, hwm: int | None, stopping: Callable[[], bool], key: bytes = b""
    ):
        self.key, self.ahead = key, 4  # requests on their way
        self._asked, self._heard = 0, time.monotonic()
        super().__init__(pattern, address, bind=bind, hwm=hwm, stopping=stopping)

    def prepare(self) -> None:
        if self.pattern == "pub/sub":
            self.socket.subscribe(self.key)

    def receive(self, request: bytes = b"") -> list[Any] | None:
        """The parts of the next message, as soon as it is there; None when a short wait brought none.

        ``request`` is what REQ asks with.
        """
        if self.pattern == "req/rep":
            self._ask(request)
        try:
            frame = self.socket.recv(copy=False)
            frames: list[Any] = [frame.buffer]
            while frame.more:
                frame = self.socket.recv(copy=False)
                frames.append(frame.buffer)
        except zmq.Again:
            return None
        if self.pattern != "req/rep":
            return frames
        self._asked, self._heard = max(0, self._asked - 1), time.monotonic()
        return frames[1:] if len(frames) > 1 and not len(frames[0]) else frames

    def _ask(self, request: bytes) -> None:
        now = time.monotonic()
        if now - self._heard > ASK_AGAIN_S:
            self._asked, self._heard = min(self._asked, self.ahead - 1), now
        while self._asked < self.ahead:
            try:
                self.socket.send_multipart([b"", request], zmq.DONTWAIT)
            except zmq.Again:
                return
            self._asked += 1


class Sender(_End):
    """The sending side: PUB, PUSH or REP. PUB never drops by itself: what does not fit is told to the caller."""

    kinds = {"pub/sub": zmq.XPUB, "push/pull": zmq.PUSH, "req/rep": zmq.ROUTER}

    def __init__(
        self, pattern: str, address: str, *, bind: bool, hwm: int | None, stopping: Callable[[], bool],
        key: bytes = b"", timeout_s: float | None = None,
    ):  # fmt: skip
        self.key, self.timeout_s, self.subscriptions = key, timeout_s, 0
        self._give_up: float | None = None
        self._moved = time.monotonic()
        super().__init__(pattern, address, bind=bind, hwm=hwm, stopping=stopping)

    def prepare(self) -> None:
        if self.pattern == "pub/sub":
            self.socket.setsockopt(zmq.XPUB_NODROP, 1)
            self.socket.setsockopt(zmq.XPUB_VERBOSER, 1)
        elif self.pattern == "req/rep":
            self.socket.setsockopt(zmq.ROUTER_MANDATORY, 1)

    def begin(self) -> None:
        """There is something to send from now on: ``timeout_s`` runs."""
        self._moved = time.monotonic()

    def patient(self) -> bool:
        """Whether there is time to wait: until the run is ending, then for a moment; raises UserError after
        ``timeout_s`` in which nobody took anything.
        """
        if not self.stopping():
            if self.timeout_s is not None and time.monotonic() - self._moved > self.timeout_s:
                raise UserError(f"nobody took anything at {self.address} for {self.timeout_s:g} s")
            return True
        if self._give_up is None:
            self._give_up = time.monotonic() + GRACE_S
        return time.monotonic() < self._give_up

    def has_room(self) -> bool:
        """Whether a message could be handed over without waiting."""
        events = self.socket.getsockopt(zmq.EVENTS)
        return isinstance(events, int) and bool(events & zmq.POLLOUT)

    def send(self, body: Any, *, wait: bool = True) -> bool:
        """Hand over one message; False when the other side did not take it (at once, or before the run's end)."""
        frames = [self.key, body] if self.key else [body]
        return self._send(frames, wait)

    def _send(self, frames: Sequence[Any], wait: bool) -> bool:
        while True:
            patient = wait and self.patient()
            try:
                self.socket.send_multipart(frames, 0 if patient else zmq.DONTWAIT, copy=False)
            except zmq.Again:
                if not patient:
                    return False
            else:
                self._moved = time.monotonic()
                return True

    def hear_subscriptions(self, wait: bool = False) -> None:
        """Take in who subscribed to what we send; ``wait``: a moment, if there is no news."""
        flags = 0 if wait else zmq.DONTWAIT
        try:
            while True:
                news = self.socket.recv(flags)
                if news[:1] in (b"\0", b"\1") and self.key.startswith(news[1:]):
                    self.subscriptions += 1 if news[0] else -1
                flags = zmq.DONTWAIT
        except zmq.Again:
            return

    def next_request(self) -> tuple[list[bytes], int | None] | None:
        """Who asks (to give to :meth:`answer`), for how many items (None: any number); None: nobody for a moment."""
        try:
            *envelope, body = self.socket.recv_multipart()
        except zmq.Again:
            return None
        return envelope, struct.unpack_from("=I", body)[0] if len(body) >= 4 else None

    def answer(self, envelope: list[bytes], body: Any) -> bool:
        """Whether who asked is still there and gets ``body``."""
        try:
            return self._send([*envelope, body], wait=True)
        except zmq.ZMQError as error:
            if error.errno == zmq.EHOSTUNREACH:
                return False
            raise
