"""Adaptive modulation and coding: from what a receiver reports of its channel to the next frame's scheme.

A report tells effective SNRs: the SNR of a channel without fading that carries as much information in the same
constellation (mutual-information effective SNR mapping, MIESM: Wan, Tsai, Almgren, WCNC 2006). It is old when it is
used; Doppler shift and delay spread say how much of it still holds and how much the rest can vary, until reports
enough have come to learn both from them. An outer loop (OLLA: Sampath, Kumar, Holtzman, VTC 1997) moves the margin
until blocks are lost as often as is asked for, or as predicted.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import j0, ndtr, ndtri

from semwave.modulation import capacity
from semwave.modulation.mcs import table

Array = NDArray[Any]
ORDERS = (4, 16, 64, 256)
CODE_GAP_DB = 1.0
"""What the modem's LDPC needs beyond the information limit for one lost block in ten, at 1,000 to 8,000 bits."""
RAYLEIGH_DB = 5.57
"""Standard deviation of a Rayleigh-faded power in dB, 10 / ln 10 * pi / sqrt(6)."""


# ---- effective SNR ---------------------------------------------------------------------------------------------------


def effective_snr_db(noise_variance: Array, order: int) -> float:
    """SNR of a channel without fading on which ``order``-QAM carries as much: [n] after equalisation -> dB.

    ``bicm(order, snr) = mean_k bicm(order, 1 / noise_variance[k])``; infinite variances carry nothing. Between -20 and
    40 dB; raises ValueError where there is no symbol.
    """
    noise = np.asarray(noise_variance, np.float64)
    if noise.size == 0:
        raise ValueError("noise_variance must have at least one value")
    with np.errstate(divide="ignore"):
        snr_db = -10 * np.log10(np.maximum(noise, 1e-12))
    grid, information = _information(order)
    mean = float(np.mean(np.interp(snr_db, grid, information, left=0.0)))
    rising = information < information[-1] - 1e-6  # above, the constellation is full and tells nothing
    return float(np.interp(mean, information[rising], grid[rising]))


@lru_cache(maxsize=8)
def _information(order: int) -> tuple[Array, Array]:
    """Bits per symbol of bit-interleaved QAM over SNR in dB."""
    grid = np.arange(-20.0, 41.0, 1.0)
    return grid, np.asarray(capacity.bicm(order, grid))


@lru_cache(maxsize=1)
def thresholds_db() -> Array:
    """Least SNR of each MCS of TS 38.214, table 5.1.3.1-2, by its rate and ``CODE_GAP_DB``: [28] dB, rising."""
    least = [
        np.interp(s.spectral_efficiency, _information(s.order)[1], _information(s.order)[0]) for s in table("256qam")
    ]
    return np.maximum.accumulate(np.array(least) + CODE_GAP_DB)


def most_goodput(effective_db: Mapping[int, float], margin_db: float, sigma_db: float) -> tuple[int, float]:
    """MCS index of the most bits a symbol that arrive, and its chance to arrive: bits times Phi(distance / sigma)."""
    schemes, least = table("256qam"), thresholds_db()
    distance = np.array([effective_db[s.order] for s in schemes]) - margin_db - least
    chance = ndtr(distance / max(sigma_db, 0.1))
    best = int(np.argmax(chance * [s.spectral_efficiency for s in schemes]))
    return best, float(chance[best])


def choose_mcs(effective_db: Mapping[int, float], margin_db: float, highest: int = 27) -> int:
    """Highest MCS index whose threshold lies ``margin_db`` below its own constellation's effective SNR; 0 at least."""
    fits = [
        s.index
        for s, least in zip(table("256qam"), thresholds_db(), strict=True)
        if s.index <= highest and effective_db[s.order] - margin_db >= least
    ]
    return max(fits, default=0)


# ---- prediction and outer loop ---------------------------------------------------------------------------------------


def correlation(doppler_hz: float, age_s: float) -> float:
    """How much a fading gain is like that of ``age_s`` ago, ``J0(2 pi f t)`` (Clarke), 0 beyond its first zero."""
    phase = 2 * np.pi * abs(doppler_hz) * age_s
    return float(j0(phase)) if phase < 2.404 else 0.0


def unknown_db(rho: float, paths: float) -> float:
    """Standard deviation in dB of the effective SNR of ``paths`` independent fades, given one of correlation ``rho``.

    Taken as Gaussian in dB with deviation ``5.57 / sqrt(paths)``, of which ``1 - rho^4`` is unknown: powers correlate
    as rho^2.
    """
    return float(RAYLEIGH_DB / np.sqrt(max(paths, 1.0)) * np.sqrt(max(1 - rho**4, 0.0)))


@dataclass
class OuterLoop:
    """The margin in dB at which blocks are lost as often as expected: up for each lost one, down a little else."""

    step_db: float = 0.4
    lowest_db: float = -6.0
    highest_db: float = 12.0
    margin_db: float = 0.0

    def update(self, ok: bool, expected_loss: float) -> None:
        """One block came or was lost: ``margin += step (lost - expected_loss)``, so that the mean change is 0."""
        change = self.step_db * (float(not ok) - expected_loss)
        self.margin_db = min(max(self.margin_db + change, self.lowest_db), self.highest_db)


