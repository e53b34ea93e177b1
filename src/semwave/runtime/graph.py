"""Flowgraphs: blocks by name, edges between their ports, checked and negotiated before anything runs."""

import weakref
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from semwave.runtime.block import Block, In, Out, Port, misfit
from semwave.runtime.errors import BlockError, ConnectError, FlowgraphError, ParameterError
from semwave.runtime.packet import Spec, meet
from semwave.runtime.params import unknown

if TYPE_CHECKING:
    from semwave.runtime.composite import Composite
    from semwave.runtime.run import Result, Run


@dataclass(frozen=True)
class Edge:
    """``source.out`` feeds ``target.into``."""

    source: str
    out: str
    target: str
    into: str

    def __str__(self) -> str:
        return f"{self.source}.{self.out} > {self.target}.{self.into}"


@dataclass
class Plan:
    """A graph that can run: composites opened, order found, every edge's spec known."""

    blocks: dict[str, Block]  # in topological order
    edges: list[Edge]
    inputs: dict[str, dict[str, Spec]]
    outputs: dict[str, dict[str, Spec]]


class Flowgraph:
    """Blocks and the edges between them.

    >>> fg = Flowgraph(seed=7)
    >>> fg.add(source=ImageSource(path="photos"), sink=ImageSink())     # doctest: +SKIP
    >>> fg.connect("source > sink.image")                              # doctest: +SKIP
    >>> fg.run()                                                       # doctest: +SKIP

    ``seed`` fixes every random draw of the run; ``chunk`` is how many items sources hand out at a time (results do not
    depend on it).
    """

    def __init__(self, *, seed: int = 0, chunk: int = 8192, name: str = "flowgraph") -> None:
        if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**63:
            raise ParameterError(f"seed must be an int from 0 to 2**63 - 1, not {seed!r}")
        if not isinstance(chunk, int) or isinstance(chunk, bool) or chunk < 1:
            raise ParameterError(f"chunk must be an int of at least 1, not {chunk!r}")
        self.seed, self.chunk, self.name = seed, chunk, name
        self.blocks: dict[str, Block] = {}
        self.edges: list[Edge] = []
        self.exposed: dict[str, list[tuple[str, str]]] = {}
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
        if not self.blocks:
            raise ConnectError("the graph has no blocks")
        blocks, edges = flatten(self)
        order = topological(blocks, edges)
        require_connected(blocks, edges)
        return negotiate({name: blocks[name] for name in order}, edges)

    def check(self) -> Plan:
        """The same as :meth:`plan`."""
        return self.plan()

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


def flatten(graph: Flowgraph) -> tuple[dict[str, Block], list[Edge]]:
    """Blocks and edges with every composite replaced by what is in it, under names like ``outer/inner``."""
    from semwave.runtime.composite import Composite

    blocks, edges = dict(graph.blocks), list(graph.edges)
    while (found := next(((n, b) for n, b in blocks.items() if isinstance(b, Composite)), None)) is not None:
        name, block = found
        inner = _opened(name, block)
        ends = {port: [(f"{name}/{b}", p) for b, p in where] for port, where in inner.exposed.items()}
        renamed = {f"{name}/{n}": b for n, b in inner.blocks.items()}
        blocks = {m: c for n, b in blocks.items() for m, c in (renamed if n == name else {n: b}).items()}
        edges = [e for old in edges for e in _reroute(old, name, ends)]
        edges += [Edge(f"{name}/{e.source}", e.out, f"{name}/{e.target}", e.into) for e in inner.edges]
    _refuse_double(blocks, edges)
    return blocks, edges


def _opened(name: str, block: "Composite") -> Flowgraph:
    """What is inside a composite; raises with the composite's name in front when that is not what it declares."""
    place = f"{name} ({type(block).__name__})"
    try:
        inner = block.opened()
    except FlowgraphError as error:
        raise type(error)(f"{place}: {error}") from error
    except Exception as error:
        raise BlockError(f"in {place}, build: {error!r}") from error
    missing = set(block.ports) - set(inner.exposed)
    if missing:
        raise ConnectError(f"{place} exposes nothing as its port {', '.join(sorted(missing))}")
    for port, outer in block.ports.items():
        at, end = inner.exposed[port][0]
        if isinstance(outer, In) != isinstance(inner.blocks[at].ports[end], In):
            raise ConnectError(f"{place}: port {port} and what it exposes, {at}.{end}, are not of one direction")
    return inner


