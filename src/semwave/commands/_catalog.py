"""What there is to know about block classes, as plain dicts: for listing, for JSON, for a page on one block."""

import difflib
import json
import math
import re
from dataclasses import fields
from typing import Any

from semwave.runtime.block import BatchBlock, Block, FrameBlock, In, Port, Source, SyncBlock
from semwave.runtime.composite import Composite
from semwave.runtime.errors import ConnectError
from semwave.runtime.params import ParamSpec, param_specs
from semwave.runtime.registry import block_class, names

KINDS = {Source: "source", SyncBlock: "sync", FrameBlock: "frame", BatchBlock: "batch", Composite: "composite"}


def find(name: str) -> type[Block]:
    """The block class called ``name``; raises ConnectError with the nearest name."""
    known = names()
    if name not in known:
        lower = {n.lower(): n for n in known}
        close = difflib.get_close_matches(name.lower(), lower, 1)
        hint = f"did you mean {lower[close[0]]}? " if close else ""
        raise ConnectError(f"no block {name!r}; {hint}'semwave blocks' lists all")
    return block_class(name)


def entries() -> list[dict[str, Any]]:
    """Every registered block: name, module, ports and first sentence, or why it cannot be imported."""
    return [_entry(name) for name in names()]


def _entry(name: str) -> dict[str, Any]:
    try:
        cls = block_class(name)
    except ConnectError as error:
        nothing: dict[str, Any] = {"module": "", "kind": None, "doc": "", "inputs": [], "outputs": []}
        return {"name": name, **nothing, "error": _why(name, error)}
    ports = cls.class_ports
    return {
        "name": name,
        "module": cls.__module__,
        "kind": kind(cls),
        "doc": first_sentence(cls.__doc__),
        "inputs": [n for n, p in ports.items() if isinstance(p, In)],
        "outputs": [n for n, p in ports.items() if not isinstance(p, In)],
        "error": None,
    }


def _why(name: str, error: ConnectError) -> str:
    return str(error).removeprefix(f"block class {name} cannot be imported ")


def page(name: str) -> dict[str, Any]:
    """Everything about one block."""
    cls = find(name)
    ports = cls.class_ports
    return {
        "name": name,
        "module": cls.__module__,
        "kind": kind(cls),
        "heavy": cls.heavy,
        "doc": _dedent(cls.__doc__ or ""),
        "parameters": [_parameter(s, _default(cls, s)) for s in param_specs(cls).values()],
        "inputs": [_port(n, p) for n, p in ports.items() if isinstance(p, In)],
        "outputs": [_port(n, p) for n, p in ports.items() if not isinstance(p, In)],
        "example": example(name, cls),
    }


def kind(cls: type[Block]) -> str:
    """Which of the block kinds a class is."""
    return next((word for base, word in KINDS.items() if issubclass(cls, base)), "block")


def first_sentence(doc: str | None) -> str:
    """The first sentence of a docstring, on one line, without its mark-up."""
    paragraph = " ".join((doc or "").strip().split("\n\n")[0].split()).replace("``", "")
    return re.split(r"(?<=\w\w[.])\s|(?<=\)[.])\s", paragraph, maxsplit=1)[0].rstrip(".")


def _dedent(doc: str) -> str:
    import inspect

    return inspect.cleandoc(doc)


def _default(cls: type[Block], spec: ParamSpec) -> Any:
    """The default value, also where it is made anew for every block."""
    for f in fields(cls):  # type: ignore[arg-type]
        if f.name == spec.name and callable(f.default_factory):
            return f.default_factory()
    return spec.default


def _parameter(spec: ParamSpec, default: Any) -> dict[str, Any]:
    p = spec.param
    return {
        "name": spec.name,
        "type": spec.type_name,
        "required": spec.required,
        "default": None if spec.required else default,
        "unit": p.unit,
        "low": p.low,
        "high": p.high,
        "choices": None if p.choices is None else list(p.choices),
        "tunable": p.tunable,
        "doc": p.doc,
    }


def _port(name: str, port: Port) -> dict[str, Any]:
    return {"name": name, "type": str(port.spec), "optional": port.optional, "doc": port.doc}


# ---- an example line -------------------------------------------------------------------------------------------------


def example(name: str, cls: type[Block]) -> str:
    """A line for ``[blocks]``: what is required, and the first few parameters that have a default."""
    values: dict[str, Any] = {}
    for spec in param_specs(cls).values():
        default = _default(cls, spec)
        if spec.required:
            values[spec.name] = _placeholder(spec)
        elif len(values) < 3 and isinstance(default, (bool, int, float, str)) and default != "":
            values[spec.name] = default
    inside = ", ".join([f'use = "{name}"', *(f"{k} = {toml_value(v)}" for k, v in values.items())])
    return f"{_short(name)} = {{ {inside} }}"


def _short(name: str) -> str:
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)
    return words[-1].lower() if words and words[-1].isalpha() else name.lower()


def _placeholder(spec: ParamSpec) -> Any:
    """Some value of the right type for a parameter without a default."""
    if spec.param.choices:
        return spec.param.choices[0]
    if spec.kind in (int, float):
        return spec.kind(spec.param.low if spec.param.low is not None else 1)
    if spec.kind is bool:
        return True
    return "path/to/it" if spec.param.path else "..." if spec.kind is str else []


def toml_value(value: Any) -> str:
    """A number, string, truth value or list as TOML has it."""
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(toml_value(v) for v in value) + "]"
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    return json.dumps(value, ensure_ascii=False, default=str)
