"""The digital code of the key region: a picture codec of today, fitted to a budget of bytes.

The region is cut to its bounding box, what is not key inside the box is continued smoothly so that it costs little,
and the quality is searched until the code fits. One byte in front says the codec and the scale; size and place
follow from the mask, which the receiver has. The codes are not progressive: a prefix of one decodes to nothing.
"""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from semwave.models import stillcodecs

Picture = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Planes = NDArray[Any]  # float32 on the way

SCALES = (1.0, 0.75, 0.5, 0.375, 0.25, 0.1875, 0.125, 0.09375, 0.0625, 0.03125, 0.015625)
MAX_PIXELS = 64_000_000

_CLOSE, _CLOSER = 0.985, 0.998  # a code that fills this much of the budget ends the search; when slow
_GOOD_QUALITY = 0.35  # above this share of the quality range a smaller scale is not tried


class KeyCodecError(ValueError):
    """A region that does not fit its budget, or bytes that are no code of it."""


class _Code(NamedTuple):
    data: bytes
    error: float  # mean squared error inside the mask
    quality: float  # share of the codec's quality range


def encode_key(image: Picture, mask: Mask, budget_bytes: int, codec: str = "avif") -> bytes:
    """Code the pixels under ``mask`` in at most ``budget_bytes`` bytes; what is outside does not travel.

    ``image`` uint8 [rows, columns, 3], ``mask`` bool [rows, columns], ``codec`` avif, webp, jpeg, jpeg2000 or best
    (of them, by squared error under the mask).

    Raises:
        KeyCodecError: nothing fits, or this Pillow has not the codec.
        ValueError: shapes that do not fit, an empty mask.
    """
    _check(image, mask)
    code = _best_code(image, mask, budget_bytes, _codecs(codec))
    if code is None:
        raise KeyCodecError(f"{codec} cannot code the key region in budget_bytes = {budget_bytes}")
    return code.data


def decode_key(data: bytes, mask: Mask, shape: tuple[int, ...]) -> tuple[Picture, Mask]:
    """The key region back in its place -> (uint8 [rows, columns, 3], zero outside; bool known [rows, columns]).

    ``mask`` is the one that the region was coded with, ``shape`` the picture's: (rows, columns) or more.

    Raises:
        KeyCodecError: the bytes are no code of this region.
        ValueError: shapes that do not fit, an empty mask.
    """
    _check_shape(shape)
    image = np.zeros((shape[0], shape[1], 3), np.uint8)
    _check(image, mask)
    box = _bounding_box(mask)
    rows, columns = image[box].shape[:2]
    if not data:
        raise KeyCodecError("the code of the key region is empty")
    fmt, scale = data[0] >> 4, data[0] & 15
    if fmt >= len(stillcodecs.FORMATS) or scale >= len(SCALES):
        raise KeyCodecError(f"the first byte 0x{data[0]:02x} names no codec and scale")
    height, width = _scaled(rows, columns, SCALES[scale])
    try:
        small = stillcodecs.decode(data[1:], stillcodecs.FORMATS[fmt], height, width)
    except stillcodecs.StillError as error:
        raise KeyCodecError(f"the code of the key region is damaged: {error}") from error
    image[box] = np.where(mask[box][:, :, None], _resize(small, rows, columns), 0)
    return image, mask.copy()


def encode_whole(image: Picture, budget_bytes: int, codec: str = "best") -> tuple[bytes, str] | None:
    """The conventional baseline: the whole picture in at most ``budget_bytes`` -> (bytes, codec used).

    ``best`` is the codec of the highest PSNR, ``all`` the same with HEVC and JPEG XL. AVIF's encoder searches
    long here (`stillcodecs.encode` with ``slow``) and the budget is filled to the last percent, so a picture takes
    seconds. It is made smaller where that is better, or where nothing fits otherwise; None where nothing fits at all.

    Raises:
        KeyCodecError: this Pillow has not the codec.
        ValueError: no picture uint8 [rows, columns, 3].
    """
    mask = np.ones(image.shape[:2], np.bool_)
    _check(image, mask)
    code = _best_code(image, mask, budget_bytes, _codecs(codec), slow=True)
    if code is None:
        return None
    return code.data, stillcodecs.FORMATS[code.data[0] >> 4].split("-")[0]


def decode_whole(data: bytes, shape: tuple[int, ...]) -> Picture:
    """The picture that `encode_whole` coded -> uint8 [rows, columns, 3].

    Raises:
        KeyCodecError: the bytes are no code of a picture of this shape.
        ValueError: no shape of a picture.
    """
    _check_shape(shape)
    return decode_key(data, np.ones(shape[:2], np.bool_), shape)[0]


def fill_smoothly(image: Picture, mask: Mask) -> Picture:
    """Continue the pixels under ``mask`` into the rest: averages of ever larger neighbourhoods, fine over coarse.

    uint8 [rows, columns, 3], bool [rows, columns] -> uint8; pixels under the mask stay as they are.
    """
    weight = mask.astype(np.float32)
    filled = _pull_push(image.astype(np.float32) * weight[:, :, None], weight)
    return np.where(mask[:, :, None], image, np.clip(np.rint(filled), 0, 255).astype(np.uint8))


