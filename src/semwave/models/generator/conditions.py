"""What the generator is told of a picture besides its subbands: maps of the mask, the prompt's attributes and place."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semwave.models.fill import cells
from semwave.models.prompt_grammar import CONTRASTS, LIGHTS, WARMTHS, Prompt

Array = NDArray[Any]

HINTS = 14
TOKENS = 24  # of the caption; the rest is cut
WORDS = 384  # width of MiniLM's token vectors
_LEAST = 0.0002  # bytes a pixel of a still picture that tell no more than cosines do
_MIDDLE = 0.067  # standard deviation of luma detail about which the texture map is an octave scale


def hints(shape: tuple[int, int], prompt: Prompt, textures: Array | None, sketch: float, key_error: float) -> Array:
    """Maps [14, rows, columns] float32 on a grid of ``shape`` that covers the whole picture.

    Texture in octaves; edges across, along, slanted; light, warmth, contrast; sky, vegetation; whether attributes
    came; ``sketch``, how much of one came (`sketch_level`); expected error of the key pixels in tenths of full scale;
    row, column in -1 ... 1.
    """
    out = np.zeros((HINTS, *shape), np.float32)
    if textures is not None:
        octaves = np.log2(np.maximum(textures, 1e-3) / _MIDDLE).astype(np.float32)
        out[0] = cells(np.repeat(octaves[..., None], 3, axis=2), shape)[..., 0]
        out[9] = 1.0
    out[1:4] = np.reshape([prompt.edges == word for word in ("horizontal", "vertical", "diagonal")], (3, 1, 1))
    if prompt.light is not None:
        out[4] = LIGHTS.index(prompt.light[0]) / 1.5 - 1.0
        out[5] = float(WARMTHS.index(prompt.light[1]) - 1)
    if prompt.contrast is not None:
        out[6] = CONTRASTS.index(prompt.contrast) / 1.5 - 1.0
    out[7], out[8] = (prompt.sky or 0) / 50.0, (prompt.vegetation or 0) / 50.0
    out[10] = sketch
    out[11] = 10.0 * key_error
    out[12] = np.linspace(-1.0, 1.0, shape[0], dtype=np.float32)[:, None]
    out[13] = np.linspace(-1.0, 1.0, shape[1], dtype=np.float32)[None, :]
    return out


def sketch_level(sketch: bool, still_bytes: int, pixels: int) -> float:
    """How much of a sketch came: 0 none, 1 cosines, from there on half an octave of a still picture's bytes a pixel."""
    if still_bytes <= 0:
        return float(sketch)
    return 1.0 + 0.5 * max(0.0, math.log2(still_bytes / (_LEAST * pixels)))


def told(prompt: Prompt) -> str:
    """What a prompt says in words: its caption, else its objects."""
    return replace(prompt, scene=None).sentence()


def caption_tokens(caption: str) -> Array:
    """MiniLM's vectors of the caption's tokens, [24, 384] float32, zeros after its end: no words, no influence."""
    if not caption.strip():
        return np.zeros((TOKENS, WORDS), np.float32)
    from semwave.models.text.embed import embed_tokens

    tokens: Array = embed_tokens(caption, TOKENS)[0][0]
    return tokens


def inputs(state: Any, composite: Any, known: Any, maps: Any, scales: Any) -> Any:
    """Channels of the network [batch, 66, h, w].

    ``state`` [batch, 24, h, w] in units of ``scales``; ``composite`` subbands alike, not scaled; ``known``
    [batch, 1, 4 h, 4 w] key mask as float; ``maps`` [batch, 14, h, w].
    """
    import torch
    from torch.nn.functional import avg_pool2d, pixel_unshuffle

    seen = (composite / scales).clamp(-6.0, 6.0) * 0.5
    return torch.cat([state, seen, pixel_unshuffle(avg_pool2d(known, 2), 2), maps], dim=1)


def velocity(seen: Any, source: Any, noise: Any) -> Any:
    """The flow's velocity [batch, 24, h, w] from the network's output [batch, 72, h, w].

    v = a + g source + n noise, with maps a, g, n in turn: how much to add, how much of the textured ``source`` to take
    away, how much white ``noise`` to put in, per subband and place. A product is what texture needs, and what a sum of
    convolutions learns only slowly.
    """
    added, gain, fresh = seen.chunk(3, dim=1)
    return added + gain * source + fresh * noise
