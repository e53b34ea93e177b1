"""The larger sketch: an AV1 still picture made smaller, at a scale told by its bytes, at the best quality that fits.

A conventional code is searched for the least error over all scales and qualities. Here the scale follows from the bytes
a pixel, and a handful of encodes finds the quality. With a ``key`` region the picture carries that as well: the
rest is blurred a little, so that more bytes go to the key region.
What is written is a code of :func:`semwave.models.keycodec.decode_whole`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from semwave.models import stillcodecs
from semwave.models.keycodec import SCALES, decode_whole

Picture = NDArray[np.uint8]
Array = NDArray[Any]

OVERHEAD_BYTES = 24  # of a picture with nothing in it
BYTES_PER_PIXEL, WITH_KEY = 0.021, 0.011
"""Of the picture made smaller, at least, without and with a key region: below, AV1's coarsest quality seldom fits."""
BLURS = (0.5, 1.0, 1.5, 2.5)  # standard deviations outside the key region, in pixels of the picture made smaller
BETTER = 0.90  # of the error that the key region has without a blur: reached by the least blur that does
_EDGE = 0.5  # of the border between key region and rest, alike
_TOP = stillcodecs.STEPS["avif"]
_FIRST, _SLOPE = 10, 0.045  # quality tried first; what a step of it adds to the logarithm of the length
_ENOUGH = 0.97  # of the bytes filled: the search ends
_ENCODES = 6  # at one scale


def encode_still(image: Picture, size_bytes: int, key: Array | None = None, slow: bool = False) -> bytes:
    """Code ``image`` uint8 [rows, columns, 3] in at most ``size_bytes``; b"" where nothing fits or AV1 is missing.

    With ``key`` bool [rows, columns] all else is blurred, just so much that the key region gains from it. ``slow``: by
    the encoder's slow search.
    """
    rows, columns = image.shape[:2]
    room = max(size_bytes - OVERHEAD_BYTES, 1) / (BYTES_PER_PIXEL if key is None else WITH_KEY)
    first = next((n for n, s in enumerate(SCALES) if s * s * rows * columns <= room), len(SCALES) - 1)
    found: list[tuple[int, bytes]] = []
    for number in range(first, len(SCALES)):
        code = _at(image, number, size_bytes, slow)
        found += [(number, code)] if code else []
        if len(found) == (1 if key is None else 2):
            break
    if key is None or not found:
        return found[0][1] if found else b""
    return _with_key(image, key, size_bytes, found, slow)


def _with_key(image: Picture, key: Array, size_bytes: int, found: list[tuple[int, bytes]], slow: bool) -> bytes:
    """The code with the least blur that shows the key region better than those ``found`` without, at their scales."""
    error = _error(image, key)
    sharp = least = min(error(code) for _, code in found)
    best = next(code for _, code in found if error(code) == least)
    for blur in BLURS:
        for number, _ in found:
            soft = blurred(image, key, blur / SCALES[number], _EDGE / SCALES[number])
            code = _at(soft, number, size_bytes, slow)
            if code and error(code) < least:
                best, least = code, error(code)
        if least <= BETTER * sharp:
            break
    return best


def _at(image: Picture, number: int, size_bytes: int, slow: bool) -> bytes:
    """The best code that fits at one of the scales; b"" where none does."""
    height, width = (max(1, int(side * SCALES[number] + 0.5)) for side in image.shape[:2])
    small = np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.LANCZOS))
    try:
        return _fit(small, number, size_bytes, slow)
    except stillcodecs.StillError:
        return b""


def _error(image: Picture, key: Array) -> Callable[[bytes], float]:
    """Squared error in the key region of a code of ``image``."""
    target = image[key].astype(np.float32)
    return lambda code: float(np.square(decode_whole(code, image.shape)[key] - target).mean())


def blurred(image: Picture, key: Array, width: float, edge: float) -> Picture:
    """``image`` with all but the key region blurred; the border runs outside the key region."""
    from scipy.ndimage import gaussian_filter

    soft = gaussian_filter(image.astype(np.float32), (width, width, 0.0))
    share = np.maximum(gaussian_filter(key.astype(np.float32), edge), key)[..., None]
    return np.rint(np.clip(share * image + (1.0 - share) * soft, 0.0, 255.0)).astype(np.uint8)


def _fit(small: Picture, scale: int, size_bytes: int, slow: bool) -> bytes:
    """The highest quality whose code fits, by secants of the logarithm of the length; b"" where not even 0 does."""
    low, high, fits = -1, _TOP + 1, b""
    known: list[tuple[int, float]] = []
    quality = _FIRST
    for _ in range(_ENCODES):
        data = _encode(small, quality, scale, slow)
        known.append((quality, math.log(len(data))))
        if len(data) <= size_bytes:
            low, fits = quality, data
            if len(data) >= _ENOUGH * size_bytes:
                break
        else:
            high = quality
        if high - low <= 1:
            break
        quality = min(max(quality + _ahead(known, math.log(size_bytes)), low + 1), high - 1)
    if not fits and high > 0:  # the secants ended above: the last chance
        data = _encode(small, 0, scale, slow)
        fits = data if len(data) <= size_bytes else b""
    return fits


def _encode(small: Picture, quality: int, scale: int, slow: bool) -> bytes:
    fmt, body = stillcodecs.encode(small, quality, "avif", slow=slow)
    return bytes([stillcodecs.FORMATS.index(fmt) << 4 | scale]) + body


def _ahead(known: list[tuple[int, float]], wanted: float) -> int:
    """Steps from the last quality to where the line through the last two tries meets the wanted length."""
    slope = _SLOPE
    if len(known) > 1 and known[-1][0] != known[-2][0]:
        slope = max((known[-1][1] - known[-2][1]) / (known[-1][0] - known[-2][0]), 0.2 * _SLOPE)
    ahead = math.floor((wanted - known[-1][1]) / slope)
    return ahead if ahead else (1 if wanted > known[-1][1] else -1)
