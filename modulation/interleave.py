"""Interleavers: each is one permutation of n items, applied to every block of n along the last axis."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio, rounded to odd
_HT = {20: (13, 4, 11), 40: (18, 6, 29)}  # columns, rows per bit, rotation (IEEE 802.11-2020, table 19-17)


@dataclass(frozen=True, slots=True, eq=False)
class Interleaver:
    """A permutation: item k of the output is item ``order[k]`` of the input, block by block.

    ``order`` is [n] and must hold 0 ... n - 1 once each, else ValueError.
    """

    order: Array

    def __post_init__(self) -> None:
        order = np.array(self.order, np.int64)
        if order.ndim != 1 or not np.array_equal(np.sort(order), np.arange(order.size)):
            raise ValueError(f"order must hold 0 ... n - 1 once each, not {self.order!r}")
        order.setflags(write=False)
        object.__setattr__(self, "order", order)

    @property
    def n(self) -> int:
        """Items in a block."""
        return int(self.order.size)

    def _blocks(self, items: npt.ArrayLike) -> tuple[Array, tuple[int, ...]]:
        array = np.asarray(items)
        if array.ndim == 0 or not self.n or array.shape[-1] % self.n:
            raise ValueError(f"items must come in blocks of {self.n}, not shape {array.shape}")
        return array.reshape(*array.shape[:-1], array.shape[-1] // self.n, self.n), array.shape

    def interleave(self, items: npt.ArrayLike) -> Array:
        """Permute every block: [..., m n] -> [..., m n], any dtype."""
        blocks, shape = self._blocks(items)
        return blocks[..., self.order].reshape(shape)

    def deinterleave(self, items: npt.ArrayLike) -> Array:
        """Put every block back in order, exactly: [..., m n] -> [..., m n], any dtype."""
        blocks, shape = self._blocks(items)
        out = np.empty_like(blocks)
        out[..., self.order] = blocks
        return out.reshape(shape)


def _two_steps(n: int, bits_per_symbol: int, columns: int) -> Array:
    """Place j(k) of coded bit k after the two permutations that 802.11 a/g and HT share."""
    k = np.arange(n)
    i = (n // columns) * (k % columns) + k // columns
    s = max(bits_per_symbol // 2, 1)
    return s * (i // s) + (i + n - columns * i // n) % s


def _check_wifi_bits(bits_per_symbol: int) -> None:
    if bits_per_symbol not in (1, 2, 4, 6, 8):
        raise ValueError(f"bits_per_symbol must be 1, 2, 4, 6 or 8, not {bits_per_symbol}")


def wifi(bits_per_symbol: int) -> Interleaver:
    """802.11 a/g interleaver over one OFDM symbol of 48 carriers (IEEE 802.11-2020, 17.3.5.7)."""
    _check_wifi_bits(bits_per_symbol)
    return Interleaver(np.argsort(_two_steps(48 * bits_per_symbol, bits_per_symbol, 16)))


def wifi_ht(bits_per_symbol: int, bandwidth_mhz: int = 20, stream: int = 1) -> Interleaver:
    """802.11 HT interleaver of one spatial stream over one OFDM symbol (IEEE 802.11-2020, 19.3.11.8.3).

    52 carriers at 20 MHz, 108 at 40 MHz; ``stream`` is counted from 1 and rotates the carriers.
    """
    _check_wifi_bits(bits_per_symbol)
    if bandwidth_mhz not in _HT:
        raise ValueError(f"bandwidth_mhz must be 20 or 40, not {bandwidth_mhz}")
    if not 1 <= stream <= 4:
        raise ValueError(f"stream must be 1 to 4, not {stream}")
    columns, rows_per_bit, rotation = _HT[bandwidth_mhz]
    n = columns * rows_per_bit * bits_per_symbol
    j = _two_steps(n, bits_per_symbol, columns)
    turn = (2 * (stream - 1)) % 3 + 3 * ((stream - 1) // 3)
    return Interleaver(np.argsort((j - turn * rotation * bits_per_symbol) % n))


def block(rows: int, columns: int) -> Interleaver:
    """Write by rows, read by columns; a burst of up to ``rows`` items hits places ``columns`` apart."""
    if rows < 1 or columns < 1:
        raise ValueError(f"rows and columns must be 1 or more, not {rows} and {columns}")
    return Interleaver(np.arange(rows * columns).reshape(rows, columns).T.ravel())


def random(n: int, seed: int) -> Interleaver:
    """Random permutation of n items, drawn from ``seed`` (the same at both ends)."""
    if n < 1:
        raise ValueError(f"n must be 1 or more, not {n}")
    return Interleaver(np.random.Generator(np.random.Philox(seed)).permutation(n))


def golden(n: int) -> Interleaver:
    """Spread neighbours far apart in time and frequency, knowing n only: for the symbols of an OFDM burst.

    Item k goes to the place of k / phi mod 1 among all n. The golden ratio phi is the number worst
    approximated by fractions, so two items that were a apart and are now b apart have a b above about n / 4
    (mostly n / 3), whatever a and b. On the air that means: neighbours in frequency came from items n / 4
    apart, neighbours in time (b = number of carriers) from items a quarter of the number of OFDM symbols
    apart, and a lost OFDM symbol is spread evenly. A row-column interleaver must know the number of carriers
    to promise as much, and a fixed stride fails badly where it happens to divide it.
    """
    if n < 1:
        raise ValueError(f"n must be 1 or more, not {n}")
    with np.errstate(over="ignore"):
        fraction = np.arange(n, dtype=np.uint64) * _GOLDEN  # k / phi mod 1 in steps of 2^-64
    return Interleaver(np.argsort(fraction, kind="stable"))
