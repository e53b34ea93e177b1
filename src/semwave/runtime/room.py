"""Where the groups of a run meet: bounded queues under one lock, so that back-pressure and deadlock are seen at a
glance.

Only heavy edges have queues, so the one lock is seldom asked for. When every group waits although packets are there (a
diamond
whose one arm holds back more than the other arm's queue can take), the bound is doubled, as in Parks' bounded
scheduling of process networks (1995); it never hangs, and the growth shows in the statistics.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from semwave.runtime.packet import Packet
from semwave.runtime.runner import END, Runner, Target, Task

if TYPE_CHECKING:
    from semwave.runtime.group import Group


class Room:
    """The lock, the bound and the flags that all groups of a run share."""

    def __init__(self, depth: int) -> None:
        self.lock = threading.Condition()
        self.depth, self.grown = depth, 0
        self.groups: list[Group] = []
        self.stopping = self.aborted = False
        self.error: BaseException | None = None
        self.wake: Callable[[], None] = lambda: None  # tells the links' thread of news

    def stop(self) -> None:
        """End the sources; what is on its way still arrives."""
        with self.lock:
            self.stopping = True
            self.lock.notify_all()
        self.wake()

    def abort(self, error: BaseException | None) -> None:
        """End everything at once; the first error is kept."""
        with self.lock:
            self.aborted = True
            if self.error is None:
                self.error = error
            self.lock.notify_all()
        self.wake()

    def grow(self) -> None:
        """Double the bound (lock held)."""
        self.depth *= 2
        self.grown += 1
        self.lock.notify_all()

    def wait(self, group: "Group", for_room: "Queue | None" = None, timeout_s: float | None = None) -> None:
        """Wait for news (lock held). The last group to fall asleep looks whether the bound is what holds all."""
        group.waiting, group.wants = True, for_room
        try:
            if timeout_s is None and self._stuck():
                self.grow()
                return
            self.lock.wait(timeout_s)
        finally:
            group.waiting, group.wants = False, None

    def _stuck(self) -> bool:
        """All groups wait, one of them only for room, and no other part can help."""
        return self.hungry() and self.stalled() and not any(self._outside(g) for g in self.groups if not g.over)

    def stalled(self) -> bool:
        """All groups wait (lock held)."""
        alive = [g for g in self.groups if not g.over]
        if not all(g.waiting for g in alive):
            return False
        if any(g.wants is not None and not g.wants.full() for g in alive):
            return False  # that one has been told already and will wake
        return not any(g.wants is None and g.next_ready() is not None for g in alive)

    def hungry(self) -> bool:
        """A group could go on if the bound were higher (lock held)."""
        return any(g.wants is not None or g.held_back() for g in self.groups if not g.over)

    def _outside(self, group: "Group") -> bool:
        """Whether ``group`` waits for another part."""
        if group.wants is not None:
            return group.wants.remote
        return any(isinstance(e, Queue) and e.remote and not e.ended and not e.ready() for e in group.entries)


class Queue:
    """An edge between two groups: a target for the one, an entry for the other."""

    remote = False  # whether the other end is in another part

    def __init__(self, room: Room, producer: Runner, group: "Group", consumer: Runner, port: int) -> None:
        self.room, self.producer, self.group = room, producer, group
        self.consumer, self.port = consumer, port
        self.items: deque[Any] = deque()
        self.high = 0
        self.lender: Callable[[Packet], bool] | None = None  # gives a packet to a consumer that has nothing to do
        self.closed = self.told = self.ended = False

    # ---- the producer's side -------------------------------------------------------------------------------

    def full(self) -> bool:
        """Whether a putter has to wait."""
        return len(self.items) >= self.room.depth and not self.closed

    def take(self, port: int, item: Any, stack: list[Task]) -> None:
        """Put an item in, waiting for room."""
        if self.lender is not None and item is not END and self.lender(item):
            return
        with self.room.lock:
            while self.full() and item is not END and not self.room.aborted:
                self.room.wait(self.group, self)
            if not self.closed:
                self.items.append(item)
                self.high = max(self.high, len(self.items) - (item is END))
                self.room.lock.notify_all()
                return
        if item is not END:
            self.producer.ctx.count("discarded", 1)
        if not self.told:  # once: the producer may have other consumers
            self.told = True
            self.producer.lose()

    def after(self) -> "list[Target] | None":
        """The consumer, while it takes anything."""
        return None if self.closed else [self.consumer]

    # ---- the consumer's side -------------------------------------------------------------------------------

    def lose(self) -> None:
        """The consumer wants no more."""
        with self.room.lock:
            self.closed = self.ended = True  # an END may be among what is thrown away here
            self.items.clear()
            self.room.lock.notify_all()

    def ready(self) -> bool:
        """Whether there is something to take."""
        return bool(self.items)

    def feed(self, stack: list[Task]) -> None:
        """Hand the oldest item to the consumer (lock not held)."""
        with self.room.lock:
            if not self.items:
                return
            item = self.items.popleft()
            self.ended = item is END
            self.took(1)
            self.room.lock.notify_all()
        stack.append((self.consumer, self.port, item))

    def gather(self, count: int, wait_s: float, reader: "Group") -> list[Packet]:
        """Up to ``count`` packets: what is there, and what comes within ``wait_s``."""
        got: list[Packet] = []
        deadline = time.monotonic() + wait_s
        with self.room.lock:
            while len(got) < count and not self.room.aborted:
                if self.items and self.items[0] is END:
                    break
                if self.items:
                    got.append(self.items.popleft())
                    continue
                left = deadline - time.monotonic()
                if left <= 0:
                    break
                self.room.wait(reader, timeout_s=left)
            self.took(len(got))
            self.room.lock.notify_all()
        return got

    def took(self, count: int) -> None:
        """So many items have been taken out (lock held)."""
