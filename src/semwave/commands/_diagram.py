"""What a drawing of a flowgraph shows, whatever it is drawn with: nodes, links, groups."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from typing import Any

from semwave.commands._catalog import toml_value
from semwave.commands._terminal import shorten
from semwave.runtime.block import Block, In, Source
from semwave.runtime.composite import Composite
from semwave.runtime.graph import Flowgraph
from semwave.runtime.packet import Anything, Frames, Spec
from semwave.runtime.params import param_specs
from semwave.runtime.plan import Plan

VALUE_WIDTH = 26


@dataclass
class Node:
    """A block: its full name (``outer/inner``), class, what kind of thing it is, parameters that were changed."""

    name: str
    cls: str
    role: str  # source, sink, heavy, plain or outside
    params: list[str] = field(default_factory=list)
    part: str = ""  # of [place]

    @property
    def label(self) -> str:
        """The name inside its group."""
        return self.name.rpartition("/")[2]

    @property
    def groups(self) -> list[str]:
        """Names of the composites it is in, outermost first."""
        return groups_of(self.name.rpartition("/")[0])


def groups_of(path: str) -> list[str]:
    """``a``, ``a/b`` and ``a/b/c`` for ``a/b/c``; nothing for an empty path."""
    parts = path.split("/") if path else []
    return ["/".join(parts[: i + 1]) for i in range(len(parts))]


@dataclass
class Link:
    """An edge: from where to where, the ports, and what travels on it."""

    source: str
    target: str
    out: str
    into: str
    carries: str
    optional: bool = False

    @property
    def ports(self) -> str:
        """Both ports, or the one name that they share; nothing where one end is outside and shows the name itself."""
        if not (self.out and self.into):
            return ""
        return self.out if self.out == self.into else f"{self.out} → {self.into}"


@dataclass
class Diagram:
    """All of a drawing; ``groups`` maps a composite's name to the class or file that it is."""

    title: str
    nodes: list[Node]
    links: list[Link]
    groups: dict[str, str] = field(default_factory=dict)


def of_graph(graph: Flowgraph) -> Diagram:
    """The drawing of a flowgraph with its composites opened; raises ConnectError when the graph does not fit."""
    if graph.exposed:
        return _of_inner(graph)
    plan = graph.plan()
    where = graph.placement.layout(plan).where
    nodes = [Node(n, type(b).__name__, _role(b), changed(b), where.get(n, "")) for n, b in plan.blocks.items()]
    for node in nodes:
        node.cls += f" · {node.part}" * bool(node.part)
    return Diagram(graph.name, nodes, _links(plan), dict(_composites(graph)))


def _of_inner(graph: Flowgraph) -> Diagram:
    """The drawing of a flowgraph that is a block for others, between its open ports; nothing is negotiated yet."""
    roles = {n: "plain" if isinstance(b, Composite) else _role(b) for n, b in graph.blocks.items()}
    nodes = [Node(n, type(b).__name__, roles[n], changed(b)) for n, b in graph.blocks.items()]
    specs = {n: {port: carries(p.spec) for port, p in b.ports.items()} for n, b in graph.blocks.items()}
    links = [Link(e.source, e.target, e.out, e.into, specs[e.target][e.into]) for e in graph.edges]
    for port, ends in graph.exposed.items():
        is_input = isinstance(graph.blocks[ends[0][0]].ports[ends[0][1]], In)
        nodes.append(Node(f"[{port}]", "input" if is_input else "output", "outside"))
        for block, inner in ends:
            way = (f"[{port}]", block, "", inner) if is_input else (block, f"[{port}]", inner, "")
            links.append(Link(*way, specs[block][inner]))
    return Diagram(graph.name, nodes, links)


def _links(plan: Plan) -> list[Link]:
    return [Link(e.source, e.target, e.out, e.into, carries(plan.inputs[e.target][e.into])) for e in plan.edges]


