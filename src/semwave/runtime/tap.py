"""Taps: what leaves a port is published for displays, without ever holding up the graph."""

from collections import deque
from collections.abc import Callable
from typing import Any

from semwave.runtime import wirecode
from semwave.runtime.errors import LinkError
from semwave.runtime.packet import Packet
from semwave.runtime.runner import END, Task

DEPTH = 64  # packets that wait to be published


class Tap:
    """A target that drops what it cannot take; ``dropped`` counts."""

    def __init__(self, port: str, address: str, wake: Callable[[], None], depth: int = DEPTH) -> None:
        self.port, self.address, self.depth = port, address, depth
        self.socket: Any = None
        self.items: deque[tuple[int, Packet]] = deque()
        self.seen = self.dropped = self.untold = 0
        self._wake = wake

    def take(self, port: int, item: Any, stack: list[Task]) -> None:
        """Keep a packet for the thread that publishes, or drop it where too many wait."""
        if item is END:
            return
        self.seen += 1
        if len(self.items) >= self.depth:
            self.dropped += 1
            return
        self.items.append((self.seen - 1, item))
        self._wake()

    def lose(self) -> None:
        """Nobody tells a tap anything."""

    def after(self) -> None:
        """A tap is no reason for a source to go on."""
        return None

    def publish(self, zmq: Any) -> None:
        """Send what waits; a subscriber that is slow misses packets, and sees it from their numbers."""
        while self.items:
            seq, packet = self.items.popleft()
            try:
                frames = wirecode.encode_packet(packet, seq=seq, port=self.port, dropped=self.dropped)
                self.socket.send_multipart(frames, zmq.DONTWAIT)
            except LinkError:
                self.untold += 1  # it cannot travel
            except zmq.Again:
                self.dropped += 1
