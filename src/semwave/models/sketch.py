"""The sketch: a few bytes of colour and structure of the rest of a picture; 0 to 64, or thousands.

Up to 64 bytes the rest (everything outside the key mask) is fitted in YCbCr with a triangle of 2-D DCT-II functions
that span the whole picture; pixels inside the mask have no say. The coefficients are quantised one after the other,
each making up for the rounding of those before (nearest-plane rounding of a lattice), so that the holes in the mask do
not amplify the error, and coded with static tables. The step is the finest that fits the bytes given.

From 65 bytes on it is an AV1 still picture, made smaller to fit, in which the key region is filled smoothly so that it
costs next to nothing; or, where there is no key layer beside it (codec WITH_KEY), stands sharp among a blurred rest.
The number of bytes tells cosines and stills apart.
"""

from __future__ import annotations

from functools import lru_cache
from math import isqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from semwave.models import keycodec, shortcode, sketchstill

Array = NDArray[Any]

REST, WITH_KEY = 1, 2  # numbers on the air: what is in the sketch
MAX_SKETCH_BYTES = 65535  # what a header can announce
MAX_WAVES_BYTES = 64  # cosines up to here, a still picture above
_GRID = 40  # pixels on the long side of the picture that is fitted
_LIMIT = (18, 9, 9)  # highest order, rows and columns together, of Y, Cb, Cr
_STEPS = 64  # step sizes, an eighth of an octave apart; index 0 is the finest
_FINEST = 0.004
_CHROMA_COARSER = 1.25
_LEFT_OVER = 5e-7  # error that the fit cannot remove: keeps it calm inside the holes of the mask
_RATE = 0.03  # what a unit of (level / spread)^2 is worth in squared steps
_DEAD_ZONE = 0.6  # magnitudes below it, in steps, become 0: cheaper than they are worth
_MAX_LEVEL = 200
# Spread of the coefficients over 1,500 photographs: luma, chroma; constant term and the factor of 1 / order.
_SPREAD = ((0.144, 0.095), (0.043, 0.021))
_TO_YCC = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], np.float32)
_TO_RGB = np.array([[1.0, 0.0, 1.402], [1.0, -0.344136, -0.714136], [1.0, 1.772, 0.0]], np.float32)


def encode_sketch(
    image: Array, mask: Array | None, size_bytes: int, with_key: bool = False, slow: bool = False
) -> bytes:
    """Code the rest of ``image`` [height, width, 3] uint8 in at most ``size_bytes``; ``mask`` [height, width] is key.

    ``with_key``: the key region as well, and sharper than the rest; it needs more than 64 bytes, else b"". ``slow``: a
    still picture by the encoder's slow search. Returns b"" for size 0 and for a picture without a rest. Raises
    ValueError on bad shapes or sizes.
    """
    if not 0 <= size_bytes <= MAX_SKETCH_BYTES:
        raise ValueError(f"size_bytes must be 0 ... {MAX_SKETCH_BYTES}, not {size_bytes}")
    height, width = _shape(image.shape)
    weight = np.ones((height, width), np.float32) if mask is None else 1.0 - np.asarray(mask, np.float32)
    if weight.shape != (height, width):
        raise ValueError(f"mask must be {height} x {width} like the image, not {weight.shape}")
    if with_key:
        key = None if mask is None or not weight.any() or weight.all() else weight < 0.5
        still = sketchstill.encode_still(image, size_bytes, key, slow) if size_bytes > MAX_WAVES_BYTES else b""
        return still if len(still) > MAX_WAVES_BYTES else b""
    if size_bytes == 0 or not weight.any():
        return b""
    if size_bytes > MAX_WAVES_BYTES:
        still = sketchstill.encode_still(keycodec.fill_smoothly(image, weight > 0.5), size_bytes, slow=slow)
        if len(still) > MAX_WAVES_BYTES:
            return still
        size_bytes = MAX_WAVES_BYTES
    small, weight = _shrink(image, weight)
    planes = [_normal_form(small, weight, plane, (height, width)) for plane in range(3)]
    low, high = 0, _STEPS - 1
    while low < high:  # the finest step that fits; bytes fall with the step, nearly always
        middle = (low + high) // 2
        low, high = (low, middle) if len(_code(planes, middle, (height, width))) <= size_bytes else (middle + 1, high)
    while low < _STEPS:
        data = _code(planes, low, (height, width))
        if len(data) <= size_bytes:
            return data
        low += 1
    return b""


