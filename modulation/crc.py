"""Cyclic redundancy checks over bit arrays (batched) and over bytes.

Bits go through the register in the order given, and the parity comes out highest power first: the order
of transmission in TS 38.212, 5.1 and in IEEE 802.11. The byte forms follow the custom of each check:
``"32"`` takes the least significant bit of each byte first and is sent little-endian (zlib, IEEE 802,
GNU Radio); the others take the most significant bit first and are sent big-endian.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Spec:
    """One check: width in bits, generator without its leading term, start value, final exclusive-or."""

    width: int
    poly: int
    init: int = 0
    xorout: int = 0
    reflected: bool = False


_ONES32 = 0xFFFFFFFF
SPECS: dict[str, Spec] = {
    "24A": Spec(24, 0x864CFB),  # TS 38.212, 5.1
    "24B": Spec(24, 0x800063),
    "24C": Spec(24, 0xB2B117),
    "16": Spec(16, 0x1021),
    "11": Spec(11, 0x621),
    "6": Spec(6, 0x21),
    "32": Spec(32, 0x04C11DB7, _ONES32, _ONES32, reflected=True),  # IEEE 802, zlib, GNU Radio
    "8": Spec(8, 0x07, 0xFF),  # GNU Radio's packet headers
    "ht-sig": Spec(8, 0x07, 0xFF, 0xFF),  # IEEE 802.11-2020, 19.3.9.4.4
}
ALIASES = {"fcs": "32", "gr-32": "32", "gr-8": "8"}


def names() -> list[str]:
    """List the checks known, aliases included."""
    return [*SPECS, *ALIASES]


def spec(name: str) -> Spec:
    """Look a check up. Raise ValueError for an unknown name."""
    found = SPECS.get(ALIASES.get(name, name))
    if found is None:
        raise ValueError(f"name must be one of {', '.join(names())}, not {name!r}")
    return found


def width(name: str) -> int:
    """Number of parity bits of a check."""
    return spec(name).width


@lru_cache(maxsize=32)
def _tables(width_: int, poly: int) -> Array:
    """Registers left-aligned in 32 bits after byte b and j zero bytes: [8, 256] uint32 (slicing by eight)."""
    top = np.uint32(1 << 31)
    shifted = np.uint32(poly << (32 - width_))
    register = np.arange(256, dtype=np.uint32) << np.uint32(24)
    tables = np.empty((8, 256), np.uint32)
    for _ in range(8):
        register = (register << np.uint32(1)) ^ np.where(register & top, shifted, np.uint32(0))
    tables[0] = register
    for j in range(1, 8):
        register = (register << np.uint32(8)) ^ tables[0][register >> np.uint32(24)]
        tables[j] = register
    tables.setflags(write=False)
    return tables


@njit(nogil=True, cache=True)
def _registers(packed: Array, n_bits: int, tables: Array, start: np.uint32, poly: np.uint32) -> Array:
    rows = packed.shape[0]
    out = np.empty(rows, np.uint32)
    whole, tail = n_bits // 8, n_bits % 8
    for r in range(rows):
        row = packed[r]
        reg = start
        i = 0
        while i + 8 <= whole:
            mixed = (
                tables[7, row[i] ^ (reg >> np.uint32(24))]
                ^ tables[6, row[i + 1] ^ ((reg >> np.uint32(16)) & np.uint32(255))]
                ^ tables[5, row[i + 2] ^ ((reg >> np.uint32(8)) & np.uint32(255))]
                ^ tables[4, row[i + 3] ^ (reg & np.uint32(255))]
            )
            reg = mixed ^ tables[3, row[i + 4]] ^ tables[2, row[i + 5]] ^ tables[1, row[i + 6]] ^ tables[0, row[i + 7]]
            i += 8
        while i < whole:
            reg = np.uint32(reg << np.uint32(8)) ^ tables[0, row[i] ^ (reg >> np.uint32(24))]
            i += 1
        for b in range(tail):
            bit = np.uint32((row[whole] >> (7 - b)) & 1)
            feedback = (reg >> np.uint32(31)) ^ bit
            reg = np.uint32(reg << np.uint32(1))
            if feedback:
                reg ^= poly
        out[r] = reg
    return out


def _values(packed: Array, n_bits: int, s: Spec) -> Array:
    """Parities of packed rows, as integers: [rows, bytes] uint8 -> [rows] uint32."""
    shift = 32 - s.width
    start, poly = np.uint32(s.init << shift), np.uint32(s.poly << shift)
    registers = _registers(np.ascontiguousarray(packed), n_bits, _tables(s.width, s.poly), start, poly)
    return (registers >> np.uint32(shift)) ^ np.uint32(s.xorout)


def _as_bits(bits: npt.ArrayLike) -> Array:
    array = np.asarray(bits)
    if array.ndim == 0:
        raise ValueError("bits must have at least one axis, not be a scalar")
    return array if array.dtype == np.bool_ else array.astype(np.uint8, copy=False)


def compute(bits: npt.ArrayLike, name: str) -> Array:
    """Parity bits of each row: [..., n] uint8 0/1 -> [..., width] uint8, highest power first.

    p(D) = D^L a(D) mod g(D), with the register's start value and final inversion where the standard has them.
    """
    s = spec(name)
    array = _as_bits(bits)
    n = array.shape[-1]
    packed = np.packbits(array.reshape(-1, n) if n else array.reshape(_rows(array), 0), axis=-1)
    values = _values(packed, n, s)
    powers = np.arange(s.width - 1, -1, -1, dtype=np.uint32)
    parity = (values[:, None] >> powers) & np.uint32(1)
    return parity.astype(np.uint8).reshape(*array.shape[:-1], s.width)


def _rows(array: Array) -> int:
    return int(np.prod(array.shape[:-1], dtype=np.int64))


def append(bits: npt.ArrayLike, name: str) -> Array:
    """Put the parity behind each row: [..., n] -> [..., n + width] uint8."""
    array = _as_bits(bits).astype(np.uint8, copy=False)
    return np.concatenate([array, compute(array, name)], axis=-1)


def check(bits: npt.ArrayLike, name: str) -> Any:
    """Tell whether each row ends in its own parity: [n + width] -> bool, [..., n + width] -> [...] bool.

    Raise ValueError if a row is shorter than its parity.
    """
    w = width(name)
    array = _as_bits(bits)
    if array.shape[-1] < w:
        raise ValueError(f"bits must have at least {w} bits for check {name!r}, not {array.shape[-1]}")
    good = (compute(array[..., :-w], name) == array[..., -w:]).all(axis=-1)
    return good if array.ndim > 1 else bool(good)


def _reverse(value: int, n_bits: int) -> int:
    return int(format(value, f"0{n_bits}b")[::-1], 2)


def compute_bytes(data: bytes | bytearray | memoryview, name: str) -> int:
    """Check value as the catalogues print it: ``compute_bytes(b"123456789", "32") == 0xCBF43926``."""
    s = spec(name)
    raw = np.frombuffer(data, np.uint8)
    if s.reflected:
        raw = np.packbits(np.unpackbits(raw, bitorder="little"))
    value = int(_values(raw.reshape(1, -1), 8 * raw.size, s)[0])
    return _reverse(value, s.width) if s.reflected else value


def _parity_bytes(data: bytes | bytearray | memoryview, name: str) -> bytes:
    s = spec(name)
    if s.width % 8:
        raise ValueError(f"name must be a check of whole bytes, not {name!r} ({s.width} bits)")
    return compute_bytes(data, name).to_bytes(s.width // 8, "little" if s.reflected else "big")


def append_bytes(data: bytes | bytearray | memoryview, name: str) -> bytes:
    """Put the check behind a byte string. Raise ValueError for checks that are not whole bytes."""
    return bytes(data) + _parity_bytes(data, name)


def check_bytes(data: bytes | bytearray | memoryview, name: str) -> bool:
    """Tell whether a byte string ends in its own check. Raise ValueError if it is shorter than the check."""
    size = width(name) // 8
    if len(data) < size:
        raise ValueError(f"data must have at least {size} bytes for check {name!r}, not {len(data)}")
    view = memoryview(data)
    return _parity_bytes(view[: len(view) - size], name) == bytes(view[len(view) - size :])
