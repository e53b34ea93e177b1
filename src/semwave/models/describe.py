"""Measuring a prompt from pixels: colours, light, texture and layout of the rest of a picture (no network)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from semwave.models import prompt_grammar as grammar

Array = NDArray[Any]

# RGB of grammar.COLOURS, hue by hue from deep to pale: means of the training photographs' cells in CIELAB.
PALETTE = np.array((
    (21, 20, 19), (75, 74, 72), (120, 118, 117), (166, 166, 165), (226, 227, 227),
    (43, 38, 32), (85, 76, 63), (128, 117, 98), (172, 160, 144), (213, 208, 199),
    (37, 39, 44), (73, 81, 93), (108, 123, 141), (152, 167, 182), (203, 211, 219),
    (55, 40, 27), (104, 75, 51), (145, 111, 76), (181, 155, 116), (224, 208, 185),
    (78, 36, 29), (138, 61, 52), (186, 68, 57), (220, 122, 112), (255, 209, 199),
    (71, 36, 17), (132, 72, 33), (186, 108, 36), (210, 146, 81), (250, 205, 156),
    (71, 64, 29), (129, 114, 52), (171, 140, 48), (200, 179, 85), (231, 214, 162),
    (42, 51, 32), (78, 91, 53), (107, 128, 67), (150, 164, 109), (193, 204, 173),
    (32, 45, 42), (66, 88, 80), (81, 130, 129), (114, 178, 187), (183, 215, 217),
    (23, 36, 54), (53, 78, 111), (81, 123, 171), (124, 168, 210), (182, 206, 231),
    (42, 34, 56), (67, 63, 106), (71, 81, 165), (169, 144, 193), (208, 201, 234),
    (55, 34, 35), (115, 74, 75), (161, 100, 106), (188, 138, 138), (229, 198, 210),
), np.int64)  # fmt: skip
TEXTURE_STD = (0.018, 0.043, 0.067, 0.092, 0.125)  # luma about its mean over a 64th of the picture, per word
_TEXTURE_STEPS = (0.030, 0.055, 0.080, 0.105)
_LIGHT_STEPS = (0.25, 0.40, 0.55)
_CONTRAST_STEPS = (0.10, 0.17, 0.24)
_WARMTH_STEPS = (0.0, 0.09)
_SIDE = 192  # the picture is measured at this long side, so that words do not depend on its size
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def describe(
    image: Array, mask: Array | None = None, caption: str = "", objects: Sequence[tuple[str, str]] = ()
) -> grammar.Prompt:
    """Prompt of what lies outside ``mask`` (bool [height, width], True is key) in ``image`` uint8 [height, width, 3].

    The caption and the objects (names and places), if any, are passed on with separators removed. All attributes are
    deterministic measurements.
    """
    small, rest = _shrink(image, mask)
    caption = " ".join(caption.replace(";", ",").split())[: grammar.MAX_CAPTION]
    things = tuple(grammar.Thing(name, place) for name, place in objects)[: grammar.MAX_OBJECTS]
    if not rest.any():
        return grammar.Prompt(objects=things, caption=caption)
    luma = small @ _LUMA
    detail = luma - _blurred(luma, rest)
    sky, green = _sky(small, rest, detail), _vegetation(small, rest)
    colour = small[rest].mean(axis=0)
    rows = _rows(small, rest, detail)
    return grammar.Prompt(
        scene="outdoor" if sky + green >= 30 else None,
        light=(
            grammar.LIGHTS[int(np.searchsorted(_LIGHT_STEPS, luma[rest].mean()))],
            grammar.WARMTHS[int(np.searchsorted(_WARMTH_STEPS, colour[0] - colour[2]))],
        ),
        contrast=grammar.CONTRASTS[int(np.searchsorted(_CONTRAST_STEPS, luma[rest].std()))],
        top=rows[0],
        middle=rows[1],
        bottom=rows[2],
        edges=_edges(luma, rest),
        sky=sky or None,
        vegetation=green or None,
        colours=_main_colours(small[rest]),
        objects=things,
        caption=caption,
    )


def cell_colours(prompt: grammar.Prompt) -> Array | None:
    """Cell colours [3, 3, 3] float32 in [0, 1] that a prompt gives, holes filled by its other cells; or None.

    Without cells the main colours' mean stands for all nine.
    """
    grid = np.full((3, 3, 3), np.nan, np.float32)
    for row, name in enumerate(grammar.ROWS):
        for column, cell in enumerate(getattr(prompt, name) or ()):
            if cell is not None:
                grid[row, column] = PALETTE[grammar.COLOURS.index(cell.colour)] / 255.0
    if np.isnan(grid).all():
        if not prompt.colours:
            return None
        shares = np.array([max(share, 1) for _, share in prompt.colours], np.float32)
        rgb = np.array([[int(digit, 16) / 15 for digit in colour[1:]] for colour, _ in prompt.colours], np.float32)
        mean: Array = np.broadcast_to(shares @ rgb / shares.sum(), (3, 3, 3)).astype(np.float32)
        return mean
    return _fill_holes(grid)


def cell_textures(prompt: grammar.Prompt) -> Array | None:
    """Standard deviation of luma detail [3, 3] float32 that a prompt's texture words stand for; or None."""
    grid = np.full((3, 3, 1), np.nan, np.float32)
    for row, name in enumerate(grammar.ROWS):
        for column, cell in enumerate(getattr(prompt, name) or ()):
            if cell is not None:
                grid[row, column] = TEXTURE_STD[grammar.TEXTURES.index(cell.texture)]
    return None if np.isnan(grid).all() else _fill_holes(grid)[..., 0]