def _pull_push(sums: Planes, weight: Planes) -> Planes:
    """Weighted colours -> colours everywhere; unknown places take those of the next coarser level."""
    known = sums / np.maximum(weight, 1e-6)[:, :, None]
    if weight.all() or weight.shape == (1, 1):
        return known
    rows, columns = weight.shape
    pad = ((0, rows % 2), (0, columns % 2))
    coarse_sums = _halve(np.pad(sums, (*pad, (0, 0))))
    coarse_weight = _halve(np.pad(weight, pad))
    total = np.maximum(coarse_weight, 1.0)  # full cells count once, however many pixels they hold
    coarse = _pull_push(coarse_sums / total[:, :, None], coarse_weight / total)
    planes = [Image.fromarray(np.ascontiguousarray(coarse[:, :, k])) for k in range(3)]
    size = (2 * coarse.shape[1], 2 * coarse.shape[0])
    around = np.stack([np.asarray(p.resize(size, Image.Resampling.BILINEAR)) for p in planes], axis=2)
    share = np.minimum(weight, 1.0)[:, :, None]
    blended: Planes = share * known + (1 - share) * around[:rows, :columns]
    return blended


def _halve(values: Planes) -> Planes:
    """Sums of 2 x 2."""
    rows: Planes = values[::2] + values[1::2]
    sums: Planes = rows[:, ::2] + rows[:, 1::2]
    return sums


def _best_code(image: Picture, mask: Mask, budget: int, codecs: tuple[str, ...], slow: bool = False) -> _Code | None:
    box = _bounding_box(mask)
    region, inside = image[box], mask[box]
    if not inside.all():
        region = fill_smoothly(region, inside)
    found = [code for codec in codecs for code in _codes(region, inside, budget, codec, slow)]
    return min(found, key=lambda code: code.error, default=None)


def _codes(region: Picture, inside: Mask, budget: int, codec: str, slow: bool) -> Iterator[_Code]:
    """The best code at the largest scale that fits and, where its quality is low, at smaller ones while better."""
    best = math.inf
    rows, columns = region.shape[:2]
    for number, scale in enumerate(SCALES):
        height, width = _scaled(rows, columns, scale)
        if number and (height, width) == _scaled(rows, columns, SCALES[number - 1]):
            continue
        small = _resize(region, height, width)
        code = _fit(small, region, inside, budget, codec, number, slow)
        if code is None:
            continue
        if code.error >= best:
            return
        best = code.error
        yield code
        if code.quality > _GOOD_QUALITY:
            return


def _fit(
    small: Picture, region: Picture, inside: Mask, budget: int, codec: str, scale: int, slow: bool
) -> _Code | None:
    """The highest quality whose code fits, by bisection on the logarithm of the length."""
    top = stillcodecs.STEPS[codec]

    def attempt(quality: int) -> bytes:
        fmt, body = stillcodecs.encode(small, quality, codec, slow=slow)
        return bytes([stillcodecs.FORMATS.index(fmt) << 4 | scale]) + body

    try:
        low, fits = 0, attempt(0)
        if len(fits) > budget:
            return None
        high, too_long = top + 1, max(4 * len(fits), inside.size)
        while high - low > 1 and len(fits) < (_CLOSER if slow else _CLOSE) * budget:
            share = math.log(budget / len(fits)) / math.log(max(too_long, budget + 1) / len(fits))
            middle = min(max(low + round(share * (high - low)), low + 1), high - 1)
            data = attempt(middle)
            if len(data) <= budget:
                low, fits = middle, data
            else:
                high, too_long = middle, len(data)
        decoded = stillcodecs.decode(fits[1:], stillcodecs.FORMATS[fits[0] >> 4], *small.shape[:2])
    except stillcodecs.StillError:
        return None
    back = _resize(decoded, *inside.shape)
    error = np.square(back[inside].astype(np.float32) - region[inside]).mean(dtype=np.float64)
    return _Code(fits, float(error), low / top)


def _codecs(codec: str) -> tuple[str, ...]:
    if codec == "best":
        return stillcodecs.available()
    if codec == "all":
        return (*stillcodecs.available(), *stillcodecs.SLOWER)
    known = (*stillcodecs.CODECS, *stillcodecs.SLOWER)
    if codec not in known:
        raise ValueError(f"codec must be best, all, {', '.join(known)}, not {codec!r}")
    if codec not in stillcodecs.SLOWER and codec not in stillcodecs.available():
        raise KeyCodecError(f"this Pillow was built without {codec}")
    return (codec,)


def _check(image: Picture, mask: Mask) -> None:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise ValueError(f"image must be uint8 [rows, columns, 3], not {image.dtype} {list(image.shape)}")
    if mask.dtype != np.bool_ or mask.shape != image.shape[:2]:
        wanted, found = list(image.shape[:2]), list(mask.shape)
        raise ValueError(f"mask must be bool {wanted}, not {mask.dtype} {found}")
    if not mask.any():
        raise ValueError("mask must hold at least one pixel")


def _check_shape(shape: tuple[int, ...]) -> None:
    """Before memory is taken."""
    if len(shape) < 2 or min(shape[:2]) < 1 or shape[0] * shape[1] > MAX_PIXELS:
        raise ValueError(f"shape must be rows and columns of 1 to {MAX_PIXELS} pixels, not {list(shape)}")


def _bounding_box(mask: Mask) -> tuple[slice, slice]:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _scaled(rows: int, columns: int, scale: float) -> tuple[int, int]:
    return max(1, int(rows * scale + 0.5)), max(1, int(columns * scale + 0.5))


def _resize(image: Picture, rows: int, columns: int) -> Picture:
    if image.shape[:2] == (rows, columns):
        return image
    return np.asarray(Image.fromarray(image).resize((columns, rows), Image.Resampling.LANCZOS))
