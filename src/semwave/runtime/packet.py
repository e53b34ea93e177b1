"""Packets, tags and what a port carries: one envelope, two contracts (Stream and Frames)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

Array = NDArray[Any]
EMPTY: Mapping[str, Any] = MappingProxyType({})


class Tag(NamedTuple):
    """A fact about one item of a stream: ``at`` is the item's absolute index."""

    at: int
    key: str
    value: Any


@dataclass(frozen=True, slots=True, eq=False)
class Packet:
    """Items on their way from one port to the next; never changed once sent.

    ``data`` is read-only. ``start`` is the absolute index of ``data[0]`` in its stream; on a Frames port it is the
    frame's
    number. Tags carry absolute indices, so no block has to shift them. ``meta`` holds facts about the whole packet.
    """

    data: Array
    start: int = 0
    tags: tuple[Tag, ...] = ()
    meta: Mapping[str, Any] = field(default_factory=lambda: EMPTY)

    def with_data(self, data: Array, **meta: Any) -> "Packet":
        """The same packet around other data, with ``meta`` added."""
        return Packet(data, self.start, self.tags, {**self.meta, **meta} if meta else self.meta)

    def tag(self, key: str, default: Any = None) -> Any:
        """Value of the first tag called ``key``."""
        return next((t.value for t in self.tags if t.key == key), default)

    def __repr__(self) -> str:
        size = ",".join(map(str, self.data.shape))
        return f"{self.data.dtype}[{size}]@{self.start}"


def frozen(data: Any) -> Array:
    """``data`` as an array that nobody can write to through this reference."""
    array = np.asarray(data)
    if array.flags.writeable:
        array = array.view()
        array.flags.writeable = False
    return array


def text_packet(text: str, **meta: Any) -> Packet:
    """A packet that carries text as UTF-8 bytes, ``uint8 [byte]``."""
    return Packet(frozen(np.frombuffer(text.encode(), np.uint8)), meta=meta)


def text_of(packet: Packet) -> str:
    """The text that :func:`text_packet` put in."""
    return packet.data.tobytes().decode()


def _dtype(dtype: DTypeLike | None) -> np.dtype[Any] | None:
    return None if dtype is None else np.dtype(dtype)


@dataclass(frozen=True)
class Stream:
    """Items in a row; packet borders mean nothing and may move. ``dtype`` None takes any, ``item`` is one item's
    shape.
    """

    dtype: Any
    item: tuple[int, ...] = ()
    sample_rate: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "dtype", _dtype(self.dtype))

    def __str__(self) -> str:
        inside = [str(self.dtype) if self.dtype is not None else "any", *map(str, self.item)]
        rate = f" at {self.sample_rate:g}/s" if self.sample_rate is not None else ""
        return f"Stream[{', '.join(inside)}]{rate}"

    def problem(self, data: Array) -> str | None:
        """Why ``data`` cannot travel here, or None."""
        if self.dtype is not None and data.dtype != self.dtype:
            return f"is {data.dtype}, not {self.dtype}"
        if data.ndim != 1 + len(self.item) or data.shape[1:] != self.item:
            return f"has shape {list(data.shape)}, not {['n', *self.item]}"
        return None


@dataclass(frozen=True)
class Frames:
    """One packet is one thing and is never split. ``shape`` names axes (rank is checked) or gives sizes (checked)."""

    dtype: Any
    shape: tuple[str | int, ...] = ()
    sample_rate: float | None = None  # frames per second, where that is known

    def __post_init__(self) -> None:
        object.__setattr__(self, "dtype", _dtype(self.dtype))

    def __str__(self) -> str:
        name = str(self.dtype) if self.dtype is not None else "any"
        rate = f" at {self.sample_rate:g}/s" if self.sample_rate is not None else ""
        return f"Frames[{', '.join([name, *map(str, self.shape)])}]{rate}"

    def problem(self, data: Array) -> str | None:
        """Why ``data`` cannot travel here, or None."""
        if self.dtype is not None and data.dtype != self.dtype:
            return f"is {data.dtype}, not {self.dtype}"
        fits = data.ndim == len(self.shape) and all(
            isinstance(axis, str) or axis == size for axis, size in zip(self.shape, data.shape, strict=True)
        )
        return None if fits else f"has shape {list(data.shape)}, not {list(self.shape)}"


@dataclass(frozen=True)
class Anything:
    """A port that takes whatever comes: streams or frames of any dtype (taps, null sinks)."""

    sample_rate: float | None = None

    def __str__(self) -> str:
        return "anything"

    def problem(self, data: Array) -> str | None:
        """Nothing is ever wrong here."""
        return None


Spec = Stream | Frames | Anything
ANY = Anything()


def meet(given: Spec, wanted: Spec) -> Spec | None:
    """What travels on an edge from a port that gives ``given`` to one that takes ``wanted``; None if they do not
    fit.
    """
    if isinstance(wanted, Anything):
        return given
    if isinstance(given, Anything):
        return wanted
    if type(given) is not type(wanted):
        return None
    if None not in (given.dtype, wanted.dtype) and given.dtype != wanted.dtype:
        return None
    rates = {given.sample_rate, wanted.sample_rate} - {None}
    if len(rates) > 1:
        return None
    known = {
        "dtype": wanted.dtype if given.dtype is None else given.dtype,
        "sample_rate": next(iter(rates), None),
    }
    if isinstance(given, Stream) and isinstance(wanted, Stream):
        return replace(given, **known) if given.item == wanted.item or wanted.dtype is None else None
    assert isinstance(given, Frames)
    assert isinstance(wanted, Frames)
    shape = _meet_shapes(given.shape, wanted.shape)
    return None if shape is None else replace(given, shape=shape, **known)


def _meet_shapes(a: tuple[str | int, ...], b: tuple[str | int, ...]) -> tuple[str | int, ...] | None:
    if len(a) != len(b):
        return None
    pairs = list(zip(a, b, strict=True))
    if any(isinstance(x, int) and isinstance(y, int) and x != y for x, y in pairs):
        return None
    return tuple(y if isinstance(x, str) and isinstance(y, int) else x for x, y in pairs)


def concatenate(packets: Iterable[Packet]) -> Packet:
    """Consecutive stream packets as one; ``meta`` of the first is kept."""
    parts = list(packets)
    if len(parts) == 1:
        return parts[0]
    data = frozen(np.concatenate([p.data for p in parts]))
    return Packet(data, parts[0].start, tuple(t for p in parts for t in p.tags), parts[0].meta)
