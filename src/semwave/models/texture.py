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

STRENGTH = 0.6  # of the told standard deviation: full strength looks dirty where edges are few
_SIDE = 512  # the pattern is made at this long side at most
_FINE, _COARSE, _SWELL = 2 / 320, 8 / 320, 8 / 320  # scales in long sides
_STRETCH, _HARDNESS, _UNEVEN = 2.0, 8.0, 0.8


def pattern(shape: tuple[int, int], edges: str | None, rng: np.random.Generator) -> Array:
    """Pattern [height, width] float32 of zero mean and unit standard deviation; ``edges`` is a word of the prompt."""
    from scipy.ndimage import gaussian_filter

    long = max(shape)
    if min(shape) < 4:
        return np.zeros(shape, np.float32)
    scale = min(1.0, _SIDE / long)
    small = (max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale)))
    across = {"horizontal": (1 / _STRETCH, _STRETCH), "vertical": (_STRETCH, 1 / _STRETCH)}.get(edges or "", (1, 1))
    fine, coarse = (np.array(across) * max(s * max(small), 0.5 * s / _FINE) for s in (_FINE, _COARSE))
    noise = rng.standard_normal(small, np.float32)
    patches = np.tanh(_HARDNESS * _unit(gaussian_filter(noise, fine) - gaussian_filter(noise, coarse)))
    swell = _unit(gaussian_filter(rng.standard_normal(small, np.float32), max(_SWELL * max(small), 1.0)))
    made = _unit(patches * np.exp(_UNEVEN * swell))
    return made if small == shape else resize(made, shape)


def synthesise(
    shape: tuple[int, int], textures: Array | None, edges: str | None, seed: int, already: Array | None = None
) -> Array:
    """Luma detail [height, width] float32 with the standard deviations ``textures`` [3, 3]; zeros without them.

    ``already`` [height, width]: detail that is there, which lessens what is added by its local strength.
    """
    if textures is None:
        return np.zeros(shape, np.float32)
    strength = np.float32(STRENGTH) * cells(textures[..., None].repeat(3, axis=2), shape)[..., 0]
    if already is not None:
        from scipy.ndimage import uniform_filter

        size = max(1, max(shape) // 12)
        mean, square = uniform_filter(already, size), uniform_filter(already**2, size)
        strength = np.sqrt(np.maximum(strength**2 - np.maximum(square - mean**2, 0.0), 0.0))
    return strength * pattern(shape, edges, np.random.default_rng(seed))


def _unit(field: Array) -> Array:
    field = field - field.mean()
    return (field / max(float(field.std()), 1e-6)).astype(np.float32)
