"""Flowgraphs: blocks by name, edges between their ports, checked and negotiated before anything runs."""

import weakref
from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semwave.runtime.block import Block, In, Out, Port
from semwave.runtime.errors import ConnectError, FlowgraphError, ParameterError
from semwave.runtime.params import unknown
from semwave.runtime.place import Placement
from semwave.runtime.plan import Edge, Plan, flatten, negotiate, require_connected, topological

if TYPE_CHECKING:
    from semwave.runtime.run import Result, Run

CHUNK = 16384  # items that sources hand out: 128 KiB of complex64 stay in the cache, and calls cost little beside them


class Flowgraph:
    """Blocks and the edges between them.

    >>> fg = Flowgraph(seed=7)
    >>> fg.add(source=ImageSource(path="photos"), sink=ImageSink())     # doctest: +SKIP
    >>> fg.connect("source > sink.image")                              # doctest: +SKIP
    >>> fg.run()                                                       # doctest: +SKIP

    ``seed`` fixes every random draw of the run; ``chunk`` is how many items sources hand out at a time (results do not
    depend on it).
    """

    def __init__(self, *, seed: int = 0, chunk: int = CHUNK, name: str = "flowgraph") -> None:
        if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**63:
            raise ParameterError(f"seed must be an int from 0 to 2**63 - 1, not {seed!r}")
        if not isinstance(chunk, int) or isinstance(chunk, bool) or chunk < 1:
            raise ParameterError(f"chunk must be an int of at least 1, not {chunk!r}")
        self.seed, self.chunk, self.name = seed, chunk, name
        self.blocks: dict[str, Block] = {}
        self.edges: list[Edge] = []
        self.exposed: dict[str, list[tuple[str, str]]] = {}
        self.placement = Placement()
        self.file: Path | None = None  # where it was read from, for messages
        self._run: weakref.ref[Run] | None = None

    # ---- building ------------------------------------------------------------------------------------------

    def add(self, blocks: Mapping[str, Block] | None = None, /, **more: Block) -> "Flowgraph":
        """Add blocks under their names."""
        for name, block in {**(blocks or {}), **more}.items():
            if name in self.blocks:
                raise ConnectError(f"there is already a block called {name!r}")
            if not name or any(c in name for c in " .>/\t\n"):
                raise ConnectError(f"a block cannot be called {name!r}: use letters, digits, _ and -")
            if not isinstance(block, Block):
                raise ConnectError(f"{name} is {block!r}, not a block")
            if any(block is b for b in self.blocks.values()):
                raise ConnectError(f"{name}: this block is in the graph already, under another name")
            self.blocks[name] = block
        return self

    def connect(self, *chains: str) -> "Flowgraph":
        """Connect ports: ``"a > b.port > c"``. The port may be left out when there is only one it can be."""
        for chain in chains:
            steps = [s.strip() for s in chain.split(">")]
            if len(steps) < 2 or not all(steps):
                raise ConnectError(f"cannot read {chain!r}: write 'a > b' or 'a.port > b.port > c'")
            last = len(steps) - 2
            for i, (left, right) in enumerate(pairwise(steps)):
                source, out = self._end(left, Out, chain, middle=i > 0)
                target, into = self._end(right, In, chain, middle=i < last)
                self._join(Edge(source, out, target, into))
        return self

    def expose(self, **ports: str | list[str]) -> "Flowgraph":
        """Make inner ports the ports of this graph when it is used as a block: ``expose(bits="mapper.bits")``."""
        for name, where in ports.items():
            ends = [where] if isinstance(where, str) else list(where)
            self.exposed[name] = [self._exposed_end(name, end) for end in ends]
            kinds = {type(self.blocks[b].ports[p]) for b, p in self.exposed[name]}
            if len(kinds) != 1 or (Out in kinds and len(ends) != 1):
                raise ConnectError(f"port {name}: expose one output, or inputs only, not {', '.join(ends)}")
        return self

    def place(self, **parts: Iterable[str]) -> "Flowgraph":
        """Say which part (process, machine) each block runs in: ``place(tx=["source", "encode"], rx=[...])``.

        A composite is placed by its name, with all that is in it. Without parts, or when no part is asked for, the
        graph runs in one process.
        """
        self.placement.place(parts)
        return self

    def link(self, edge: str, address: str, **options: Any) -> "Flowgraph":
        """Give an edge between parts its address: ``link("ofdm > channel", "tcp://127.0.0.1:5551")``.

        The options are those of :class:`semwave.runtime.place.LinkEntry`: ``allow_remote``, ``server_key``,
        ``client_key``.
        """
        self.placement.link(edge, {"address": address, **options})
        return self

    def secure(self, **keys: str | Path) -> "Flowgraph":
        """Key files by part: every link between parts that have one is encrypted, and takes no other peer."""
        self.placement.secure(keys)
        return self

    def probe(self, port: str, address: str) -> "Flowgraph":
        """Publish what leaves ``block.port`` at ``address``, for displays; the graph does not wait for them."""
        self.placement.probe(port, address)
        return self

    def as_block(self) -> Block:
        """This graph as one block; its ports are those given to :meth:`expose`."""
        from semwave.runtime.composite import GraphBlock

        return GraphBlock.of(self)

    def _exposed_end(self, name: str, end: str) -> tuple[str, str]:
        block, _, port = end.partition(".")
        self._known(block, end)
        if port not in self.blocks[block].ports:
            raise ConnectError(f"port {name}: {unknown(port, self.blocks[block].ports, 'port')}")
        return block, port

    def _known(self, block: str, where: str) -> None:
        if block not in self.blocks:
            raise ConnectError(f"in {where!r}: {unknown(block, self.blocks, 'block')}".replace("it takes", "there are"))

    def _end(self, step: str, kind: type[Port], chain: str, middle: bool) -> tuple[str, str]:
        """Block and port that a step of a chain means, as an input or as an output."""
        name, _, port = step.partition(".")
        self._known(name, chain)
        block = self.blocks[name]
        if port and port not in block.ports:
            raise ConnectError(
                f"{name} ({type(block).__name__}): {unknown(port, block.ports, 'port')}".replace("takes", "has")
            )
        side = {n: p for n, p in block.ports.items() if isinstance(p, kind)}
        if port in side:
            return name, port
        word = "input" if kind is In else "output"
        if port and not middle:
            raise ConnectError(f"{name}.{port} is not an {word}; {name} has {word}s {', '.join(side) or 'none'}")
        must = {n: p for n, p in side.items() if not p.optional}
        for choice in (side, must):
            if len(choice) == 1:
                return name, next(iter(choice))
        if not side:
            raise ConnectError(f"in {chain!r}: {name} ({type(block).__name__}) has no {word}")
        raise ConnectError(
            f"in {chain!r}: {name} has {word}s {', '.join(side)}; say which, as in '{name}.{next(iter(side))}'"
        )

    def _join(self, edge: Edge) -> None:
        other = next((e for e in self.edges if (e.target, e.into) == (edge.target, edge.into)), None)
        if other == edge:
            raise ConnectError(f"{edge} is connected twice")
        if other:
            raise ConnectError(f"{edge.target}.{edge.into} is already fed by {other.source}.{other.out}")
        self.edges.append(edge)

    # ---- checking ------------------------------------------------------------------------------------------

    def plan(self) -> Plan:
        """Check the whole graph and find what travels on each edge; raises ConnectError with what to change."""
        try:
            return self._plan()
        except FlowgraphError as error:
            if self.file is None:
                raise
            raise type(error)(f"{self.file}: {error}") from error.__cause__

    def _plan(self) -> Plan:
        if not self.blocks:
            raise ConnectError("the graph has no blocks")
        blocks, edges = flatten(self)
        order = topological(blocks, edges)
        require_connected(blocks, edges, self.exposed)
        plan = negotiate({name: blocks[name] for name in order}, edges)
        self.placement.layout(plan)
        return plan

    def check(self) -> Plan:
        """The same as :meth:`plan`."""
        return self.plan()

    # ---- showing -------------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        return f"<Flowgraph {self.name}: {len(self.blocks)} blocks, {len(self.edges)} edges>"

    def _repr_svg_(self) -> str | None:
        """The drawing of ``semwave show``, for notebooks; none of a graph that is not complete yet."""
        from semwave.commands._diagram import of_graph
        from semwave.commands._picture import draw

        try:
            return draw(of_graph(self), "svg").decode()
        except FlowgraphError:
            return None

    # ---- running -------------------------------------------------------------------------------------------

    def start(self, **options: Any) -> "Run":
        """Start and come back at once; the options are those of :class:`semwave.runtime.run.Run`."""
        from semwave.runtime.run import Run

        last = self._run and self._run()
        if last and last.running:
            raise FlowgraphError(f"{self.name} is running already, and its blocks hold the state of one run only")
        run = Run(self, **options)
        self._run = weakref.ref(run)
        return run.start()

    def run(self, *, timeout_s: float | None = None, **options: Any) -> "Result":
        """Run to the end and give back what was counted; raises the first error. Ctrl-C ends the sources, then the
        run.
        """
        return self.start(**options).wait(timeout_s)
