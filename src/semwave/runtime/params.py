"""Parameters of blocks: what may be written, what is allowed, and how a bad one is refused."""

import types
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np

from semwave.runtime.errors import ParameterError


@dataclass(frozen=True)
class Param:
    """What people should know about a parameter, and what values it takes.

    ``tunable`` parameters may be changed while the graph runs.
    """

    doc: str = ""
    unit: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[Any, ...] | None = None
    tunable: bool = False
    path: bool = False  # a file or folder; in a flowgraph file it is relative to the working folder

    def problem(self, value: Any) -> str | None:
        """What ``value`` should have been, or None when it is fine."""
        if self.choices is not None and value not in self.choices:
            return "must be " + _either(self.choices)
        if value is None or isinstance(value, (str, bool)) or not isinstance(value, (int, float)):
            return None
        unit = f" {self.unit}" if self.unit else ""
        if value != value:
            return "must be a number"
        if self.low is not None and value < self.low:
            return f"must be at least {self.low:g}{unit}"
        if self.high is not None and value > self.high:
            return f"must be at most {self.high:g}{unit}"
        return None


def _either(choices: tuple[Any, ...]) -> str:
    shown = [repr(c) if isinstance(c, str) else str(c) for c in choices]
    return shown[0] if len(shown) == 1 else ", ".join(shown[:-1]) + " or " + shown[-1]


@dataclass(frozen=True)
class ParamSpec:
    """One parameter of a block class: its name, type, default and :class:`Param`."""

    name: str
    kind: Any
    default: Any
    required: bool
    param: Param

    @property
    def type_name(self) -> str:
        """The type as people write it."""
        return type_name(self.kind)


def type_name(kind: Any) -> str:
    """``int``, ``str | None``, ``list[float]``."""
    if kind is type(None):
        return "None"
    if get_origin(kind) in (Union, types.UnionType):
        return " or ".join(type_name(k) for k in get_args(kind))
    if get_origin(kind) is Literal:
        return _either(get_args(kind))
    if get_origin(kind):
        inside = ", ".join("..." if k is Ellipsis else type_name(k) for k in get_args(kind))
        return f"{get_origin(kind).__name__}[{inside}]"
    return getattr(kind, "__name__", str(kind))


def param_specs(cls: type[Any]) -> dict[str, ParamSpec]:
    """The parameters of a block class by name, in the order they are declared."""
    return _param_specs(cls)  # type: ignore[arg-type]


@cache
def _param_specs(cls: Any) -> dict[str, ParamSpec]:
    hints = get_type_hints(cls, include_extras=True)
    specs = {}
    for f in fields(cls):
        kind, param = hints[f.name], Param()
        if get_origin(kind) is Annotated:
            kind, *notes = get_args(kind)
            param = next((n for n in notes if isinstance(n, Param)), param)
        made = None if f.default_factory is MISSING else f.default_factory()
        required = f.default is MISSING and f.default_factory is MISSING
        specs[f.name] = ParamSpec(f.name, kind, made if f.default is MISSING else f.default, required, param)
    return specs


def coerce(value: Any, kind: Any) -> Any:
    """``value`` as a ``kind``; raises TypeError where it is something else. Integers pass for floats, whole floats
    for integers, lists for tuples, numpy's numbers for Python's.
    """
    origin = get_origin(kind)
    if isinstance(value, np.generic):
        value = value.item()
    if kind is Any:
        return value
    if origin in (Union, types.UnionType):
        return _first_fit(value, get_args(kind))
    if origin is Literal:
        if any(value == allowed and type(value) is type(allowed) for allowed in get_args(kind)):
            return value
        raise TypeError
    if origin in (list, tuple) and isinstance(value, (list, tuple)):
        inner = get_args(kind)
        if origin is tuple and Ellipsis not in inner:
            if len(inner) != len(value):
                raise TypeError
            return tuple(coerce(v, k) for v, k in zip(value, inner, strict=True))
        return origin(coerce(v, inner[0]) for v in value)
    if origin is dict and isinstance(value, Mapping):
        key, inside = get_args(kind)
        return {coerce(k, key): coerce(v, inside) for k, v in value.items()}
    if kind is int and isinstance(value, float) and value.is_integer() and abs(value) <= 2**53:
        return int(value)  # 1e6 is how people write a million
    if kind is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if origin is None and isinstance(kind, type) and isinstance(value, kind):
        if kind is int and isinstance(value, bool):
            raise TypeError
        return value
    raise TypeError


def _first_fit(value: Any, kinds: tuple[Any, ...]) -> Any:
    if value is None and type(None) in kinds:
        return None
    for kind in kinds:
        try:
            return coerce(value, kind)
        except TypeError:
            continue
    raise TypeError


def checked(cls: type, name: str, value: Any) -> Any:
    """``value`` as parameter ``name`` of ``cls`` takes it; raises :class:`ParameterError` otherwise."""
    specs = param_specs(cls)
    if name not in specs:
        raise ParameterError(unknown(name, specs))
    spec = specs[name]
    try:
        value = coerce(value, spec.kind)
    except TypeError:
        raise ParameterError(f"{name} must be {spec.type_name}, not {value!r}") from None
    problem = spec.param.problem(value)
    if problem:
        raise ParameterError(f"{name} {problem}, not {value!r}")
    return value


def unknown(name: str, specs: Mapping[str, Any], what: str = "parameter") -> str:
    """``no parameter 'orders'; it takes order (did you mean order?)``."""
    import difflib

    close = difflib.get_close_matches(name, list(specs), 1)
    hint = f" (did you mean {close[0]}?)" if close else ""
    return f"no {what} {name!r}; it takes {', '.join(specs) or 'none'}{hint}"
