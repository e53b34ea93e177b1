"""Checks of the options that schemes take: what is wrong is said when a sweep is planned, not at each of its points."""

from collections.abc import Iterable
from typing import Any

from semwave.modulation import mcs

HIGHEST_MCS = len(mcs.table("256qam")) - 1


def whole(name: str, value: Any, low: int, high: int | None = None) -> None:
    """Raises ValueError unless ``value`` is a whole number from ``low`` (to ``high``)."""
    if isinstance(value, bool) or not isinstance(value, int) or value < low or (high is not None and value > high):
        wanted = f"from {low}" if high is None else f"from {low} to {high}"
        raise ValueError(f"{name} must be a whole number {wanted}, not {value!r}")


def number(name: str, value: Any, low: float, high: float) -> None:
    """Raises ValueError unless ``value`` is a number from ``low`` to ``high``."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise ValueError(f"{name} must be a number from {low:g} to {high:g}, not {value!r}")


def one_of(name: str, value: Any, choices: Iterable[Any]) -> None:
    """Raises ValueError unless ``value`` is one of ``choices``."""
    known = list(choices)
    if value not in known:
        raise ValueError(f"{name} must be one of {', '.join(map(str, known))}, not {value!r}")


def mcs_index(name: str, value: Any) -> None:
    """Raises ValueError unless ``value`` is a row of TS 38.214, table 5.1.3.1-2."""
    whole(name, value, 0, HIGHEST_MCS)


def still_codec(name: str, value: Any, *more: str) -> None:
    """Raises ValueError unless ``value`` is an image codec, "best", or one of ``more``."""
    from semwave.models import stillcodecs

    one_of(name, value, ("best", *more, *stillcodecs.CODECS, *stillcodecs.SLOWER))
