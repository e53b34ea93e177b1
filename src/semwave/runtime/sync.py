"""The runner of sync blocks: whole multiples of the rate's denominator, tags rescaled, chains fused."""

from fractions import Fraction
from math import lcm
from time import perf_counter_ns as clock
from typing import Any

import numpy as np
from numpy import ndarray

from semwave.runtime.block import Context, SyncBlock
from semwave.runtime.errors import PortError
from semwave.runtime.packet import Array, Packet, Stream, Tag, frozen
from semwave.runtime.runner import END, FLUSH, Runner, Task


class SyncRunner(Runner):
    """Whole steps, the rest kept; length checked; tags rescaled."""

    block: SyncBlock

    def __init__(self, name: str, block: SyncBlock, ctx: Context) -> None:
        super().__init__(name, block, ctx)
        rate = Fraction(block.rate())
        self.up, self.down = rate.numerator, rate.denominator
        if rate <= 0:
            raise ValueError(f"rate must be above 0, not {rate}")
        if block.step() < 1:
            raise ValueError(f"step must be at least 1, not {block.step()}")
        self.step = lcm(self.down, block.step())
        self.single = len(self.in_names) == 1 and len(block.outputs) <= 1
        self.have = [0] * len(self.in_names)  # items in ``pending``
        spec = self.out_specs[0] if self.out_names else None
        plain = spec is None or (isinstance(spec, Stream) and not spec.item)
        self.fast = self.single and self.step == 1 and plain and len(self.out_names) == len(block.outputs)
        self.dtype = getattr(spec, "dtype", None)
        self.next: SyncRunner | None = None  # the only consumer, where it is fast too
        self.work = block.work

    def wired(self) -> None:
        """Find out whether what comes out can go straight into the next block's ``work``."""
        targets = self.consumers[0] if self.out_names else []
        if len(targets) == 1 and isinstance(targets[0][0], SyncRunner) and targets[0][0].fast and self.recut is None:
            self.next = targets[0][0]

    def began(self) -> None:
        """A block may choose its ``work`` when it starts."""
        self.work = self.block.work

    def take(self, port: int, item: Any, stack: list[Task]) -> None:
        """As any runner; a packet that meets fast blocks runs through all of them in one loop."""
        if port != 0 or not self.fast or item is END or self.done or self.changes:
            super().take(port, item, stack)
        else:
            self.run_chain(item, stack)

    def run_chain(self, packet: Packet, stack: list[Task]) -> None:
        """From here to the first block that needs care: no packets are made between, one clock reading a block."""
        runner, data, start, tags = self, packet.data, packet.start, packet.tags
        n = len(data)
        begin = clock()
        while True:
            try:
                out = runner.work(data)
            except Exception as error:
                raise runner.failure(error, runner._at(0, Packet(data, start))) from error
            end = clock()
            runner.busy_ns += end - begin
            begin = end
            runner.calls += 1
            runner.items_in += n
            finished = runner.ctx.finished
            if finished:
                stack.append((runner, FLUSH, None))
            if not runner.out_names:
                return
            up = runner.up
            if up != 1:
                n *= up
                start *= up
                tags = tuple(Tag(t.at * up, t.key, t.value) for t in tags)
            if type(out) is not ndarray or out.ndim != 1 or len(out) != n or out.dtype is not runner.dtype:
                runner.refuse(runner.out_names[0], out, n // up)
            out.setflags(False)
            following = runner.next
            if following is None or finished or following.done or following.changes:
                break
            runner.sent[0] += n
            runner, data = following, out
        runner.send(0, Packet(out, start, tags, packet.meta), stack)

    def refuse(self, port: str, out: Any, n: int) -> None:
        """Say what is wrong with what ``work`` gave for ``n`` items, if anything is."""
        where, spec = f"{self.name}.{port} ({type(self.block).__name__})", self.ctx.outputs[port]
        if not isinstance(out, np.ndarray) or not out.ndim or len(out) * self.down != n * self.up:
            got = f"{len(out)} items" if isinstance(out, np.ndarray) and out.ndim else type(out).__name__
            raise PortError(
                f"{where} gave {got} for {n}; its rate {self.up}/{self.down} makes {n * self.up // self.down}"
            )
        problem = spec.problem(out)
        if problem:
            raise PortError(f"{where} gave a packet that {problem}; it declares {spec}")

    def packet(self, port: int, packet: Packet, stack: list[Task]) -> None:
        if self.single and self.step == 1:
            self.call(packet, (packet.data,), packet.start, packet.tags, stack)
            return
        if len(packet.data):
            self.pending[port].append(packet)
            self.have[port] += len(packet.data)
        ready = min(self.have)
        take = ready - ready % self.step
        if take:
            parts = [self._pull(i, take) for i in range(len(self.pending))]
            if any(self.port_ended) and self.exhausted():
                stack.append((self, FLUSH, None))
            tags = tuple(t for p in parts for t in p.tags)
            self.call(parts[0], tuple(p.data for p in parts), parts[0].start, tags, stack)

    def _pull(self, port: int, count: int) -> Packet:
        """The oldest ``count`` items that wait at ``port``."""
        queue, have, parts = self.pending[port], 0, []
        self.have[port] -= count
        while have < count:
            p = queue.popleft()
            room = count - have
            if len(p.data) > room:
                head = tuple(t for t in p.tags if t.at < p.start + room)
                tail = tuple(t for t in p.tags if t.at >= p.start + room)
                queue.appendleft(Packet(p.data[room:], p.start + room, tail, p.meta))
                p = Packet(p.data[:room], p.start, head, p.meta)
            parts.append(p)
            have += len(p.data)
        data = parts[0].data if len(parts) == 1 else frozen(np.concatenate([p.data for p in parts]))
        return Packet(data, parts[0].start, tuple(t for p in parts for t in p.tags), parts[0].meta)

    def call(
        self, packet: Packet, data: tuple[Array, ...], start: int, tags: tuple[Tag, ...], stack: list[Task]
    ) -> None:
        """One call of ``work``."""
        begin = clock()
        try:
            result = self.block.work(*data)
        except Exception as error:
            raise self.failure(error, self._at(0, packet)) from error
        self.busy_ns += clock() - begin
        self.calls += 1
        if self.ctx.finished and not self.done:
            stack.append((self, FLUSH, None))
        if self.out_names:
            outs = result if isinstance(result, tuple) else (result,)
            if len(outs) != len(self.block.outputs):
                raise self.refusal(f"gave {len(outs)} arrays for {len(self.block.outputs)} outputs")
            given = dict(zip(self.block.outputs, outs, strict=True))
            if tags and (self.up, self.down) != (1, 1):
                tags = tuple(Tag(t.at * self.up // self.down, t.key, t.value) for t in tags)
            for port in reversed(range(len(self.out_names))):
                out = given[self.out_names[port]]
                self.refuse(self.out_names[port], out, len(packet.data))
                self.send(port, Packet(out, start * self.up // self.down, tags, packet.meta), stack)

    def exhausted(self) -> bool:
        return any(e and n < self.step for e, n in zip(self.port_ended, self.have, strict=True))
