"""From points to a store: what is missing is computed, written as it comes, and nothing is computed twice."""

import datetime
import time
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from semwave.sweep.cluster import Executor
from semwave.sweep.plan import Point
from semwave.sweep.store import Store

BATCH_S, MOST_IN_BATCH, AHEAD = 0.25, 64, 4  # a batch's length; batches on their way for each worker
WRITE_S = 0.25


@dataclass
class Group:
    """Progress of the points of one sweep and scheme."""

    total: int = 0
    before: int = 0
    done: int = 0
    failed: int = 0
    seconds: float = 0.0
    latest: dict[str, Any] = field(default_factory=dict)


@dataclass
class Progress:
    """How far a sweep is; points that were in the store before count as done."""

    total: int
    before: int
    groups: dict[str, Group]
    workers: int = 1
    done: int = 0
    failed: int = 0
    begun_at: float = field(default_factory=time.monotonic)
    errors: list[str] = field(default_factory=list)

    @property
    def left(self) -> int:
        """Points that are still to come."""
        return self.total - self.before - self.done

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self.begun_at

    def seconds_left(self) -> float | None:
        """By what each group's points took so far; None before the first one. A group without any counts as average."""
        busy = sum(g.seconds for g in self.groups.values())
        if not self.done:
            return None
        mean = busy / self.done
        work = sum(_left(g) * (g.seconds / g.done if g.done else mean) for g in self.groups.values())
        rate = busy / self.seconds if self.seconds > 0 else 1.0  # seconds of work done in a second
        return work / max(rate, 1e-9)


def _left(group: Group) -> int:
    return group.total - group.before - group.done


def group_of(point: Point) -> str:
    """Sweep and scheme."""
    return f"{point.sweep}/{point.params.get('scheme', '')}".rstrip("/")


class Sweep:
    """One go at a list of points; ``stop`` and ``abort`` may be called from a signal handler."""

    def __init__(self, points: Sequence[Point], store: Store, executor: Executor) -> None:
        done = store.done()
        self.points = [p for p in points if p.key not in done]
        self._store, self._executor = store, executor
        groups: dict[str, Group] = defaultdict(Group)
        for p in points:
            groups[group_of(p)].total += 1
            groups[group_of(p)].before += p.key in done
        self.progress = Progress(len(points), len(points) - len(self.points), dict(groups), executor.workers)
        self._waiting = deque(self.points)
        self._mean: dict[str, float] = {}
        self._flying: dict[str, Point] = {}
        self._buffer: list[dict[str, Any]] = []
        self._stopping = self._aborting = False

    def stop(self) -> None:
        """Start no more points; what is on its way is still waited for."""
        self._stopping = True

    def abort(self) -> None:
        """End now; what has come is written."""
        self._stopping = self._aborting = True

    @property
    def interrupted(self) -> bool:
        """Whether it was ended before all was done."""
        return self._stopping

    def run(self, number: int, watch: Callable[[], None] = lambda: None) -> Progress:
        """Compute and store what is missing, as run ``number``; ``watch`` is called several times a second."""
        written = time.monotonic()
        try:
            while (self._waiting and not self._stopping) or (self._flying and not self._aborting):
                self._feed()
                self._take(self._executor.collect(0.1 if self._flying else 0.0))
                if time.monotonic() - written > WRITE_S:
                    self._write(number)
                    written = time.monotonic()
                watch()
            if self._flying:
                self._executor.drop()
        finally:
            self._write(number)
        return self.progress

    def _feed(self) -> None:
        """Keep every worker a few batches ahead."""
        if self._stopping:
            return
        room = AHEAD * max(1, self._executor.workers) * self._size(self._waiting[0]) if self._waiting else 0
        while self._waiting and len(self._flying) < room:
            batch = [self._waiting.popleft()]
            size, group = self._size(batch[0]), group_of(batch[0])
            while len(batch) < size and self._waiting and group_of(self._waiting[0]) == group:
                batch.append(self._waiting.popleft())
            self._flying.update({p.key: p for p in batch})
            self._executor.submit(batch)

    def _size(self, point: Point) -> int:
        """Points of a batch: as many as take a quarter of a second, one where nothing is known yet."""
        mean = self._mean.get(group_of(point))
        return 1 if mean is None else int(min(max(BATCH_S / max(mean, 1e-6), 1), MOST_IN_BATCH))

    def _take(self, outcomes: list[dict[str, Any]]) -> None:
        for outcome in outcomes:
            point = self._flying.pop(outcome["key"], None)
            if point is None:
                continue
            self._buffer.append(outcome)
            group = self.progress.groups[group_of(point)]
            group.done, group.seconds = group.done + 1, group.seconds + outcome["seconds"]
            self._mean[group_of(point)] = group.seconds / group.done
            self.progress.done += 1
            if outcome["status"] == "ok":
                group.latest = outcome
            else:
                group.failed, self.progress.failed = group.failed + 1, self.progress.failed + 1
                if outcome["error"] not in self.progress.errors:
                    self.progress.errors.append(outcome["error"])

    def _write(self, number: int) -> None:
        if self._buffer:
            self._store.add(self._buffer, number)
            self._buffer = []


def now() -> str:
    """The time in UTC, to the second."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
