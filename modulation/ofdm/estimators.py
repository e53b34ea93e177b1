"""Channel estimators by name: the Wiener filter, and the two simpler ones that it is usually compared with.

``ls`` divides pilots by what was sent and interpolates linearly; ``dft`` interpolates over time, then keeps of the
delay domain what the cyclic prefix allows. Both know neither Doppler nor delay profile; the Wiener filter does.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from semwave.modulation.ofdm.estimate import ChannelEstimate, ChannelEstimator, Pilots, Prior
from semwave.modulation.ofdm.params import OfdmParams
from semwave.modulation.ofdm.solve_kernels import product

Array = npt.NDArray[Any]

NAMES = ("wiener", "ls", "dft")
_SIDE = 4
"""Taps beyond the delay window: a path between two taps leaks into its neighbours."""
_RIDGE = 1e-3
"""Least Tikhonov weight: without guard carriers' pilots the edge taps are all but unobservable."""


class Estimator(Protocol):
    """What every estimator offers."""

    def estimate(
        self, pilots: list[Pilots], first: int, symbols: int, prior: Prior, with_error: bool = True
    ) -> ChannelEstimate:
        """Channel at times first..first+symbols-1 from pilots at any times."""


class LsEstimator:
    """Least squares on the pilots, linear interpolation over time, then over carriers; held beyond the last pilot.

    ``h = y / x`` at pilots has the error ``n0 / E``; an interpolated value ``sum_p w_p h_p`` has ``n0 sum_p w_p^2 / E``
    from noise. What interpolation misses of a channel that bends is not in ``error``. No pilot is left to tell the
    noise variance: ``freedom`` is 0.
    """

    def __init__(self, params: OfdmParams) -> None:
        self.params = params

    def estimate(
        self, pilots: list[Pilots], first: int, symbols: int, prior: Prior, with_error: bool = True
    ) -> ChannelEstimate:
        """See :class:`semwave.modulation.ofdm.estimate.ChannelEstimator`; of ``prior`` only the noise counts."""
        known, variance, carriers = _over_time(_whole_pattern(pilots, self.params), pilots, first, symbols)
        weights = self._over_carriers(carriers, prior)
        channel = product(known, weights.T)
        noise = prior.noise_variance * product(variance, (np.abs(weights) ** 2).T)
        error = noise.astype(np.float32) if with_error else np.zeros((1, 1), np.float32)
        return ChannelEstimate(channel.astype(np.complex64), error, prior.noise_variance, 0.0)

    def _over_carriers(self, carriers: Array, prior: Prior) -> Array:
        """Weight of each pilot carrier for each active carrier: [active, pilots]."""
        p = self.params
        return _linear(p.carriers.astype(float), p.carriers[carriers].astype(float))


class DftEstimator(LsEstimator):
    """Least squares on the pilots, linear interpolation over time, then the delays within the prior's window.

    ``g = (F_p' F_p + r I)^-1 F_p' h_p`` and ``h = F g``, F the DFT from sample-spaced delays to carriers, F_p its rows
    with pilots (van de Beek et al., VTC 1995). Where pilots sat on all carriers, that would be: transform, window,
    transform back. ``r = max(n0 / P, 10^-3)`` keeps the guard bands' share of the taps from growing.
    """

    def _over_carriers(self, carriers: Array, prior: Prior) -> Array:
        ridge = max(prior.noise_variance / max(prior.power, 1e-30), _RIDGE)
        ridge = float(2.0 ** np.round(np.log2(ridge)))  # few enough values to be worth remembering
        window = (int(np.floor(prior.first_delay)) - _SIDE, int(np.ceil(prior.last_delay)) + _SIDE)
        return _delay_window(self.params, tuple(carriers.tolist()), window, ridge)


def create(name: str, params: OfdmParams) -> Estimator:
    """An estimator by name: "wiener", "ls" or "dft". ValueError for another."""
    if name not in NAMES:
        raise ValueError(f"estimator must be one of {', '.join(NAMES)}, not {name!r}")
    if name == "wiener":
        return ChannelEstimator(params)
    return LsEstimator(params) if name == "ls" else DftEstimator(params)


def _whole_pattern(pilots: list[Pilots], params: OfdmParams) -> Array:
    """Indices of the carriers that count: those of the burst's own pilots (times from 0 on).

    Where the burst is too short to show the whole pattern, all that the preamble has.
    """
    heard = np.zeros(params.active, np.bool_)
    for x in pilots:
        heard[x.carriers] |= bool(x.times.max(initial=-1) >= 0)
    if heard.sum() < params.pilot_masks.any(axis=0).sum():
        for x in pilots:
            heard[x.carriers] = True
    return np.flatnonzero(heard)


def _over_time(carriers: Array, pilots: list[Pilots], first: int, symbols: int) -> tuple[Array, Array, Array]:
    """Channel of ``carriers`` at the times wanted: [symbols, carriers] complex, its noise over n0, ``carriers``."""
    wanted = np.arange(first, first + symbols, dtype=float)
    values = np.empty((symbols, carriers.size), np.complex128)
    variance = np.empty((symbols, carriers.size))
    for at, here in _groups(pilots, carriers):
        times = np.concatenate([x.times for x, _ in at])
        order = np.argsort(times, kind="stable")
        heard = np.concatenate([x.values[:, on] for x, on in at])[order]
        noise = np.concatenate([np.full(x.times.size, 1 / x.energy) for x, _ in at])[order]
        weights = _linear(wanted, times[order].astype(float))
        values[:, here] = product(weights, heard)
        variance[:, here] = product(weights**2, noise[:, None])
    return values, variance, carriers


def _groups(pilots: list[Pilots], carriers: Array) -> list[tuple[list[tuple[Pilots, Array]], Array]]:
    """Carriers heard at the same times together: patterns with their columns, and places in ``carriers``."""
    heard = np.stack([np.isin(carriers, x.carriers) for x in pilots])
    groups = []
    for which in np.unique(heard, axis=1).T:
        here = np.flatnonzero((heard == which[:, None]).all(axis=0))
        mine = [x for x, yes in zip(pilots, which, strict=True) if yes]
        groups.append(([(x, np.searchsorted(x.carriers, carriers[here])) for x in mine], here))
    return groups


def _linear(wanted: Array, known: Array) -> Array:
    """Weights of linear interpolation from rising places ``known`` to ``wanted``: [wanted, known]; held outside."""
    weights = np.zeros((wanted.size, known.size))
    right = np.clip(np.searchsorted(known, wanted), 1, max(known.size - 1, 1))
    rows = np.arange(wanted.size)
    if known.size == 1:
        weights[:, 0] = 1
        return weights
    share = np.clip((wanted - known[right - 1]) / (known[right] - known[right - 1]), 0, 1)
    weights[rows, right - 1] = 1 - share
    weights[rows, right] = share
    return weights


@lru_cache(maxsize=32)
def _delay_window(params: OfdmParams, pilots: tuple[int, ...], window: tuple[int, int], ridge: float) -> Array:
    """F (F_p' F_p + ridge * pilots I)^-1 F_p': [active, pilots] complex128."""
    delays = np.arange(window[0], window[1] + 1)
    f = np.exp(-2j * np.pi / params.fft_size * np.outer(params.carriers, delays))
    f_p = f[list(pilots)]
    # a tap of a flat profile has the power P / taps: the Tikhonov weight n0 / (P / taps)
    normal = f_p.conj().T @ f_p + ridge * delays.size * np.eye(delays.size)
    weights = np.asarray(f @ np.linalg.solve(normal, f_p.conj().T))
    weights.setflags(write=False)
    return weights
