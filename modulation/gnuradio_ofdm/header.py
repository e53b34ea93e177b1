"""The header's 48 BPSK bits: hard decisions where they check, else the most likely header that does.

Length, number and CRC-8 are a (32, 24) code of minimum distance 4, and 16 more bits are known zeros. The most likely
word of that code gains some 4 dB over hard decisions, which the header of a stock QPSK packet needs: it is 6 dB below
its payload.
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
    origin = start()
    of_length = [header_crc(1 << i, 0) ^ origin for i in range(12)]
    of_number = [header_crc(0, 1 << i) ^ origin for i in range(12)]
    return np.array(of_length + of_number + [1 << i for i in range(8)], np.int64)


@lru_cache(maxsize=1)
def start() -> int:
    """Syndrome of a header of zeros."""
    return header_crc(0, 0)


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


@njit(nogil=True, cache=True)
def _decode(soft: Array, start: int, columns: Array, bits: Array) -> bool:
    """Fill ``bits`` [32] from unscrambled soft bits [48]; False where they are no header."""
    total, agree = 0.0, 0.0
    for i in range(CODED, HEADER_BITS):
        total += abs(soft[i])
        agree -= soft[i]
    if not (total > 0 and agree > FEWEST_AGREE * total):
        return False
    syndrome = start
    for i in range(CODED):
        bits[i] = soft[i] > 0
        if bits[i]:
            syndrome ^= columns[i]
    if syndrome == 0:
        return True
    doubtful = np.argsort(np.abs(soft[:CODED]))[:DOUBTFUL]
    flips = _cheapest(syndrome, columns[doubtful], np.abs(soft[:CODED])[doubtful])
    if flips < 0:
        return False
    for j in range(DOUBTFUL):
        bits[doubtful[j]] ^= flips >> j & 1
    return True


@njit(nogil=True, cache=True)
def parse(llr: Array, scrambler: Array, start: int, columns: Array, bits: Array) -> int:
    """Length and number (times 4096) from soft bits, the 48 bits as sent; -1 where there is no believable header."""
    soft = np.empty(HEADER_BITS)
    for i in range(HEADER_BITS):
        soft[i] = -llr[i] if scrambler[i] else llr[i]
    bits[:] = 0
    if not _decode(soft, start, columns, bits):
        return -1
    word = 0
    for i in range(24):
        word |= int(bits[i]) << i
    for i in range(HEADER_BITS):
        bits[i] ^= scrambler[i]
    return word if word & 0xFFF > CRC_LEN else -1


def decode(llr: Array, scrambler: Array) -> tuple[int, int, Array] | None:
    """Length (CRC-32 included), number, and the 48 bits as sent; None where there is no believable header.

    llr  [48] positive for a 1; scrambler [48] uint8
    """
    bits = np.empty(HEADER_BITS, np.uint8)
    word = parse(llr, scrambler, start(), columns(), bits)
    return None if word < 0 else (word & 0xFFF, word >> 12, bits)
