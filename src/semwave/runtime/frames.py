"""The runners of blocks that take whole packets: one by one, paired, or in batches."""

from time import perf_counter_ns as clock
from typing import Any

from semwave.runtime.block import BatchBlock, FrameBlock
from semwave.runtime.packet import Packet
from semwave.runtime.runner import FLUSH, Runner, Task


class FrameRunner(Runner):
    """Packets in, packets out; several inputs are paired, or taken as they come."""

    block: FrameBlock

    def packet(self, port: int, packet: Packet, stack: list[Task]) -> None:
        block = self.block
        if block.pairing == "any" and len(block.inputs) > 1:
            self.call((self.in_names[port], packet), self._at(port, packet), stack)
        elif len(self.in_names) == 1:
            self.call((packet,), self._at(port, packet), stack)
        else:
            self.pending[port].append(packet)
            if all(self.pending):
                args = tuple(queue.popleft() for queue in self.pending)
                if self.exhausted():
                    stack.append((self, FLUSH, None))
                self.call(args, self._at(port, packet), stack)

    def call(self, args: tuple[Any, ...], where: str, stack: list[Task]) -> None:
        """One call of ``work``."""
        begin = clock()
        try:
            items = self.block.work(*args)
        except Exception as error:
            raise self.failure(error, where) from error
        self.busy_ns += clock() - begin
        self.calls += 1
        self.run_iterable(items, where, stack)

    def exhausted(self) -> bool:
        if self.block.pairing == "any":
            return all(self.port_ended)
        return any(e and not q for e, q in zip(self.port_ended, self.pending, strict=True))


class BatchRunner(Runner):
    """Lists of packets to a model."""

    block: BatchBlock

    def packet(self, port: int, packet: Packet, stack: list[Task]) -> None:
        self.batch([packet], stack)

    def batch(self, packets: list[Packet], stack: list[Task]) -> None:
        """One call of ``work`` on what was queued."""
        begin = clock()
        try:
            items = self.block.work(packets)
        except Exception as error:
            raise self.failure(error, self._at(0, packets[0])) from error
        self.busy_ns += clock() - begin
        self.calls += 1
        self.run_iterable(items, self._at(0, packets[0]), stack)