def _fill_holes(grid: Array) -> Array:
    """NaN cells become the mean of the others, nearer ones counting more."""
    known = ~np.isnan(grid[..., 0])
    rows, columns = np.nonzero(known)
    out = grid.copy()
    for row, column in zip(*np.nonzero(~known), strict=True):
        nearness = 1.0 / ((rows - row) ** 2 + (columns - column) ** 2) ** 2
        out[row, column] = nearness @ grid[rows, columns] / nearness.sum()
    return out


def _shrink(image: Array, mask: Array | None) -> tuple[Array, Array]:
    """RGB in [0, 1] and rest mask, at most _SIDE on the long side."""
    height, width = image.shape[:2]
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError(f"image must be uint8 [height, width, 3], not {image.dtype} {image.shape}")
    if mask is not None and mask.shape != (height, width):
        raise ValueError(f"mask must be {height} x {width} like the image, not {mask.shape}")
    scale = min(1.0, _SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BOX), np.float32) / 255.0
    key = np.zeros((height, width), np.uint8) if mask is None else np.asarray(mask, np.uint8) * 255
    share = np.asarray(Image.fromarray(key).resize(size, Image.Resampling.BOX))
    return small, share < 128


def _blurred(luma: Array, rest: Array) -> Array:
    """Gaussian mean over the rest, a 64th of the long side wide."""
    from scipy.ndimage import gaussian_filter

    sigma, weight = max(luma.shape) / 64.0, rest.astype(np.float32)
    out: Array = gaussian_filter(luma * weight, sigma) / np.maximum(gaussian_filter(weight, sigma), 1e-3)
    return out


def _percent(share: float) -> int:
    return min(100, max(0, 10 * round(10 * share)))


def _sky(small: Array, rest: Array, detail: Array) -> int:
    """Bright, smooth, bluish or colourless pixels of the upper two thirds, in percent of the rest."""
    upper = np.zeros(rest.shape, bool)
    upper[: max(1, 2 * rest.shape[0] // 3)] = True
    red, green, blue = np.moveaxis(small, -1, 0)
    bluish = (blue >= green - 0.02) & (green >= red - 0.03) & (blue > 0.45)
    return _percent(float((upper & rest & bluish & (np.abs(detail) < 0.03)).sum() / rest.sum()))


def _vegetation(small: Array, rest: Array) -> int:
    """Pixels with more green than red and blue, in percent of the rest."""
    red, green, blue = np.moveaxis(small, -1, 0)
    leafy = (green > red + 0.01) & (green > 1.12 * blue) & (green > 0.12)
    return _percent(float((leafy & rest).sum() / rest.sum()))


def _rows(small: Array, rest: Array, detail: Array) -> list[grammar.Row | None]:
    height, width = rest.shape
    rows = []
    for row in range(3):
        cells = []
        for column in range(3):
            part = (_third(row, height), _third(column, width))
            inside = rest[part]
            cells.append(_cell(small[part][inside], detail[part][inside]) if inside.mean() > 0.05 else None)
        first, second, third = cells
        rows.append((first, second, third) if any(cells) else None)
    return rows


def _third(index: int, length: int) -> slice:
    """Pixels of a third; never empty, so that a picture of one pixel has nine equal cells."""
    start = min(index * length // 3, length - 1)
    return slice(start, max((index + 1) * length // 3, start + 1))


def _cell(pixels: Array, detail: Array) -> grammar.Cell:
    apart = ((pixels.mean(axis=0) * 255.0 - PALETTE) ** 2 * (0.30, 0.45, 0.25)).sum(axis=1)
    texture = int(np.searchsorted(_TEXTURE_STEPS, np.sqrt(np.mean(detail**2))))
    return grammar.Cell(grammar.COLOURS[int(apart.argmin())], grammar.TEXTURES[texture])


def _edges(luma: Array, rest: Array) -> str:
    """Main direction of edges from the structure tensor over the rest: lines run across the gradient."""
    if min(luma.shape) < 3:
        return "none"
    down, across = np.gradient(luma)
    inner = rest & np.roll(rest, 1, 0) & np.roll(rest, -1, 0) & np.roll(rest, 1, 1) & np.roll(rest, -1, 1)
    if not inner.any():
        return "none"
    down, across = down[inner], across[inner]
    energy = np.mean(down**2 + across**2)
    if energy < 4e-4:
        return "none"
    along, diagonal = np.mean(down**2 - across**2) / energy, np.mean(2 * down * across) / energy
    if max(abs(along), abs(diagonal)) < 0.15:
        return "mixed"
    if abs(diagonal) > abs(along):
        return "diagonal"
    return "horizontal" if along > 0 else "vertical"


def _main_colours(pixels: Array) -> tuple[tuple[str, int], ...]:
    """Up to two main colours by 2-means from the darkest and brightest quarter, in steps of 1/15 and 10 %."""
    pixels = pixels[:: max(1, len(pixels) // 4096)]
    luma = pixels @ _LUMA
    low, high = np.quantile(luma, (0.25, 0.75))
    centres = np.stack([pixels[luma <= low].mean(axis=0), pixels[luma >= high].mean(axis=0)])
    for _ in range(8):
        nearest = ((pixels[:, None] - centres) ** 2).sum(axis=-1).argmin(axis=1)
        centres = np.stack([pixels[nearest == k].mean(axis=0) if (nearest == k).any() else centres[k] for k in (0, 1)])
    shares: dict[str, float] = {}
    for k in (0, 1):
        colour = "#" + "".join("0123456789abcdef"[int(v)] for v in np.rint(centres[k] * 15.0))
        shares[colour] = shares.get(colour, 0.0) + float((nearest == k).mean())
    ranked = sorted(shares.items(), key=lambda item: -item[1])
    return tuple((colour, _percent(share)) for colour, share in ranked if _percent(share))
