"""Flowgraphs as TOML files: read, override from the command line (``graphwriter`` writes them).

A file has ``seed``, ``chunk``, ``name`` and ``connect`` at its top, then ``[params]``, ``[blocks]`` and, when it is
meant to be used as a block, ``[ports]``; ``extends = "other.toml"`` begins with what that file says.
A block is ``{ use = "Class", parameter = value }``; ``"$name"`` stands for a value of ``[params]`` (``"$$name"`` for
the string ``$name``); ``use = "other.toml"`` puts another flowgraph in, its ``[params]`` being the parameters.
``[place]`` (part = blocks), ``[links]`` (edge = address), ``[security]`` (part = key file) and ``[probes]`` (port =
address) say how the graph may be spread over processes. ``[sweep]`` is for ``semwave sweep``: nothing here reads it.
"""

import tomllib
from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from semwave.runtime.block import Block
from semwave.runtime.errors import BlockError, ConnectError, FlowgraphError, GraphFileError, ParameterError
from semwave.runtime.graph import CHUNK, Flowgraph
from semwave.runtime.graphwriter import dumps
from semwave.runtime.params import param_specs, unknown
from semwave.runtime.place import Placement
from semwave.runtime.registry import block_class

SECTIONS = ("name", "description", "seed", "chunk", "connect", "params", "blocks", "ports", "extends", "sweep")
__all__ = ["build", "dumps", "find", "load", "parse_value", "read"]
SPREAD = ("place", "links", "security", "probes")
DEPTH = 16  # files within files


def load(path: str | Path, overrides: Iterable[str] = (), seed: int | None = None) -> Flowgraph:
    """Read a flowgraph file.

    ``overrides`` are ``"block.param=value"`` or ``"param=value"`` (a name of ``[params]``), values as in TOML, or a
    bare string.
    Raises GraphFileError, ParameterError, ConnectError, each naming the file.
    """
    file = find(path)
    table = read(file)
    _types(table, file)
    for text in overrides:
        _override(table, text, file)
    try:
        graph = build(table, file, seed=seed)
    except FlowgraphError as error:
        raise type(error)(f"{file}: {error}") from error.__cause__
    graph.file = file
    return graph


def find(path: str | Path) -> Path:
    """``path``, or the flowgraph of that name that ships with the package; raises GraphFileError."""
    file = Path(path)
    if file.is_file():
        return file
    shipped = Path(str(files("semwave.flowgraphs")))
    for candidate in (shipped / file.name, shipped / f"{file.name}.toml"):
        if candidate.is_file() and file.parent.name in ("", "flowgraphs"):
            return candidate
    if file.is_dir():
        raise GraphFileError(f"{path} is a folder, not a flowgraph file")
    raise GraphFileError(
        f"no flowgraph file {path}; shipped are {', '.join(sorted(p.name for p in shipped.glob('*.toml')))}"
    )


