"""Which bits of a 5G polar code carry what, and where they are sent (3GPP TS 38.212, 5.3.1 and 5.4.1)."""

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from math import ceil, log2
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

FROZEN, INFO, PARITY = 0, 1, 2
_MIN_LOG = 5  # n_min of 5.3.1

# Table 5.4.1.1-1: 32 sub-blocks.
_SUB_BLOCKS = [
    *(0, 1, 2, 4, 3, 5, 6, 7, 8, 16, 9, 17, 10, 18, 11, 19),
    *(12, 20, 13, 21, 14, 22, 15, 23, 24, 25, 26, 28, 27, 29, 30, 31),
]
# Table 5.3.1.1-1: input interleaver of the downlink, 164 entries.
_INPUT = (
    "0 2 4 7 9 14 19 20 24 25 26 28 31 34 42 45 49 50 51 53 54 56 58 59 61 62 65 66 67 69 70 71 72 76 77 81 82 "
    "83 87 88 89 91 93 95 98 101 104 106 108 110 111 113 115 118 119 120 122 123 126 127 129 132 134 138 139 "
    "140 1 3 5 8 10 15 21 27 29 32 35 43 46 52 55 57 60 63 68 73 78 84 90 92 94 96 99 102 105 107 109 112 114 "
    "116 121 124 128 130 133 135 141 6 11 16 22 30 33 36 44 47 64 74 79 85 97 100 103 117 125 131 136 142 12 17 "
    "23 37 48 75 80 86 137 143 13 18 38 144 39 145 40 146 41 147 148 149 150 151 152 153 154 155 156 157 158 "
    "159 160 161 162 163"
)


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """A polar code laid out: ``kinds`` [N] says FROZEN, INFO or PARITY for each u; ``place`` [E] which of the
    N code bits goes out when; ``shortened`` whether code bits never sent are zeros (else they are unknown)."""

    kinds: Array
    place: Array
    shortened: bool

    @property
    def size(self) -> int:
        """Length N of the mother code."""
        return int(self.kinds.size)


@lru_cache(maxsize=1)
def sequence() -> Array:
    """Bit indices in ascending order of reliability (table 5.3.1.2-1): [1024] int64."""
    text = files("semwave.modulation").joinpath("tables", "polar_nr.txt").read_text("utf-8")
    rows = [line.split() for line in text.splitlines() if not line.startswith("#")]
    table = np.array([int(entry) for row in rows for entry in row])
    table.setflags(write=False)
    return table


def sub_block_order(size: int) -> Array:
    """J(n): sub-block interleaver of 5.4.1.1: [size] int64."""
    n = np.arange(size)
    return np.array(_SUB_BLOCKS)[32 * n // size] * (size // 32) + n % (size // 32)


def input_order(k: int) -> Array:
    """Pi(k): downlink input interleaver of 5.3.1.1, output item i is input item ``order[i]``: [k] int64."""
    table = np.array(_INPUT.split(), np.int64)
    if k > table.size:
        raise ValueError(f"k must be at most {table.size} for the input interleaver, not {k}")
    return table[table >= table.size - k] - (table.size - k)


def channel_order(e: int) -> Array:
    """Triangular interleaver of coded bits, 5.4.1.3: [e] int64."""
    side = 0
    while side * (side + 1) // 2 < e:
        side += 1
    rows = np.repeat(np.arange(side), np.arange(side, 0, -1))[:e]
    columns = np.concatenate([np.arange(side - i) for i in range(side)])[:e]
    return np.lexsort((rows, columns))


def mother_length(k: int, e: int, max_log: int) -> int:
    """N of 5.3.1 for k bits (with CRC) in e sent bits, at most 2^max_log."""
    up = ceil(log2(e))
    short = 8 * e <= 9 << (up - 1) and 16 * k < 9 * e
    by_rate = ceil(log2(8 * k))  # the least rate is 1/8
    return 1 << max(min(up - short, by_rate, max_log), _MIN_LOG)


def _frozen_by_rate_matching(k: int, e: int, size: int) -> Array:
    order = sub_block_order(size)
    if e >= size:
        return order[:0]
    if 16 * k > 7 * e:
        return order[e:]
    bound = (3 * size - 2 * e, 4) if 4 * e >= 3 * size else (9 * size - 4 * e, 16)
    return np.concatenate([order[: size - e], np.arange(max(ceil(bound[0] / bound[1]), 0))])


def _parity_positions(chosen: Array, n_parity: int, by_weight: int) -> Array:
    """Places of the parity-check bits among the chosen ones (ascending reliability), 5.3.1.2."""
    least = chosen[: n_parity - by_weight]
    if not by_weight:
        return least
    best = chosen[n_parity:]
    weight = np.bitwise_count(best)  # row weight of the Kronecker power is 2 to the number of ones
    return np.append(least, best[weight == weight.min()][-1])


def design(k: int, e: int, max_log: int = 10, parity_bits: bool = False, channel_interleaver: bool = False) -> Design:
    """Lay out a code of k bits (with CRC) in e sent bits.

    Three parity-check bits come with 18 <= k <= 25 if ``parity_bits``. Raise ValueError if the bits do not fit.
    """
    n_parity = 3 if parity_bits and 18 <= k <= 25 else 0
    if k + n_parity > e:
        raise ValueError(f"n must be at least {k + n_parity} for {k} bits with CRC, not {e}")
    size = mother_length(k, e, max_log)
    ranked = sequence()[sequence() < size]
    free = ranked[~np.isin(ranked, _frozen_by_rate_matching(k, e, size))]
    if free.size < k + n_parity:
        raise ValueError(f"k must leave room in a mother code of {size}: {k} bits with CRC do not fit")
    chosen = free[free.size - k - n_parity :]
    kinds = np.full(size, FROZEN, np.uint8)
    kinds[chosen] = INFO
    if n_parity:
        kinds[_parity_positions(chosen, n_parity, int(e - k + 3 > 192))] = PARITY
    shortened = e < size and 16 * k > 7 * e
    first = size - e if e < size and not shortened else 0
    place = sub_block_order(size)[(first + np.arange(e)) % size]
    if channel_interleaver:
        place = place[channel_order(e)]
    return Design(kinds, place, shortened)
