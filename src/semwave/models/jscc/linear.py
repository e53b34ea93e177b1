"""Linear picture transmission without anything learned: the scheme of last resort and the yardstick.

Colour 16x16 blocks, cosine transform, variances measured per picture and sent as side information, power
allocation and linear least squares at the receiver (the SoftCast family: Jakubczak and Katabi, 2011).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from semwave.models.jscc import allocation, blocks

Array = NDArray[Any]

_COLOUR = np.linalg.qr(np.array([[1, 1, 1], [1, 0, -1], [-1, 2, -1]], np.float64).T)[0].T.astype(np.float32)
_STEP_DB = 1.5
_FLOOR = 1e-6


def encode(image: Array, cover: Array, symbols: int, snr_db: float | None) -> tuple[bytes, Array]:
    """Side information and complex symbols of a padded picture."""
    design_db = round(10.0 if snr_db is None else min(max(snr_db, -10.0), 40.0))
    coefficients = _forward(image)[cover]  # [blocks, 768]
    levels = _levels(coefficients)
    side = bytes([design_db + 16]) + _pack(levels)
    index, variances = _plan(levels, len(coefficients), 2 * symbols)
    values = coefficients.reshape(-1)[index] - _MEAN.take(index % blocks.LENGTH)
    return side, allocation.to_symbols(allocation.gains(variances, design_db) * values)


def decode(side: bytes, symbols: Array, noise_var: Array, cover: Array) -> tuple[Array, Array]:
    """Picture and error variance [rows * 16, columns * 16, 3] and [..., 3]; outside the cover grey."""
    design_db, levels = side[0] - 16, _unpack(side[1:])
    count = int(cover.sum())
    index, variances = _plan(levels, count, 2 * symbols.size)
    received = allocation.to_reals(symbols)[: index.size]
    noise = np.repeat(np.asarray(noise_var, np.float64) / 2, 2)[: index.size]
    values, errors = allocation.estimate(received, allocation.gains(variances, design_db), variances, noise)
    coefficients = np.tile(_MEAN, (count, 1)).reshape(-1)
    variance = np.tile(_variances(levels), (count, 1)).reshape(-1)
    coefficients[index] += values
    variance[index] = errors
    full = np.zeros((*cover.shape, blocks.LENGTH), np.float32)
    full[...] = _MEAN
    full[cover] = coefficients.reshape(count, -1)
    spread = np.full(cover.shape, 0.25, np.float32)
    spread[cover] = variance.reshape(count, -1).mean(1)
    return _backward(full), np.repeat(np.repeat(spread, blocks.SIDE, 0), blocks.SIDE, 1)


def _cosine() -> Array:
    k, n = np.arange(blocks.SIDE)[:, None], np.arange(blocks.SIDE)[None]
    matrix = np.sqrt(2 / blocks.SIDE) * np.cos(np.pi * (2 * n + 1) * k / (2 * blocks.SIDE))
    matrix[0] /= np.sqrt(2)
    return matrix.astype(np.float32)


_DCT = _cosine()
_MEAN = np.zeros(blocks.LENGTH, np.float32)
_MEAN[0] = 0.45 * abs(_COLOUR[0].sum()) * blocks.SIDE * np.sign(_COLOUR[0].sum())


def _forward(image: Array) -> Array:
    split = blocks.split(image @ _COLOUR.T)
    out = _DCT @ split @ _DCT.T
    return out.reshape(*out.shape[:2], blocks.LENGTH)


def _backward(coefficients: Array) -> Array:
    split = coefficients.reshape(*coefficients.shape[:2], 3, blocks.SIDE, blocks.SIDE)
    return blocks.join(_DCT.T @ split @ _DCT) @ _COLOUR


def _levels(coefficients: Array) -> Array:
    power = np.square(coefficients - _MEAN).mean(0) if len(coefficients) else np.zeros(blocks.LENGTH)
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
    variances = np.tile(_variances(levels), count)
    index = allocation.order(variances)[:reals]
    return index, variances[index]
