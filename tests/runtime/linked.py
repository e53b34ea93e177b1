"""What the tests of links share: two or more parts of one graph, run as threads of this process."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from parts import Dice, Numbers, Repeat, values

from semwave.blocks.basic import VectorSink
from semwave.runtime import Flowgraph, Result, Run
from semwave.runtime.address import free_tcp

QUICK = {"deadline_s": 1.0}


class Part(threading.Thread):
    """One part of a graph on its way; ``error`` or ``result`` tells what came of it."""

    def __init__(self, graph: Flowgraph, part: str, **options: Any) -> None:
        super().__init__(daemon=True)
        self.graph, self.error, self.result = graph, None, None
        self.part_run = Run(graph, part=part, **{"deadline_s": 5.0, **options})
        self.begun_at = time.monotonic()
        self.seconds = 0.0
        self.start()

    def run(self) -> None:
        try:
            self.result: Result | None = self.part_run.start().wait(30)
        except Exception as error:
            self.error: Exception | None = error
        self.seconds = time.monotonic() - self.begun_at

    def ended(self, within_s: float = 20) -> "Part":
        """Wait for the end."""
        self.join(within_s)
        assert not self.is_alive(), "the part did not end"
        return self

    def check(self) -> Result:
        """Wait for the end; raise what went wrong."""
        self.ended()
        if self.error is not None:
            raise self.error
        assert self.result is not None
        return self.result


def spread(build: Callable[[], Flowgraph], **options: Any) -> dict[str, Part]:
    """A graph for each part (they share nothing), every crossing edge at a free address; all are started."""
    first = build()
    layout = first.placement.layout(first.plan())
    links = {key: free_tcp() for key in layout.crossing if key not in layout.links}
    found = {}
    for part in layout.parts:
        graph = build()
        for key, address in links.items():
            graph.link(key, address)
        found[part] = Part(graph, part, **options)
    return found


class Proxy(threading.Thread):
    """A TCP connection that can be cut: what comes to ``port`` goes on to ``target``."""

    def __init__(self, target: int) -> None:
        super().__init__(daemon=True)
        self.target, self.sockets = target, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.open, self.carried = True, 0
        self.start()

    def run(self) -> None:
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            try:
                if not self.open:
                    raise OSError
                far = socket.create_connection(("127.0.0.1", self.target), 1)
            except OSError:
                near.close()
                continue
            self.sockets += [near, far]
            for a, b in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=(a, b), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(4096):
                self.carried += len(data)
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            end.close()

    def cut(self) -> None:
        """Break all connections, and let no new ones through."""
        self.open = False
        for end in self.sockets:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self.sockets.clear()

    def mend(self) -> None:
        """Let connections through again."""
        self.open = True


def chain(count: int | None = 3000, seed: int = 1) -> Flowgraph:
    """A source and dice in part tx, two more blocks in part rx."""
    fg = Flowgraph(seed=seed, chunk=50)
    fg.add(a=Numbers(count=count, tag_every=7), b=Dice(), c=Repeat(), k=VectorSink())
    return fg.connect("a > b > c > k").place(tx=["a", "b"], rx=["c", "k"])


def items(sink: VectorSink) -> tuple[list[int], list[tuple[int, int]]]:
    """What came, and the tags."""
    return values(sink), [(t.at, t.value) for p in sink.packets for t in p.tags]
