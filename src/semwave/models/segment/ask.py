"""What the user says is key: ``auto``, a box, a point, a word, or masks in files.

| key | meaning |
|---|---|
| ``auto`` | whatever the model finds important |
| ``box:LEFT,TOP,RIGHT,BOTTOM`` | this rectangle |
| ``point:X,Y`` | the object at this point |
| ``word:dog`` | what the word names |
| ``mask:FILE`` | what is light in the file, which is as large as the picture |
| ``mask:FOLDER`` | the same, a file a picture: ``FOLDER/holiday.png`` for ``holiday.jpg`` |

Coordinates are shares of the width and the height, 0 to 1 from the top left; with ``px`` at the end, pixels.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from semwave.models.segment.regions import Importance

KINDS = {"auto": 0, "box": 4, "point": 2, "word": -1, "mask": -1}  # how many numbers follow
_ENDINGS = (".png", ".webp", ".bmp", ".tif", ".tiff", ".jpg", ".jpeg")


@dataclass(frozen=True)
class Key:
    """A parsed key: its kind, and the numbers or the text after the colon."""

    kind: str = "auto"
    numbers: tuple[float, ...] = ()
    pixels: bool = False
    text: str = ""


def parse_key(text: str) -> Key:
    """Read a key as the table above writes it.

    Raises:
        ValueError: no such kind, the wrong count of numbers, a box without area, nothing after the colon.
    """
    kind, _, rest = text.strip().partition(":")
    kind, rest = kind.strip(), rest.strip()
    if kind not in KINDS:
        raise ValueError(f"key must begin with {', '.join(KINDS)}, not {text!r}")
    if KINDS[kind] < 0:
        if not rest:
            raise ValueError(f"key needs something after {kind}:")
        return Key(kind, text=rest)
    pixels = rest.endswith("px")
    try:
        numbers = tuple(float(part) for part in rest.removesuffix("px").split(",")) if rest else ()
    except ValueError:
        numbers = (np.nan,)
    if len(numbers) != KINDS[kind] or not np.isfinite(numbers).all():
        raise ValueError(f"key {kind}: takes {KINDS[kind]} numbers, as in {_example(kind)!r}, not {text!r}")
    if not pixels and any(not 0 <= n <= 1 for n in numbers):
        raise ValueError(f"key {text!r}: shares of the picture are 0 to 1; for pixels write px after the numbers")
    if kind == "box" and (numbers[2] <= numbers[0] or numbers[3] <= numbers[1]):
        raise ValueError(f"key {text!r}: a box is LEFT,TOP,RIGHT,BOTTOM with LEFT below RIGHT and TOP below BOTTOM")
    return Key(kind, numbers, pixels)


def box_of(key: Key, shape: tuple[int, int], name: str = "") -> tuple[int, int, int, int]:
    """A box key in a picture of ``shape`` = rows, columns: left, top, right, bottom in pixels, cut at the rim.

    Raises:
        ValueError: the box lies outside the picture.
    """
    left, top, right, bottom = _in_pixels(key, shape)
    x0, y0 = max(0, int(np.floor(left))), max(0, int(np.floor(top)))
    x1, y1 = min(shape[1], int(np.ceil(right))), min(shape[0], int(np.ceil(bottom)))
    if x1 <= x0 or y1 <= y0:
        raise ValueError(f"the box {_shown(key)} lies outside {_picture(name, shape)}")
    return x0, y0, x1, y1


def moved(key: Key, down: float, right: float, shape: tuple[int, int]) -> Key:
    """A box or a point key shifted by shares of a picture of ``shape``, kept inside; other keys as they are."""
    if not key.numbers:
        return key
    sizes = (shape[1], shape[0]) if key.pixels else (1.0, 1.0)
    result = list(key.numbers)
    for axis, shift in enumerate((right * sizes[0], down * sizes[1])):
        own = result[axis::2]
        shift = min(max(shift, -min(own)), sizes[axis] - max(own)) if max(own) <= sizes[axis] else 0.0
        result[axis::2] = [number + shift for number in own]
    return replace(key, numbers=tuple(result))


def point_of(key: Key, shape: tuple[int, int], name: str = "") -> tuple[int, int]:
    """A point key in a picture of ``shape`` = rows, columns: its row and column.

    Raises:
        ValueError: the point lies outside the picture.
    """
    x, y = _in_pixels(key, shape)
    if not (0 <= x <= shape[1] and 0 <= y <= shape[0]):
        raise ValueError(f"the point {_shown(key)} lies outside {_picture(name, shape)}")
    return min(int(y), shape[0] - 1), min(int(x), shape[1] - 1)


def check_there(key: Key) -> None:
    """Raise FileNotFoundError where the file or folder of a mask key is not there, before the first picture asks."""
    if key.kind == "mask" and not Path(key.text).exists():
        raise FileNotFoundError(f"key mask:{key.text}: there is no such file or folder")


def mask_of(key: Key, shape: tuple[int, int], name: str = "") -> Importance:
    """The mask file of a picture -> float32 [rows, columns]: its grey levels, 0 to 1.

    Raises:
        FileNotFoundError: no file of that name, or none in the folder for this picture.
        ValueError: a file that is no picture, or of another size.
    """
    check_there(key)
    path = Path(key.text)
    if path.is_dir():
        stem = Path(name).stem
        tried = [path / f"{stem}{ending}" for ending in _ENDINGS]
        found = next((file for file in tried if stem and file.is_file()), None)
        if found is None:
            raise FileNotFoundError(f"no mask in {path} for {name or 'a picture without a name'}: expected {stem}.png")
        path = found
    try:
        with Image.open(path) as opened:
            grey: Importance = np.asarray(opened.convert("L"), np.float32) / np.float32(255)
    except (UnidentifiedImageError, OSError) as error:
        raise ValueError(f"{path} cannot be read as a mask: {error}") from error
    if grey.shape != shape:
        found_size, size = (f"{s[1]} x {s[0]}" for s in (grey.shape, shape))
        raise ValueError(f"the mask {path} is {found_size} pixels, {name or 'the picture'} is {size}")
    return grey


def _in_pixels(key: Key, shape: tuple[int, int]) -> list[float]:
    scales = (1.0, 1.0) if key.pixels else (shape[1], shape[0])
    return [number * scales[index % 2] for index, number in enumerate(key.numbers)]


def _example(kind: str) -> str:
    return {"auto": "auto", "box": "box:0.25,0.1,0.75,0.9", "point": "point:0.5,0.4"}[kind]


def _shown(key: Key) -> str:
    return ",".join(f"{n:g}" for n in key.numbers) + (" px" if key.pixels else "")


def _picture(name: str, shape: tuple[int, int]) -> str:
    return f"{name or 'the picture'}, which is {shape[1]} x {shape[0]} pixels"