def read(file: Path, depth: int = 0) -> dict[str, Any]:
    """The file's table, with what it extends; raises GraphFileError saying where TOML gives up."""
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise GraphFileError(f"cannot read {file}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise GraphFileError(f"{file} is not text: byte {error.start} is not UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise GraphFileError(f"{file} is not TOML: {error}") from error
    known = dict.fromkeys((*SECTIONS, *SPREAD))
    for key in table:
        if key not in known:
            raise GraphFileError(f"{file}: {unknown(key, known, 'section')}".replace("it takes", "a flowgraph has"))
    return _extended(table, file, depth) if "extends" in table else table


def _extended(table: dict[str, Any], file: Path, depth: int) -> dict[str, Any]:
    """The file that ``extends`` names, with this one laid over it: tables entry by entry, ``connect`` at the end."""
    base = table.pop("extends")
    if not isinstance(base, str) or not (file.parent / base).is_file():
        raise GraphFileError(f"{file}: extends = {base!r}: no such flowgraph file")
    if depth >= DEPTH:
        raise GraphFileError(f"{file}: files extend each other more than {DEPTH} deep (does one extend itself?)")
    under = read(file.parent / base, depth + 1)
    for key in ("params", "blocks", "ports", *SPREAD):
        if isinstance(under.get(key), dict) and isinstance(table.get(key), dict):
            table[key] = {**under[key], **table[key]}
    if isinstance(under.get("connect"), list) and isinstance(table.get("connect"), list):
        table["connect"] = [*under["connect"], *table["connect"]]
    return {**under, **table}


def build(table: Mapping[str, Any], file: Path, *, seed: int | None = None, depth: int = 0) -> Flowgraph:
    """A flowgraph out of a file's table."""
    if depth > DEPTH:
        raise GraphFileError(f"flowgraph files are nested more than {DEPTH} deep (does one use itself?)")
    graph = Flowgraph(
        seed=table.get("seed", 0) if seed is None else seed,
        chunk=table.get("chunk", CHUNK),
        name=table.get("name", file.stem),
    )
    params = table.get("params", {})
    for name, entry in table.get("blocks", {}).items():
        graph.add({name: _block(name, entry, params, file, depth)})
    chains = table.get("connect", [])
    graph.connect(*([chains] if isinstance(chains, str) else chains))
    graph.expose(**table.get("ports", {}))
    _unused(params, table)
    if not depth:  # a graph within another one is placed by the outer one
        _spread(graph.placement, table, file)
    return graph


def _spread(placement: Placement, table: Mapping[str, Any], file: Path) -> None:
    """What the file says about parts; key files are looked for beside it."""
    placement.place(table.get("place", {}))
    for edge, entry in table.get("links", {}).items():
        if isinstance(entry, dict):
            named = {
                k: str(file.parent / v) for k, v in entry.items() if k.endswith("_key") and isinstance(v, str) and v
            }
            entry = {**entry, **named}
        placement.link(edge, entry)
    placement.secure({part: file.parent / key for part, key in table.get("security", {}).items()})
    for port, address in table.get("probes", {}).items():
        placement.probe(port, address)


def _types(table: Mapping[str, Any], file: Path) -> None:
    for key, kind, word in (
        ("params", dict, "a table"),
        ("blocks", dict, "a table"),
        ("ports", dict, "a table"),
        ("sweep", dict, "a table"),
        *((key, dict, "a table") for key in SPREAD),
        ("name", str, "a string"),
        ("description", str, "a string"),
    ):
        if not isinstance(table.get(key, kind()), kind):
            raise GraphFileError(f"{file}: {key} must be {word}")
    for name, entry in table.get("blocks", {}).items():
        if not isinstance(entry, dict) or not isinstance(entry.get("use"), str):
            raise GraphFileError(f'{file}: {name} must be a table with use = "BlockClass", not {entry!r}')
    for port, where in table.get("ports", {}).items():
        if not all(isinstance(end, str) for end in (where if isinstance(where, list) else [where])):
            raise GraphFileError(f"{file}: port {port} must be 'block.port' or a list of these, not {where!r}")
    for part, names in table.get("place", {}).items():
        if not isinstance(names, list) or not all(isinstance(n, str) for n in names):
            raise GraphFileError(f"{file}: place: {part} must be a list of block names, not {names!r}")
    for key in ("security", "probes"):
        for name, value in table.get(key, {}).items():
            if not isinstance(value, str):
                raise GraphFileError(f"{file}: {key}: {name} must be a string, not {value!r}")
    for edge, entry in table.get("links", {}).items():
        if not isinstance(entry, (str, dict)):
            raise GraphFileError(f"{file}: links: {edge!r} must be an address or a table with one, not {entry!r}")
    chains = table.get("connect", [])
    if not isinstance(chains, (list, str)) or any(not isinstance(c, str) for c in chains):
        raise GraphFileError(f"{file}: connect must be a list of strings such as 'a > b.port > c'")


def _block(name: str, entry: Mapping[str, Any], params: Mapping[str, Any], file: Path, depth: int) -> Block:
    values = {key: _value(value, params, f"{name}.{key}") for key, value in entry.items() if key != "use"}
    if entry["use"].endswith(".toml"):
        return _nested(name, file.parent / entry["use"], values, depth)
    try:
        cls = block_class(entry["use"])
        specs = param_specs(cls)
        for key in values:
            if key not in specs:
                raise ParameterError(unknown(key, specs))
        for key, spec in specs.items():
            if spec.required and key not in values:
                raise ParameterError(f"{key} is missing; it must be {spec.type_name}")
        return cls(**values)
    except ParameterError as error:
        raise ParameterError(error.text, f"{name} ({entry['use']})") from error.__cause__
    except ConnectError as error:
        raise ConnectError(f"{name}: {error}") from error.__cause__
    except Exception as error:
        raise BlockError(f"in {name} ({entry['use']}): {error!r}") from error


def _nested(name: str, file: Path, values: dict[str, Any], depth: int) -> Block:
    if not file.is_file():
        raise GraphFileError(f"{name}: no flowgraph file {file}")
    table = read(file)
    _types(table, file)
    known = table.get("params", {})
    for key in values:
        if key not in known:
            raise ParameterError(unknown(key, known), f"{name} ({file.name})")
    if not table.get("ports"):
        raise GraphFileError(f"{name}: {file.name} has no [ports], so it cannot be used as a block")
    try:
        return build({**table, "params": {**known, **values}}, file, depth=depth + 1).as_block()
    except FlowgraphError as error:
        raise type(error)(f"{name} ({file.name}): {error}") from error.__cause__


def _value(value: Any, params: Mapping[str, Any], where: str) -> Any:
    if isinstance(value, str) and value.startswith("$$"):
        return value[1:]
    if isinstance(value, str) and value.startswith("$"):
        if value[1:] not in params:
            raise ParameterError(
                f"{where} = {value!r}: "
                + unknown(value[1:], params, "entry in [params]").replace("it takes", "there are")
            )
        return params[value[1:]]
    return value


def _unused(params: Mapping[str, Any], table: Mapping[str, Any]) -> None:
    used = {
        v[1:] for e in table.get("blocks", {}).values() for v in e.values() if isinstance(v, str) and v.startswith("$")
    }
    idle = set(params) - used
    if idle:
        raise ParameterError(f"[params] has {', '.join(sorted(idle))}, which no block uses")


def _override(table: dict[str, Any], text: str, file: Path) -> None:
    key, sign, raw = text.partition("=")
    name, dot, param = key.strip().partition(".")
    if not sign or not name or (dot and not param):
        raise ParameterError(f"cannot read --set {text!r}: write block.param=value, or param=value for one of [params]")
    value = parse_value(raw.strip())
    if not dot:
        params = table.get("params", {})
        if name not in params:
            raise ParameterError(
                f"{file}: --set {text}: " + unknown(name, params, "entry in [params]").replace("it takes", "there are")
            )
        params[name] = value
        return
    blocks = table.get("blocks", {})
    if name not in blocks:
        raise ParameterError(
            f"{file}: --set {text}: " + unknown(name, blocks, "block").replace("it takes", "there are")
        )
    now = blocks[name].get(param)
    if isinstance(now, str) and now.startswith("$") and now[1:] in table.get("params", {}):
        table["params"][now[1:]] = value  # what several blocks share stays shared
    else:
        blocks[name][param] = value


def parse_value(raw: str) -> Any:
    """A value as TOML has it (``3``, ``1e6``, ``true``, ``"x"``, ``[1, 2]``); anything else is a string."""
    try:
        return tomllib.loads(f"x = {raw}")["x"]
    except tomllib.TOMLDecodeError:
        return raw
