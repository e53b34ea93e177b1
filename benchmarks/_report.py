"""The one line that every benchmark prints for every case."""

import json
import sys
import time
from collections.abc import Callable


def emit(
    bench: str,
    case: str,
    value: float,
    unit: str,
    peer: str | None = None,
    peer_value: float | None = None,
) -> dict[str, object]:
    """Print one JSON line for a case and return it; ``ratio`` is value / peer_value, null without a peer."""
    ratio = value / peer_value if peer_value else None
    line: dict[str, object] = {
        "bench": bench,
        "case": case,
        "value": _short(value),
        "unit": unit,
        "peer": peer,
        "peer_value": _short(peer_value),
        "ratio": _short(ratio),
    }
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
    return line


def best_seconds(work: Callable[[], object], at_least_s: float = 1.0) -> float:
    """Fastest of the calls that fit in ``at_least_s`` seconds, after one call to warm up (compile, caches)."""
    work()
    best, end = float("inf"), time.perf_counter() + at_least_s
    while True:
        start = time.perf_counter()
        work()
        now = time.perf_counter()
        best = min(best, now - start)
        if now >= end:
            return best


def _short(number: float | None) -> float | None:
    return None if number is None else float(f"{number:.5g}")
