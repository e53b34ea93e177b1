"""What a point can be: an error rate of a link, a picture carried by a scheme, a call of a function.

A task module has ``VERSION`` and ``compute(params, where) -> Found``; what it computes depends on ``params`` alone.
"""

import importlib
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from semwave.sweep.errors import SweepError

TASKS = {"link": "semwave.sweep.link", "picture": "semwave.sweep.picture", "call": "semwave.sweep.call"}


@dataclass(frozen=True)
class Found:
    """What a point came to: numbers and strings, why it ended, pictures to keep (hash, media type, bytes) by kind."""

    result: Mapping[str, Any]
    reason: str
    pictures: Mapping[str, tuple[str, str, bytes]] = field(default_factory=dict)


def module(task: str) -> Any:
    """The module of a task; raises SweepError naming those there are."""
    if task not in TASKS:
        raise SweepError(f"task must be one of {', '.join(TASKS)}, not {task!r}")
    return importlib.import_module(TASKS[task])


def run_point(point: Mapping[str, Any]) -> dict[str, Any]:
    """Compute one point; an exception of it becomes part of the outcome."""
    outcome = {k: point[k] for k in ("key", "sweep", "task", "params", "version")}
    began = time.perf_counter()
    try:
        found: Found = module(point["task"]).compute(point["params"], point["where"])
    except Exception as error:
        return {**outcome, "status": "error", "error": described(error), "seconds": time.perf_counter() - began}
    seconds = time.perf_counter() - began
    return {
        **outcome, "status": "ok", "reason": found.reason, "result": finite(found.result), "seconds": seconds,
        "pictures": dict(found.pictures),
    }  # fmt: skip


def run_points(points: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Several points, one after the other."""
    return [run_point(p) for p in points]


def described(error: BaseException) -> str:
    """One line: the type and the message."""
    text = " ".join(str(error).split()) or "no message"
    return f"{type(error).__name__}: {text}"[:2000]


def finite(value: Any) -> Any:
    """None for numbers that JSON does not have; NumPy's numbers as Python's."""
    if isinstance(value, Mapping):
        return {str(k): finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(v) for v in value]
    if hasattr(value, "item") and not isinstance(value, (str, bytes)):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
