"""Blocks by name, as ``"module:Class"`` strings, so that looking a name up imports only what is used.

Other packages add theirs with an entry point in the group ``semwave.blocks``.
"""

from functools import cache
from importlib import import_module
from importlib.metadata import entry_points

from semwave.runtime.block import Block
from semwave.runtime.errors import ConnectError
from semwave.runtime.params import unknown

_M = "semwave.blocks."
BLOCKS: dict[str, str] = {
    "NullSource": _M + "basic:NullSource",
    "VectorSource": _M + "basic:VectorSource",
    "RandomBits": _M + "basic:RandomBits",
    "Copy": _M + "basic:Copy",
    "MultiplyConst": _M + "basic:MultiplyConst",
    "Add": _M + "basic:Add",
    "Head": _M + "basic:Head",
    "NullSink": _M + "basic:NullSink",
    "NullFrameSink": _M + "basic:NullFrameSink",
    "VectorSink": _M + "basic:VectorSink",
}


@cache
def outside() -> dict[str, str]:
    """Blocks that installed packages announce."""
    return {e.name: e.value for e in entry_points(group="semwave.blocks")}


def names() -> list[str]:
    """All block names, sorted."""
    return sorted({**outside(), **BLOCKS})


def block_class(name: str) -> type[Block]:
    """The class called ``name``; raises ConnectError with the nearest name, or when its module cannot be imported."""
    where = BLOCKS.get(name) or outside().get(name)
    if where is None:
        raise ConnectError(unknown(name, dict.fromkeys(names()), "block class").replace("it takes", "there are"))
    module, _, attribute = where.partition(":")
    try:
        found = getattr(import_module(module), attribute)
    except ImportError as error:
        raise ConnectError(f"block class {name} cannot be imported from {module}: {error}") from error
    except AttributeError:
        raise ConnectError(f"block class {name}: {module} has no {attribute}") from None
    if not (isinstance(found, type) and issubclass(found, Block)):
        raise ConnectError(f"block class {name}: {where} is not a Block")
    return found
