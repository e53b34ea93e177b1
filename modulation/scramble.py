"""Scramblers: IEEE 802.11, the Gold sequences of 5G, and linear feedback shift registers in GNU Radio's form.

An additive scrambler is the exclusive-or with a known sequence, so the same call takes it off again.
"""

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[Any]

GOLD_SKIP = 1600  # N_C of TS 38.211, 5.2.1
OFDM_MASK, OFDM_LENGTH = 0x8A, 7  # GNU Radio's OFDM header and payload scrambler


@lru_cache(maxsize=128)
def _wifi_period(seed: int) -> Array:
    state, out = seed, np.empty(127, np.uint8)
    for i in range(127):
        bit = (state >> 6 ^ state >> 3) & 1
        out[i] = bit
        state = (state << 1 | bit) & 0x7F
    out.setflags(write=False)
    return out


def wifi_sequence(n: int, seed: int = 0x7F) -> Array:
    """First n bits of the 802.11 scrambler x^7 + x^4 + 1: [n] uint8 (IEEE 802.11-2020, 17.3.5.5).

    ``seed`` is the register x7...x1 read as a number; 0x5D is the standard's own example. Raise ValueError
    for a seed outside 1 to 127.
    """
    if not 1 <= seed <= 127:
        raise ValueError(f"seed must be 1 to 127, not {seed}")
    return np.resize(_wifi_period(seed), n) if n else np.empty(0, np.uint8)


def wifi(bits: npt.ArrayLike, seed: int = 0x7F) -> Array:
    """Scramble or descramble each row for 802.11: [..., n] -> [..., n] uint8."""
    array = np.asarray(bits, np.uint8)
    return array ^ wifi_sequence(array.shape[-1], seed)


def _recur(register: int, taps: tuple[int, ...], n: int) -> Array:
    """x(i + 31) = sum of x(i + tap) mod 2 from a 31-bit register, least significant bit first: [n] uint8.

    Squaring the characteristic polynomial doubles all its exponents, so blocks can double in length.
    """
    out = np.empty(max(n, 31), np.uint8)
    out[:31] = (register >> np.arange(31)) & 1
    known, reach = 31, 1
    while known < n:
        if 62 * reach <= known:
            reach *= 2
        start = known - 31 * reach
        count = min((31 - taps[-1]) * reach, n - known)
        block = out[start : start + count].copy()
        for tap in taps[1:]:
            block ^= out[start + tap * reach : start + tap * reach + count]
        out[known : known + count] = block
        known += count
    return out[:n]


@lru_cache(maxsize=4)
def _gold_first(n: int) -> Array:
    first = _recur(1, (0, 3), n)
    first.setflags(write=False)
    return first


def gold(c_init: int, n: int) -> Array:
    """Pseudo-random sequence c(0) ... c(n - 1) of 5G: [n] uint8 (TS 38.211, 5.2.1).

    c(i) = (x1(i + 1600) + x2(i + 1600)) mod 2. Raise ValueError if c_init needs more than 31 bits.
    """
    if not 0 <= c_init < 1 << 31:
        raise ValueError(f"c_init must be 0 to 2^31 - 1, not {c_init}")
    if n < 0:
        raise ValueError(f"n must be 0 or more, not {n}")
    length = GOLD_SKIP + n
    whole = 1 << (length - 1).bit_length()  # one cached first sequence serves all lengths up to it
    second = _recur(c_init, (0, 1, 2, 3), length)
    return _gold_first(whole)[GOLD_SKIP:length] ^ second[GOLD_SKIP:]


def nr(bits: npt.ArrayLike, c_init: int) -> Array:
    """Scramble or descramble each row with a Gold sequence: [..., n] -> [..., n] uint8."""
    array = np.asarray(bits, np.uint8)
    return array ^ gold(c_init, array.shape[-1])


@njit(nogil=True, cache=True)
def _parity(word: int) -> int:
    for shift in (32, 16, 8, 4, 2, 1):
        word ^= word >> shift
    return word & 1


@njit(nogil=True, cache=True)
def _fibonacci(mask: int, length: int, register: int, out: Array) -> None:
    for i in range(out.size):
        out[i] = register & 1
        register = register >> 1 | _parity(register & mask) << length


@njit(nogil=True, cache=True)
def _multiplicative(bits: Array, mask: int, length: int, seed: int, undo: bool, out: Array) -> None:
    for r in range(bits.shape[0]):
        register = seed
        for i in range(bits.shape[1]):
            given = int(bits[r, i])
            made = given ^ _parity(register & mask)
            out[r, i] = made
            register = register >> 1 | (given if undo else made) << length


def _check_register(mask: int, length: int, seed: int) -> None:
    if not 0 <= length <= 61:
        raise ValueError(f"length must be 0 to 61, not {length}")
    for name, value in (("mask", mask), ("seed", seed)):
        if not 0 <= value < 2 << length:
            raise ValueError(f"{name} must fit in length + 1 = {length + 1} bits, not {value:#x}")


def lfsr(mask: int, length: int, seed: int, n: int) -> Array:
    """Bits of a Fibonacci register of ``length + 1`` bits, GNU Radio's ``digital.lfsr``: [n] uint8.

    Out goes bit 0; in at bit ``length`` comes parity(register & mask). GNU Radio's OFDM scrambler is mask
    0x8A, length 7, seed 0x6F for headers and 0x7F for payloads. Raise ValueError if mask or seed do not fit.
    """
    _check_register(mask, length, seed)
    out = np.empty(n, np.uint8)
    _fibonacci(mask, length, seed, out)
    return out


def additive(bits: npt.ArrayLike, mask: int, length: int, seed: int) -> Array:
    """Scramble or descramble each row with a register's own bits: [..., n] -> [..., n] uint8."""
    array = np.asarray(bits, np.uint8)
    return array ^ lfsr(mask, length, seed, array.shape[-1])


def _self_synchronising(bits: npt.ArrayLike, mask: int, length: int, seed: int, undo: bool) -> Array:
    _check_register(mask, length, seed)
    array = np.asarray(bits, np.uint8)
    rows = np.ascontiguousarray(array.reshape(-1, array.shape[-1]) if array.size else array.reshape(0, 0))
    out = np.empty_like(rows)
    _multiplicative(rows, mask, length, seed, undo, out)
    return out.reshape(array.shape)


def multiplicative(bits: npt.ArrayLike, mask: int, length: int, seed: int = 0) -> Array:
    """Self-synchronising scrambler, y = x + parity(register & mask), y shifted in: [..., n] uint8."""
    return _self_synchronising(bits, mask, length, seed, undo=False)


def demultiplicative(bits: npt.ArrayLike, mask: int, length: int, seed: int = 0) -> Array:
    """Undo ``multiplicative``; from an unknown seed it is right after ``length + 1`` bits: [..., n] uint8."""
    return _self_synchronising(bits, mask, length, seed, undo=True)
