"""One call for one channel estimate (numba, compiled at the first call); ``estimate_reference`` has the same in NumPy.

An estimate is a few dozen products of small matrices, which as NumPy calls cost several times what they compute.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from semwave.modulation.ofdm.solve_kernels import _invert

Array = npt.NDArray[Any]
_FAST = {"reassoc", "contract", "nsz"}


# The helpers are inlined: linked as functions of their own they would be optimised anew after being loaded from the
# cache, with other roundings than freshly compiled.
@njit(cache=True, fastmath=_FAST, error_model="numpy", inline="always")
def _normal_equations(
    places: Any, values: Array, energies: Array, u: Array, turn: Array, v: Array, low: int, sums: Any
) -> float:
    """By pattern energy * V'V and U'U, and the sum of energy * V'z U; returns the sum of energy * |z|^2.

    places: all patterns' times and carriers one after the other, each with where the patterns begin.
    """
    times, time_ptr, carriers, carrier_ptr = places
    over_time, over_carriers, right = sums
    q, r = right.shape
    against = np.empty(r, np.complex128)
    total, at = 0.0, 0
    for g in range(energies.size):
        gram, weight = over_carriers[g], energies[g]
        mine = carriers[carrier_ptr[g] : carrier_ptr[g + 1]]
        for c in mine:
            row = u[c]
            for a in range(r):
                factor, to = np.conj(row[a]), gram[a]
                for b in range(r):
                    to[b] += factor * row[b]
        for t in times[time_ptr[g] : time_ptr[g + 1]]:
            when = v[t - low]
            for a in range(q):
                for b in range(q):
                    over_time[g, a, b] += weight * when[a] * when[b]
            against[:] = 0
            for c in mine:
                z = values[at] * np.conj(turn[c])
                at += 1
                total += weight * (z.real * z.real + z.imag * z.imag)
                row = u[c]
                for b in range(r):
                    against[b] += z * np.conj(row[b])
            for a in range(q):
                factor = weight * when[a]
                for b in range(r):
                    right[a, b] += factor * against[b]
    return total


@njit(cache=True, fastmath=_FAST, error_model="numpy", inline="always")
def _error(covariance: Array, u: Array, there: Array, out: Array) -> None:
    """Posterior variance of V C U' as the product of its profiles over symbols and over carriers."""
    q, r = there.shape[1], u.shape[1]
    trace, gram = np.zeros((q, q)), np.zeros((q, q))
    for row in there:
        for a in range(q):
            for b in range(q):
                gram[a, b] += row[a] * row[b]
    mixed = np.zeros((r, r), covariance.dtype)
    for a in range(q):
        for b in range(q):
            for i in range(r):
                trace[a, b] += covariance[a * r + i, b * r + i].real
                line = covariance[a * r + i, b * r : (b + 1) * r]
                for j in range(r):
                    mixed[i, j] += gram[a, b] * line[j]
    over_carriers = np.empty(u.shape[0])
    sums = np.empty(r, covariance.dtype)
    for k in range(u.shape[0]):
        row = u[k]
        sums[:] = 0
        for i in range(r):
            factor, line = row[i], mixed[i]
            for j in range(r):
                sums[j] += factor * line[j]
        value = 0.0
        for j in range(r):
            value += (sums[j] * np.conj(row[j])).real
        over_carriers[k] = value
    over_carriers /= max(over_carriers.mean(), 1e-30)
    for i in range(there.shape[0]):
        level = 0.0
        for a in range(q):
            for b in range(q):
                level += there[i, a] * trace[a, b] * there[i, b]
        level /= u.shape[0]
        for k in range(u.shape[0]):
            out[i, k] = max(level * over_carriers[k], 0.0)


@njit(cache=True, fastmath=_FAST, error_model="numpy")
def wiener(
    places: Any,
    values: Array,
    energies: Array,
    carrier_basis: Any,
    time_basis: Any,
    span: tuple[int, int],
    noise_variance: float,
    power: float,
    channel: Array,
    error: Array,
) -> tuple[float, float]:
    """Fill ``channel`` [symbols, active] and, if it has as many rows, ``error``; give the residual and its freedom.

    carrier_basis  u [active, r], its variances, the turn [active]; time_basis: v [times, q], its variances
    span           time of v's first row, time of the first symbol wanted
    """
    (u, u_var, turn), (v, v_var) = carrier_basis, time_basis
    low, first = span
    symbols, active = channel.shape
    q, r, groups = v.shape[1], u.shape[1], energies.size
    over_time, over_carriers = np.zeros((groups, q, q)), np.zeros((groups, r, r), u.dtype)
    right = np.zeros((q, r), np.complex128)
    sums = (over_time, over_carriers, right)
    energy = _normal_equations(places, values, energies, u, turn, v, low, sums)
    inverse_prior = np.empty(q * r)
    for a in range(q):
        for b in range(r):
            inverse_prior[a * r + b] = 1 / (power * (v_var[a] * u_var[b]))
    covariance = np.empty((q * r, q * r), u.dtype)
    _invert(over_time, over_carriers, 1 / noise_variance, inverse_prior, covariance)
    solution = np.zeros(q * r, np.complex128)
    known, left, freedom = right.reshape(-1), energy, float(values.size)
    for i in range(q * r):
        row, total = covariance[i], 0j
        for j in range(q * r):
            total += row[j] * known[j]
        total /= noise_variance
        solution[i] = total
        # for the matched prior E||z - H c||^2 = n0 * freedom, and ||z||^2 - Re<g, c> = ||z - H c||^2 + n0 c' c / prior
        size = total.real * total.real + total.imag * total.imag
        left -= (np.conj(known[i]) * total).real + noise_variance * size * inverse_prior[i]
        freedom -= 1 - row[i].real * inverse_prior[i]
    there = v[first - low : first - low + symbols]
    over = np.zeros((q, active), np.complex128)
    for a in range(q):
        for k in range(active):
            total = 0j
            for b in range(r):
                total += solution[a * r + b] * u[k, b]
            over[a, k] = total * turn[k]
    for i in range(symbols):
        for k in range(active):
            total = 0j
            for a in range(q):
                total += there[i, a] * over[a, k]
            channel[i, k] = total
    if error.shape[0] == symbols:
        _error(covariance, u, there, error)
    return max(left, 0.0) / max(freedom, 1.0), max(freedom, 1.0)
