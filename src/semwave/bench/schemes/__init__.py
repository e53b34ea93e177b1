"""Schemes that carry a picture over the air, by name; each in one file of this folder, or in a file of yours.

A scheme is a class with ``name``, ``version`` and ``transmit``; keyword arguments of its constructor are its options.
A file is read for the classes in it that derive from :class:`Scheme`::

    class Mine(Scheme):
        name, version = "mine", "1"
        def transmit(self, picture, air, budget, rng):
            ...
            return Delivery(image, "ok", payload=arrival.payload, total=arrival.total)

``semwave sweep FILE --schemes mine.py`` then knows ``scheme = "mine"``.
"""

import hashlib
import importlib.util
import inspect
import pkgutil
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from semwave.bench.air import VERSION, Air

Array = NDArray[Any]
CONCEALED = 128  # every channel of a picture of which nothing came
REMEMBERED = 24


@dataclass(frozen=True)
class Picture:
    """A picture uint8 [row, column, 3] with the hash of its content."""

    image: Array
    name: str
    sha256: str

    @property
    def samples(self) -> int:
        """3 x height x width: what bandwidth ratios are taken of."""
        return int(self.image.size)


@dataclass(frozen=True)
class Delivery:
    """What the receiver shows, and what it cost."""

    image: Array
    """uint8 [row, column, 3]"""
    status: str
    """"ok", "lost" (nothing came, the picture is mid-grey) or what was lost: "key lost"."""
    payload: int
    """Channel uses of the layers."""
    total: int
    """Channel uses of everything."""
    extras: Mapping[str, Any] = field(default_factory=dict)
    """What else is worth keeping: numbers, strings."""
    pictures: Mapping[str, Array] = field(default_factory=dict)
    """More to look at by kind: provenance uint8 [row, column] (0 received, 1 inferred, 2 invented) ..."""


class Scheme:
    """Base of schemes. Change ``version`` whenever results change: points computed before are then computed anew."""

    name: ClassVar[str] = ""
    version: ClassVar[str] = "1"

    def transmit(self, picture: Picture, air: Air, budget: int, rng: np.random.Generator) -> Delivery:
        """Send ``picture`` in at most ``budget`` channel uses of payload.

        Called once a picture and realisation of the channel; what does not depend on the realisation goes through
        :func:`remembered`. ``rng`` is the scheme's own generator; the air's draws do not depend on it.
        """
        raise NotImplementedError


def lost(picture: Picture) -> Array:
    """What is shown when nothing came: mid-grey."""
    return np.full_like(picture.image, CONCEALED)


_memory: OrderedDict[Hashable, Any] = OrderedDict()


def remembered(key: Hashable, make: Callable[[], Any]) -> Any:
    """``make()``, or what it gave for this ``key`` a little while ago in this process."""
    if key in _memory:
        _memory.move_to_end(key)
        return _memory[key]
    value = _memory[key] = make()
    while len(_memory) > REMEMBERED:
        _memory.popitem(last=False)
    return value


# ---- finding them ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Entry:
    """A scheme that can be had: its class, and a version that changes with a file of the user's."""

    scheme: type[Scheme]
    version: str


def schemes(files: Iterable[str] = ()) -> dict[str, Entry]:
    """All schemes by name: this folder's, then those of ``files`` (Python files or folders of them), which may replace
    them. Raises ValueError for a file that cannot be read or holds no scheme.
    """
    found = dict(_own())
    for name in files:
        found |= _of_path(Path(name))
    return found


@cache
def _own() -> dict[str, Entry]:
    found: dict[str, Entry] = {}
    for module in pkgutil.iter_modules(__path__):
        if not module.name.startswith("_"):
            own = _classes(import_module(f"{__name__}.{module.name}"))
            found |= {c.name: Entry(c, f"{c.version}.{VERSION}-{_weights()}") for c in own}
    return found


def _weights() -> str:
    """A hash of all the weights that ship: schemes and scores stand on them; with others, points are computed anew."""
    import semwave.models

    total = hashlib.sha256()
    for file in sorted((Path(semwave.models.__path__[0]) / "weights").rglob("*.safetensors")):
        total.update(f"{file.parent.name}/{file.name}".encode())
        with file.open("rb") as stream:
            total.update(hashlib.file_digest(stream, "sha256").digest())
    return total.hexdigest()[:8]


def _of_path(path: Path) -> dict[str, Entry]:
    if path.is_dir():
        files = [f for f in sorted(path.glob("*.py")) if not f.name.startswith("_")]
        return {k: v for f in files for k, v in _of_path(f).items()}
    try:
        source = path.read_bytes()
    except OSError as error:
        raise ValueError(f"schemes: cannot read {path}: {error.strerror}") from error
    return _of_source(str(path), hashlib.sha256(source).hexdigest()[:12])


@cache
def _of_source(path: str, sha: str) -> dict[str, Entry]:
    """The schemes of a user's file; their version changes with every byte of it."""
    spec = importlib.util.spec_from_file_location(f"semwave_scheme_{sha}", path)
    if spec is None or spec.loader is None:
        raise ValueError(f"schemes: {path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ValueError(f"schemes: {path} does not load: {type(error).__name__}: {error}") from error
    classes = list(_classes(module))
    if not classes:
        raise ValueError(f"schemes: {path} has no class derived from semwave.bench.schemes.Scheme with a name")
    return {c.name: Entry(c, f"{c.version}+{sha}") for c in classes}


def _classes(module: Any) -> list[type[Scheme]]:
    kinds = [c for _, c in inspect.getmembers(module, inspect.isclass) if issubclass(c, Scheme) and c.name]
    return [c for c in kinds if c.__module__ == module.__name__]


def make(name: str, options: Mapping[str, Any], files: Iterable[str] = ()) -> Scheme:
    """A scheme with its options, the same object for the same values. Raises ValueError naming what there is."""
    found = schemes(files)
    if name not in found:
        raise ValueError(f"scheme must be one of {', '.join(sorted(found))}, not {name!r}")
    entry = found[name]

    def build() -> Scheme:
        try:
            return entry.scheme(**options)
        except TypeError as error:
            raise ValueError(f"scheme {name}: {error}") from error

    return remembered((name, entry.version, tuple(sorted((k, str(v)) for k, v in options.items()))), build)
