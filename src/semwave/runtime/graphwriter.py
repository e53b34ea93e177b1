"""Flowgraphs written as TOML files."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from semwave.runtime.block import Block
from semwave.runtime.errors import GraphFileError
from semwave.runtime.graph import Flowgraph
from semwave.runtime.params import param_specs
from semwave.runtime.place import Placement
from semwave.runtime.registry import BLOCKS, block_class, outside


def dumps(graph: Flowgraph) -> str:
    """The graph as a TOML file; :func:`load` gives an equal graph. Blocks must be registered ones."""
    registered = {where.rpartition(":")[2]: name for name, where in {**outside(), **BLOCKS}.items()}
    lines = [f"name = {_toml(graph.name)}", f"seed = {graph.seed}", f"chunk = {graph.chunk}", "connect = ["]
    lines += [f"    {_toml(str(edge))}," for edge in graph.edges] + ["]", ""]
    for name, block in graph.blocks.items():
        cls = type(block)
        use = registered.get(cls.__name__)
        if use is None or block_class(use) is not cls:
            raise GraphFileError(f"{name}: {cls.__name__} is not a registered block, so a file cannot name it")
        lines += [f"[blocks.{_key(name)}]", f"use = {_toml(use)}", *_parameters(name, block), ""]
    if graph.exposed:
        ends = {port: [f"{b}.{p}" for b, p in where] for port, where in graph.exposed.items()}
        lines += ["[ports]", *(f"{_key(p)} = {_toml(e[0] if len(e) == 1 else e)}" for p, e in ends.items())]
    lines += _spread(graph.placement)
    return "\n".join(lines).rstrip() + "\n"


def _spread(placement: Placement) -> Iterator[str]:
    """The sections that say how the graph is spread over processes."""
    links = {}
    for edge, entry in placement.links.items():
        more = {k: v for k, v in asdict(entry).items() if v}
        links[edge] = entry.address if len(more) == 1 else more
    keys = {part: str(path) for part, path in placement.keys.items()}
    for name, held in (("place", placement.parts), ("links", links), ("security", keys), ("probes", placement.probes)):
        if held:
            yield from ("", f"[{name}]", *(f"{_key(k)} = {_toml(v)}" for k, v in held.items()))


def _parameters(name: str, block: Block) -> list[str]:
    """The lines of a block's parameters; None, which TOML does not have, must be the default."""
    lines = []
    for key, spec in param_specs(type(block)).items():
        value = getattr(block, key)
        if value is None and spec.default is None:
            continue
        escaped = f"${value}" if isinstance(value, str) and value.startswith("$") else value
        try:
            lines.append(f"{_key(key)} = {_toml(escaped)}")
        except TypeError:
            raise GraphFileError(f"{name}.{key} = {value!r} cannot be written in a file") from None
    return lines


def _key(name: str) -> str:
    return name if name.replace("_", "a").replace("-", "a").isalnum() and name.isascii() else json.dumps(name)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return {"inf": "inf", "-inf": "-inf", "nan": "nan"}.get(repr(value), repr(value))
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_toml(v) for v in value) + "]"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(str(k))} = {_toml(v)}" for k, v in value.items()) + " }"
    if isinstance(value, int):
        return str(value)
    if not isinstance(value, str):
        raise TypeError
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
