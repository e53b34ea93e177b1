"""Bits to bytes and integers, and back. Bits are uint8 0/1; first bit most significant unless said."""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

ORDERS = ("msb", "lsb")


def _bitorder(order: str) -> Any:
    if order not in ORDERS:
        raise ValueError(f"order must be 'msb' or 'lsb', not {order!r}")
    return "big" if order == "msb" else "little"


def _check_width(width: int) -> None:
    if not 1 <= width <= 63:
        raise ValueError(f"width must be 1 to 63 bits, not {width}")


def pack(bits: npt.ArrayLike, order: str = "msb") -> Array:
    """Put eight bits in a byte: [..., 8 n] -> [..., n] uint8.

    Raise ValueError if the last axis is not a multiple of 8, or for an unknown order.
    """
    array = np.asarray(bits, np.uint8)
    if array.ndim == 0 or array.shape[-1] % 8:
        raise ValueError(f"bits must come in multiples of 8, not shape {array.shape}")
    return np.packbits(array, axis=-1, bitorder=_bitorder(order))


def unpack(data: bytes | bytearray | memoryview | npt.ArrayLike, order: str = "msb") -> Array:
    """Take bytes apart: bytes or [..., n] uint8 -> [..., 8 n] uint8."""
    if isinstance(data, (bytes, bytearray, memoryview)):
        array: Array = np.frombuffer(data, np.uint8)
    else:
        array = np.asarray(data, np.uint8)
    return np.unpackbits(np.atleast_1d(array), axis=-1, bitorder=_bitorder(order))


def from_int(values: npt.ArrayLike, width: int, order: str = "msb") -> Array:
    """Write integers in ``width`` bits each: [...] -> [..., width] uint8.

    Raise ValueError if a value does not fit.
    """
    _check_width(width)
    little = _bitorder(order) == "little"
    array = np.asarray(values, np.int64)
    if array.size and (array.min() < 0 or array.max() >> width):
        worst = int(array.min()) if array.min() < 0 else int(array.max())
        raise ValueError(f"values must fit in {width} bits, not {worst}")
    powers = np.arange(width) if little else np.arange(width - 1, -1, -1)
    return ((array[..., None] >> powers) & 1).astype(np.uint8)


def to_int(bits: npt.ArrayLike, order: str = "msb") -> Array:
    """Read each row as one integer: [..., width] -> [...] int64."""
    array = np.asarray(bits, np.int64)
    width = array.shape[-1] if array.ndim else 0
    _check_width(width)
    powers = np.arange(width) if _bitorder(order) == "little" else np.arange(width - 1, -1, -1)
    return np.asarray(array @ (np.int64(1) << powers))