def _refuse_double(blocks: Mapping[str, Block], edges: list[Edge]) -> None:
    """Opening composites can feed a port twice, or put one block under two names."""
    fed: dict[tuple[str, str], Edge] = {}
    for e in edges:
        other = fed.setdefault((e.target, e.into), e)
        if other is not e:
            raise ConnectError(f"{e.target}.{e.into} is fed by {other.source}.{other.out} and {e.source}.{e.out}")
    seen: dict[int, str] = {}
    for name, block in blocks.items():
        if seen.setdefault(id(block), name) != name:
            raise ConnectError(f"{seen[id(block)]} and {name} are the same block; make one for each place")


def _reroute(edge: Edge, name: str, ends: dict[str, list[tuple[str, str]]]) -> Iterable[Edge]:
    source, out = ends[edge.out][0] if edge.source == name else (edge.source, edge.out)
    targets = ends[edge.into] if edge.target == name else [(edge.target, edge.into)]
    return [Edge(source, out, target, into) for target, into in targets]


def topological(blocks: Iterable[str], edges: list[Edge]) -> list[str]:
    """Names such that every block comes after those that feed it; raises ConnectError naming a loop."""
    feeds: dict[str, set[str]] = {name: set() for name in blocks}
    fed: dict[str, set[str]] = {name: set() for name in feeds}
    for e in edges:
        feeds[e.target].add(e.source)
        fed[e.source].add(e.target)
    missing = {name: len(before) for name, before in feeds.items()}
    order = [name for name, count in missing.items() if not count]
    for name in order:  # grows as it is walked
        for after in sorted(fed[name]):
            missing[after] -= 1
            if not missing[after]:
                order.append(after)
    if len(order) < len(feeds):
        raise ConnectError(f"the graph has a loop: {' > '.join(_loop(feeds, set(order)))}")
    return order


def _loop(feeds: dict[str, set[str]], done: set[str]) -> list[str]:
    path = [next(n for n in feeds if n not in done)]
    while (before := min(feeds[path[-1]] - done)) not in path:
        path.append(before)
    path.append(before)
    return path[path.index(before) :][::-1]


def require_connected(blocks: Mapping[str, Block], edges: list[Edge]) -> None:
    """Every port that is not optional has an edge; raises ConnectError naming all that have none."""
    used = {(e.source, e.out) for e in edges} | {(e.target, e.into) for e in edges}
    loose = [
        f"{'input' if isinstance(p, In) else 'output'} {name}.{port} ({p.spec})"
        for name, block in blocks.items()
        for port, p in block.ports.items()
        if not p.optional and (name, port) not in used
    ]
    if loose:
        raise ConnectError("not connected: " + "; ".join(loose))


def negotiate(blocks: dict[str, Block], edges: list[Edge]) -> Plan:
    """Find the spec of every port in topological order, so that rates and types are known before anything runs."""
    plan = Plan(blocks, edges, {}, {})
    into = {(e.target, e.into): e for e in edges}
    for name, block in blocks.items():
        inputs: dict[str, Spec] = {}
        for port, p in block.inputs.items():
            edge = into.get((name, port))
            if edge is None:
                continue
            given = plan.outputs[edge.source][edge.out]
            spec = meet(given, p.spec)
            if spec is None:
                raise ConnectError(f"{edge.source}.{edge.out} gives {given}, {name}.{port} takes {p.spec}")
            inputs[port] = spec
        plan.inputs[name] = inputs
        plan.outputs[name] = _outputs(name, block, inputs)
    return plan


def _outputs(name: str, block: Block, inputs: dict[str, Spec]) -> dict[str, Spec]:
    place = f"{name} ({type(block).__name__})"
    problem = misfit(block, inputs)
    if problem:
        raise ConnectError(f"{place}: {problem}")
    try:
        outputs = block.negotiate(inputs)
    except ConnectError as error:
        raise ConnectError(f"{place}: {error}") from None
    except ValueError as error:
        raise ConnectError(f"{place}: {error}") from error
    except Exception as error:
        raise ConnectError(f"in {place}, negotiate: {error!r}") from error
    if not isinstance(outputs, dict) or set(outputs) != set(block.outputs):
        given = ", ".join(outputs) or "none" if isinstance(outputs, dict) else type(outputs).__name__
        raise ConnectError(f"{place}: negotiate gave {given}; the outputs are {', '.join(block.outputs) or 'none'}")
    return outputs
