"""The receiving end of a link."""

import secrets
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from semwave.runtime import wirecode
from semwave.runtime.ends import End, LinkFacts, Refused
from semwave.runtime.errors import LinkError
from semwave.runtime.room import Queue, Room
from semwave.runtime.runner import END, Runner
from semwave.runtime.wirecode import VERSION

if TYPE_CHECKING:
    from semwave.runtime.group import Group


class Inlet(Queue):
    """The receiving end: for its group an entry that another part fills."""

    remote = True

    def __init__(
        self, room: Room, group: "Group", consumer: Runner, port: int, facts: LinkFacts, wake: Callable[[], None]
    ) -> None:
        super().__init__(room, consumer, group, consumer, port)
        self.end = End(facts)
        self.wake = wake
        self.token = secrets.token_hex(12)
        self.got = self.taken = 0
        self.ended_by_peer = self.lossy = self.news = False
        self.said: tuple[int, int, bool] | None = None
        self.asked_at = 0.0

    # ---- for the group's thread ----------------------------------------------------------------------------

    def lose(self) -> None:
        super().lose()
        self.wake()

    def took(self, count: int) -> None:
        self.taken += count  # by one thread only
        if count and (self.said is None or self.taken + self.room.depth - self.said[0] >= self._few()):
            self.wake()

    def _few(self) -> int:
        """So many credits are worth a message."""
        return max(1, self.room.depth // 4)

    # ---- for the link's thread -----------------------------------------------------------------------------

    def receive(self, header: dict[str, Any], payload: Any, origin: bytes) -> list[Any] | None:
        """Handle a message; what comes back is an answer for ``origin`` alone. Raises LinkError."""
        end, kind = self.end, header["kind"]
        if kind == "hello":
            return self._hello(header, origin)
        if not end.met or header.get("session") != end.session:
            end.strange += 1
            return None
        end.heard_at, end.peer = time.monotonic(), origin
        if kind in ("data", "end"):
            self._numbered(kind, header, payload)
        elif kind == "beat":
            self.lossy |= wirecode.number(header, "sent") > self.got
        elif kind == "bye":
            end.leaving = True
            if not (self.ended_by_peer or self.closed):
                raise LinkError(f"{end.facts}: part {end.facts.there} left before the end")
        elif kind == "fail":
            end.leaving = True
            raise end.failed(header)
        else:
            end.strange += 1
        return None

    def _hello(self, header: dict[str, Any], origin: bytes) -> list[Any] | None:
        end, session = self.end, wirecode.text(header, "session", 64)
        if end.met and session != end.session:
            end.strange += 1
            return self._message("refuse", session, text=f"{end.facts} has a sender already")
        if not (session and isinstance(header.get("edge"), str) and isinstance(header.get("spec"), dict)):
            end.strange += 1
            return None
        problem = self._misfit(header)
        if problem is not None:
            end.peer, end.session = origin, session
            raise Refused(problem)
        end.met, end.session, end.peer = True, session, origin
        end.heard_at, self.said = time.monotonic(), None
        return None

    def _misfit(self, header: dict[str, Any]) -> str | None:
        facts, spec = self.end.facts, wirecode.spec_fields(self.end.facts.spec)
        if header["v"] != VERSION:
            return f"{facts}: part {facts.there} speaks version {header['v']} of the protocol, {facts.here} {VERSION}"
        if header.get("edge") != facts.edge:
            return f"{facts}: part {facts.there} sends {wirecode.text(header, 'edge', 200)} here"
        if header.get("spec") != spec:
            return f"{facts}: part {facts.there} sends {_short(header.get('spec'))}, {facts.here} takes {_short(spec)}"
        return None

    def _numbered(self, kind: str, header: dict[str, Any], payload: Any) -> None:
        seq = wirecode.number(header, "seq")
        if seq != self.got:
            self.lossy |= seq > self.got
            return
        if kind == "data" and seq >= self.taken + self.room.depth and not self.closed:
            raise LinkError(f"{self.end.facts}: part {self.end.facts.there} sends more than it may")
        item = END if kind == "end" else wirecode.decode_packet(header, payload)
        self.got += 1
        self.end.counted, self.lossy = self.got, False
        if kind == "end":
            self.ended_by_peer = True
        with self.room.lock:
            if not self.closed:
                self.items.append(item)
                self.high = max(self.high, len(self.items) - (item is END))
                self.news = True

    def tell(self) -> None:
        """Wake the group for what has come since the last time: once for all that was there."""
        if self.news:
            with self.room.lock:
                self.news = False
                self.room.lock.notify_all()

    def due(self, now: float, state: dict[str, Any], fresh: bool) -> list[list[Any]]:
        """The credit to send now, if there is anything new in it or nothing was said for long."""
        end = self.end
        if (self.ended_by_peer or self.closed) and end.met and end.parted(now, "done" in state):
            end.over = True
            return [self._message("bye", end.session, **self._account(), **state)]
        if not end.met:
            return []
        limit = self.taken + self.room.depth
        if self.said is not None and 0 < limit - self.said[0] < self._few():
            limit = self.said[0]  # a few at a time: the sender still has most of its credit
        credit = (limit, self.got if self.ended_by_peer else 0, self.closed)
        resend = self.lossy and now - self.asked_at >= end.facts.beat_s / 4
        if credit == self.said and not resend and not fresh and now - end.told_at < end.facts.beat_s:
            return []
        if resend:
            self.asked_at = now
        self.said, end.told_at = credit, now
        return [self._message("credit", end.session, **self._account(), resend=resend, **state)]

    def _account(self) -> dict[str, Any]:
        """What has come, how far the sender may go, and whether anything is still wanted."""
        return {"got": self.got, "limit": self.taken + self.room.depth, "closed": self.closed}

    def unsent(self, count: int) -> None:
        """The last ``count`` messages of :meth:`due` did not fit into the socket."""
        self.said = None

    def farewell(self, part: str, reason: str) -> list[Any]:
        """Tell the peer that the run has failed."""
        return self._message("fail", self.end.session, part=part, text=reason)

    def refusal(self, text: str) -> list[Any]:
        """Tell whoever said hello last why not."""
        return self._message("refuse", self.end.session, text=text)

    def _message(self, kind: str, session: str, **fields: Any) -> list[Any]:
        return [wirecode.encode(kind, session=session, token=self.token, **fields)]


def _short(spec: Any) -> str:
    """``Stream[<c8]`` out of the fields of a hello."""
    if not isinstance(spec, dict):
        return "no spec"
    sizes = spec.get("item") or spec.get("shape") or []
    inside = [str(spec.get("dtype")), *map(str, sizes if isinstance(sizes, list) else [])]
    rate = f" at {spec['rate']}/s" if spec.get("rate") is not None else ""
    return f"{spec.get('type')}[{', '.join(inside)}]{rate}"[:200]
