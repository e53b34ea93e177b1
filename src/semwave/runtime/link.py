"""Links: the thread that carries packets between the parts of a run, over the sockets of ``sockets.py``.

One DEALER - ROUTER pair an edge: the sender connects, the receiver listens. The receiver's socket is a ROUTER, which
on the wire is the same as a DEALER, because a DEALER would deal its credits out in turn to everyone that is connected:
to a connection that is dead but not known to be, and to strangers. Sockets are opened, used and closed in this thread.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from semwave.runtime import sockets, wirecode
from semwave.runtime.ends import Refused, RemoteError
from semwave.runtime.errors import LinkError
from semwave.runtime.gossip import Gossip
from semwave.runtime.inlet import Inlet
from semwave.runtime.keys import LinkKeys
from semwave.runtime.outlet import Outlet
from semwave.runtime.room import Room
from semwave.runtime.tap import Tap
from semwave.runtime.wirecode import WireError

FAREWELL_S = 3.0  # how long a failed part tries to tell the others why
ZERO_COPY = 256 << 10  # bytes from which an array is not copied
AT_ONCE = 64  # messages of one socket before the others have their turn
BUSY_S, IDLE_S = 0.01, 0.1  # longest sleeps of the thread


@dataclass
class Line:
    """An end, its socket, and what was last told to the peer."""

    end: Outlet | Inlet
    keys: LinkKeys | None
    socket: Any = None
    told: dict[str, Any] = field(default_factory=dict)
    parted_at: float = 0.0


class Postman:
    """All links and taps of one part."""

    def __init__(self, room: Room, gossip: Gossip, stop: Callable[[], None], max_bytes: int) -> None:
        self.room, self.gossip, self.max_bytes = room, gossip, max_bytes
        self.lines: list[Line] = []
        self.taps: list[Tap] = []
        self.gone = threading.Event()
        self.quit = False  # all groups are over
        self.name = "semwave-links"
        self._stop = stop
        self._ear, self._bell = socket.socketpair()
        self._ear.setblocking(False)
        self._bell.setblocking(False)
        self._rung = self._active = False
        self._failed_at = 0.0
        room.wake = self.wake

    # ---- for any thread ------------------------------------------------------------------------------------

    def wake(self) -> None:
        """There is something to do."""
        if not self._rung:
            self._rung = True
            with contextlib.suppress(OSError):  # full: it is awake; closed: it is gone
                self._bell.send(b"!")

    def warnings(self) -> list[str]:
        """What the user should know."""
        ends = [line.end.end for line in self.lines]
        found = [f"{e.facts}: {e.strange} messages were not the peer's, or not sound" for e in ends if e.strange]
        lost = [f"probe {t.port}: {t.dropped} of {t.seen} packets dropped" for t in self.taps if t.dropped]
        odd = [f"probe {t.port}: {t.untold} packets cannot be published" for t in self.taps if t.untold]
        return found + lost + odd

    def start(self) -> threading.Thread:
        """Open the sockets and begin, in a thread of its own."""
        thread = threading.Thread(target=self._main, name=self.name, daemon=True)
        thread.start()
        return thread

    # ---- the thread ----------------------------------------------------------------------------------------

    def _main(self) -> None:
        context = None
        try:
            zmq = sockets.load()
            context = zmq.Context()
            self._loop(zmq, context)
        except BaseException as error:
            self.room.abort(error if isinstance(error, LinkError) else LinkError(f"links: {error!r}"))
        finally:
            if context is not None:
                opened = [line.socket for line in self.lines] + [tap.socket for tap in self.taps]
                for made in opened:
                    if made is not None:
                        made.close(sockets.LINGER_MS)
                context.term()
            self._ear.close()
            self._bell.close()
            self.gone.set()

    def _loop(self, zmq: Any, context: Any) -> None:
        guard = sockets.Guard(zmq, context, self.lines)
        try:
            poller = zmq.Poller()
            poller.register(self._ear.fileno(), zmq.POLLIN)
            if guard.socket is not None:
                poller.register(guard.socket, zmq.POLLIN)
            self._open(zmq, context, poller)
            last = time.monotonic()
            while not self._finished():
                now = time.monotonic()
                self._turn(zmq, now, now - last)
                last = now
                ready = dict(poller.poll(1000 * (BUSY_S if self._active else IDLE_S)))
                with contextlib.suppress(BlockingIOError):
                    self._ear.recv(64)
                self._rung = False  # after the reading: whoever rings from now on is heard by the next poll
                self._active = len(ready) > 0
                if guard.socket in ready:
                    guard.answer()
                for line in self.lines:
                    if line.socket in ready:
                        self._receive(zmq, line)
                    if isinstance(line.end, Inlet):
                        line.end.tell()
        finally:
            guard.close()

    def _open(self, zmq: Any, context: Any, poller: Any) -> None:
        begun, most = time.monotonic(), max(self.max_bytes, wirecode.HEADER_LIMIT)
        for number, line in enumerate(self.lines):
            line.end.end.heard_at = begun
            line.socket = sockets.open_line(zmq, context, line, number, most)
            poller.register(line.socket, zmq.POLLIN)
        for tap in self.taps:
            tap.socket = sockets.open_tap(zmq, context, tap)

    def _finished(self) -> bool:
        return all(line.end.end.over for line in self.lines) and (self.quit or self.room.aborted)

    def _turn(self, zmq: Any, now: float, since_s: float) -> None:
        """Say what is to be said on every line."""
        asleep = since_s - IDLE_S  # this process was stopped, or did not get its turn: not the peers' silence
        state = self._news(now)
        for line in self.lines:
            end = line.end.end
            if asleep > end.facts.beat_s:
                end.heard_at += asleep
            if end.over:
                continue
            if self.room.aborted:
                self._part(zmq, line, now)
                continue
            try:
                end.check_silence(now)
            except LinkError as error:
                self._lose(line, error)
                continue
            fresh = any(line.told.get(key) != value for key, value in state.items())
            self._say(zmq, line, line.end.due(now, state, fresh))
            line.told.update(state)
        for tap in self.taps:
            tap.publish(zmq)

    def _news(self, now: float) -> dict[str, Any]:
        """What the neighbours should know of the run as a whole."""
        state: dict[str, Any] = {}
        if self.room.stopping:
            state["stop"] = True
        if self.quit:
            state["done"] = True
        if self._active:  # packets are on their way: nothing is stuck
            return state
        with self.room.lock:
            waiting, hungry = self.room.stalled(), self.room.hungry()
        ends = [line.end.end for line in self.lines]
        sent = sum(line.end.end.counted for line in self.lines if isinstance(line.end, Outlet))
        self.gossip.note(waiting, hungry, sent, sum(e.counted for e in ends) - sent)
        if waiting:
            state["table"] = dict(self.gossip.table)
            if self.gossip.stuck(now):
                with self.room.lock:
                    self.room.grow()
        return state

    def _say(self, zmq: Any, line: Line, messages: list[list[Any]]) -> None:
        for i, frames in enumerate(messages):
            if not self._send(zmq, line, frames):
                line.end.unsent(len(messages) - i)
                return
        self._active |= bool(messages)

    def _send(self, zmq: Any, line: Line, frames: list[Any]) -> bool:
        """Queue one message without waiting; whether there was room."""
        if isinstance(line.end, Inlet):
            frames = [line.end.end.peer, *frames]
        last = len(frames) - 1
        try:
            for i, frame in enumerate(frames):
                more = zmq.SNDMORE if i < last else 0
                line.socket.send(frame, more | zmq.DONTWAIT, copy=len(frame) < ZERO_COPY)
        except zmq.Again:
            return False
        return True

    # ---- listening -----------------------------------------------------------------------------------------

    def _receive(self, zmq: Any, line: Line) -> None:
        for _ in range(AT_ONCE):
            try:
                frames = sockets.read(zmq, line.socket)
            except zmq.Again:
                return
            origin = frames.pop(0).bytes if isinstance(line.end, Inlet) else b""
            if line.end.end.over:
                continue
            if not 1 <= len(frames) <= 2:
                line.end.end.strange += 1
                continue
            payload = frames[1] if len(frames) == 2 else b""
            self._handle(zmq, line, frames[0].bytes, payload, origin)

    def _handle(self, zmq: Any, line: Line, raw: bytes, payload: Any, origin: bytes) -> None:
        end, header = line.end.end, {}
        try:
            header = wirecode.decode(raw)
            if payload != b"":
                payload = payload.buffer if len(payload) >= ZERO_COPY else payload.bytes
            answer = line.end.receive(header, payload, origin)
            if answer is not None:
                line.socket.send_multipart([origin, *answer], zmq.DONTWAIT)
            if end.met and header.get("session") == end.session:
                self._state(header)
                end.done |= header.get("done") is True
        except WireError as error:
            end.strange += 1
            if end.met and header.get("session") == end.session:
                self._lose(line, LinkError(f"{end.facts}: part {end.facts.there} sent what cannot be read: {error}"))
        except Refused as error:
            self._send(zmq, line, line.end.refusal(str(error)))  # type: ignore[union-attr]
            self._lose(line, error)
        except LinkError as error:
            self.room.abort(error)
        except zmq.ZMQError:
            pass  # an answer that found no room; the question will come again

    def _state(self, header: dict[str, Any]) -> None:
        """What a neighbour tells about the run as a whole."""
        if "table" in header:
            self.gossip.hear(header["table"])
        if header.get("stop") is True and not self.room.stopping:
            self._stop()

    # ---- parting -------------------------------------------------------------------------------------------

    def _lose(self, line: Line, error: LinkError) -> None:
        """This peer is not worth waiting for."""
        lost = line.end.end
        for other in self.lines:
            if other is line or (other.end.end.facts.there == lost.facts.there and other.end.end.met == lost.met):
                other.end.end.over = True
        self.room.abort(error)

    def _part(self, zmq: Any, line: Line, now: float) -> None:
        """Tell the peer why this part ends, until it has heard or it takes too long."""
        end = line.end.end
        self._failed_at = self._failed_at or now
        if end.met and now - line.parted_at > 0.2:
            line.parted_at = now
            error = self.room.error
            part, reason = end.facts.here, str(error) if error is not None else ""
            if isinstance(error, RemoteError):
                part, reason = error.part, error.reason
            self._send(zmq, line, line.end.farewell(part, reason[:2000]))
        elif not end.met and isinstance(line.end, Outlet):
            self._say(zmq, line, line.end.due(now, {}, False))
        if (end.leaving and line.parted_at) or now - self._failed_at > min(FAREWELL_S, end.facts.deadline_s):
            end.over = True
