"""Values of a sweep's axes: ranges, and the one way to write them down that hashes are taken of."""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from semwave.sweep.errors import SweepError

MOST_IN_RANGE = 100_000
_RANGE = re.compile(r"(-?[\d.]+(?:e-?\d+)?):(-?[\d.]+(?:e-?\d+)?):(-?[\d.]+(?:e-?\d+)?)", re.IGNORECASE)


def expand(name: str, value: Any) -> list[Any]:
    """The values of one axis: a list as it is, ``"0:20:2"`` as 0, 2 ... 20, anything else as a single value.

    Raises SweepError for an empty list or a range that has no end.
    """
    if isinstance(value, list):
        if not value:
            raise SweepError(f"{name} must have at least one value, not []")
        return [tidy(v) for v in value]
    if isinstance(value, str) and (found := _RANGE.fullmatch(value)):
        return _steps(name, value, *(Fraction(part) for part in found.groups()))
    return [tidy(value)]


def _steps(name: str, text: str, first: Fraction, last: Fraction, step: Fraction) -> list[Any]:
    if not step or (last - first) / step < 0:
        raise SweepError(f"{name} must be first:last:step with a step that leads from first to last, not {text!r}")
    count = int((last - first) / step) + 1
    if count > MOST_IN_RANGE:
        raise SweepError(f"{name} must have {MOST_IN_RANGE} values at most, not {count}")
    return [tidy(float(first + i * step)) for i in range(count)]


def tidy(value: Any) -> Any:
    """The value as it is hashed and stored: whole floats as int, in tables and lists too.

    Raises SweepError for what JSON cannot hold.
    """
    if isinstance(value, Mapping):
        return {str(k): tidy(v) for k, v in sorted(value.items())}
    if isinstance(value, (list, tuple)):
        return [tidy(v) for v in value]
    if isinstance(value, (bool, str)) or value is None:
        return value
    if isinstance(value, (int, float)):
        if not math.isfinite(value):
            raise SweepError(f"a value must be finite, not {value}")
        return int(value) if float(value).is_integer() and abs(value) < 2**53 else value
    raise SweepError(f"a value must be a number, a string, true, false, a list or a table, not {type(value).__name__}")


def ratio(name: str, value: Any) -> float:
    """A number, or a fraction written as ``"1/48"``; raises SweepError."""
    try:
        return float(Fraction(value) if isinstance(value, str) else value)
    except (TypeError, ValueError, ZeroDivisionError):
        raise SweepError(f'{name} must be a number or a fraction such as "1/48", not {value!r}') from None


def canonical(value: Any) -> str:
    """One text for equal values: JSON with sorted keys and no blanks."""
    return json.dumps(tidy(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(value: Any, length: int = 32) -> str:
    """The first ``length`` hexadecimal digits of the SHA-256 of the canonical text."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()[:length]


def seed_of(*parts: Any) -> int:
    """A seed for generators, 0 ... 2**63 - 1, that depends on the values alone."""
    return int(digest(list(parts), 16), 16) >> 1


def short(value: Any) -> str:
    """A value for people: ``TDL-C 30 Hz`` for a channel table, ``1/48`` for a ratio."""
    if isinstance(value, Mapping):
        head = str(value.get("name") or value.get("profile") or "")
        rest = [f"{k}={short(v)}" for k, v in value.items() if k not in ("name", "profile", "sha256")]
        return " ".join([head, *rest]).strip()
    if isinstance(value, float) and 0 < value < 1 and abs(1 / value - round(1 / value)) < 1e-6:
        return f"1/{round(1 / value)}"
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value)
