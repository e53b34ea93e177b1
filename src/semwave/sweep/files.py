"""Sweep files: TOML with axes, or a flowgraph with a ``[sweep]`` table; read, overridden, planned."""

import tomllib
from collections.abc import Iterable, Mapping
from importlib.resources import files as resources
from pathlib import Path
from typing import Any

from semwave.sweep.errors import SweepError
from semwave.sweep.plan import Point, unique
from semwave.sweep.tasks import module

KEYS = (
    "name", "description", "task", "version", "flowgraph", "schemes", "metrics", "fixed", "grid", "stop", "gallery",
)  # fmt: skip
SHIPPED = "semwave.sweeps"


def find(path: str | Path) -> Path:
    """``path``, or the sweep or flowgraph of that name that ships with the package; raises SweepError."""
    file = Path(path)
    if file.is_file():
        return file
    for package in (SHIPPED, "semwave.flowgraphs"):
        folder = Path(str(resources(package)))
        for candidate in (folder / file.name, folder / f"{file.name}.toml"):
            if candidate.is_file() and file.parent.name in ("", "sweeps", "flowgraphs"):
                return candidate
    names = sorted(p.stem for p in Path(str(resources(SHIPPED))).glob("*.toml"))
    raise SweepError(f"no sweep file {path}; shipped are {', '.join(names)}, and the flowgraphs ber_*")


def read(path: str | Path) -> dict[str, Any]:
    """The tables of a sweep, with its name and file; raises SweepError."""
    file = find(path)
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SweepError(f"cannot read {file}: {error}") from error
    if "blocks" in table:  # a flowgraph
        sweep = table.get("sweep")
        sweep = {"grid": {}} if sweep is None else sweep
        if not isinstance(sweep, dict):
            raise SweepError(f"{file}: sweep must be a table, not {sweep!r}")
        table = {"name": file.stem, "task": "link", "flowgraph": str(file), **sweep}
    for key in table:
        if key not in KEYS:
            raise SweepError(f"{file}: a sweep has {', '.join(KEYS)}, not {key!r}")
    return {"name": file.stem, "task": "picture", **table, "file": str(file)}


def override(table: dict[str, Any], changes: Iterable[str]) -> dict[str, Any]:
    """The sweep with ``NAME=VALUE`` changes: a table of the file by ``stop.errors=50``, an axis of every grid by its
    name. Values as in TOML; ``0:20:2`` is a range. Raises SweepError.
    """
    from semwave.runtime.graphfile import parse_value

    table = {**table}
    for text in changes:
        key, sign, raw = (part.strip() for part in text.partition("="))
        if not sign or not key:
            raise SweepError(f"cannot read --set {text!r}: write NAME=VALUE")
        value, (head, dot, part) = parse_value(raw), key.partition(".")
        if dot and head in ("stop", "gallery", "fixed"):
            table[head] = {**table.get(head, {}), part: value}
        elif key in ("metrics", "version", "name"):
            table[key] = value
        else:
            table = _axis(table, key, value)
    return table


def _axis(table: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    """Every grid with another value of one axis, wherever it was written."""
    given = table.get("grid", {})
    changed = [_without(grid, key) | {key: value} for grid in (given if isinstance(given, list) else [given])]
    fixed = {k: v for k, v in table.get("fixed", {}).items() if k != key}
    return {**table, "grid": [g for i, g in enumerate(changed) if g not in changed[:i]], "fixed": fixed}


def _without(grid: Mapping[str, Any], key: str) -> dict[str, Any]:
    found = {k: v for k, v in grid.items() if k not in (key, "zip")}
    groups = grid.get("zip", [])
    kept = [{k: v for k, v in g.items() if k != key} for g in (groups if isinstance(groups, list) else [groups])]
    return {**found, **({"zip": [g for g in kept if g]} if any(kept) else {})}


def plan(
    paths: Iterable[str | Path], changes: Iterable[str] = (), schemes: Iterable[str] = (), limit: int | None = None
) -> list[Point]:
    """The points of all files, each once; ``limit`` takes so many of each file, evenly spread."""
    found: list[Point] = []
    for path in paths:
        table = override(read(path), changes)
        beside = Path(table["file"]).parent
        own = tuple(str(beside / s) for s in table.get("schemes", []))
        try:
            points = module(table["task"]).points(str(table["name"]), table, (*own, *schemes))
        except SweepError as error:
            told = str(error).removeprefix(f"{table['name']}: ")
            raise SweepError(f"{table['file']}: {told}") from error
        found += _some(unique(iter(points)), limit)
    return unique(iter(found))


def _some(points: list[Point], limit: int | None) -> list[Point]:
    if limit is None or limit >= len(points):
        return points
    if limit < 1:
        raise SweepError(f"limit must be at least 1, not {limit}")
    return [points[i * len(points) // limit] for i in range(limit)]
