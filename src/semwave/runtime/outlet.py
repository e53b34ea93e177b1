"""The sending end of a link."""

import secrets
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from semwave.runtime import wirecode
from semwave.runtime.ends import End, LinkFacts
from semwave.runtime.errors import LinkError
from semwave.runtime.room import Queue, Room
from semwave.runtime.runner import END, Runner, Task
from semwave.runtime.wirecode import WireError

if TYPE_CHECKING:
    from semwave.runtime.group import Group

HELLO_S = 0.2  # between two hellos


class Outlet(Queue):
    """The sending end: for its group a target with room for as many packets as there is credit."""

    remote = True

    def __init__(
        self, room: Room, producer: Runner, group: "Group", facts: LinkFacts, wake: Callable[[], None]
    ) -> None:
        super().__init__(room, producer, group, producer, 0)
        self.end = End(facts, session=secrets.token_hex(12))
        self.wake = wake
        self.total = self.got = self.cursor = self.limit = 0  # numbered; acknowledged; next to send; credit
        self.hung_up = False

    # ---- for the group's thread ----------------------------------------------------------------------------

    def full(self) -> bool:
        return self.total >= self.limit and not self.closed

    def after(self) -> None:
        """Whether the other part still wants what it gets is not known here; only that it takes nothing more."""
        return None if self.closed else []  # type: ignore[return-value]

    def take(self, port: int, item: Any, stack: list[Task]) -> None:
        frames = None if self.closed else self._frames(item)
        with self.room.lock:
            while self.full() and item is not END and not self.room.aborted:
                self.room.wait(self.group, self)
            if item is END:
                self.ended = True
            if not self.closed and frames is not None:
                self.items.append(frames)
                self.total += 1
                self.high = max(self.high, len(self.items))
        self.wake()
        if self.closed and item is not END:
            self.producer.ctx.count("discarded", 1)
        if self.closed and not self.told:
            self.told = True
            self.producer.lose()

    def _frames(self, item: Any) -> list[Any]:
        if item is END:
            return [wirecode.encode("end", session=self.end.session, seq=self.total)]
        size, limit = item.data.nbytes, self.end.facts.max_bytes
        if size > limit:
            text = f"a packet of {size} bytes; {limit} are allowed (max_message_bytes)"
            raise LinkError(f"{self.end.facts.edge}: {text}")
        try:
            return wirecode.encode_packet(item, session=self.end.session, seq=self.total)
        except LinkError as error:
            raise LinkError(f"{self.end.facts.edge}: {error}") from None

    # ---- for the link's thread -----------------------------------------------------------------------------

    def receive(self, header: dict[str, Any], payload: Any, origin: bytes) -> None:
        """Handle a message of the receiver; raises LinkError when the link has failed."""
        end, kind = self.end, header["kind"]
        token = wirecode.text(header, "token").encode()
        if header.get("session") != end.session or (end.met and token != end.peer):
            end.strange += 1
            return
        end.heard_at = time.monotonic()
        if kind == "refuse":
            end.over = True
            raise LinkError(wirecode.text(header, "text"))
        if kind == "fail":
            end.leaving = True
            raise end.failed(header)
        if kind == "bye":
            end.leaving = True
            self._credit(header)
            self._left()
        elif kind == "credit":
            end.met, end.peer = True, token
            self._credit(header)
        else:
            end.strange += 1

    def _complete(self) -> bool:
        """Whether all has arrived that the other part wants."""
        return self.closed or (self.ended and self.got == self.total)

    def _left(self) -> None:
        if not self._complete():
            raise LinkError(f"{self.end.facts}: part {self.end.facts.there} left before the end")

    def _credit(self, header: dict[str, Any]) -> None:
        got, limit = wirecode.number(header, "got"), wirecode.number(header, "limit")
        with self.room.lock:
            if got > self.total:
                raise WireError("more acknowledged than sent")
            for _ in range(got - self.got):
                if self.items:
                    self.items.popleft()
            self.got = max(self.got, got)
            self.cursor = max(self.cursor, self.got)
            self.limit = max(self.limit, limit)
            if header.get("resend") is True:
                self.cursor = self.got
            if header.get("closed") is True and not self.closed:
                self.closed = True
                self.items.clear()
            self.room.lock.notify_all()

    def due(self, now: float, state: dict[str, Any], fresh: bool) -> list[list[Any]]:
        """The messages to send now: a hello, packets, a beat, a good-bye."""
        end, out = self.end, []
        if not end.met:
            if now - end.told_at >= HELLO_S:
                end.told_at = now
                spec = wirecode.spec_fields(end.facts.spec)
                out.append([wirecode.encode("hello", session=end.session, edge=end.facts.edge, spec=spec)])
            return out
        with self.room.lock:
            while self.cursor < self.total and not self.closed:
                out.append(self.items[self.cursor - self.got])
                self.cursor += 1
            end.counted = self.total
        if self._complete() and end.parted(now, "done" in state):
            out.append([wirecode.encode("bye", session=end.session, **state)])
            end.over = True
        elif fresh or now - end.told_at >= end.facts.beat_s:
            out.append([wirecode.encode("beat", session=end.session, sent=self.cursor, **state)])
        if out:
            end.told_at = now
        return out

    def unsent(self, count: int) -> None:
        """The last ``count`` messages of :meth:`due` did not fit into the socket."""
        self.end.told_at = 0.0
        with self.room.lock:
            self.cursor = max(self.got, self.cursor - count)

    def farewell(self, part: str, reason: str) -> list[Any]:
        """Tell the peer that the run has failed."""
        return [wirecode.encode("fail", session=self.end.session, part=part, text=reason)]
