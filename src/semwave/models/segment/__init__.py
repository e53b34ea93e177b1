"""Which part of a picture matters: an importance map per pixel, and the key mask on a grid of blocks.

Backends: ``lite`` (a decoder on EfficientNet-Lite0, see ``weights/segmenter-lite/README.md``), ``tiny`` (a network of
its own, smaller and faster), ``spectral`` (the spectral residual of Hou and Zhang, CVPR 2007: nothing trained) and
``centre`` (a Gaussian in the middle: looks at nothing).
"""

from semwave.models.segment.backends import BACKENDS, Segmenter, load_segmenter
from semwave.models.segment.references import centre_prior, spectral_residual
from semwave.models.segment.regions import Importance, Mask, Picture, expand, key_mask

__all__ = [
    "BACKENDS",
    "Importance",
    "Mask",
    "Picture",
    "Segmenter",
    "centre_prior",
    "expand",
    "key_mask",
    "load_segmenter",
    "spectral_residual",
]
