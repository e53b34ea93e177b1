"""Points that are calls of a function, ``function = "package.module:name"``: the rest of the parameters, and a seed."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from semwave.sweep.errors import SweepError
from semwave.sweep.plan import Point, combinations, grids, point
from semwave.sweep.tasks import Found
from semwave.sweep.values import seed_of

VERSION = "1"


def points(name: str, table: Mapping[str, Any], files: tuple[str, ...]) -> list[Point]:
    """The points of a sweep with ``task = "call"``; ``version`` of the sweep is for the author to change."""
    version = f"{VERSION}.{table.get('version', 1)}"
    found = [point(name, "call", c, version) for grid in grids(table, name) for c in combinations(grid)]
    for p in found:
        if ":" not in str(p.params.get("function", "")):
            raise SweepError(f'{name}: function must be "package.module:name", not {p.params.get("function")!r}')
    return found


def compute(params: Mapping[str, Any], where: Mapping[str, str]) -> Found:
    """``name(**parameters, seed=...)``, whose result is a table of numbers and strings."""
    module, _, name = str(params["function"]).partition(":")
    given = {k: v for k, v in params.items() if k not in ("function", "seed")}
    result = getattr(import_module(module), name)(**given, seed=seed_of(dict(params)))
    return Found(result if isinstance(result, Mapping) else {"value": result}, "done")