@dataclass
class Predictor:
    """The next value of a series from an old one: ``mean + r (old - mean)``, r and the error learned on the way.

    Until about ``patience`` values have come, r and the error's variance are those assumed by the caller.
    """

    memory: float = 0.02
    patience: float = 20.0
    mean: float = 0.0
    _count: int = 0
    _power: float = 0.0
    _product: float = 0.0
    _error: float = 0.0

    def predict(self, old: float, assumed_r: float, assumed_sigma: float) -> tuple[float, float]:
        """Value expected, and the standard deviation of the error."""
        weight = self._count / (self._count + self.patience)
        r = assumed_r
        if self._power > 0:
            r += weight * (min(max(self._product / self._power, 0.0), 1.0) - assumed_r)
        variance = (1 - weight) * assumed_sigma**2 + weight * self._error
        return self.mean + r * (old - self.mean), float(np.sqrt(variance))

    def learn(self, value: float, old: float | None, predicted: float | None) -> None:
        """What came, the old value that it was predicted from, and the prediction."""
        share = max(self.memory, 1.0 / (self._count + 1.0))
        self.mean += share * (value - self.mean)
        if old is not None and predicted is not None:
            self._power += share * ((old - self.mean) ** 2 - self._power)
            self._product += share * ((old - self.mean) * (value - self.mean) - self._product)
            self._error += share * ((value - predicted) ** 2 - self._error)
        self._count += 1


# ---- the transmitter's knowledge -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Report:
    """What a receiver says of one frame."""

    effective_db: Mapping[int, float]
    """Effective SNR in dB by constellation size."""
    snr_db: float
    doppler_hz: float
    """NaN where the frame was too short to tell."""
    delay_spread_s: float
    key_ok: bool
    robust_ok: bool
    """Whether the layers other than the key came."""


@dataclass(frozen=True)
class Decision:
    """How the next frame is sent."""

    robust_mcs: int
    key_mcs: int
    snr_db: float | None
    """Effective SNR that can be counted on, for encoders that want it; None: nothing is known."""
    age_frames: int | None = None
    """How many frames ago the newest report was sent; None: none has come."""
    margin_db: float = 0.0
    expected_loss: float = 0.0
    """Chance that the key layer is lost."""


@dataclass
class LinkController:
    """Reports in, decisions out; one of each a frame, a report ``delay`` frames after its frame at the earliest.

    ``target``: share of key layers that may be lost; None: whatever brings most. Without any report the most robust
    scheme is used. ``bandwidth_hz`` and the delay spread reported give the number of independent fades,
    ``1 + 2 pi bandwidth delay_spread``, at most 20.
    """

    frame_s: float
    bandwidth_hz: float
    delay: int = 1
    target: float | None = 0.1
    robust_db: float = 3.0
    """More margin for the layers that everything else needs."""
    assumed_doppler_hz: float = 30.0
    outer: OuterLoop = field(default_factory=OuterLoop)

    def __post_init__(self) -> None:
        if self.delay < 1:
            raise ValueError(f"delay must be at least 1 frame, not {self.delay}")
        if self.target is not None and not 0 < self.target < 1:
            raise ValueError(f"target must be above 0 and below 1, not {self.target}")
        self._way: deque[tuple[int, Report | None]] = deque()
        self._last: tuple[int, Report] | None = None
        self._series = {order: Predictor() for order in ORDERS}
        self._based: dict[int, tuple[Decision, Report | None, dict[int, float]]] = {}
        self._doppler: deque[float] = deque(maxlen=9)
        self._frame = 0

    def send_back(self, report: Report | None) -> None:
        """What the receiver says of the frame just decided on; None: nothing came of it, or the report was lost."""
        self._way.append((self._frame - 1, report))

    def decide(self) -> Decision:
        """The scheme of the next frame."""
        self._take()
        expected: dict[int, float] = {}
        decision = Decision(0, 0, None, expected_loss=self.target or 0.1)
        if self._last is not None:
            decision, expected = self._decided(*self._last)
        self._based[self._frame] = decision, self._last[1] if self._last else None, expected
        self._frame += 1
        return decision

    @property
    def doppler_hz(self) -> float:
        """Median of the last shifts reported."""
        return float(np.median(self._doppler)) if self._doppler else self.assumed_doppler_hz

    def _decided(self, sent: int, report: Report) -> tuple[Decision, dict[int, float]]:
        age = self._frame - sent
        rho = correlation(self.doppler_hz, age * self.frame_s)
        paths = min(1 + 2 * np.pi * self.bandwidth_hz * report.delay_spread_s, 20.0)
        assumed = rho**2, unknown_db(rho, paths)
        found = {m: self._series[m].predict(report.effective_db[m], *assumed) for m in ORDERS}
        expected, sigma = {m: value for m, (value, _) in found.items()}, found[16][1]
        margin, loss = self.outer.margin_db, self.target
        if loss is None:
            mcs, chance = most_goodput(expected, margin, sigma)
            loss = 1 - chance
        else:
            margin -= float(ndtri(loss)) * sigma
            mcs = choose_mcs(expected, margin)
        robust = choose_mcs(expected, self.outer.margin_db + 2 * sigma + self.robust_db, highest=9)
        return Decision(robust, mcs, expected[4] - max(margin, 0.0), age, margin, loss), expected

    def _take(self) -> None:
        """Reports that have arrived by now."""
        while self._way and self._way[0][0] + self.delay <= self._frame:
            sent, report = self._way.popleft()
            decision, base, expected = self._based.pop(sent)
            if report is None:
                continue
            self._last = sent, report
            self.outer.update(report.key_ok, decision.expected_loss)
            for order, value in report.effective_db.items():
                old = None if base is None else base.effective_db[order]
                self._series[order].learn(value, old, expected.get(order))
            if np.isfinite(report.doppler_hz):
                self._doppler.append(report.doppler_hz)
