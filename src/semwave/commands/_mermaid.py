"""A diagram as a Mermaid flowchart, as GitHub and many editors draw it inside Markdown."""

import re
from itertools import cycle

from semwave.commands._diagram import Diagram, Node, children

STYLES = {
    "source": "fill:#dff0e0,stroke:#3b7d46,color:#1b1b1b",
    "sink": "fill:#e1ebf7,stroke:#3a6ea5,color:#1b1b1b",
    "heavy": "fill:#fdebd3,stroke:#c0761a,color:#1b1b1b",
    "plain": "fill:#f5f5f5,stroke:#707070,color:#1b1b1b",
    "outside": "fill:#ffffff,stroke:#b0b0b0,color:#707070,stroke-dasharray:4 3",
}
PARTS = ("#b03a2e", "#1f618d", "#7d3c98", "#b7950b", "#117864", "#515a5a")  # frames of the parts of [place]


def mermaid(diagram: Diagram) -> str:
    """The text of the flowchart."""
    ids = {node.name: f"n{i}_{re.sub('[^A-Za-z0-9]', '_', node.name)}" for i, node in enumerate(diagram.nodes)}
    lines = ["flowchart LR"] if len(diagram.nodes) <= 6 else ["flowchart TB"]
    lines += _inside(diagram, "", ids, 1)
    for link in diagram.links:
        arrow = "-.->" if link.optional else "-->"
        lines.append(f"    {ids[link.source]} {arrow}|{_quoted(link.ports, link.carries)}| {ids[link.target]}")
    roles = {node.role for node in diagram.nodes}
    lines += [f"    classDef {role} {style}" for role, style in STYLES.items() if role in roles]
    parts = list(dict.fromkeys(node.part for node in diagram.nodes if node.part))
    for part, colour in zip(parts, cycle(PARTS)):
        name = f"part_{part.replace('-', '_')}"
        members = ",".join(ids[node.name] for node in diagram.nodes if node.part == part)
        lines += [f"    classDef {name} stroke:{colour},stroke-width:3px", f"    class {members} {name}"]
    return "\n".join(lines) + "\n"


def _inside(diagram: Diagram, group: str, ids: dict[str, str], depth: int) -> list[str]:
    pad = "    " * depth
    lines = [f"{pad}{_node(n, ids[n.name])}" for n in diagram.nodes if n.name.rpartition("/")[0] == group]
    for inner in children(diagram, group):
        title = _quoted(inner.rpartition("/")[2], diagram.groups[inner])
        lines.append(f"{pad}subgraph g_{re.sub('[^A-Za-z0-9]', '_', inner)}[{title}]")
        lines += [*_inside(diagram, inner, ids, depth + 1), f"{pad}end"]
    return lines


def _node(node: Node, key: str) -> str:
    text = _quoted(f"<b>{_escape(node.label)}</b>", *map(_escape, [node.cls, *node.params]), raw=True)
    shape = f"([{text}])" if node.role in ("source", "sink") else f"[{text}]"
    return f"{key}{shape}:::{node.role}"


def _quoted(*parts: str, raw: bool = False) -> str:
    return '"' + "<br>".join(p if raw else _escape(p) for p in parts if p) + '"'


def _escape(text: str) -> str:
    """Text as a quoted Mermaid label takes it: entities are written with ``#``."""
    table = {"#": "#35;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "&": "#amp;", "`": "#96;"}
    return "".join(table.get(c, c) for c in text)
