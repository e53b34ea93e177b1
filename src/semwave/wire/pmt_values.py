"""What PMTs have and Python has not: pairs, vectors, unsigned numbers, dictionaries whose keys Python would mix up."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np


class PmtError(ValueError):
    """Bytes that are no PMT, or a value that no PMT can hold."""


class UInt64(int):
    """An unsigned 64-bit number: a PMT type of its own, used for sample times and offsets."""

    def __new__(cls, value: int) -> "UInt64":
        """Raises PmtError for what 64 bits cannot hold."""
        if not 0 <= value < 1 << 64:
            raise PmtError(f"UInt64 must be from 0 to 2**64 - 1, not {value}")
        return super().__new__(cls, value)

    def __repr__(self) -> str:
        return f"UInt64({int(self)})"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Pair:
    """Two values; a list is pairs in a row whose last ``cdr`` is None.

    ``Pair("freq", None)`` and the list of one symbol are the same bytes, so reading never guesses:
    :func:`as_list` is for who expects a list.
    """

    car: Any
    cdr: Any

    def __eq__(self, other: object) -> bool:
        a: Any = self
        b: Any = other
        while isinstance(a, Pair) and isinstance(b, Pair):  # lists are long: no recursion along them
            if not same(a.car, b.car):
                return False
            a, b = a.cdr, b.cdr
        return same(a, b)

    def __hash__(self) -> int:
        cars, rest = _walk(self)
        return hash((*cars, rest))

    def __repr__(self) -> str:
        cars, rest = _walk(self)
        return "".join(f"Pair({car!r}, " for car in cars) + repr(rest) + ")" * len(cars)


@dataclass(frozen=True, slots=True, eq=False)
class Vector:
    """Values of any types in a row: a PMT type beside the tuple (Python's) and the list (pairs)."""

    items: tuple[Any, ...]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vector) and same(self.items, other.items)

    def __hash__(self) -> int:
        return hash((Vector, self.items))

    def __iter__(self) -> Iterator[Any]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


@dataclass(frozen=True, slots=True, eq=False)
class Entries:
    """A dictionary that no ``dict`` can hold (1 beside True, an array as key): (key, value), oldest first."""

    items: tuple[tuple[Any, Any], ...]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Entries) and same(self.items, other.items)

    def __hash__(self) -> int:
        return hash((Entries, len(self.items)))


def _walk(value: Any) -> tuple[list[Any], Any]:
    cars = []
    while isinstance(value, Pair):
        cars.append(value.car)
        value = value.cdr
    return cars, value


def as_list(value: Any) -> list[Any]:
    """The list that pairs ending in None are; raises PmtError for anything else. None is the empty list."""
    cars, rest = _walk(value)
    if rest is not None:
        raise PmtError(f"a list ends in None, not in {type(rest).__name__}")
    return cars


def from_list(values: Iterable[Any], end: Any = None) -> Any:
    """The pairs that a list is; None when it is empty."""
    made = end
    for value in reversed(list(values)):
        made = Pair(value, made)
    return made


def same(a: Any, b: Any) -> bool:
    """Equality that tells 1 from True and UInt64(1), and knows arrays."""
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return type(a) is type(b) and a.dtype == b.dtype and np.array_equal(a, b)
    if type(a) is not type(b):
        return False
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict):
        return same(list(a.items()), list(b.items()))
    return bool(a == b)
