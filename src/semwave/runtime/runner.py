"""Runners: one per block and run. They call the block's hooks, number what comes out, count, and pass on the end.

A group's thread works through a stack of tasks ``(target, port, item)``, last in first out, so that a packet goes all
the
way down before the next one starts ("run to completion"): two buffers are alive in a chain, however long it is.
"""

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from time import perf_counter_ns as clock
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np

from semwave.runtime.block import Block, Context
from semwave.runtime.errors import BlockError, FlowgraphError, PortError, UserError
from semwave.runtime.packet import Packet, Spec, Stream, Tag, frozen


class _Signal:
    """Things on an edge that are not packets."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


END = _Signal("END")
RESUME = -1  # port number of a task that goes on with (iterator, where) of the runner's own
FLUSH = -2  # port number of a task that ends the runner once everything above it on the stack is done

Task = tuple["Target", int, Any]


class Target(Protocol):
    """Whatever a task can be handed to: a runner, or a queue to another group."""

    def take(self, port: int, item: Any, stack: list[Task]) -> None:
        """Handle one item."""

    def lose(self) -> None:
        """A consumer is gone (for producers)."""

    def after(self) -> "list[Target] | None":
        """Where what is taken here goes on to; None when nothing more is taken."""


class Runner:
    """What every kind of block has in common."""

    def __init__(self, name: str, block: Block, ctx: Context) -> None:
        self.name, self.block, self.ctx = name, block, ctx
        self.in_names, self.out_names = list(ctx.inputs), [n for n in block.outputs if n in ctx.outputs]
        self.in_stream = [isinstance(s, Stream) for s in ctx.inputs.values()]
        self.out_specs: list[Spec] = [ctx.outputs[n] for n in self.out_names]
        self.consumers: list[list[tuple[Target, int]]] = [[] for _ in self.out_names]
        self.producers: list[Target | None] = [None for _ in self.in_names]
        self.live = 0  # consumers that still want something
        self.pending: list[deque[Packet]] = [deque() for _ in self.in_names]
        self.port_ended = [False] * len(self.in_names)
        self.sent = [0] * len(self.out_names)
        self.calls = self.busy_ns = 0
        self.items_in = 0
        self.done = self.lost = False
        self.changes: deque[dict[str, Any]] = deque()
        self.recut: Any = None  # tests cut streams anew at every edge

    # ---- taking --------------------------------------------------------------------------------------------

    def take(self, port: int, item: Any, stack: list[Task]) -> None:
        """One packet, END, or (port RESUME) an iterator of the block's own to go on with."""
        if port == RESUME:
            items, where = item
            self.resume(items, where, stack)
        elif port == FLUSH:
            self.close(stack)
        elif item is END:
            self.end(port, stack)
        else:
            count = len(item.data) if self.in_stream[port] else 1
            if self.done:
                self.ctx.count("discarded", count)
                return
            if self.changes:
                self.apply_changes()
            self.items_in += count
            self.packet(port, item, stack)

    def packet(self, port: int, packet: Packet, stack: list[Task]) -> None:
        """Handle one packet."""
        raise NotImplementedError

    def resume(self, items: Iterator[Any], where: str, stack: list[Task]) -> None:
        """Pull one item out of the block's iterator, send it down, come back for the next."""
        begin = clock()
        try:
            if self.lost:  # nobody wants the rest, which may have no end
                if isinstance(items, Generator):
                    items.close()
                return
            item = next(items, END)
        except Exception as error:
            raise self.failure(error, where) from error
        finally:
            self.busy_ns += clock() - begin
        if item is END:
            if self.ctx.finished and not self.done:
                self.close(stack)
            return
        stack.append((self, RESUME, (items, where)))
        self.emit(item, stack)

    def run_iterable(self, items: Iterable[Any] | None, where: str, stack: list[Task]) -> None:
        """Work through what a hook gave back."""
        if items is not None:
            try:
                stack.append((self, RESUME, (iter(items), where)))
            except TypeError:
                raise self.refusal(f"gave back {type(items).__name__}; yield packets, or return a list") from None
        elif self.ctx.finished:
            self.close(stack)

    def wired(self) -> None:
        """All edges are known."""

    def began(self) -> None:
        """The block's ``start`` has been called."""

    def release(self) -> None:
        """Let go of what the runner itself holds, before the block's ``stop``."""

    def apply_changes(self) -> None:
        """Set tunable parameters that were changed from outside, between two calls of ``work``."""
        names: set[str] = set()
        while self.changes:
            for key, value in self.changes.popleft().items():
                setattr(self.block, key, value)
                names.add(key)
        try:
            self.block.changed(names)
        except Exception as error:
            raise self.failure(error, "changed") from error

    # ---- sending -------------------------------------------------------------------------------------------

    def emit(self, item: Any, stack: list[Task]) -> None:
        """Send what a block yielded: a packet, or ``(port, packet)``."""
        name, packet = item if isinstance(item, tuple) else (None, item)
        if not isinstance(packet, Packet):
            raise self.refusal(f"gave {type(packet).__name__}, not a Packet")
        if not isinstance(packet.data, np.ndarray):
            raise self.refusal(f"gave a Packet of {type(packet.data).__name__}, not of a numpy array")
        if name is not None and name not in self.out_names:
            if name in self.block.outputs:
                return  # an optional output that nobody listens to
            raise self.refusal(f"gave a packet for {name!r}; the outputs are {', '.join(self.block.outputs) or 'none'}")
        if name is None and len(self.block.outputs) > 1:
            raise self.refusal(f"must yield (port, packet): the outputs are {', '.join(self.block.outputs)}")
        if not self.out_names:
            if self.block.outputs:
                return
            raise self.refusal("gave a packet, but has no output")
        self.send(0 if name is None else self.out_names.index(name), packet, stack)

    def send(self, port: int, packet: Packet, stack: list[Task]) -> None:
        """Number a packet and hand it to everyone that listens."""
        spec = self.out_specs[port]
        data = packet.data
        problem = spec.problem(data)
        if problem:
            where = f"{self.name}.{self.out_names[port]}"
            raise PortError(f"{where} ({type(self.block).__name__}) gave a packet that {problem}; it declares {spec}")
        if data.flags.writeable:
            data = frozen(data)
        start = self.sent[port]
        shift = start - packet.start
        tags = tuple(Tag(t.at + shift, t.key, t.value) for t in packet.tags) if packet.tags and shift else packet.tags
        stream = isinstance(spec, Stream)
        if stream and not len(data):
            return  # borders mean nothing on a stream, so an empty packet says nothing
        self.sent[port] = start + (len(data) if stream else 1)
        meta = packet.meta
        packet = Packet(data, start, tags, MappingProxyType(meta) if type(meta) is dict else meta)
        pieces = self.recut(packet) if self.recut and stream else (packet,)
        for piece in reversed(pieces):
            for target, into in self.consumers[port]:
                stack.append((target, into, piece))

    # ---- ending --------------------------------------------------------------------------------------------

    def end(self, port: int, stack: list[Task]) -> None:
        """An input has ended."""
        self.port_ended[port] = True
        if not self.done and self.exhausted():
            self.flush(stack)

    def exhausted(self) -> bool:
        """Whether nothing more can be done with what may still come."""
        return all(self.port_ended)

    def flush(self, stack: list[Task]) -> None:
        """Call ``finish``, send what it gives back, then the end."""
        self.done = True
        self.release_inputs()
        for port, queue in enumerate(self.pending):
            self.ctx.count("unpaired", sum(len(p.data) if self.in_stream[port] else 1 for p in queue))
            queue.clear()
        begin = clock()
        try:
            items = self.block.finish()
        except Exception as error:
            raise self.failure(error, "finish") from error
        finally:
            self.busy_ns += clock() - begin
        for port in reversed(range(len(self.out_names))):
            stack.extend((target, into, END) for target, into in reversed(self.consumers[port]))
        self.run_iterable(items, "finish", stack)

    def close(self, stack: list[Task]) -> None:
        """The block wants no more: flush and end."""
        if not self.done:
            self.flush(stack)

    def lose(self) -> None:
        """A consumer wants no more; when none is left, neither does this block."""
        self.live -= 1
        if self.live <= 0:
            self.lost = True
        if self.lost and not self.done:
            self.done = True
            self.release_inputs()

    def after(self) -> "list[Target] | None":
        return None if self.done else [target for port in self.consumers for target, _ in port]

    def unwanted(self) -> bool:
        """Whether nobody needs this block any more; unlike ``lose``, this may be asked from any thread."""
        todo: list[Target] = [self]
        seen: set[int] = set()
        while todo:
            target = todo.pop()
            further = target.after() if id(target) not in seen else None
            seen.add(id(target))
            if further == []:
                return False  # a sink that still takes
            todo += further or []
        return True

    def release_inputs(self) -> None:
        """Tell those that feed this block that it takes nothing more."""
        for i, producer in enumerate(self.producers):
            if producer is not None and not self.port_ended[i]:
                self.producers[i] = None
                producer.lose()

    def backlog(self, port: int) -> int:
        """Packets that wait at ``port`` for a partner on another port."""
        return len(self.pending[port])

    def failure(self, error: BaseException, where: str) -> FlowgraphError:
        """``error`` with the block, port and data it happened at."""
        place = f"in {self.name} ({type(self.block).__name__}){', ' + where if where else ''}"
        if isinstance(error, FlowgraphError):
            return type(error)(f"{place}: {error}")
        return BlockError(f"{place}: {error if _is_message(error) else repr(error)}")

    def refusal(self, text: str) -> PortError:
        """What the runtime says when it cannot send on what the block gave."""
        return PortError(f"{self.name} ({type(self.block).__name__}) {text}")

    def _at(self, port: int, packet: Packet) -> str:
        return f"port {self.in_names[port]}, {packet!r}"


def _is_message(error: BaseException) -> bool:
    """Whether the text alone tells the user what to do (files, refused values), without the type's name."""
    return isinstance(error, (UserError, OSError, ValueError)) and bool(str(error))
