"""Compiled loops behind the impairments; NumPy says the same in the tests."""

import math
from typing import Any

import numba as nb
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

ROTATION_BLOCK = 256  # samples between two exact computations of the phase
RESAMPLE_PHASES = 512


@nb.njit(cache=True, nogil=True, error_model="numpy")
def rotate(x: Array, start: int, frequency: float, drift: float, phase: float, out: Array) -> None:
    """out = x e^(j 2 pi (phase + f n + drift n^2/2)), n = start ..., in cycles and cycles a sample.

    The phasor is exact at absolute multiples of ROTATION_BLOCK and always turned from there, so cuts leave no trace.
    """
    done = 0
    while done < x.size:
        into = (start + done) % ROTATION_BLOCK
        n0 = np.float64(start + done - into)
        count = min(ROTATION_BLOCK - into, x.size - done)
        cycles = phase + frequency * n0
        swing = drift * n0 * 0.5 * n0
        angle = 2 * math.pi * (cycles - math.floor(cycles) + swing - math.floor(swing))
        z = complex(math.cos(angle), math.sin(angle))
        step = 2 * math.pi * (frequency + drift * (n0 + 0.5))
        turn = complex(math.cos(step), math.sin(step))
        faster = complex(math.cos(2 * math.pi * drift), math.sin(2 * math.pi * drift))
        for i in range(into + count):
            if i >= into:
                out[done + i - into] = x[done + i - into] * z
            z *= turn
            turn *= faster
        done += count


@nb.njit(cache=True, nogil=True, error_model="numpy")
def rotate_by(x: Array, angle: Array, out: Array) -> None:
    """out = x e^(j angle)."""
    for i in range(x.size):
        out[i] = x[i] * complex(math.cos(angle[i]), math.sin(angle[i]))


@nb.njit(cache=True, nogil=True, error_model="numpy")
def first_order_cascade(x: Array, zeros: Array, poles: Array, state: Array, out: Array) -> None:
    """Sections (1 - z_i q)/(1 - p_i q) of unit gain at 0 Hz in a row, q being one sample of delay; state is updated."""
    for n in range(x.size):
        value = x[n]
        for i in range(poles.size):
            inner = value + poles[i] * state[i]
            value = (inner - zeros[i] * state[i]) * (1 - poles[i]) / (1 - zeros[i])
            state[i] = inner
        out[n] = value


@nb.njit(cache=True, nogil=True, fastmath={"contract", "reassoc", "nsz"}, error_model="numpy")
def resample(
    re: Array, im: Array, origin: int, first: int, step: float, offset: float, table: Array, out: Array
) -> None:
    """Band-limited values at t = m step + offset for outputs m = first ...; re[0] is sample ``origin`` of the input.

    table `[RESAMPLE_PHASES + 1, length]` holds interpolation filters for the fractions of a sample, linear in between.
    """
    length = table.shape[1]
    for i in range(out.size):
        t = np.float64(first + i) * step + offset
        whole = math.floor(t)
        place = (t - whole) * RESAMPLE_PHASES
        row = int(place)
        w = np.float32(place - row)
        at = int(whole) - origin - length // 2 + 1
        low, high = table[row], table[row + 1]
        xr, xi = re[at : at + length], im[at : at + length]
        sum_re, sum_im = np.float32(0), np.float32(0)
        for k in range(length):
            h = low[k] + w * (high[k] - low[k])
            sum_re += h * xr[k]
            sum_im += h * xi[k]
        out[i] = complex(sum_re, sum_im)
