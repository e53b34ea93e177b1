"""Texture from words: seeded patterns with the strength and the direction that a prompt tells.

A photograph's detail is made of edges, not of Gaussian noise. The pattern is band-passed noise, stretched along the
main direction, hardened into patches with sharp borders (tanh) and made stronger here and weaker there (log-normal).
It is invention through and through: it has the statistics of the picture, and nothing else of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from semwave.models.fill import cells, resize

Array = NDArray[Any]

STRENGTH = 0.55  # of the told standard deviation: full strength looks dirty where edges are few
CONTRAST = 1.3  # exponent that sets rough parts further apart from smooth ones
MIDDLE = 0.067  # standard deviation that the exponent leaves alone
UNTOLD = 0.04  # standard deviation where no prompt came: a little texture looks better than none
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_SIDE = 512  # the pattern is made at this long side at most
_SCALES, _SWELL = (2 / 320, 4 / 320), 8 / 320  # of the patches, finest first, and of their strength; in long sides
_STRETCH, _HARDNESS, _UNEVEN = 2.0, 6.0, 0.8


def pattern(shape: tuple[int, int], edges: str | None, rng: np.random.Generator) -> Array:
    """Pattern [height, width] float32 of zero mean and unit standard deviation; ``edges`` is a word of the prompt."""
    if min(shape) < 4:
        return np.zeros(shape, np.float32)
    scale = min(1.0, _SIDE / max(shape))
    small = (max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale)))
    across = {"horizontal": (1 / _STRETCH, _STRETCH), "vertical": (_STRETCH, 1 / _STRETCH)}.get(edges or "", (1, 1))
    made = _unit(np.sum([_patches(small, s, across, rng) for s in _SCALES], axis=0))
    return made if small == shape else resize(made, shape)


def _patches(shape: tuple[int, int], scale: float, across: tuple[float, float], rng: np.random.Generator) -> Array:
    """Patches of one size with sharp borders, stretched by ``across``, stronger here and weaker there."""
    from scipy.ndimage import gaussian_filter

    fine = np.array(across) * max(scale * max(shape), 0.5 * scale / _SCALES[0])
    noise = rng.standard_normal(shape, np.float32)
    hard = np.tanh(_HARDNESS * _unit(gaussian_filter(noise, fine) - gaussian_filter(noise, 4 * fine)))
    swell = _unit(gaussian_filter(rng.standard_normal(shape, np.float32), max(_SWELL * max(shape), 1.0)))
    return _unit(hard * np.exp(_UNEVEN * np.clip(swell, -2.0, 1.2)))  # no single spot may stand out


def synthesise(
    shape: tuple[int, int], textures: Array | None, edges: str | None, seed: int, picture: Array | None = None
) -> Array:
    """Luma detail [height, width] float32 after the standard deviations ``textures`` [3, 3], or UNTOLD everywhere.

    ``picture`` float32 [height, width, 3], where given, is what it will be laid over: detail that is there already, as
    in a large sketch, takes the place of invented detail.
    """
    told = np.full((3, 3), UNTOLD, np.float32) if textures is None else textures
    wanted = cells(told[..., None].repeat(3, axis=2), shape)[..., 0]
    strength = STRENGTH * MIDDLE * (np.maximum(wanted, 1e-4) / MIDDLE) ** CONTRAST
    if picture is not None:
        strength = strength * missing(picture, wanted)
    return strength * pattern(shape, edges, np.random.default_rng(seed))


def missing(picture: Array, wanted: Array, long_side: int | None = None) -> Array:
    """Share of the detail ``wanted`` (standard deviation [height, width]) that ``picture`` has not: [height, width].

    Variances add up: sqrt(1 - (present / wanted)^2), with detail measured as prompts do, about its mean over a 64th of
    the ``long_side``.
    """
    from scipy.ndimage import gaussian_filter

    width = (long_side or max(wanted.shape)) / 64.0
    luma = picture @ _LUMA
    detail = luma - gaussian_filter(luma, width)
    present = gaussian_filter(detail**2, 2.0 * width)
    return np.sqrt(np.clip(1.0 - present / np.maximum(wanted, 1e-4) ** 2, 0.0, 1.0)).astype(np.float32)


def _unit(field: Array) -> Array:
    field = field - field.mean()
    return (field / max(float(field.std()), 1e-6)).astype(np.float32)
