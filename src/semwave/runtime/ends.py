"""The two ends of a link and what they say to each other; no sockets here (those are in ``link.py``).

The sender queues ``hello`` (version, edge, spec); the receiver answers with ``credit`` or ``refuse``, and nobody sends
anything else before. Data and the end are numbered. ``credit`` says how many have come (``got``), how many of them were
taken, and how many may be on their way (``depth``): all of it cumulative, so that any message may be lost or doubled.
``resend`` in it asks for everything from a number on, which the sender keeps until it is acknowledged: a connection
that breaks and comes back loses nothing. ``closed`` in it is the stop that travels upstream. Both ends send a beat
while they have nothing else to say; who is silent for ``deadline_s`` is taken for dead. ``fail`` carries the first
cause of a failed run to the other parts.
"""

import time
from dataclasses import dataclass, field
from typing import Any

from semwave.runtime import wirecode
from semwave.runtime.errors import LinkError
from semwave.runtime.packet import Spec


@dataclass(frozen=True)
class LinkFacts:
    """What both ends of a link know before they meet."""

    edge: str
    address: str
    here: str  # parts
    there: str
    spec: Spec
    deadline_s: float = 10.0
    secured: bool = False
    max_bytes: int = 256 << 20

    def __str__(self) -> str:
        return f"link {self.edge} ({self.address})"

    @property
    def beat_s(self) -> float:
        """Longest silence of an end that is well."""
        return min(1.0, self.deadline_s / 5)


@dataclass
class End:
    """What the ends have in common: who is there, when they were heard, what was asked of whom."""

    facts: LinkFacts
    session: str = ""
    peer: bytes = b""  # the receiver's token, or the address that the sender's messages come from
    met: bool = False
    over: bool = False  # nothing more to say or to hear
    done: bool = False  # the blocks of the peer's part have ended
    leaving: bool = False  # the peer said good-bye
    strange: int = 0  # messages that were not the peer's, or not sound
    heard_at: float = field(default_factory=time.monotonic)
    told_at: float = 0.0
    counted: int = 0  # numbered messages sent or received, for the search for deadlocks

    def parted(self, now: float, done_here: bool) -> bool:
        """Whether a link that has carried all has nothing more to wait for: both parts are done, so that each has
        heard of a late failure of the other.
        """
        silent = now - self.heard_at > self.facts.deadline_s / 2  # its good-bye was lost
        return self.leaving or silent or (self.done and done_here)

    def check_silence(self, now: float) -> None:
        """Raise LinkError when the peer was not heard for too long."""
        facts = self.facts
        if now - self.heard_at <= facts.deadline_s:
            return
        if self.met:
            raise LinkError(f"{facts}: part {facts.there} has been silent for {facts.deadline_s:g} s")
        keys = ", and are the keys the right ones" if facts.secured else ""
        raise LinkError(
            f"{facts}: part {facts.there} did not answer within {facts.deadline_s:g} s: is it running{keys}?"
        )

    def failed(self, header: dict[str, Any]) -> LinkError:
        """The peer's failure as an error of ours."""
        part, reason = wirecode.text(header, "part") or self.facts.there, wirecode.text(header, "text")
        return RemoteError(part, reason)


class RemoteError(LinkError):
    """Another part of the run failed: ``part`` and ``reason`` are its name and its message."""

    def __init__(self, part: str, reason: str) -> None:
        self.part, self.reason = part, reason
        super().__init__(f"part {part} failed: {reason}" if reason else f"part {part} was aborted")


class Refused(LinkError):
    """The receiver does not take what the sender offers; both say so in the same words."""
