"""PMTs, GNU Radio's polymorphic types, as bytes: one tag byte, then the body, all numbers big-endian.

======================  =====================================================
PMT                     Python
======================  =====================================================
true, false, nil        True, False, None
symbol                  str (bytes that are not UTF-8 as surrogate escapes)
integer                 int (32 bits on the wire where they suffice, else 64)
uint64                  :class:`UInt64`
double, complex         float, complex
pair, list              :class:`Pair`; a list may be written as a list
dictionary              dict, oldest entry first (the wire has the newest first); :class:`Entries` where keys collide
vector, tuple           :class:`Vector`, tuple
uniform vector          numpy array [n], native byte order, read-only; bytes may be written as uint8
======================  =====================================================
"""

import struct
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from semwave.wire.pmt_values import Entries, Pair, PmtError, UInt64, Vector, as_list, from_list, same

TRUE, FALSE, SYMBOL, INT32, DOUBLE, COMPLEX, NIL, PAIR, VECTOR, DICT, UNIFORM, UINT64, TUPLE, INT64 = range(14)
UNIFORM_DTYPES = tuple(np.dtype(d) for d in ("u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8", "c8", "c16"))
MAX_SYMBOL = 1024  # GNU Radio's reader takes no longer one

Buffer = bytes | bytearray | memoryview


class Limits(NamedTuple):
    """How much a reader takes: nesting (a list's length does not count), and values in all."""

    depth: int = 64
    values: int = 1 << 16


DEFAULT_LIMITS = Limits()


def loads(data: Buffer, limits: Limits = DEFAULT_LIMITS) -> Any:
    """The value that ``data`` holds, all of it; raises PmtError for anything else."""
    value, end = read(data, 0, limits)
    if end != len(data):
        raise PmtError(f"{len(data) - end} bytes follow the value, which ends at byte {end}")
    return value


def read(data: Buffer, at: int = 0, limits: Limits = DEFAULT_LIMITS) -> tuple[Any, int]:
    """The value that starts at byte ``at``, and where it ends; raises PmtError."""
    reader = _Reader(data, at, limits)
    return reader.value(0), reader.at


