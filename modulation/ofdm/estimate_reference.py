"""The channel estimate written as in the formulas, in NumPy: what the kernel must equal."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from semwave.modulation.ofdm.basis import slepian
from semwave.modulation.ofdm.estimate import ChannelEstimate, ChannelEstimator, Pilots, Prior
from semwave.modulation.ofdm.solve_kernels import posterior, product

Array = npt.NDArray[Any]


def estimate(
    estimator: ChannelEstimator,
    pilots: list[Pilots],
    first: int,
    symbols: int,
    prior: Prior,
    with_error: bool = True,
) -> ChannelEstimate:
    """The same as ``estimator.estimate``."""
    u, u_var, turn = estimator.carrier_basis(prior)
    times = np.concatenate([np.concatenate([x.times for x in pilots]), [first, first + symbols - 1]])
    low, high = int(times.min()), int(times.max())
    v, v_var = slepian(high - low + 1, 2 * prior.doppler, 2)
    over_time, over_carriers, right, energy, count = _normal_equations(pilots, u, v, low, turn)
    inverse_prior = 1 / (prior.power * np.outer(v_var, u_var).reshape(-1))
    covariance = posterior(over_time, over_carriers, prior.noise_variance, inverse_prior)
    solution = np.sum(covariance * (right.reshape(-1) / prior.noise_variance), axis=1)
    there = v[first - low : first - low + symbols]
    channel = product(there, product(solution.reshape(-1, u.shape[1]), u.T)) * turn
    freedom = max(count - (solution.size - float(np.diagonal(covariance).real @ inverse_prior)), 1.0)
    # for the matched prior E||z - H c||^2 = n0 * freedom, and ||z||^2 - Re<g, c> = ||z - H c||^2 + n0 c' c / prior
    left = energy - float(np.vdot(right.reshape(-1), solution).real)
    left -= prior.noise_variance * float((np.abs(solution) ** 2) @ inverse_prior)
    error = _error(covariance, u, there) if with_error else np.zeros((1, 1), np.float32)
    return ChannelEstimate(channel.astype(np.complex64), error, max(left, 0.0) / freedom, freedom)


def _normal_equations(
    pilots: list[Pilots], u: Array, v: Array, low: int, turn: Array
) -> tuple[Array, Array, Array, float, int]:
    """By pattern energy * V'V and U'U; sums of energy * V'z U and of energy * |z|^2; the number of pilots."""
    q, r = v.shape[1], u.shape[1]
    over_time, over_carriers = np.empty((len(pilots), q, q)), np.empty((len(pilots), r, r), u.dtype)
    right = np.zeros((q, r), np.complex128)
    energy, count = 0.0, 0
    for i, x in enumerate(pilots):
        at, on = v[x.times - low], u[x.carriers]
        z = x.values * np.conj(turn[x.carriers])
        over_time[i] = x.energy * product(at.T, at)
        over_carriers[i] = product(on.conj().T, on)
        right += x.energy * product(at.T, product(z, on.conj()))
        energy += x.energy * float(np.vdot(z, z).real)
        count += z.size
    return over_time, over_carriers, right, energy, count


def _error(covariance: Array, u: Array, v: Array) -> Array:
    """Posterior variance of V C U' as the product of its profiles over symbols and over carriers."""
    q, r = v.shape[1], u.shape[1]
    cube = covariance.reshape(q, r, q, r)
    over_time = np.sum(product(v, np.trace(cube, axis1=1, axis2=3).real) * v, axis=1) / u.shape[0]
    mixed = product(product(v.T, v).reshape(1, -1), cube.transpose(0, 2, 1, 3).reshape(q * q, r * r))
    over_carriers = np.sum(product(u, mixed.reshape(r, r)) * u.conj(), axis=1).real
    profile = over_carriers / max(float(over_carriers.mean()), 1e-30)
    return np.maximum(np.outer(over_time, profile), 0).astype(np.float32)
