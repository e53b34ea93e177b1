"""Digital base and analogue refinement: what the base leaves uncertain goes on the air as it is.

side     design SNR, floor, scale (one byte each), then the range-coded base
symbols  the coefficients of greatest remaining variance, power as in `allocation`
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semwave.models.jscc import allocation, base, entropy, pricing, transform
from semwave.models.jscc.codebook import Codebook, variance

Array = NDArray[Any]

DEFAULT_SNR_DB = 4.0
_HEADER = 3
_LEAST = 0.3  # mean power, however much others took


@dataclass(frozen=True)
class Job:
    """How many symbols, at which SNR they are to arrive, and what a symbol of the base's layer carries."""

    symbols: int
    snr_db: float
    efficiency: float
    whole: bool = False  # ``symbols`` includes those of the base
    before: float = 0.0  # energy above one a symbol that others took already: these make the mean one again


def encode(book: Codebook, image: Array, cover: Array, job: Job) -> tuple[bytes, Array]:
    """Side information and symbols of a padded picture; of ``job.symbols`` the base may take all but a few."""
    snr_db = _snr(_snr_byte(job.snr_db))
    cosines = (transform.forward(image) - transform.MEAN)[cover][:, book.order]
    classes, prices = decide(book, cosines, job, snr_db)
    turned = book.turn(cosines, classes)
    made = quantise(book, turned, classes, prices.floor)
    writer = entropy.Writer()
    base.write(writer, book, cover, made)
    payload = writer.bytes()
    count = job.symbols
    if job.whole:
        count = max(count - int(np.ceil(8 * (len(payload) + _HEADER) / job.efficiency)), 1)
    means, levels = base.expectation(book, made)
    index, gain = plan(levels, 2 * count, snr_db)
    values = gain * (turned - means).reshape(-1)[index]
    power = max(1 - job.before / count, _LEAST)
    scale = allocation.scale_byte(values / np.sqrt(power))
    side = bytes([_snr_byte(job.snr_db), prices.floor + 128, scale]) + payload
    sent = np.zeros(2 * count, np.float32)
    sent[: index.size] = values
    sent *= allocation.scale(scale)
    return side, allocation.to_symbols(sent)


def decide(book: Codebook, cosines: Array, job: Job, snr_db: float) -> tuple[Array, pricing.Prices]:
    """Classes and prices, each from the other, twice."""
    classes = pricing.classify(book, cosines, None)
    for _ in range(2):
        prices = pricing.settle(book.levels[classes], job.symbols, snr_db, job.efficiency, job.whole)
        classes = pricing.classify(book, cosines, prices)
    return classes, prices


def quantise(book: Codebook, turned: Array, classes: Array, floor: int) -> base.Base:
    """Round what the base codes to its step."""
    made = base.Base(classes, np.zeros(turned.shape, np.int32), floor)
    chosen = base.coded(book.levels[classes], floor)
    made.values[chosen] = np.round(turned[chosen] / made.step)
    return made


def plan(levels: Array, reals: int, snr_db: float) -> tuple[Array, Array]:
    """Which coefficients are sent, the most uncertain first, and their gains."""
    flat = levels.reshape(-1)
    index = allocation.order(flat, reals)
    return index, allocation.gains(variance(flat[index]), snr_db)


@dataclass(frozen=True)
class Received:
    """Equalised symbols [n] and the noise variance of each."""

    symbols: Array
    noise_var: Array


def decode(book: Codebook, side: bytes, received: Received, cover: Array) -> tuple[Array, Array]:
    """Coefficients given everything received, and their variances: cosines [rows, columns, 768], both.

    Raises:
        ValueError: too little side information.
    """
    if len(side) < _HEADER:
        raise ValueError(f"side must have at least {_HEADER} bytes, not {len(side)}")
    snr_db, floor, scale = _snr(side[0]), side[1] - 128, allocation.scale(side[2])
    made = base.read(entropy.Reader(side[_HEADER:]), book, cover, floor)
    means, levels = base.expectation(book, made)
    spread = variance(levels)
    index, gain = plan(levels, 2 * received.symbols.size, snr_db)
    noise = np.repeat(np.asarray(received.noise_var, np.float64) / 2, 2)[: index.size]
    reals = allocation.to_reals(received.symbols)[: index.size]
    before = spread.reshape(-1)[index]
    values, errors = allocation.estimate(reals, gain * scale, before, noise)
    means.reshape(-1)[index] += values.astype(np.float32)
    spread.reshape(-1)[index] = errors
    return unfold(book, means, spread.astype(np.float32), made.classes, cover)


def unfold(book: Codebook, means: Array, spread: Array, classes: Array, cover: Array) -> tuple[Array, Array]:
    cosines = np.zeros((*cover.shape, means.shape[1]), np.float32)
    variances = np.full(cosines.shape, 0.06, np.float32)
    block, block_variance = np.empty_like(means), np.empty_like(means)
    block[:, book.order] = book.turn(means, classes, back=True)
    block_variance[:, book.order] = book.turn(spread, classes, back=True, squared=True)
    cosines[cover], variances[cover] = block, block_variance
    return cosines + transform.MEAN, variances


def _snr_byte(snr_db: float) -> int:
    return int(np.clip(round(2 * snr_db), -40, 120)) + 40


def _snr(byte: int) -> float:
    return (byte - 40) / 2
