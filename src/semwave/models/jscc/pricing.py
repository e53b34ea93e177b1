"""What the sender decides: which class a block is, and which coefficients are worth bits, symbols or nothing.

One price of a real channel use makes the three comparable. With m = n0 / 2 and power p = sqrt(v m / t) - m an analogue
coefficient of variance v costs 2 sqrt(v t m) - t m (error plus power at price t); the weakest one sent sets the price
kappa of the channel use, a bit costs beta = 2 kappa / (bits per symbol), and quantising finer pays until
2 ln 2 sqrt(floor t m) = beta.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semwave.models.jscc import base
from semwave.models.jscc.codebook import MEANS, OCTAVE, Codebook, variance

Array = NDArray[Any]

LN2 = float(np.log(2))
FLOORS = (-60, 24)  # quarter octaves
_SHARE = 0.5  # of all symbols, at most, for the base: what fades gracefully is the rest
CAUTION = 2  # quarter octaves: real coefficients take more bits than Gaussian ones
_ROUNDS = 8
_GAP_DB = ((7.0, 10.0), (1.8, 2.5))  # SNR and gap to capacity of the coded layer that carries the base


@dataclass(frozen=True)
class Prices:
    """Of power (t), a real channel use (kappa), a bit (beta), with the noise per real value and the base's floor."""

    noise: float
    power: float
    use: float
    bit: float
    floor: int


def bits_per_symbol(snr_db: float) -> float:
    """What a coded layer carries: log2(1 + SNR) at 1.8 dB less (2.5 dB from 10 dB on).

    The MCS of TS 38.214, table 5.1.3.1-2 that carry 2,500 bytes through the modem's LDPC code without an error: 0.88,
    1.48, 2.16, 2.73 and 3.61 bits at 1, 4, 7, 10 and 13 dB; this is at most that.
    """
    gap_db = float(np.interp(snr_db, *_GAP_DB))
    return float(np.log2(1 + 10 ** ((snr_db - gap_db) / 10)))


def settle(levels: Array, symbols: int, snr_db: float, efficiency: float, whole: bool) -> Prices:
    """Prices at which the symbols are just used up: levels [n, 768] of the classes.

    ``whole``: ``symbols`` pays for the base as well, at ``efficiency`` bits a symbol.
    """
    noise, floor = 0.5 * 10 ** (-snr_db / 10), 0
    picture = _Histogram(levels)
    budget = symbols if whole else symbols / (1 - _SHARE)

    def at(floor: int) -> Prices:
        uses = max(int(2 * (symbols - picture.bits(floor) / efficiency)), 16) if whole else 2 * symbols
        return picture.prices(noise, efficiency, floor, uses)

    for _ in range(_ROUNDS):
        prices = at(floor)
        wanted = OCTAVE * np.log2((prices.bit / (2 * LN2)) ** 2 / (noise * prices.power) + 1e-12) + CAUTION
        floor = int(np.clip(round((floor + wanted) / 2), *FLOORS))
    while floor < FLOORS[1] and picture.bits(floor) > _SHARE * budget * efficiency:
        floor += 1
    return at(floor)


class _Histogram:
    """How many coefficients of a picture have which level: all that prices depend on."""

    def __init__(self, levels: Array) -> None:
        self._blocks = len(levels)
        self._lowest = int(min(levels.min(initial=0), FLOORS[0]))
        top = int(max(levels.max(initial=0), FLOORS[1])) + base.MARGIN + 2 - self._lowest
        self._plain = np.bincount((levels[:, MEANS:] - self._lowest).ravel(), minlength=top)
        self._means = np.bincount((levels[:, :MEANS] - self._lowest).ravel(), minlength=top)
        self._level = np.arange(self._plain.size) + self._lowest

    def bits(self, floor: int) -> float:
        """Of the whole base: Gaussian entropy after a uniform quantiser, a tenth more, and 2.5 bits a class."""
        counts = self._means + np.where(self._level > floor + base.MARGIN, self._plain, 0)
        each = np.maximum(0.5 * (self._level - floor) / OCTAVE + 0.25, 0.3)
        return float(1.1 * (counts * each).sum() + 2.5 * self._blocks)

    def prices(self, noise: float, efficiency: float, floor: int, uses: int) -> Prices:
        """With the ``uses`` most uncertain coefficients on the air."""
        digital = self._level > floor + base.MARGIN
        counts = np.where(digital, 0, self._plain)
        counts[floor - self._lowest] += self._plain[digital].sum() + self._means.sum()
        before = np.cumsum(counts[::-1])[::-1] - counts
        sent = np.clip(uses - before, 0, counts)
        roots = np.sqrt(variance(self._level))
        total = max(int(sent.sum()), 1)
        power = noise * ((sent @ roots) / total / (0.5 + noise)) ** 2  # were all of them above the noise
        last = float(roots[np.flatnonzero(sent)[0]]) if sent.any() else 0.0
        use = max((last - np.sqrt(power * noise)) ** 2, 1e-9) if total >= uses else 1e-9
        return Prices(noise, power, use, 2 * use / efficiency, floor)


def classify(book: Codebook, cosines: Array, prices: Prices | None, theta: float = 2e-3) -> Array:
    """The cheapest class of each block [n, 768] -> [n]; without prices the most likely one at noise ``theta``."""
    if prices is None:
        v = variance(book.levels)
        v[:, :MEANS] = np.inf
        weights = 1 / (v + theta)
        fixed = np.where(np.isinf(v), 0, np.log(np.where(np.isinf(v), 1, v) + theta) + theta * weights).sum(1)
        costs = book.costs(cosines, weights.astype(np.float32)) + fixed - 2 * np.log(book.prior)
    else:
        weights, constants = _weights(book.levels, prices)
        bits = -np.log2(book.prior) * 0.7  # neighbours tell part of it
        costs = book.costs(cosines, weights.astype(np.float32)) + constants.sum(1) + prices.bit * bits
    return np.asarray(costs.argmin(1))


def _weights(levels: Array, prices: Prices) -> tuple[Array, Array]:
    """Cost of a coefficient c of each class: weight times c^2 plus a constant, [K, 768] both."""
    v, floor = variance(levels), float(variance(np.array(prices.floor)))
    m, t = prices.noise, prices.power
    threshold = (np.sqrt(t * m) + np.sqrt(prices.use)) ** 2
    p = np.maximum(np.sqrt(v * m / t) - m, 0.0)
    lost = m / (p + m)  # share of the coefficient that the estimate misses
    weights = np.where(v > threshold, lost**2 + t * p / v, 1.0)
    constants = np.where(v > threshold, (1 - lost) ** 2 * v * m / np.maximum(p, 1e-30) + prices.use, 0.0)
    digital = levels > prices.floor + base.MARGIN
    rest = min(floor, 2 * np.sqrt(floor * t * m) - t * m + prices.use)
    weights = np.where(digital, prices.bit / (2 * LN2 * v), weights)
    constants = np.where(digital, prices.bit * 0.5 * np.log2(2 * np.pi * v / (12 * floor)) + rest, constants)
    weights[:, :MEANS] = 0.0
    constants[:, :MEANS] = prices.bit * 0.5 * np.log2(np.maximum(v[:, :MEANS] / floor, 1.0))
    return weights, constants
