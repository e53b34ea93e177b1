"""From a sweep's tables to its points: products and zips of axes, each point with the hash that names it."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from semwave.sweep.errors import SweepError
from semwave.sweep.values import digest, expand, tidy

ZIP = "zip"


@dataclass(frozen=True)
class Point:
    """One thing to compute.

    ``key`` is the hash of task, parameters and version (the seed is one of the parameters): what it computes depends
    on nothing else. ``where`` says where its files are; they are named in ``params`` by their content.
    """

    key: str
    sweep: str
    task: str
    params: Mapping[str, Any]
    version: str
    where: Mapping[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """For a worker."""
        return {
            "key": self.key, "sweep": self.sweep, "task": self.task, "params": dict(self.params),
            "version": self.version, "where": dict(self.where),
        }  # fmt: skip


def point(
    sweep: str, task: str, params: Mapping[str, Any], version: str, where: Mapping[str, str] | None = None
) -> Point:
    """A point with its key."""
    known = tidy(params)
    return Point(digest({"task": task, "params": known, "version": version}), sweep, task, known, version, where or {})


def grids(table: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The ``[[grid]]`` tables of a sweep, each with the ``[fixed]`` values below it; raises SweepError."""
    found = table.get("grid", [])
    found = [found] if isinstance(found, dict) else found
    if not isinstance(found, list) or not found or not all(isinstance(g, dict) for g in found):
        raise SweepError(f"{name}: a sweep needs a [grid] table, or several [[grid]] tables, with its axes")
    fixed = table.get("fixed", {})
    if not isinstance(fixed, dict):
        raise SweepError(f"{name}: fixed must be a table, not {fixed!r}")
    return [{**fixed, **grid} for grid in found]


def combinations(grid: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every combination of a grid's values: the product of its axes, those under ``zip`` going side by side.

    The first axis written changes slowest. Raises SweepError for axes under ``zip`` of different length.
    """
    axes: list[list[dict[str, Any]]] = []
    for name, value in grid.items():
        if name == ZIP:
            axes += [_zipped(group) for group in (value if isinstance(value, list) else [value])]
        else:
            axes.append([{name: v} for v in expand(name, value)])
    for combination in itertools.product(*axes):
        yield {k: v for part in combination for k, v in part.items()}


def _zipped(group: Any) -> list[dict[str, Any]]:
    if not isinstance(group, dict) or not group:
        raise SweepError(f"zip must be a table of axes of one length, not {group!r}")
    columns = {name: expand(name, value) for name, value in group.items()}
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) != 1:
        told = ", ".join(f"{name} {n}" for name, n in lengths.items())
        raise SweepError(f"axes under zip must have one length, not {told}")
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def unique(points: Iterator[Point]) -> list[Point]:
    """The points, each once, in the order they are first met."""
    return list({p.key: p for p in points}.values())
