"""Results as JSON that every parser reads."""

import json
import math
from collections.abc import Mapping
from typing import Any


def emit(value: Mapping[str, Any]) -> None:
    """Print one JSON object on stdout."""
    print(json.dumps(plain(value), ensure_ascii=False, allow_nan=False))


def plain(value: Any) -> Any:
    """``value`` in JSON's own types: NumPy numbers and arrays as numbers and lists, NaN and infinity as null."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if value is None or isinstance(value, (str, int)):
        return value
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    return str(value)
