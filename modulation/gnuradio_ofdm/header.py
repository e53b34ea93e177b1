"""The header's 48 BPSK bits: hard decisions where they check, else the most likely header that does.

Length, number and CRC-8 are a (32, 24) code of minimum distance 4, and 16 more bits are known zeros. The most likely
word of that code gains some 4 dB over hard decisions: the header of a stock QPSK packet, 6 dB below its payload, needs it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from semwave.modulation.gnuradio_ofdm.frame import CRC_LEN, HEADER_BITS, ZERO_BITS, header_crc

Array = npt.NDArray[Any]

CODED = HEADER_BITS - ZERO_BITS
DOUBTFUL = 12
"""Bits that may be wrong: the least reliable ones."""
FEWEST_AGREE = 0.5
"""Of the known zeros' summed magnitudes; in noise a fortieth of the headers gets there."""


@lru_cache(maxsize=1)
def columns() -> Array:
    """What each of the 32 bits adds to the syndrome: [32] int64."""
    start = header_crc(0, 0)
    of_length = [header_crc(1 << i, 0) ^ start for i in range(12)]
    of_number = [header_crc(0, 1 << i) ^ start for i in range(12)]
    return np.array(of_length + of_number + [1 << i for i in range(8)], np.int64)


@njit(nogil=True, cache=True)
def _cheapest(syndrome: int, columns: Array, costs: Array) -> int:
    """Flips (a bit mask over the columns given) that cancel a syndrome at the least cost; -1 where none do."""
    best, found = np.inf, -1
    cost, mask = 0.0, 0
    for step in range(1 << columns.size):
        if step:
            bit = 0
            while not step >> bit & 1:
                bit += 1
            syndrome ^= columns[bit]  # Gray code: one flip at a time
            mask ^= 1 << bit
            cost += costs[bit] if mask >> bit & 1 else -costs[bit]
        if syndrome == 0 and cost < best:
            best, found = cost, mask
    return found


def decode(llr: Array, scrambler: Array) -> tuple[int, int] | None:
    """Length (CRC-32 included) and number; None where there is no believable header.

    llr  [48] positive for a 1; scrambler [48] uint8
    """
    soft = llr * (1.0 - 2.0 * scrambler)
    zeros = soft[CODED:]
    total = float(np.abs(zeros).sum())
    if not (total > 0 and -float(zeros.sum()) > FEWEST_AGREE * total):
        return None
    bits = (soft[:CODED] > 0).astype(np.int64)
    table = columns()
    syndrome = int(np.bitwise_xor.reduce(np.where(bits, table, 0))) ^ header_crc(0, 0)
    if syndrome:
        doubtful = np.argsort(np.abs(soft[:CODED]), kind="stable")[:DOUBTFUL]
        flips = int(_cheapest(syndrome, table[doubtful], np.abs(soft[doubtful]).astype(np.float64)))
        if flips < 0:
            return None
        bits[doubtful] ^= flips >> np.arange(DOUBTFUL) & 1
    powers = 1 << np.arange(12)
    length, number = int(bits[:12] @ powers), int(bits[12:24] @ powers)
    return (length, number) if length > CRC_LEN else None
