"""Polar encoding and list decoding as in the textbook, bit by bit: what the fast code is held equal to.

LLRs here are ln P(0) / P(1), as in the literature on polar codes.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from semwave.modulation.polar_design import FROZEN, PARITY

Array = npt.NDArray[Any]


def encode(u: Array) -> Array:
    """u times the Kronecker power of [[1, 0], [1, 1]]: [N] -> [N] uint8."""
    if u.size == 1:
        return u.astype(np.uint8)
    half = u.size // 2
    first, second = encode(u[:half]), encode(u[half:])
    return np.concatenate([first ^ second, second])


def insert(bits: Array, kinds: Array) -> Array:
    """Put the information bits in their places and compute the parity-check bits: [K] -> [N] (TS 38.212, 5.3.1.2)."""
    register, u, it = [0] * 5, np.zeros(kinds.size, np.uint8), iter(bits)
    for i, kind in enumerate(kinds):
        register = register[1:] + register[:1]
        if kind == PARITY:
            u[i] = register[0]
        elif kind != FROZEN:
            u[i] = next(it)
            register[0] ^= int(u[i])
    return u


def _bit_llr(llr: Array, u: list[int], i: int) -> float:
    """LLR of u_i given the bits before it, by recursion with the min-sum rule."""
    if llr.size == 1:
        return float(llr[0])
    half = llr.size // 2
    a, b = llr[:half], llr[half:]
    if i < half:
        return _bit_llr(np.sign(a) * np.sign(b) * np.minimum(np.abs(a), np.abs(b)), u, i)
    done = encode(np.array(u[:half], np.uint8))
    return _bit_llr(b + (1.0 - 2.0 * done) * a, u[half:], i - half)


def decode_list(llr: Array, kinds: Array, list_size: int) -> list[tuple[float, list[int]]]:
    """Successive cancellation list decoding: [N] -> paths (metric, u_0 ... u_{N-1}), best first."""
    paths: list[tuple[float, list[int], list[int]]] = [(0.0, [], [0] * 5)]
    for i, kind in enumerate(kinds):
        grown = []
        for metric, u, register in paths:
            value = _bit_llr(llr, u, i)
            register = register[1:] + register[:1]
            choices = {FROZEN: [0], PARITY: [register[0]]}.get(int(kind), [0, 1])
            for bit in choices:
                wrong = bit != (value < 0)
                after = register if kind in (FROZEN, PARITY) else [register[0] ^ bit, *register[1:]]
                grown.append((metric + abs(value) * wrong, [*u, bit], after))
        paths = sorted(grown, key=lambda path: path[0])[:list_size]
    return [(metric, u) for metric, u, _ in paths]
