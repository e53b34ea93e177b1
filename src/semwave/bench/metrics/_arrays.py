"""Reads float32 arrays out of a pickle without unpickling: opcodes are looked at, no object is made, nothing runs."""

import pickletools
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semwave.runtime.errors import UserError

Array = NDArray[Any]

_MARK = object()
_IGNORED = {"PROTO", "FRAME", "STOP"}
_VALUES = {"BINUNICODE", "SHORT_BINUNICODE", "BININT", "BININT1", "BININT2", "BINBYTES", "SHORT_BINBYTES"}
_FIXED = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_RECONSTRUCT, _NDARRAY, _DTYPE = "numpy.core.multiarray _reconstruct", "numpy ndarray", "numpy dtype"


class _Global(str):
    """A name that the pickle would import."""


class _Made:
    """What the pickle would make by calling ``name``, and the state that it would give it."""

    def __init__(self, name: str, args: tuple[Any, ...]) -> None:
        self.name, self.args, self.state = name, args, None


def arrays(data: bytes) -> dict[str, Array]:
    """Float32 arrays of nested dictionaries in a pickle, by their dotted names.

    Raises:
        UserError: it holds anything else.
    """
    try:
        return dict(_flat("", _read(data)))
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise UserError(f"the pickle holds something else than float32 arrays ({error})") from error


def _read(data: bytes) -> Any:
    """The stack machine of pickle, with placeholders where objects would be made."""
    stack: list[Any] = []
    memo: dict[Any, Any] = {}
    for opcode, arg, _ in pickletools.genops(data):
        name = opcode.name
        if name in _VALUES:
            stack.append(arg)
        elif name in _FIXED:
            stack.append(_FIXED[name])
        elif name in ("BINPUT", "LONG_BINPUT"):
            memo[arg] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            stack.append(memo[arg])
        elif name == "EMPTY_DICT":
            stack.append({})
        elif name == "MARK":
            stack.append(_MARK)
        elif name == "GLOBAL":
            stack.append(_Global(arg))
        elif name not in _IGNORED:
            _combine(name, stack)
    (whole,) = stack
    return whole


def _combine(name: str, stack: list[Any]) -> None:
    """An opcode that takes from the stack."""
    if name in ("TUPLE1", "TUPLE2", "TUPLE3"):
        n = int(name[-1])
        stack[-n:] = [tuple(stack[-n:])]
    elif name in ("TUPLE", "SETITEMS"):
        mark = max(i for i, value in enumerate(stack) if value is _MARK)
        items = stack[mark + 1 :]
        del stack[mark:]
        if name == "TUPLE":
            stack.append(tuple(items))
        else:
            stack[-1].update(zip(items[::2], items[1::2], strict=True))
    elif name == "SETITEM":
        value, key = stack.pop(), stack.pop()
        stack[-1][key] = value
    elif name == "REDUCE":
        args, called = stack.pop(), stack.pop()
        if called not in (_RECONSTRUCT, _DTYPE) or not isinstance(called, _Global):
            raise ValueError(f"it calls {called!s}")
        stack.append(_Made(called, args))
    elif name == "BUILD":
        state = stack.pop()
        stack[-1].state = state
    else:
        raise ValueError(f"it has the opcode {name}")


def _flat(prefix: str, tree: Any) -> Iterator[tuple[str, Array]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(f"{prefix}{key}.", value)
            continue
        _, shape, dtype, fortran, raw = value.state
        if value.name != _RECONSTRUCT or value.args[0] != _NDARRAY or dtype.name != _DTYPE or dtype.args[0] != "f4":
            raise ValueError(f"{prefix}{key} is no float32 array")
        if dtype.state[1] != "<" or not isinstance(raw, bytes):
            raise ValueError(f"{prefix}{key} is not little-endian float32")
        yield f"{prefix}{key}", np.frombuffer(raw, "<f4").reshape(shape, order="F" if fortran else "C")
