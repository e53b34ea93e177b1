"""One run of a flowgraph: threads, the first error, statistics."""

import sys
import threading
import time
from typing import Any

from semwave.runtime.block import Block, Source
from semwave.runtime.errors import BlockError, ConnectError, FlowgraphError, ParameterError
from semwave.runtime.graph import Flowgraph
from semwave.runtime.group import Group
from semwave.runtime.link import Postman
from semwave.runtime.params import checked, param_specs
from semwave.runtime.room import Queue, Room
from semwave.runtime.stats import BlockStats, Result
from semwave.runtime.wiring import MAX_MESSAGE_BYTES, LinkOptions, Wiring

SWITCH_INTERVAL_S = 5e-4
STOP_DEADLINE_S = 10.0  # how long blocks may take to notice that a run was aborted


class Run:
    """A flowgraph on its way.

    ``threads`` False runs everything in one thread; ``queue_depth`` bounds every queue (packets); ``recut`` is for
    tests:
    a function that cuts a stream packet into pieces, applied at every edge. Results depend on none of them.

    ``part`` runs one part of a graph that has been placed; its edges to other parts are links. Who is not heard there
    for ``deadline_s`` is taken for dead. ``allow_remote`` lets links and probes listen where other machines reach them.
    ``probes`` are addresses by port, besides those of the graph; no message takes more than ``max_message_bytes``.
    """

    def __init__(
        self,
        graph: Flowgraph,
        *,
        threads: bool = True,
        queue_depth: int = 8,
        chunk: int | None = None,
        recut: Any = None,
        part: str | None = None,
        deadline_s: float = 10.0,
        allow_remote: bool = False,
        probes: dict[str, str] | None = None,
        max_message_bytes: int = MAX_MESSAGE_BYTES,
    ) -> None:
        for name, number in (("queue_depth", queue_depth), ("chunk", graph.chunk if chunk is None else chunk)):
            if number < 1:
                raise ParameterError(f"{name} must be at least 1, not {number}")
        self.graph, self.plan, self.part = graph, graph.plan(), part
        self.room = Room(queue_depth)
        self.begun_at = self.ended_at = 0.0
        self.interrupted = False
        self._threads: list[tuple[threading.Thread, Group | Postman]] = []
        self._stop_errors: list[BaseException] = []
        self._left_behind: list[str] = []
        options = LinkOptions(self.stop, deadline_s, allow_remote, probes, max_message_bytes)
        wiring = Wiring(graph, self.plan, self.room, part, options)
        wiring.build(threads, graph.chunk if chunk is None else chunk, recut)
        self.runners, self._postman, self._link_warnings = wiring.runners, wiring.postman, wiring.warnings

    # ---- life ----------------------------------------------------------------------------------------------

    def start(self) -> "Run":
        """Start every block, group by group, then let the packets flow."""
        # by default a block in plain Python holds up all other threads for 5 ms at a time
        sys.setswitchinterval(min(sys.getswitchinterval(), SWITCH_INTERVAL_S))
        self.begun_at = time.perf_counter()
        go = threading.Event()
        if self._postman is not None:
            self._threads.append((self._postman.start(), self._postman))
        try:
            self._start_groups(go)
        except BaseException:  # Ctrl-C while models load
            self.abort()
            go.set()
            self._join_all(STOP_DEADLINE_S)
            raise
        go.set()
        return self

    def _start_groups(self, go: threading.Event) -> None:
        for i, group in enumerate(self.room.groups):
            thread = threading.Thread(
                target=self._group_thread,
                args=(group, go),
                name=f"semwave-{i}-{group.runners[0].name}",
                daemon=True,
            )
            self._threads.append((thread, group))
            thread.start()
            group.started.wait()  # one at a time: heavy imports do not like company
            if self.room.aborted:
                break

    def _group_thread(self, group: Group, go: threading.Event) -> None:
        try:
            try:
                group.start_blocks()
            finally:
                group.started.set()
            go.wait()
            group.loop()
        except BaseException as error:
            self.room.abort(error)
        finally:
            errors = group.stop_blocks()
            with self.room.lock:
                self._stop_errors += errors
                group.over = True
                self.room.lock.notify_all()
            if errors:
                self.room.abort(errors[0])
            group.gone.set()
            self._tell_postman()

    def _tell_postman(self) -> None:
        """Without links, the thread for probes has nothing more to do once all groups are gone."""
        if self._postman is not None:
            self._postman.quit = all(g.over for g in self.room.groups)
            self._postman.wake()

    def stop(self) -> None:
        """End the sources; what is on its way still arrives, then the run ends."""
        self.interrupted = True
        self.room.stop()

    def abort(self) -> None:
        """End at once."""
        self.interrupted = True
        self.room.abort(None)

    def set(self, block: str, **changes: Any) -> None:
        """Change tunable parameters of a running block; they take effect between two of its calls.

        Raises ParameterError for what does not exist, does not fit or cannot change, and when the run is over.
        """
        if not self.running:
            raise ParameterError(f"the run is over, so {', '.join(changes)} of {block} can change nothing more")
        if block not in self.runners:
            raise ParameterError(f"no block {block!r}; there are {', '.join(self.runners)}")
        runner = self.runners[block]
        cls = type(runner.block)
        try:
            changes = {name: checked(cls, name, value) for name, value in changes.items()}
            cls(**{**runner.block.parameters(), **changes})  # whether the parameters still go together
        except ParameterError as error:
            raise ParameterError(error.text, f"{block} ({cls.__name__})") from None
        for name in changes:
            if not param_specs(cls)[name].param.tunable:
                tunable = [n for n, s in param_specs(cls).items() if s.param.tunable]
                raise ParameterError(
                    f"{name} cannot change while running; these can: {', '.join(tunable) or 'none'}",
                    f"{block} ({cls.__name__})",
                )
        runner.changes.append(changes)

    @property
    def running(self) -> bool:
        """Whether any group is still at work."""
        return bool(self._busy())

    def wait(self, timeout_s: float | None = None) -> Result:
        """Wait for the end; raises the first error. Ctrl-C stops the sources, a second Ctrl-C aborts."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while self.running:
            try:
                self._join_some(deadline)
            except KeyboardInterrupt:
                if self.interrupted:
                    self.abort()
                    self._join_all(STOP_DEADLINE_S)
                    raise
                self.stop()
        for thread, _ in self._threads:
            thread.join(1.0)
        self.ended_at = time.perf_counter()
        if self.room.error is not None:
            self._raise()
        self._conclude()
        return self.result()

    def _conclude(self) -> None:
        result = self.result()
        for runner in self.runners.values():
            try:
                runner.block.conclude(result)
            except Exception as error:
                raise runner.failure(error, "conclude") from error

    def _join_some(self, deadline: float | None) -> None:
        """Join with short waits, so that Ctrl-C is heard; gives up on blocks that do not come back after an abort.

        Not ``Thread.join``: Ctrl-C within it makes Python 3.11 take a living thread for a dead one.
        """
        for _, group in self._threads:
            group.gone.wait(0.2)
            if self.room.aborted:
                self._join_all(STOP_DEADLINE_S)
                return
            busy = self._busy()
            if busy and deadline is not None and time.monotonic() > deadline:
                self.room.abort(BlockError(f"the run did not end in time; busy: {', '.join(busy)}"))

    def _join_all(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        for _, group in self._threads:
            group.gone.wait(max(0.0, until - time.monotonic()))
        stuck = self._busy()
        if stuck:
            text = f"these did not stop within {seconds:g} s and were left behind: {', '.join(stuck)}"
            self._left_behind.append(text)
            if self.room.error is not None:
                self.room.error.add_note(text)
            self._threads = [(t, g) for t, g in self._threads if g.gone.is_set()]

    def _busy(self) -> list[str]:
        return [thread.name for thread, group in self._threads if not group.gone.is_set()]

    def _raise(self) -> None:
        error = self.room.error
        assert error is not None
        for other in self._stop_errors:
            if other is not error:
                error.add_note(f"then: {other}")
        self._stop_errors.clear()
        raise error

    # ---- looking -------------------------------------------------------------------------------------------

    def progress(self) -> tuple[float, float] | None:
        """How much the sources have done, and of how much; None when no source knows."""
        known = [p for r in self.runners.values() if isinstance(r.block, Source) and (p := r.block.progress())]
        return (sum(p[0] for p in known), sum(p[1] for p in known)) if known else None

    def result(self) -> Result:
        """Statistics up to now."""
        end = self.ended_at or time.perf_counter()
        high: dict[str, int] = {}
        for group in self.room.groups:
            for entry in group.entries:
                if isinstance(entry, Queue):
                    high[entry.consumer.name] = max(high.get(entry.consumer.name, 0), entry.high)
        stats = [
            BlockStats(
                name,
                type(r.block).__name__,
                r.calls,
                r.items_in,
                sum(r.sent),
                r.busy_ns * 1e-9,
                high.get(name, 0),
                dict(r.ctx.counters),
                dict(r.ctx.facts),
            )
            for name, r in self.runners.items()
        ]
        warnings = [f"{name}: {text}" for name, r in self.runners.items() for text in r.ctx.warnings]
        warnings += self._left_behind + self._link_warnings
        if self._postman is not None:
            warnings += self._postman.warnings()
        summaries = {}
        for name, r in self.runners.items():
            try:
                summaries[name] = r.block.summary()
            except Exception as error:
                warnings.append(str(r.failure(error, "summary")))
        summaries = {name: text for name, text in summaries.items() if text}
        return Result(
            end - self.begun_at, stats, warnings, summaries, self.interrupted, len(self.room.groups), self.room.grown
        )


def find_block(graph: Flowgraph, name: str) -> Block:
    """The block called ``name``; raises ConnectError listing what there is."""
    if name not in graph.blocks:
        raise ConnectError(f"no block {name!r}; there are {', '.join(graph.blocks)}")
    return graph.blocks[name]


__all__ = ["BlockStats", "FlowgraphError", "Result", "Run", "find_block"]