def dumps(value: Any, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """``value`` as GNU Radio serialises it; raises PmtError where no PMT can hold it."""
    out: list[bytes] = []
    _Writer(out, limits).value(value, 0)
    return b"".join(out)


# ---- reading ------------------------------------------------------------------------------------------------


class _Reader:
    """A place in some bytes. Every length is compared with what is left before anything is made from it."""

    def __init__(self, data: Buffer, at: int, limits: Limits) -> None:
        self.data, self.at, self.depth, self.left = memoryview(data), at, limits.depth, limits.values

    def take(self, count: int, what: str) -> memoryview:
        """The next ``count`` bytes."""
        end = self.at + count
        if end > len(self.data):
            raise PmtError(f"{what} at byte {self.at} needs {count} bytes; {len(self.data) - self.at} are left")
        taken = self.data[self.at : end]
        self.at = end
        return taken

    def number(self, form: struct.Struct, what: str) -> Any:
        """One number, or a tuple of two."""
        found = form.unpack(self.take(form.size, what))
        return found[0] if len(found) == 1 else found

    def next_tag(self) -> int:
        """The tag byte of the next value, which is counted."""
        self.left -= 1
        if self.left < 0:
            raise PmtError(f"more values than allowed, at byte {self.at}")
        return self.take(1, "a value")[0]

    def peek(self) -> int:
        """The tag byte of the next value; -1 at the end."""
        return self.data[self.at] if self.at < len(self.data) else -1

    def value(self, depth: int) -> Any:
        """One value, which lies ``depth`` deep."""
        if depth > self.depth:
            raise PmtError(f"nested deeper than {self.depth} at byte {self.at}")
        at, tag = self.at, self.next_tag()
        reads = _READ.get(tag)
        if reads is None:
            raise PmtError(f"unknown type 0x{tag:02x} at byte {at}")
        return reads(self, depth)

    def symbol(self, depth: int) -> str:
        """uint16 length, bytes."""
        length = self.number(_U16, "a symbol's length")
        if length > MAX_SYMBOL:
            raise PmtError(f"a symbol of {length} bytes at byte {self.at}; {MAX_SYMBOL} are allowed")
        return str(self.take(length, "a symbol"), "utf-8", "surrogateescape")

    def pair(self, depth: int) -> Pair:
        """Along a list without recursion."""
        cars = [self.value(depth + 1)]
        while self.peek() == PAIR:
            self.next_tag()
            cars.append(self.value(depth + 1))
        made: Pair = from_list(cars, self.value(depth + 1))
        return made

    def entries(self, depth: int) -> Any:
        """Cells of (key . value), newest first, up to nil."""
        found = []
        tag = DICT
        while tag == DICT:
            if self.next_tag() != PAIR:
                raise PmtError(f"a dictionary's cell must hold a pair, at byte {self.at - 1}")
            key = self.value(depth + 1)
            found.append((key, self.value(depth + 1)))
            tag = self.next_tag()
        if tag != NIL:
            raise PmtError(f"a dictionary must end in nil, not in 0x{tag:02x}, at byte {self.at - 1}")
        return _dictionary(found[::-1])

    def row(self, depth: int) -> tuple[Any, ...]:
        """uint32 count, values."""
        count = self.number(_U32, "a count")
        if count > self.left:
            raise PmtError(f"more values than allowed, at byte {self.at}")
        if count > len(self.data) - self.at:
            raise PmtError(f"{count} elements at byte {self.at}, where {len(self.data) - self.at} bytes are left")
        return tuple([self.value(depth + 1) for _ in range(count)])

    def uniform(self, depth: int) -> np.ndarray[Any, Any]:
        """Subtype, uint32 count, number of padding bytes, padding, numbers."""
        subtype, count, padding = self.number(_UNIFORM, "a uniform vector")
        if subtype >= len(UNIFORM_DTYPES):
            raise PmtError(f"unknown kind of uniform vector 0x{subtype:02x} before byte {self.at}")
        self.take(padding, "padding")
        dtype = UNIFORM_DTYPES[subtype]
        data = self.take(count * dtype.itemsize, "a uniform vector")
        array = np.frombuffer(data, dtype.newbyteorder(">")).astype(dtype)
        array.flags.writeable = False
        return array


def _dictionary(found: list[tuple[Any, Any]]) -> Any:
    try:
        made = dict(found)
    except TypeError:  # a key that Python cannot hash
        return Entries(tuple(found))
    return made if len(made) == len(found) else Entries(tuple(found))


def _numbers(form: struct.Struct, what: str, make: Callable[..., Any]) -> Callable[[_Reader, int], Any]:
    return lambda reader, depth: make(reader.number(form, what))


_U16, _U32, _UNIFORM = struct.Struct(">H"), struct.Struct(">I"), struct.Struct(">BIB")
_I32, _I64, _U64, _F64, _C128 = (struct.Struct(">" + form) for form in ("i", "q", "Q", "d", "dd"))
_READ: dict[int, Callable[[_Reader, int], Any]] = {
    TRUE: lambda reader, depth: True,
    FALSE: lambda reader, depth: False,
    NIL: lambda reader, depth: None,
    SYMBOL: _Reader.symbol,
    INT32: _numbers(_I32, "an int32", int),
    INT64: _numbers(_I64, "an int64", int),
    UINT64: _numbers(_U64, "a uint64", UInt64),
    DOUBLE: _numbers(_F64, "a double", float),
    COMPLEX: _numbers(_C128, "a complex", lambda parts: complex(*parts)),
    PAIR: _Reader.pair,
    DICT: _Reader.entries,
    VECTOR: lambda reader, depth: Vector(reader.row(depth)),
    TUPLE: _Reader.row,
    UNIFORM: _Reader.uniform,
}


# ---- writing ------------------------------------------------------------------------------------------------


class _Writer:
    """Bytes of values, one after the other."""

    def __init__(self, out: list[bytes], limits: Limits) -> None:
        self.out, self.depth, self.left = out, limits.depth, limits.values

    def value(self, value: Any, depth: int) -> None:
        """One value, which lies ``depth`` deep."""
        if depth > self.depth:
            raise PmtError(f"nested deeper than {self.depth}")
        self.count()
        for kinds, write in _WRITE:
            if isinstance(value, kinds):
                write(self, value, depth)
                return
        if isinstance(value, np.generic):
            self.value(UInt64(int(value)) if isinstance(value, np.uint64) else value.item(), depth + 1)
            return
        raise PmtError(f"no PMT holds a {type(value).__name__}")

    def count(self) -> None:
        """One value more, a list's cells included, as the reader counts."""
        self.left -= 1
        if self.left < 0:
            raise PmtError("more values than allowed")

    def singleton(self, value: Any, depth: int) -> None:
        """True, False, None."""
        self.out.append(bytes([NIL if value is None else TRUE if value else FALSE]))

    def symbol(self, value: str, depth: int) -> None:
        """uint16 length, bytes."""
        try:
            text = value.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError as error:
            raise PmtError(f"a symbol must be text, not {value!r}") from error
        if len(text) > MAX_SYMBOL:
            raise PmtError(f"a symbol must have at most {MAX_SYMBOL} bytes, not {len(text)}")
        self.out.append(struct.pack(">BH", SYMBOL, len(text)) + text)

    def integer(self, value: int, depth: int) -> None:
        """32 bits where they suffice."""
        if -(1 << 31) <= value < 1 << 31:
            self.out.append(struct.pack(">Bi", INT32, value))
        elif -(1 << 63) <= value < 1 << 63:
            self.out.append(struct.pack(">Bq", INT64, value))
        else:
            raise PmtError(f"an integer must fit 64 bits, not be {value}; UInt64 holds up to 2**64 - 1")

    def pair(self, value: Pair, depth: int) -> None:
        """Along a list without recursion."""
        rest: Any = value
        while isinstance(rest, Pair):
            self.cell(PAIR, (rest.car,), depth)
            rest = rest.cdr
        self.value(rest, depth + 1)

    def plain_list(self, value: list[Any], depth: int) -> None:
        """Pairs that end in nil."""
        for item in value:
            self.cell(PAIR, (item,), depth)
        self.out.append(bytes([NIL]))

    def entries(self, items: Iterable[tuple[Any, Any]], depth: int) -> None:
        """Cells, newest first, up to nil."""
        for key, value in reversed(list(items)):
            self.out.append(bytes([DICT]))
            self.cell(PAIR, (key, value), depth)
        self.out.append(bytes([NIL]))

    def cell(self, tag: int, values: Iterable[Any], depth: int) -> None:
        """A tag byte, then values one deeper."""
        self.count()
        self.out.append(bytes([tag]))
        for value in values:
            self.value(value, depth + 1)

    def row(self, tag: int, values: tuple[Any, ...], depth: int) -> None:
        """Tag, uint32 count, values."""
        self.out.append(struct.pack(">BI", tag, len(values)))
        for value in values:
            self.value(value, depth + 1)

    def uniform(self, value: Any, depth: int) -> None:
        """Numbers in a row, one byte of padding before them."""
        array = np.asarray(value)
        native = array.dtype.newbyteorder("=")
        if array.ndim != 1 or native not in UNIFORM_DTYPES:
            raise PmtError(f"a uniform vector must be integers, floats or complex [n], not {array.dtype} {array.shape}")
        self.out.append(struct.pack(">BBIBB", UNIFORM, UNIFORM_DTYPES.index(native), array.size, 1, 0))
        self.out.append(array.astype(native.newbyteorder(">")).tobytes())


_WRITE: tuple[tuple[Any, Callable[[_Writer, Any, int], None]], ...] = (
    (str, _Writer.symbol),
    ((bool, type(None)), _Writer.singleton),
    (UInt64, lambda writer, value, depth: writer.out.append(struct.pack(">BQ", UINT64, value))),
    (int, _Writer.integer),
    (float, lambda writer, value, depth: writer.out.append(struct.pack(">Bd", DOUBLE, value))),
    (complex, lambda writer, value, depth: writer.out.append(struct.pack(">Bdd", COMPLEX, value.real, value.imag))),
    (dict, lambda writer, value, depth: writer.entries(value.items(), depth)),
    (np.ndarray, _Writer.uniform),
    (Pair, _Writer.pair),
    (list, _Writer.plain_list),
    (Vector, lambda writer, value, depth: writer.row(VECTOR, value.items, depth)),
    (tuple, lambda writer, value, depth: writer.row(TUPLE, value, depth)),
    ((bytes, bytearray, memoryview), lambda writer, value, depth: writer.uniform(np.frombuffer(value, "u1"), depth)),
    (Entries, lambda writer, value, depth: writer.entries(value.items, depth)),
)

__all__ = [
    "DEFAULT_LIMITS", "Entries", "Limits", "Pair", "PmtError", "UInt64", "Vector", "as_list", "dumps", "from_list",
    "loads", "read", "same",
]  # fmt: skip
