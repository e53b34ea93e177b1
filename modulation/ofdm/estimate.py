"""Channel estimation from preamble and pilots: a two-dimensional Wiener filter in a reduced basis.

``H[l, k] = sum_qr V[l, q] C[q, r] U[k, r]`` with U and V from ``basis.slepian``. The linear MMSE estimate of C from
any set of pilots solves ``(G / n0 + 1 / prior) c = g / n0`` (Kay, Estimation Theory, 1993, theorem 12.1); pilots of
one pattern at several times add a Kronecker product to G. Everything before the right-hand side is real.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from semwave.modulation.ofdm.basis import slepian
from semwave.modulation.ofdm.params import OfdmParams
from semwave.modulation.ofdm.solve_kernels import product
from semwave.modulation.ofdm.wiener_kernels import wiener

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
        self._last: tuple[Array, tuple[float, ...], Array, Array] | None = None

    def carrier_basis(self, prior: Prior) -> tuple[Array, Array, Array]:
        """Basis over the active carriers, coefficient variances, and the turn that centres the delay window.

        Without a profile, the Slepian basis, which is real; with one, its Karhunen-Loeve basis, which is complex but
        smaller: what would be below the noise is left out.
        """
        u, variances, turn, paths, aligned = _delay_basis(self.params, prior.first_delay, prior.last_delay)
        if prior.profile is None:
            return u, variances, turn
        paths = paths[:, : prior.profile.size]
        key = (prior.first_delay, prior.last_delay, prior.noise_variance, prior.power)
        if self._last is None or self._last[0] is not prior.profile or self._last[1] != key:
            values, directions = np.linalg.eigh(product(paths * (prior.profile / prior.profile.sum()), paths.T))
            keep = values > min(3e-3 * prior.noise_variance / prior.power, 0.1 * values[-1])
            self._last = prior.profile, key, product(aligned, directions[:, keep]), values[keep]
        return self._last[2], self._last[3], turn

    def estimate(
        self, pilots: list[Pilots], first: int, symbols: int, prior: Prior, with_error: bool = True
    ) -> ChannelEstimate:
        """Channel at times first..first+symbols-1 from pilots at any times; error is 0 without ``with_error``."""
        u, u_var, turn = self.carrier_basis(prior)
        where, low, high = _spanned(pilots)
        low, high = min(first, low), max(first + symbols - 1, high)
        v, v_var = slepian(high - low + 1, 2 * prior.doppler, 2)
        channel = np.empty((symbols, u.shape[0]), np.complex64)
        error = np.zeros((symbols if with_error else 0, u.shape[0]), np.float32)
        energies = np.array([x.energy for x in pilots])
        bases, span = ((u, u_var, turn), (v, v_var)), (low, first)
        residual, freedom = wiener(
            where, values_of(pilots), energies, *bases, span, prior.noise_variance, prior.power, channel, error
        )
        return ChannelEstimate(channel, error if with_error else np.zeros((1, 1), np.float32), residual, freedom)


Places = tuple[Array, Array, Array, Array]
_PLACES: dict[tuple[int, ...], tuple[list[Array], tuple[Places, int, int]]] = {}


def places(pilots: Sequence[Pilots]) -> Places:
    """Times and carriers of all patterns one after the other, each with where the patterns begin."""
    return _spanned(pilots)[0]


def _spanned(pilots: Sequence[Pilots]) -> tuple[Places, int, int]:
    """Places, first and last time; remembered for the very arrays of times and carriers, which bursts of one length
    share."""
    arrays = [a for x in pilots for a in (x.times, x.carriers)]
    key = tuple(map(id, arrays))
    known = _PLACES.get(key)
    if known is None:
        if len(_PLACES) >= 64:
            _PLACES.clear()
        # the arrays are kept too: as long as they are, no other has their ids
        new = _new_places(arrays[::2], arrays[1::2])
        known = _PLACES[key] = (arrays, (new, int(new[0].min()), int(new[0].max())))
    return known[1]


def values_of(pilots: Sequence[Pilots]) -> Array:
    """All patterns' values one after the other: [n] complex128."""
    return np.concatenate([x.values.reshape(-1) for x in pilots], dtype=np.complex128)


def _new_places(times: list[Array], carriers: list[Array]) -> Places:
    return (
        np.concatenate(times, dtype=np.int64),
        np.cumsum([0, *(t.size for t in times)]),
        np.concatenate(carriers, dtype=np.int64),
        np.cumsum([0, *(c.size for c in carriers)]),
    )


@lru_cache(maxsize=32)
def _delay_basis(params: OfdmParams, first: float, last: float) -> tuple[Array, Array, Array, Array, Array]:
    """Slepian basis, its variances, the turn to the window's middle; paths every half sample in a basis in which they
    are real, and that basis."""
    # The carriers with DC among them are contiguous: one Slepian basis serves both sides. Paths are projected on all of
    # it, since without its row for DC its columns are no longer orthogonal.
    vectors, variances = slepian(params.active + 1, (last - first) / params.fft_size)
    u = vectors[params.carriers - params.carriers[0]]
    turn = np.exp(-1j * np.pi * params.carriers * (first + last) / params.fft_size).astype(np.complex64)
    delays = np.arange(0, last - first + 0.25, 0.5) - (last - first) / 2
    # about their middle the sequences are even or odd, a path's product with them real or imaginary
    about = np.arange(vectors.shape[0]) - (vectors.shape[0] - 1) / 2
    unit = np.where(np.sum(vectors * vectors[::-1], axis=0) > 0, 1, 1j)
    paths = (vectors * unit).T @ np.exp(-2j * np.pi / params.fft_size * np.outer(about, delays))
    return u, variances, turn, np.ascontiguousarray(paths.real), u * unit.conj()
