"""What a reconstructed pixel rests on, and how far to trust it.

Confidence is a logistic regression on what the receiver knows; its weights were fitted on training pictures
(``training/decoder_trust.py``) to whether a pixel's root mean square error over RGB stays below 0.1 of full scale.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from semwave.models.fill import cells

Array = NDArray[Any]

RECEIVED, INFERRED, INVENTED = 0, 1, 2
NEAR = 0.02  # long sides from a key pixel within which interpolation counts as inference
DOUBT = 0.06  # a generator may change an inferred pixel by so much (RMS over RGB) before it counts as invented
FEATURES = ("one", "near", "nearer", "sketch", "base", "told", "texture", "sketched texture", "added")
# Weights of FEATURES per decoder.
WEIGHTS = {
    "classical": (-0.525, 0.186, 2.363, 0.923, 0.326, 0.06, -1.152, -0.285, 0.0),
    "texture": (-0.417, 0.173, 2.015, 0.823, 0.361, 0.078, -1.031, -0.251, -0.738),
    "tiny": (-0.484, 0.321, 1.906, 0.762, 0.226, 0.343, -0.942, -0.31, -0.809),
}


def judge(
    mask: Array, added: Array, textures: Array | None, sketch: bool, base: bool, name: str
) -> tuple[Array, Array]:
    """Provenance uint8 and confidence float32, both [height, width].

    ``mask`` bool [height, width]: received pixels; ``added`` [height, width, 3]: what the generator added to the
    fill; ``textures`` [3, 3] from the prompt; ``sketch``, ``base``: whether a sketch, any base picture came.
    """
    features = measure(mask, added, textures, sketch, base)
    distance, change = features[1], features[-1]
    inferred = (sketch | (distance > np.exp(-NEAR / 0.05))) & (change * 0.1 <= DOUBT)
    provenance = np.where(mask, RECEIVED, np.where(inferred, INFERRED, INVENTED)).astype(np.uint8)
    score = sum(np.float32(weight) * feature for weight, feature in zip(WEIGHTS[name], features, strict=True))
    confidence = np.where(mask, 1.0, 1.0 / (1.0 + np.exp(-np.asarray(score)))).astype(np.float32)
    return provenance, np.broadcast_to(confidence, mask.shape)


def measure(mask: Array, added: Array, textures: Array | None, sketch: bool, base: bool) -> list[Array]:
    """The FEATURES of every pixel: float32 scalars or [height, width]."""
    from scipy.ndimage import distance_transform_cdt

    far = np.full(mask.shape, np.float32(1.0))
    if mask.any():
        far = distance_transform_cdt(~mask, metric="chessboard").astype(np.float32) / max(mask.shape)
    level = np.zeros(mask.shape, np.float32)
    if textures is not None:
        octaves = np.log2(np.maximum(textures, 1e-3) / 0.067).astype(np.float32)
        level = cells(octaves[..., None].repeat(3, axis=2), mask.shape)[..., 0]
    one = np.float32(1.0)
    return [
        one, np.exp(-far / 0.05), np.exp(-far / 0.01), one * sketch, one * base, one * (textures is not None),
        level, level * sketch, np.sqrt(np.mean(added**2, axis=2)) / 0.1,
    ]  # fmt: skip
