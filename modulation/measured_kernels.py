"""Compiled loop behind :mod:`semwave.modulation.measured`."""

from typing import Any

import numba as nb
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@nb.njit(cache=True, nogil=True, error_model="numpy")
def vary(line: Array, phase: int, block: int, taps: Array, out: Array) -> None:
    """y(n) = sum_l ((1 - w) a_l + w b_l) x(n - l): line `[n + tap - 1]`, taps `[blocks + 1, tap]`, out `[n]`.

    ``phase`` is how far the first sample lies into its block of ``block`` samples; w goes from 0 to 1 over a block,
    a and b are the taps at its ends.
    """
    count = taps.shape[1]
    for n in range(out.size):
        at = phase + n
        row = at // block
        w = np.float32(at - row * block) / np.float32(block)
        before = np.complex64(0)
        after = np.complex64(0)
        for k in range(count):
            x = line[n + count - 1 - k]
            before += taps[row, k] * x
            after += taps[row + 1, k] * x
        out[n] = before + w * (after - before)
