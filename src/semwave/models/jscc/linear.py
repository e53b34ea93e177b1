"""Linear picture transmission without anything learned: the scheme of last resort and the yardstick.

Colour 16x16 blocks, cosine transform, variances measured per picture and sent as side information, power
allocation and linear least squares at the receiver (the SoftCast family: Jakubczak and Katabi, 2011).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from semwave.models.jscc import allocation, blocks, transform

Array = NDArray[Any]

_STEP_DB = 1.5
_FLOOR = 1e-6
_SIZE = 2 + blocks.LENGTH * 6 // 8


def encode(image: Array, cover: Array, symbols: int, snr_db: float | None) -> tuple[bytes, Array]:
    """Side information and complex symbols of a padded picture."""
    design_db = round(10.0 if snr_db is None else min(max(snr_db, -10.0), 40.0))
    coefficients = transform.forward(image)[cover]  # [blocks, 768]
    levels = _levels(coefficients)
    index, variances = _plan(levels, len(coefficients), 2 * symbols)
    values = coefficients.reshape(-1)[index] - transform.MEAN.take(index % blocks.LENGTH)
    values *= allocation.gains(variances, design_db)
    scale = allocation.scale_byte(values)
    sent = np.zeros(2 * symbols, np.float32)
    sent[: index.size] = values * allocation.scale(scale)
    return bytes([design_db + 16, scale]) + _pack(levels), allocation.to_symbols(sent)


def decode(side: bytes, symbols: Array, noise_var: Array, cover: Array) -> tuple[Array, Array]:
    """Picture and error variance [rows * 16, columns * 16, 3] and [...]; outside the cover grey.

    Raises:
        ValueError: side information of another length.
    """
    if len(side) != _SIZE:
        raise ValueError(f"side must have {_SIZE} bytes, not {len(side)}")
    design_db, scale, levels = side[0] - 16, allocation.scale(side[1]), _unpack(side[2:])
    count = int(cover.sum())
    index, variances = _plan(levels, count, 2 * symbols.size)
    received = allocation.to_reals(symbols)[: index.size]
    noise = np.repeat(np.asarray(noise_var, np.float64) / 2, 2)[: index.size]
    values, errors = allocation.estimate(received, scale * allocation.gains(variances, design_db), variances, noise)
    coefficients = np.tile(transform.MEAN, (count, 1)).reshape(-1)
    variance = np.tile(_variances(levels), (count, 1)).reshape(-1)
    coefficients[index] += values
    variance[index] = errors
    full = np.zeros((*cover.shape, blocks.LENGTH), np.float32)
    full[...] = transform.MEAN
    full[cover] = coefficients.reshape(count, -1)
    spread = np.full(cover.shape, 0.25, np.float32)
    spread[cover] = variance.reshape(count, -1).mean(1)
    return transform.backward(full), np.repeat(np.repeat(spread, blocks.SIDE, 0), blocks.SIDE, 1)


def _levels(coefficients: Array) -> Array:
    power = np.square(coefficients - transform.MEAN).mean(0) if len(coefficients) else np.zeros(blocks.LENGTH)
    return np.clip(np.round(10 * np.log10(np.maximum(power, _FLOOR) / _FLOOR) / _STEP_DB), 0, 63).astype(np.uint8)


def _variances(levels: Array) -> Array:
    return _FLOOR * 10 ** (levels * _STEP_DB / 10)


def _pack(levels: Array) -> bytes:
    return bytes(np.packbits(np.unpackbits(levels[:, None], axis=1)[:, 2:]))


def _unpack(side: bytes) -> Array:
    bits = np.unpackbits(np.frombuffer(side, np.uint8), count=blocks.LENGTH * 6).reshape(-1, 6)
    return np.packbits(np.pad(bits, ((0, 0), (2, 0))), axis=1)[:, 0]


def _plan(levels: Array, count: int, reals: int) -> tuple[Array, Array]:
    """Which coefficients [block * 768 + k] are sent, in their order, and their variances."""
    index = allocation.order(np.tile(levels, count), reals)
    return index, np.tile(_variances(levels), count)[index]
