"""Channel estimation from preamble and pilots: a two-dimensional Wiener filter in a reduced basis.

``H[l, k] = sum_qr V[l, q] C[q, r] U[k, r]`` with U and V from ``basis.slepian``. The linear MMSE estimate of C from
any set of pilots solves ``(G / n0 + 1 / prior) c = g / n0`` (Kay, Estimation Theory, 1993, theorem 12.1); pilots of
one pattern at several times add a Kronecker product to G. Everything before the right-hand side is real.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from semwave.modulation.ofdm.basis import slepian
from semwave.modulation.ofdm.params import OfdmParams
from semwave.modulation.ofdm.solve_kernels import posterior, product

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Pilots:
    """Least-squares channel samples ``received / known`` on one set of carriers at some times."""

    times: Array
    """[t] in symbols, 0 for the first symbol after the preamble."""
    carriers: Array
    """[c] indices into the active carriers."""
    values: Array
    """[t, c] complex"""
    energy: float = 1.0
    """Energy of the known symbols: the noise on ``values`` is noise_variance / energy."""


@dataclass(frozen=True)
class Prior:
    """What is assumed of the channel: its mean power, where its delays lie, how fast it moves, how noisy it is."""

    power: float
    noise_variance: float
    first_delay: float
    """Samples after the FFT window's start."""
    last_delay: float
    doppler: float
    """Largest Doppler shift in cycles per symbol."""
    profile: Array | None = None
    """Relative power at delays ``first_delay, first_delay + 1/2, ...``; None: the same everywhere up to last_delay."""


@dataclass(frozen=True)
class ChannelEstimate:
    """Linear MMSE estimate over symbols and active carriers."""

    channel: Array
    """[symbols, active] complex64"""
    error: Array
    """Mean squared error by symbol and carrier: [symbols, active] float32."""
    residual: float
    """Noise variance by what the pilots leave unexplained."""
    freedom: float
    """Degrees of freedom in that residual."""


class ChannelEstimator:
    """Estimates on blocks of symbols; the bases are shared through ``basis.slepian``'s cache."""

    def __init__(self, params: OfdmParams) -> None:
        self.params = params

    def carrier_basis(self, prior: Prior) -> tuple[Array, Array, Array]:
        """Basis over the active carriers, coefficient variances, and the turn that centres the delay window.

        Without a profile, the Slepian basis, which is real; with one, its Karhunen-Loeve basis, which is complex but
        smaller: what would be below the noise is left out.
        """
        u, variances, turn, paths = _delay_basis(self.params, prior.first_delay, prior.last_delay)
        if prior.profile is None:
            return u, variances, turn
        paths = paths[:, : prior.profile.size]
        values, directions = np.linalg.eigh(product(paths * (prior.profile / prior.profile.sum()), paths.conj().T))
        keep = values > min(3e-3 * prior.noise_variance / prior.power, 0.1 * values[-1])
        return product(u, directions[:, keep]), values[keep], turn

    def estimate(
        self, pilots: list[Pilots], first: int, symbols: int, prior: Prior, with_error: bool = True
    ) -> ChannelEstimate:
        """Channel at times first..first+symbols-1 from pilots at any times; error is 0 without ``with_error``."""
        u, u_var, turn = self.carrier_basis(prior)
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


@lru_cache(maxsize=32)
def _delay_basis(params: OfdmParams, first: float, last: float) -> tuple[Array, Array, Array, Array]:
    """Slepian basis, its variances, the turn to the window's middle, and paths every half sample in that basis."""
    # The carriers with DC among them are contiguous: one Slepian basis serves both sides. Paths are projected on all of
    # it, since without its row for DC its columns are no longer orthogonal.
    vectors, variances = slepian(params.active + 1, (last - first) / params.fft_size)
    u = vectors[params.carriers - params.carriers[0]]
    turn = np.exp(-1j * np.pi * params.carriers * (first + last) / params.fft_size).astype(np.complex64)
    delays = np.arange(0, last - first + 0.25, 0.5) - (last - first) / 2
    contiguous = np.arange(params.carriers[0], params.carriers[-1] + 1)
    paths = vectors.T @ np.exp(-2j * np.pi / params.fft_size * np.outer(contiguous, delays))
    return u, variances, turn, paths


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