def _composites(graph: Flowgraph, prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, block in graph.blocks.items():
        if isinstance(block, Composite):
            inner = block.opened()
            yield prefix + name, inner.name
            yield from _composites(inner, f"{prefix}{name}/")


def of_block(name: str, cls: type[Block]) -> Diagram:
    """The drawing of one block between whatever it may be connected to."""
    node = Node(name, cls.__name__ if cls.__name__ != name else "", _class_role(cls), _declared(cls))
    diagram = Diagram(name, [node], [])
    for port, p in cls.class_ports.items():
        is_input = isinstance(p, In)
        diagram.nodes.append(Node(port, "input" if is_input else "output", "outside"))
        ends = (port, name, "", port) if is_input else (name, port, port, "")
        diagram.links.append(Link(*ends, carries(p.spec), p.optional))
    return diagram


def carries(spec: Spec) -> str:
    """``complex64, 1 MHz`` for a stream, ``uint8 [h, w, 3]`` for frames."""
    if isinstance(spec, Anything):
        return "anything"
    text = str(spec.dtype) if spec.dtype is not None else "any"
    if isinstance(spec, Frames):
        text += f" [{', '.join(map(str, spec.shape))}]"
    elif spec.item:
        text += f" × {' × '.join(map(str, spec.item))}"
    return text if spec.sample_rate is None else f"{text}, {_rate(spec)}"


def _rate(spec: Spec) -> str:
    rate = spec.sample_rate or 0.0
    if isinstance(spec, Frames):
        return f"{rate:.4g}/s"
    for factor, unit in ((1e9, "GHz"), (1e6, "MHz"), (1e3, "kHz")):
        if rate >= factor:
            return f"{rate / factor:.6g} {unit}"
    return f"{rate:.6g} Hz"


def _role(block: Block) -> str:
    if isinstance(block, Source) or not block.inputs:
        return "source"
    return "sink" if not block.outputs else "heavy" if block.heavy else "plain"


def _class_role(cls: type[Block]) -> str:
    inputs = [p for p in cls.class_ports.values() if isinstance(p, In)]
    if issubclass(cls, Composite):
        return "plain"
    if not inputs:
        return "source"
    return "sink" if len(inputs) == len(cls.class_ports) else "heavy" if cls.heavy else "plain"


# ---- parameters ------------------------------------------------------------------------------------------------------


def changed(block: Block) -> list[str]:
    """``name = value`` of every parameter that is not at its default."""
    defaults = _defaults(type(block))
    pairs = ((n, v) for n, v in block.parameters().items() if n not in defaults or not _same(v, defaults[n]))
    return [f"{name} = {_value(value)}" for name, value in pairs]


def _declared(cls: type[Block]) -> list[str]:
    defaults = _defaults(cls)
    return [f"{n} = {_value(defaults[n])}" if n in defaults else f"{n} (required)" for n in param_specs(cls)]


def _defaults(cls: type[Block]) -> dict[str, Any]:
    """Default values as a block holds them, by name; required parameters have none."""
    made = {f.name: f.default_factory() for f in fields(cls) if callable(f.default_factory)}  # type: ignore[arg-type]
    return {n: made.get(n, s.default) for n, s in param_specs(cls).items() if not s.required}


def _same(a: Any, b: Any) -> bool:
    try:
        return bool(a == b) or (isinstance(a, (list, tuple)) and list(a) == list(b))
    except (TypeError, ValueError):
        return False


def _value(value: Any) -> str:
    if value is None:
        return "none"
    text = value if isinstance(value, str) else toml_value(value)
    if isinstance(value, str) and "/" in value and len(value) > VALUE_WIDTH:
        return "…" + value[-VALUE_WIDTH + 1 :]  # the end of a path says more
    return shorten(" ".join(text.split()), VALUE_WIDTH)


def children(diagram: Diagram, parent: str) -> Iterable[str]:
    """Groups directly inside ``parent`` ("" for the outermost)."""
    return (g for g in diagram.groups if g.rpartition("/")[0] == parent)
