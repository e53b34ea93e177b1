"""Compiled loops behind :mod:`semwave.modulation.fading`; the readable equal is ``fading_reference``."""

from typing import Any

import numba as nb
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

GRID_BLOCK = 32  # grid points between two exact computations of the phase
SUB_BLOCK = 64  # samples filtered at once: the unit of the absolute time grid on which all arithmetic is done
TAP_GROUP = 4  # taps added up before the accumulators go back to memory
_F = np.float32


@nb.njit(cache=True, nogil=True, error_model="numpy")
def path_gains(block: int, grid: int, frequency: Array, amplitude: Array, turn: Array, out: Array) -> None:
    """Gains g_p(n) = sum_i a_ip e^(j 2 pi f_ip n) at the grid points n = (block * GRID_BLOCK + r) * grid.

    frequency `[i, path]` in cycles a sample, amplitude and turn = e^(j 2 pi f grid) `[i, path]` complex,
    out `[GRID_BLOCK + 1, path]` complex128 for r = 0 ... GRID_BLOCK. The phase is computed exactly at r = 0 and turned
    by the phasor from there.
    """
    start = np.float64(block) * GRID_BLOCK * grid
    waves, paths = frequency.shape
    z_re, z_im = np.empty(frequency.shape), np.empty(frequency.shape)
    t_re, t_im = np.empty(frequency.shape), np.empty(frequency.shape)
    for i in range(waves):
        for p in range(paths):
            cycles = frequency[i, p] * start
            angle = 2 * np.pi * (cycles - np.floor(cycles))
            value = amplitude[i, p] * complex(np.cos(angle), np.sin(angle))
            z_re[i, p], z_im[i, p] = value.real, value.imag
            t_re[i, p], t_im[i, p] = turn[i, p].real, turn[i, p].imag
    total_re, total_im = np.empty(paths), np.empty(paths)
    for r in range(GRID_BLOCK + 1):
        total_re[:] = 0
        total_im[:] = 0
        for i in range(waves):
            for p in range(paths):
                total_re[p] += z_re[i, p]
                total_im[p] += z_im[i, p]
                turned = z_re[i, p] * t_re[i, p] - z_im[i, p] * t_im[i, p]
                z_im[i, p] = z_re[i, p] * t_im[i, p] + z_im[i, p] * t_re[i, p]
                z_re[i, p] = turned
        for p in range(paths):
            out[r, p] = complex(total_re[p], total_im[p])


@nb.njit(cache=True, nogil=True, error_model="numpy")
def combine(gains: Array, filters: Array, first_tap: Array, taps_re: Array, taps_im: Array) -> None:
    """Add the paths' interpolation filters `[path, length]` up to one impulse response per grid point `[row, tap]`."""
    taps_re[:] = 0
    taps_im[:] = 0
    for r in range(gains.shape[0]):
        for p in range(gains.shape[1]):
            g_re, g_im = _F(gains[r, p].real), _F(gains[r, p].imag)
            at = first_tap[p]
            for i in range(filters.shape[1]):
                taps_re[r, at + i] += g_re * filters[p, i]
                taps_im[r, at + i] += g_im * filters[p, i]


@nb.njit(cache=True, nogil=True, fastmath={"contract", "nsz"}, error_model="numpy")
def filter_on_grid(
    re: Array, im: Array, reach: int, row0: int, sub0: int, size: int, grid: int, moving: bool,
    taps_re: Array, taps_im: Array, lags: Array, out: Array,
) -> None:  # fmt: skip
    """Filter whole sub-blocks of ``size`` samples with taps that move linearly between grid points.

    re, im `[reach + sub_blocks * size]`: the input from ``reach`` samples before the first output on; out
    `[sub_blocks * size]` complex64; lags `[tap]` come four in a row. The first sub-block starts ``sub0`` samples
    after row ``row0`` of the taps `[row, tap]`; every sub-block lies between two rows. Each output is summed in the
    same order wherever the input was cut, so that the result does not depend on the cuts.
    """
    a_re, a_im = np.empty(size, np.float32), np.empty(size, np.float32)
    s_re, s_im = np.zeros(size, np.float32), np.zeros(size, np.float32)
    per_sample = _F(1) / _F(grid)
    for base in range(0, out.size, size):
        row = row0 + (sub0 + base) // grid
        into = (sub0 + base) % grid
        _fir(re, im, base + reach, size, taps_re[row], taps_im[row], lags, a_re, a_im)
        if moving:
            to_next_re, to_next_im = taps_re[row + 1] - taps_re[row], taps_im[row + 1] - taps_im[row]
            _fir(re, im, base + reach, size, to_next_re, to_next_im, lags, s_re, s_im)
        for e in range(size):
            w = _F(into + e) * per_sample
            out[base + e] = complex(a_re[e] + w * s_re[e], a_im[e] + w * s_im[e])


@nb.njit(cache=True, nogil=True, fastmath={"contract", "nsz"}, error_model="numpy", inline="always")
def _fir(
    re: Array, im: Array, start: int, size: int, c_re: Array, c_im: Array, lags: Array, to_re: Array, to_im: Array
) -> None:
    """to[e] = sum_k c[k] x[start + e - lags[k]], four taps in a row at a time so that x is read at fixed offsets."""
    to_re[:] = 0
    to_im[:] = 0
    for k in range(0, lags.size, TAP_GROUP):
        c0r, c1r, c2r, c3r = c_re[k], c_re[k + 1], c_re[k + 2], c_re[k + 3]
        c0i, c1i, c2i, c3i = c_im[k], c_im[k + 1], c_im[k + 2], c_im[k + 3]
        at = start - lags[k] - 3
        xr, xi = re[at : at + size + 3], im[at : at + size + 3]
        for e in range(size):
            to_re[e] += (
                c0r * xr[e + 3] - c0i * xi[e + 3] + c1r * xr[e + 2] - c1i * xi[e + 2]
                + c2r * xr[e + 1] - c2i * xi[e + 1] + c3r * xr[e] - c3i * xi[e]
            )  # fmt: skip
            to_im[e] += (
                c0r * xi[e + 3] + c0i * xr[e + 3] + c1r * xi[e + 2] + c1i * xr[e + 2]
                + c2r * xi[e + 1] + c2i * xr[e + 1] + c3r * xi[e] + c3i * xr[e]
            )  # fmt: skip
