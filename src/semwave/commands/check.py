"""Check a flowgraph and print what travels on every edge; nothing runs."""

import argparse
from typing import TYPE_CHECKING, Any

from semwave.commands import _options

if TYPE_CHECKING:
    from semwave.runtime.place import Layout
    from semwave.runtime.plan import Edge, Plan

ORDER = 20


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    _options.add_file(parser)
    _options.add_overrides(parser)
    _options.add_json(parser)


def execute(args: argparse.Namespace) -> int:
    """Load and plan."""
    from semwave.commands._json import emit
    from semwave.commands._terminal import table
    from semwave.runtime.graphfile import load

    graph = load(args.file, args.overrides)
    plan = graph.plan()
    layout = graph.placement.layout(plan)
    if args.json:
        emit({"ok": True, "error": None, "file": args.file, "seed": graph.seed, **as_dict(plan), **_spread(layout)})
        return 0
    rows = [[f"{e.source}.{e.out}", f"> {e.target}.{e.into}", str(plan.inputs[e.target][e.into])] for e in plan.edges]
    print(
        "\n".join([*table(rows), *_parts(layout), f"ok: {_count(plan.blocks, 'block')}, {_count(plan.edges, 'edge')}"])
    )
    return 0


def _parts(layout: "Layout") -> list[str]:
    """The parts and their blocks, then the links between them."""
    from semwave.commands._terminal import table

    members = [[f"part {p}", ", ".join(b for b in layout.where if layout.where[b] == p)] for p in layout.parts]
    links = [
        [f"link {key}", f"{layout.where[e.source]} > {layout.where[e.target]}", _address(layout, key)]
        for key, e in layout.crossing.items()
    ]
    return ["", *table(members), *table(links), ""] if layout.parts else []


def _address(layout: "Layout", key: str) -> str:
    entry = layout.links.get(key)
    if entry is None:
        return "(no address: --split finds one)"
    return f"{entry.address}{', remote' * entry.allow_remote}{', encrypted' * bool(entry.server_key)}"


def _spread(layout: "Layout") -> dict[str, Any]:
    """The same for JSON; nothing where the graph has no parts."""
    if not layout.parts:
        return {}
    links = [
        {
            "edge": key,
            "from": layout.where[e.source],
            "to": layout.where[e.target],
            "address": layout.links[key].address if key in layout.links else None,
        }
        for key, e in layout.crossing.items()
    ]
    parts = {part: [b for b in layout.where if layout.where[b] == part] for part in layout.parts}
    return {"parts": parts, "links": links}


def as_dict(plan: "Plan") -> dict[str, Any]:
    """Blocks and edges for JSON."""
    blocks = [{"name": n, "block": type(b).__name__, "heavy": b.heavy} for n, b in plan.blocks.items()]
    return {"blocks": blocks, "edges": [_edge(plan, e) for e in plan.edges]}


def _edge(plan: "Plan", edge: "Edge") -> dict[str, Any]:
    spec = plan.inputs[edge.target][edge.into]
    return {
        "from": f"{edge.source}.{edge.out}",
        "to": f"{edge.target}.{edge.into}",
        "type": str(spec),
        "kind": type(spec).__name__,
        "dtype": str(dtype) if (dtype := getattr(spec, "dtype", None)) is not None else None,
        "shape": list(getattr(spec, "shape", getattr(spec, "item", ()))),
        "sample_rate": spec.sample_rate,
    }


def _count(things: Any, word: str) -> str:
    return f"{len(things)} {word}{'s' if len(things) != 1 else ''}"
