"""How long a sweep would take: by the points its store has, else by trying the first of each kind."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from semwave.commands._terminal import counted
from semwave.sweep.plan import Point
from semwave.sweep.runner import group_of
from semwave.sweep.store import Store
from semwave.sweep.tasks import run_point


def estimate(
    points: Sequence[Point], store: str, workers: int | None, say: Callable[[str], None] = lambda text: None
) -> dict[str, Any]:
    """Points, points left and seconds of all groups (sweep and scheme) and in all; nothing is stored.

    A group that the store does not know is timed by its middle point, computed twice here: the first time loads models.
    ``say`` hears which point is tried. ``errors`` has what went wrong with such points.
    """
    done, known = _known(store)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    groups: dict[str, list[Point]] = {}
    for p in points:
        groups.setdefault(group_of(p), []).append(p)
    rows = [_group(name, members, done, known, say) for name, members in groups.items()]
    workers = max(1, cores if workers is None else workers)
    seconds = sum(r["left"] * r["seconds_per_point"] for r in rows) / workers
    left = sum(r["left"] for r in rows)
    errors = [f"{r['group']}: {r['error']}" for r in rows if r["error"]]
    told = {"points": len(points), "left": left, "seconds": seconds, "workers": workers}
    return {**told, "groups": rows, "errors": errors}


def _known(store: str) -> tuple[set[str], dict[str, tuple[int, float]]]:
    if not Path(store).is_file():
        return set(), {}
    with Store(store) as found:
        return found.done(), {k.rstrip("/"): v for k, v in found.seconds_by_group().items()}


def _group(
    name: str, members: list[Point], done: set[str], known: dict[str, tuple[int, float]], say: Callable[[str], None]
) -> dict[str, Any]:
    left = [p for p in members if p.key not in done]
    seconds, source, error = 0.0, "-", None
    if left and name in known:
        count, seconds = known[name]
        source = counted(count, "point")
    elif left:
        say(f"trying one point of {name} ({counted(len(left), 'point')})")
        point = left[len(left) // 2].as_dict()
        trial = run_point(point)
        if trial["status"] == "ok":
            trial = run_point(point)
        seconds, error = trial["seconds"], trial.get("error")
        source = "one point, which failed" if error else "one point"
    return {
        "group": name, "points": len(members), "there": len(members) - len(left), "left": len(left),
        "seconds_per_point": seconds, "source": source, "error": error,
    }  # fmt: skip
