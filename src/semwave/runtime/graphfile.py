"""Flowgraphs as TOML files: read, override from the command line, write.

A file has ``seed``, ``chunk``, ``name`` and ``connect`` at its top, then ``[params]``, ``[blocks]`` and, when it is
meant to be used
as a block, ``[ports]``. A block is ``{ use = "Class", parameter = value }``; ``"$name"`` stands for a value of
``[params]`` (``"$$name"`` for the string ``$name``);
``use = "other.toml"`` puts another flowgraph in, its ``[params]`` being the parameters.
"""

import json
import tomllib
from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from semwave.runtime.block import Block
from semwave.runtime.errors import BlockError, ConnectError, FlowgraphError, GraphFileError, ParameterError
from semwave.runtime.graph import Flowgraph
from semwave.runtime.params import param_specs, unknown
from semwave.runtime.registry import BLOCKS, block_class, outside

SECTIONS = ("name", "description", "seed", "chunk", "connect", "params", "blocks", "ports")
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
        return build(table, file, seed=seed)
    except FlowgraphError as error:
        raise type(error)(f"{file}: {error}") from error.__cause__


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


def read(file: Path) -> dict[str, Any]:
    """The file's table; raises GraphFileError saying where TOML gives up."""
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise GraphFileError(f"cannot read {file}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise GraphFileError(f"{file} is not text: byte {error.start} is not UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise GraphFileError(f"{file} is not TOML: {error}") from error
    for key in table:
        if key not in SECTIONS:
            raise GraphFileError(
                f"{file}: {unknown(key, dict.fromkeys(SECTIONS), 'section')}".replace("it takes", "a flowgraph has")
            )
    return table


def build(table: Mapping[str, Any], file: Path, *, seed: int | None = None, depth: int = 0) -> Flowgraph:
    """A flowgraph out of a file's table."""
    if depth > DEPTH:
        raise GraphFileError(f"flowgraph files are nested more than {DEPTH} deep (does one use itself?)")
    graph = Flowgraph(
        seed=table.get("seed", 0) if seed is None else seed,
        chunk=table.get("chunk", 8192),
        name=table.get("name", file.stem),
    )
    params = table.get("params", {})
    for name, entry in table.get("blocks", {}).items():
        graph.add({name: _block(name, entry, params, file, depth)})
    chains = table.get("connect", [])
    graph.connect(*([chains] if isinstance(chains, str) else chains))
    graph.expose(**table.get("ports", {}))
    _unused(params, table)
    return graph


def _types(table: Mapping[str, Any], file: Path) -> None:
    for key, kind, word in (
        ("params", dict, "a table"),
        ("blocks", dict, "a table"),
        ("ports", dict, "a table"),
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
    return "\n".join(lines).rstrip() + "\n"


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
