"""What a flowgraph comes to before it runs: composites opened, blocks in order, every edge's spec known."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from semwave.runtime.block import Block, In, misfit
from semwave.runtime.errors import BlockError, ConnectError, FlowgraphError
from semwave.runtime.packet import Spec, meet

if TYPE_CHECKING:
    from semwave.runtime.composite import Composite
    from semwave.runtime.graph import Flowgraph


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


def flatten(graph: "Flowgraph") -> tuple[dict[str, Block], list[Edge]]:
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


def _opened(name: str, block: "Composite") -> "Flowgraph":
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


def require_connected(blocks: Mapping[str, Block], edges: list[Edge], exposed: Collection[str] = ()) -> None:
    """Every port that is not optional has an edge; raises ConnectError naming all that have none."""
    used = {(e.source, e.out) for e in edges} | {(e.target, e.into) for e in edges}
    loose = [
        f"{'input' if isinstance(p, In) else 'output'} {name}.{port} ({p.spec})"
        for name, block in blocks.items()
        for port, p in block.ports.items()
        if not p.optional and (name, port) not in used
    ]
    if loose:
        hint = f" (its [ports] {', '.join(exposed)} make it a block for other flowgraphs)" if exposed else ""
        raise ConnectError("not connected: " + "; ".join(loose) + hint)


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
