"""Groups: the blocks that one thread runs to completion, and how a graph is cut into them."""

import threading
from collections.abc import Container, Generator, Iterator
from time import perf_counter_ns as clock
from typing import Any

from semwave.runtime.block import Block, Context, FrameBlock, Source, SyncBlock
from semwave.runtime.frames import BatchRunner, FrameRunner
from semwave.runtime.packet import Packet
from semwave.runtime.plan import Plan
from semwave.runtime.room import Queue, Room
from semwave.runtime.runner import END, Runner, Task
from semwave.runtime.sync import SyncRunner


class SourceRunner(Runner):
    """Pulls packets out of a source; an entry of its group."""

    block: Source

    def __init__(self, name: str, block: Source, ctx: Context) -> None:
        super().__init__(name, block, ctx)
        self.iterator: Iterator[Any] | None = None
        self.ended = False

    def ready(self) -> bool:
        """A source always has more, or its end, to give."""
        return True

    def feed(self, stack: list[Task]) -> None:
        """Pull one packet."""
        if self.changes:
            self.apply_changes()
        item = END
        begin = clock()
        try:
            if self.iterator is None:
                self.iterator = iter(self.block.packets())
            if not (self.ctx._stopping() or self.done or self.ctx.finished):
                item = next(self.iterator, END)
            if item is END:
                self.release()
        except Exception as error:
            raise self.failure(error, "") from error
        finally:
            self.busy_ns += clock() - begin
        if item is not END:
            self.calls += 1
            self.emit(item, stack)
            return
        self.ended = True
        for port in reversed(range(len(self.out_names))):
            stack.extend((target, into, END) for target, into in reversed(self.consumers[port]))

    def release(self) -> None:
        """Run the ``finally`` clauses of a generator that is not asked any more."""
        iterator, self.iterator = self.iterator, iter(())
        if isinstance(iterator, Generator):
            iterator.close()


def make_runner(name: str, block: Block, ctx: Context) -> Runner:
    """The runner for a block's kind."""
    if isinstance(block, Source):
        return SourceRunner(name, block, ctx)
    if isinstance(block, SyncBlock):
        return SyncRunner(name, block, ctx)
    if isinstance(block, FrameBlock):
        return FrameRunner(name, block, ctx)
    return BatchRunner(name, block, ctx)


