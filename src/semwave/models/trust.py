"""What a reconstructed pixel rests on, and how far to trust it.

Confidence is a logistic regression on what the receiver knows; its weights were fitted on training pictures
(``semwave.training.decoder_trust``) to whether a pixel's root mean square error over RGB stays below 0.1 of full scale.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semwave.models import texture
from semwave.models.fill import cells

if TYPE_CHECKING:
    from semwave.models.generate import Known

Array = NDArray[Any]

RECEIVED, INFERRED, INVENTED = 0, 1, 2
NEAR = 0.02  # long sides from a key pixel within which interpolation counts as inference
DOUBT = 0.06  # a generator may change an inferred pixel by so much (RMS over RGB) before it counts as invented
FEATURES = (
    "one", "near", "nearer", "sketch", "base", "told", "texture", "sketched texture", "added", "covered",
)  # fmt: skip
# Weights of FEATURES per decoder; "hub" is not fitted, it has those of "flow".
WEIGHTS = {
    "classical": (-0.685, -0.062, 1.191, 1.489, 0.367, 0.358, -1.156, -0.319, 0.0, -0.365),
    "texture": (-0.544, -0.177, 1.203, 1.337, 0.507, 0.451, -0.803, -0.466, -1.55, -0.599),
    "flow": (-0.271, -0.11, 1.147, 1.428, 0.321, 0.354, -0.95, -0.327, -1.625, -0.416),
    "hub": (-0.271, -0.11, 1.147, 1.428, 0.321, 0.354, -0.95, -0.327, -1.625, -0.416),
}


def judge(known: Known, added: Array, name: str) -> tuple[Array, Array]:
    """Provenance uint8 and confidence float32, both [height, width], of the decoder ``name``.

    ``added`` [height, width, 3]: what its generator added to the fill.
    """
    features = measure(known, added)
    distance, change = features[1], features[8]
    inferred = (known.sketch | (distance > np.exp(-NEAR / 0.05))) & (change * 0.1 <= DOUBT)
    provenance = np.where(known.mask, RECEIVED, np.where(inferred, INFERRED, INVENTED)).astype(np.uint8)
    score = sum(np.float32(weight) * feature for weight, feature in zip(WEIGHTS[name], features, strict=True))
    confidence = np.where(known.mask, 1.0, 1.0 / (1.0 + np.exp(-np.asarray(score)))).astype(np.float32)
    return provenance, np.broadcast_to(confidence, known.mask.shape)


def measure(known: Known, added: Array) -> list[Array]:
    """The FEATURES of every pixel: float32 scalars or [height, width]."""
    from scipy.ndimage import distance_transform_cdt

    mask, textures = known.mask, known.textures
    far = np.full(mask.shape, np.float32(1.0))
    if mask.any():
        far = distance_transform_cdt(~mask, metric="chessboard").astype(np.float32) / max(mask.shape)
    level = np.zeros(mask.shape, np.float32)
    if textures is not None:
        octaves = np.log2(np.maximum(textures, 1e-3) / texture.MIDDLE).astype(np.float32)
        level = cells(octaves[..., None].repeat(3, axis=2), mask.shape)[..., 0]
    one, sketch = np.float32(1.0), np.float32(known.sketch)
    covered = sketch * (1.0 - texture.missing(known.picture, texture.MIDDLE * np.exp2(level)) ** 2)
    return [
        one, np.exp(-far / 0.05), np.exp(-far / 0.01), one * sketch, one * (known.base is not None),
        one * (textures is not None), level, level * sketch, np.sqrt(np.mean(added**2, axis=2)) / 0.1, covered,
    ]  # fmt: skip