def decode_sketch(data: bytes, shape: tuple[int, ...], mask: Array | None = None) -> Array | None:
    """Smooth picture [height, width, 3] float32 in [0, 1] of a sketch, or None for no bytes.

    Needs no ``mask``: a sketch is of use even when the mask is lost; it means little inside the mask. Any bytes up to
    64 decode to some picture. Raises ValueError on bad shapes, more bytes than a sketch may have, a damaged still.
    """
    height, width = _shape(shape)
    if mask is not None and mask.shape != (height, width):
        raise ValueError(f"mask must be {height} x {width}, not {mask.shape}")
    if not data:
        return None
    if len(data) > MAX_SKETCH_BYTES:
        raise ValueError(f"data must have at most {MAX_SKETCH_BYTES} bytes, not {len(data)}")
    if len(data) > MAX_WAVES_BYTES:
        return keycodec.decode_whole(data, (height, width)).astype(np.float32) / np.float32(255.0)
    decoder = shortcode.Decoder(data)
    index = shortcode.uniform(_STEPS).get(decoder)
    ycc = np.zeros((height, width, 3), np.float32)
    for plane in range(3):
        orders = _orders((height, width), plane)
        levels = [_get(decoder, _tables_of(radius, plane, index)) for radius, _, _ in orders]
        values = np.array(levels) * _step(index, plane)
        ycc[..., plane] = _synthesise(values, orders, (height, width))
    ycc[..., 0] += 0.5
    return np.clip(ycc @ _TO_RGB.T, 0.0, 1.0)


def _shape(shape: tuple[int, ...]) -> tuple[int, int]:
    if len(shape) not in (2, 3) or min(shape) < 1 or (len(shape) == 3 and shape[2] != 3):
        raise ValueError(f"shape must be height x width (x 3), not {tuple(shape)}")
    return int(shape[0]), int(shape[1])


