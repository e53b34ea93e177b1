"""Compiled loop of the resampler for rates without a small common grid, and the same in plain NumPy."""

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@numba.njit(cache=True, fastmath={"reassoc", "contract", "nsz"})
def interpolate(parts: Array, first: float, step: float, table: Array, out: Array) -> None:  # pragma: no cover
    """out[m] = sum_k line[i + k] h(k - f), i + f = first + m step; ``table`` [phases + 1, taps] holds h.

    ``parts`` [2 n] float32 are I and Q of a line that starts half a filter before the first place; between two phases h
    is taken as straight. The sums may be taken in another order, the same one for every output.
    """
    phases, taps = table.shape[0] - 1, table.shape[1]
    for m in range(out.size):
        place = first + m * step
        i = int(place)
        phase = (place - i) * phases
        row = min(int(phase), phases - 1)
        weight = np.float32(phase - row)
        low, high, window = table[row], table[row + 1], parts[2 * i : 2 * (i + taps)]
        re, im = np.float32(0), np.float32(0)
        for k in range(taps):
            h = low[k] + weight * (high[k] - low[k])
            re += window[2 * k] * h
            im += window[2 * k + 1] * h
        out[m] = complex(re, im)


def interpolate_reference(line: Array, first: float, step: float, table: Array) -> Any:
    """The outputs of :func:`interpolate` that ``line`` suffices for, in float64, with h(t) between phases as there."""
    phases, taps = table.shape[0] - 1, table.shape[1]
    places = first + np.arange(int((line.size - taps - first) / step) + 1) * step
    index = places.astype(np.int64)
    phase = (places - index) * phases
    row = np.minimum(phase.astype(np.int64), phases - 1)
    weight = (phase - row)[:, None]
    h = table[row].astype(np.float64) * (1 - weight) + table[row + 1] * weight
    return (line[index[:, None] + np.arange(taps)] * h).sum(axis=1)
