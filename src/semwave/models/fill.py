"""Filling the rest of a picture without a network: one colour, or a membrane stretched from the key pixels.

All pictures are float32 [height, width, 3] in [0, 1]; masks are bool [height, width], True where a pixel is known.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Array = NDArray[Any]

_WORK = 200_000  # pixels relaxed on each grid: a few sweeps on the finest, many where they cost little
SKETCH_REACH = 0.025  # how far key pixels correct a base picture, in long sides of the picture
PROMPT_REACH = 0.08


def one_colour(image: Array, mask: Array, colour: tuple[float, float, float] | None = None) -> Array:
    """``image`` with one colour outside ``mask``: ``colour``, or the mean of the known pixels, or grey."""
    if colour is None:
        known = image[mask]
        shade = known.mean(axis=0, dtype=np.float64) if len(known) else np.full(3, 0.5)
    else:
        shade = np.array(colour)
    return np.where(mask[..., None], image, shade.astype(np.float32)).astype(np.float32)


def cells(colours: Array, shape: tuple[int, int]) -> Array:
    """Smooth picture of a [rows, columns, 3] grid of cell colours: linear between the centres of the cells."""
    rows, columns = colours.shape[:2]
    down = _tent(shape[0], rows)
    across = _tent(shape[1], columns)
    return np.einsum("hr,rcp,wc->hwp", down, colours, across).astype(np.float32)


def membrane(image: Array, mask: Array, base: Array | None = None, reach: float = SKETCH_REACH) -> Array:
    """Known pixels as they are; elsewhere ``base`` plus what the key borders say about its error.

    The correction d solves (laplacian - 1 / r^2) d = 0 with d = image - base on the mask and no flux through the
    picture's edge; r is ``reach`` long sides. Without a base it is the membrane of Laplace's equation. Solved
    coarse to fine, close to but not exactly. Returns ``base`` (or grey) where nothing is known.
    """
    if mask.shape != image.shape[:2] or mask.dtype != bool:
        raise ValueError(f"mask must be bool {image.shape[:2]}, not {mask.dtype} {mask.shape}")
    if not mask.any():
        return np.full(image.shape, 0.5, np.float32) if base is None else base.astype(np.float32)
    if mask.all():
        return image.astype(np.float32)
    pull = 0.0 if base is None else 1.0 / max(reach * max(mask.shape), 1.0) ** 2
    offset = np.float32(0.5) if base is None else base.astype(np.float32)
    error = np.where(mask[..., None], image - offset, np.float32(0.0)).transpose(2, 0, 1)
    correction = _stretch(np.ascontiguousarray(error), mask, pull).transpose(1, 2, 0)
    return np.where(mask[..., None], image, np.clip(offset + correction, 0.0, 1.0)).astype(np.float32)


def base_picture(shape: tuple[int, int], colours: Array | None, sketch: Array | None) -> tuple[Array | None, float]:
    """The smooth picture to start from, and how far key pixels may correct it.

    That is the sketch, else the prompt's cell ``colours`` [rows, columns, 3], else None.
    """
    if sketch is not None:
        same = sketch.shape[:2] == shape
        return (sketch if same else resize(sketch, shape)).astype(np.float32), SKETCH_REACH
    return (None if colours is None else cells(colours, shape)), PROMPT_REACH


def resize(picture: Array, shape: tuple[int, int], method: Image.Resampling = Image.Resampling.BILINEAR) -> Array:
    """``picture`` [h, w] or [h, w, 3] float, resampled to ``shape``."""
    size = (shape[1], shape[0])
    stack = picture[..., None] if picture.ndim == 2 else picture
    planes = [np.ascontiguousarray(stack[..., p], np.float32) for p in range(stack.shape[-1])]
    out = np.stack([np.asarray(Image.fromarray(p).resize(size, method)) for p in planes], axis=-1)
    return out[..., 0] if picture.ndim == 2 else out


def _tent(length: int, count: int) -> Array:
    """Weights [length, count] of linear interpolation between cell centres, constant beyond the outer ones."""
    position = np.clip((np.arange(length) + 0.5) * count / length - 0.5, 0, count - 1)
    return np.maximum(0.0, 1.0 - np.abs(position[:, None] - np.arange(count)[None, :]))


def _stretch(known: Array, mask: Array, pull: float) -> Array:
    """Relaxed membrane through ``known`` [planes, height, width] where ``mask``; nested iteration over grids."""
    height, width = mask.shape
    if max(height, width) <= 2:
        weights = mask.sum()
        level = known.sum(axis=(1, 2), keepdims=True) / max(weights, 1)
        return np.where(mask, known, level / (1.0 + pull)).astype(np.float32)
    coarse, coarse_mask = _halve(known, mask)
    guess = _double(_stretch(coarse, coarse_mask, 4.0 * pull), (height, width))
    field = np.where(mask, known, guess)
    rest = ~mask
    for _ in range(min(max(_WORK // (height * width), 4), 80)):
        _relax(field, rest, pull)
    return field


def _halve(known: Array, mask: Array) -> tuple[Array, Array]:
    """Means of the known pixels in 2 x 2 squares; a square is known if any of its pixels is."""
    height, width = mask.shape
    pad = ((0, height % 2), (0, width % 2))
    counts = np.pad(mask, pad).astype(np.float32)
    sums = np.pad(known * mask, ((0, 0), *pad))
    counts = counts[0::2, 0::2] + counts[1::2, 0::2] + counts[0::2, 1::2] + counts[1::2, 1::2]
    sums = sums[:, 0::2, 0::2] + sums[:, 1::2, 0::2] + sums[:, 0::2, 1::2] + sums[:, 1::2, 1::2]
    return sums / np.maximum(counts, 1.0), counts > 0


def _double(field: Array, shape: tuple[int, int]) -> Array:
    """Bilinear upsampling of [planes, h, w] to [planes, *shape] by a factor of two."""
    for axis, length in ((1, shape[0]), (2, shape[1])):
        field = np.swapaxes(field, axis, 2)
        before = np.concatenate([field[..., :1], field[..., :-1]], axis=-1)
        after = np.concatenate([field[..., 1:], field[..., -1:]], axis=-1)
        both = np.stack([0.75 * field + 0.25 * before, 0.75 * field + 0.25 * after], axis=-1)
        field = np.swapaxes(both.reshape(*field.shape[:2], -1)[..., :length], axis, 2)
    return field


def _relax(field: Array, rest: Array, pull: float) -> None:
    """One damped Jacobi sweep in place: a rest pixel becomes the mean of its neighbours, pulled towards 0."""
    total = np.empty_like(field)
    total[:, 1:-1] = field[:, :-2] + field[:, 2:]
    total[:, 0] = field[:, 0] + field[:, min(1, field.shape[1] - 1)]
    total[:, -1] = field[:, max(field.shape[1] - 2, 0)] + field[:, -1]
    total[:, :, 1:] += field[:, :, :-1]
    total[:, :, 0] += field[:, :, 0]
    total[:, :, :-1] += field[:, :, 1:]
    total[:, :, -1] += field[:, :, -1]
    total *= np.float32(0.85 / (4.0 + pull))
    total += np.float32(0.15) * field
    np.copyto(field, total, where=rest)
