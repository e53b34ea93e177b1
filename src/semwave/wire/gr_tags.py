"""GNU Radio's names for what a radio says about its samples, and SigMF's: rate, frequency, time."""

import re
from datetime import UTC, datetime
from typing import Any

import numpy as np

from semwave.wire.pmt import UInt64

NAMES = {"rx_rate": "sample_rate", "rx_freq": "frequency", "rx_time": "datetime"}
_BACK = {ours: theirs for theirs, ours in NAMES.items()}
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?Z")
_LATEST = int(datetime(9999, 12, 31, tzinfo=UTC).timestamp())


def from_gnuradio(key: str, value: Any) -> tuple[str, Any]:
    """``rx_rate``, ``rx_freq`` and ``rx_time`` as SigMF has them; all else, and what looks odd, as it is."""
    if key == "rx_time":
        text = _iso(value)
        return (key, value) if text is None else (NAMES[key], text)
    if key in NAMES and isinstance(value, (int, float)) and not isinstance(value, bool):
        return NAMES[key], float(value)
    return key, value


def to_gnuradio(key: str, value: Any) -> tuple[str, Any]:
    """The way back."""
    if key == "datetime":
        parts = _TIME.fullmatch(value) if isinstance(value, str) else None
        if parts is None:
            return key, value
        try:
            whole = datetime.fromisoformat(parts[1] + "+00:00").timestamp()
        except ValueError:  # the 31st of February
            return key, value
        return (key, value) if whole < 0 else (_BACK[key], (UInt64(int(whole)), float(parts[2] or 0)))
    if key in _BACK and isinstance(value, (int, float)) and not isinstance(value, bool):
        return _BACK[key], float(value)
    return key, value


def _iso(value: Any) -> str | None:
    """ISO 8601 of (whole seconds, fraction), with as many digits as the fraction has."""
    if not (isinstance(value, tuple) and len(value) == 2):
        return None
    whole, fraction = value
    if not (type(whole) in (int, UInt64) and isinstance(fraction, float)):
        return None
    if not (0 <= whole <= _LATEST and 0 <= fraction < 1):
        return None
    digits = np.format_float_positional(fraction, trim="-")[1:] if fraction else ""
    return datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%S") + digits + "Z"
