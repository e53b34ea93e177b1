"""Convolutional coding as in the textbook, one bit at a time: what the fast code is held equal to."""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def encode(bits: Array, generators: tuple[int, ...], memory: int, state: int = 0) -> Array:
    """Shift-register encoder of one row, no ending: [k] -> [k * n] uint8.

    The newest bit is the register's most significant, so a generator in octal reads as printed.
    """
    out = []
    for bit in bits:
        register = int(bit) << memory | state
        out += [bin(register & g).count("1") % 2 for g in generators]
        state = register >> 1
    return np.array(out, np.uint8)


def viterbi(
    llr: Array, generators: tuple[int, ...], memory: int, start_known: bool = True, end_known: bool = True
) -> Array:
    """Most likely path of one row in exact arithmetic: [steps * n] LLR -> [steps] uint8; ties go to the even state."""
    n, states = len(generators), 1 << memory
    steps = len(llr) // n
    values = np.asarray(llr, np.float64).reshape(steps, n)
    metric = np.full(states, -np.inf if start_known else 0.0)
    metric[0] = 0.0
    arrive = np.arange(states)
    bit, before = arrive >> (memory - 1), (arrive << 1) & (states - 1)
    decisions = np.zeros((steps, states), np.int64)
    signs = np.empty((2, states, n))
    for odd in range(2):
        register = bit << memory | before | odd
        parity = [[bin(r & g).count("1") % 2 for g in generators] for r in register]
        signs[odd] = 2.0 * np.array(parity) - 1.0
    for t in range(steps):
        even_path = metric[before] + signs[0] @ values[t]
        odd_path = metric[before | 1] + signs[1] @ values[t]
        decisions[t] = odd_path > even_path
        metric = np.maximum(even_path, odd_path)
    state = 0 if end_known else int(np.argmax(metric))
    out = np.empty(steps, np.uint8)
    for t in range(steps - 1, -1, -1):
        out[t] = state >> (memory - 1)
        state = (state << 1 & (states - 1)) | int(decisions[t, state])
    return out