def _shrink(image: Array, weight: Array) -> tuple[Array, Array]:
    """Area averages over the rest, [h, w, 3] in YCbCr about grey, and the share of rest in each [h, w]."""
    height, width = weight.shape
    scale = min(1.0, _GRID / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    ycc = (image.astype(np.float32) / 255.0) @ _TO_YCC.T
    ycc[..., 0] -= 0.5

    def area(plane: Array) -> Array:
        return np.asarray(Image.fromarray(plane.astype(np.float32)).resize(size, Image.Resampling.BOX))

    share = area(weight)
    sums = np.stack([area(ycc[..., plane] * weight) for plane in range(3)], axis=-1)
    return sums / np.maximum(share, 1e-6)[..., None], share


@lru_cache(maxsize=256)
def _orders(shape: tuple[int, int], plane: int) -> tuple[tuple[int, int, int], ...]:
    """(radius, row, column) orders, low first; the radius is in eighths of an order of a square picture."""
    height, width = shape
    side = isqrt(64 * height * width)  # of that square, in eighths of a pixel: integers are alike on every machine
    found = []
    for u in range(min(height, 64)):
        for v in range(min(width, 64)):
            radius = u * side // height + v * side // width
            if radius <= 8 * _LIMIT[plane]:
                found.append((radius, u, v))
    return tuple(sorted(found))


def _step(index: int, plane: int) -> float:
    return _FINEST * 2.0 ** (index / 8) * (_CHROMA_COARSER if plane else 1.0)


def _spread(radius: int, plane: int) -> float:
    constant, slope = _SPREAD[min(plane, 1)]
    return slope * 8 / radius if radius else constant


@lru_cache(maxsize=256)
def _tables(eighths: int) -> tuple[shortcode.Table, shortcode.Table]:
    """Is a level 0, and does its magnitude go on: Laplace of 2^(eighths / 8) steps standard deviation."""
    ratio = 2.0 ** (eighths / 8)
    go_on = np.exp(-np.sqrt(2.0) / ratio)
    zero = 1.0 - np.exp(-np.sqrt(2.0) * _DEAD_ZONE / ratio)
    return _binary(zero), _binary(1.0 - go_on)


def _binary(first: float) -> shortcode.Table:
    share = min(max(round(4096 * first), 16), 4080)
    return shortcode.Table((share, 4096 - share))


def _tables_of(radius: int, plane: int, index: int) -> tuple[shortcode.Table, shortcode.Table]:
    eighths = round(8 * np.log2(_spread(radius, plane) / _step(index, plane)))
    return _tables(min(max(eighths, -32), 48))


_SIGN = shortcode.uniform(2)


def _put(encoder: shortcode.Encoder, level: int, tables: tuple[shortcode.Table, shortcode.Table]) -> None:
    tables[0].put(encoder, int(level != 0))
    if level:
        for _ in range(abs(level) - 1):
            tables[1].put(encoder, 1)
        if abs(level) < _MAX_LEVEL:
            tables[1].put(encoder, 0)
        _SIGN.put(encoder, int(level < 0))


def _get(decoder: shortcode.Decoder, tables: tuple[shortcode.Table, shortcode.Table]) -> int:
    if not tables[0].get(decoder):
        return 0
    level = 1
    while level < _MAX_LEVEL and tables[1].get(decoder):
        level += 1
    return -level if _SIGN.get(decoder) else level


def _normal_form(small: Array, weight: Array, plane: int, shape: tuple[int, int]) -> tuple[Array, Array]:
    """Gram matrix G and correlation b of the functions over the rest: the error of c is c'Gc - 2b'c + constant."""
    orders = _orders(shape, plane)
    rows, columns = weight.shape
    functions = np.stack([np.outer(_cosine(rows, u), _cosine(columns, v)).ravel() for _, u, v in orders], axis=1)
    weighted = functions * (weight.ravel() / weight.sum())[:, None]
    return weighted.T @ functions, weighted.T @ small[..., plane].ravel()


def _levels(gram: Array, target: Array, plane: int, index: int, shape: tuple[int, int]) -> list[int]:
    """Regularised levels: a coefficient costs rate, by its expected spread, as well as error."""
    step = _step(index, plane)
    spread = np.array([_spread(radius, plane) for radius, _, _ in _orders(shape, plane)])
    ridge = (_LEFT_OVER + _RATE * step**2) / spread**2
    upper = np.linalg.cholesky(gram + np.diag(ridge)).T
    return _quantise(upper, np.linalg.solve(upper.T, target), step)


def _quantise(r: Array, z: Array, step: float) -> list[int]:
    """Nearest-plane rounding from the highest frequency down: each level makes up for those before."""
    levels = np.zeros(len(z))
    for k in range(len(z) - 1, -1, -1):
        exact = (z[k] - r[k, k + 1 :] @ levels[k + 1 :] * step) / (r[k, k] * step)
        magnitude = np.floor(abs(exact) + 1.0 - _DEAD_ZONE)
        levels[k] = np.copysign(min(magnitude, _MAX_LEVEL), exact)
    return [int(level) for level in levels]


def _code(planes: list[tuple[Array, Array]], index: int, shape: tuple[int, int]) -> bytes:
    """All levels at one step size."""
    encoder = shortcode.Encoder()
    shortcode.uniform(_STEPS).put(encoder, index)
    for plane, (gram, target) in enumerate(planes):
        levels = _levels(gram, target, plane, index, shape)
        for level, (radius, _, _) in zip(levels, _orders(shape, plane), strict=True):
            _put(encoder, level, _tables_of(radius, plane, index))
    return encoder.finish()


def _cosine(length: int, order: int) -> Array:
    """DCT-II function of unit mean square (if order < length) at pixel centres, [length]."""
    angles = np.pi * (np.arange(length) + 0.5) * order / length
    return np.cos(angles) * (np.sqrt(2.0) if order else 1.0)


def _synthesise(values: Array, orders: tuple[tuple[int, int, int], ...], shape: tuple[int, int]) -> Array:
    """Sum of the functions, separably: [height, rows] [rows, columns] [columns, width]."""
    rows, columns = max(o[1] for o in orders) + 1, max(o[2] for o in orders) + 1
    grid = np.zeros((rows, columns))
    for value, (_, u, v) in zip(values, orders, strict=True):
        grid[u, v] = value
    left = np.stack([_cosine(shape[0], u) for u in range(rows)], axis=1)
    right = np.stack([_cosine(shape[1], v) for v in range(columns)], axis=0)
    return (left @ grid @ right).astype(np.float32)