class Group:
    """Blocks that share a thread: entries (sources and queues) on one side, tasks run to completion on the other."""

    def __init__(self, room: Room, runners: list[Runner]) -> None:
        self.room, self.runners = room, runners
        self.entries: list[SourceRunner | Queue] = []
        self.waiting = self.over = False
        self.resting = self.lent = self.recalled = False  # see lend
        self.wants: Queue | None = None
        self.turn = 0
        self.joins: dict[int, list[tuple[Runner, int]]] = {}  # entry -> the paired inputs that it feeds
        self.started, self.gone = threading.Event(), threading.Event()
        self.begun: list[Runner] = []

    # ---- what may be taken next ----------------------------------------------------------------------------

    def find_joins(self) -> None:
        """For every entry, the inputs inside this group where its packets wait for a partner."""
        for i, entry in enumerate(self.entries):
            ends = [(entry.consumer, entry.port)] if isinstance(entry, Queue) else _targets(entry)
            seen: list[tuple[Runner, int]] = []
            while ends:
                runner, port = ends.pop()
                if (runner, port) not in seen:
                    seen.append((runner, port))
                    ends += _targets(runner)
            self.joins[i] = [(r, p) for r, p in seen if len(r.in_names) > 1]

    def _held(self, i: int) -> bool:
        """Whether entry ``i`` feeds an input that has too much waiting for its partner."""
        return any(r.backlog(p) >= self.room.depth for r, p in self.joins[i])

    def next_ready(self) -> int | None:
        """The next entry to take from, in turn; None when there is none."""
        for k in range(len(self.entries)):
            i = (self.turn + k) % len(self.entries)
            if not self.entries[i].ended and self.entries[i].ready() and not self._held(i):
                return i
        return None

    def held_back(self) -> bool:
        """Whether something could be taken if the bound were higher."""
        return any(not e.ended and e.ready() and self._held(i) for i, e in enumerate(self.entries))

    # ---- running -------------------------------------------------------------------------------------------

    def start_blocks(self) -> None:
        """Call ``start`` of every block here, in topological order."""
        for runner in self.runners:
            self.begun.append(runner)
            try:
                runner.block.start(runner.ctx)
                runner.began()
            except Exception as error:
                raise runner.failure(error, "start") from error

    def loop(self) -> None:
        """Take from the entries and run to completion until all have ended."""
        stack: list[Task] = []
        room = self.room
        lone = self.entries[0] if len(self.entries) == 1 else None
        if isinstance(lone, SourceRunner):
            while not (lone.ended or room.aborted):
                lone.feed(stack)
                drive(stack, room)
            return
        while (entry := self._next_entry()) is not None:
            if isinstance(entry, Queue) and isinstance(entry.consumer, BatchRunner):
                self._feed_batch(entry, stack)
            else:
                entry.feed(stack)
            drive(stack, room)

    def _next_entry(self) -> "SourceRunner | Queue | None":
        with self.room.lock:
            while True:
                self._recall()
                if self.room.aborted or all(e.ended for e in self.entries):
                    return None
                i = self.next_ready()
                if i is not None:
                    self.turn = i + 1
                    return self.entries[i]
                self.resting = True
                self.room.wait(self)
                self.resting = False

    def _recall(self) -> None:
        """Wait until no other thread works here (lock held)."""
        while self.lent:
            self.recalled = True
            self.room.lock.wait()
        self.recalled = False

    def lend(self, runner: BatchRunner, packet: Packet) -> bool:
        """Called by the thread that has ``packet`` for the only block here: let it take it, if both have nothing else
        to do. Whether that was done.
        """
        room, stack = self.room, list[Task]()
        with room.lock:
            if not self.resting or self.lent or room.aborted or any(e.ready() for e in self.entries):
                return False
            self.lent = True
        try:
            if runner.done or not runner.block.at_once(packet):
                return False
            self._batch(runner, [packet], stack)
            drive(stack, room)
            return True
        finally:
            with room.lock:
                self.lent = False
                if self.recalled:
                    room.lock.notify_all()

    def _feed_batch(self, queue: Queue, stack: list[Task]) -> None:
        runner = queue.consumer
        assert isinstance(runner, BatchRunner)
        packets = queue.gather(runner.block.max_batch, runner.block.max_wait_s, self)
        if packets:
            self._batch(runner, packets, stack)
        else:
            queue.feed(stack)

    def _batch(self, runner: BatchRunner, packets: list[Packet], stack: list[Task]) -> None:
        if runner.done:
            runner.ctx.count("discarded", len(packets))
            return
        if runner.changes:
            runner.apply_changes()
        runner.items_in += len(packets)
        runner.batch(packets, stack)

    def stop_blocks(self) -> list[BaseException]:
        """Call ``stop`` of every block that was started; gives back what went wrong."""
        errors: list[BaseException] = []
        for runner in self.begun:
            for hook in (runner.release, runner.block.stop):
                try:
                    hook()
                except Exception as error:
                    failure = runner.failure(error, "stop")
                    failure.__cause__ = error
                    errors.append(failure)
        return errors


def _targets(runner: Runner) -> list[tuple[Runner, int]]:
    return [(t, p) for port in runner.consumers for t, p in port if isinstance(t, Runner)]


def drive(stack: list[Task], room: Room) -> None:
    """Run tasks, last in first out, until none is left or the run is aborted."""
    pop = stack.pop
    while stack and not room.aborted:
        target, port, item = pop()
        target.take(port, item, stack)


def assign(plan: Plan, threads: bool, fed: Container[str] = ()) -> dict[str, int]:
    """Group number of every block: light blocks run in their feeder's group; heavy blocks, mixed joins and blocks
    that another part feeds (``fed``) in their own.
    """
    group: dict[str, int] = {}
    closed: set[int] = set()  # groups with a queue or a heavy block: they do not merge with others
    for number, (name, block) in enumerate(plan.blocks.items()):
        feeders = {group[e.source] for e in plan.edges if e.target == name}
        if not threads:
            group[name] = 0
        elif not feeders or block.heavy or name in fed or (len(feeders) > 1 and feeders & closed):
            group[name] = number
            if block.heavy or feeders or name in fed:
                closed.add(number)
        else:
            first = min(feeders)
            group.update({n: first for n, g in group.items() if g in feeders})
            group[name] = first
    return group
