"""Pictures from files: every common format becomes uint8 RGB, every bad file becomes one clear message.

Sizes are read from the file's header and checked before memory is taken for the pixels. Transparent pictures
are composited on white. EXIF rotation is applied. Colour profiles are not: the numbers are taken as sRGB.
"""

import contextlib
import re
import stat
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

MAX_PIXELS = 64_000_000
MAX_FILE_BYTES = 256_000_000
FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "GIF", "TIFF", "BMP", "PPM")
SUFFIXES = frozenset(
    [
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".avif", ".gif"),
        *(".tif", ".tiff", ".bmp", ".dib", ".ppm", ".pgm", ".pbm", ".pnm"),
    ]
)

_ORIENTATION = 0x0112  # the EXIF tag
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class PictureError(ValueError):
    """A file or folder that gives no picture; the message names it and says why."""


class PictureList(NamedTuple):
    """What a folder holds: the pictures in natural order, and all else (other files, sub-folders)."""

    pictures: list[Path]
    skipped: list[Path]


def load_picture(path: str | Path, max_pixels: int = MAX_PIXELS) -> NDArray[np.uint8]:
    """Read a picture file (the first frame of an animation) -> uint8 RGB [rows, columns, 3].

    Transparency is composited on white, 16 bits a sample are rounded to 8, EXIF rotation is applied.

    Raises:
        PictureError: missing, empty, no picture, truncated, unreadable, or more than ``max_pixels`` pixels.
    """
    path = Path(path)
    with _named(path, max_pixels), _no_size_warning(), Image.open(path, formats=FORMATS) as opened:
        _check_size(path, opened, max_pixels)
        opened.load()
        return _to_rgb(path, _upright(opened))


def check_picture(path: str | Path, max_pixels: int = MAX_PIXELS) -> None:
    """Read the header alone, which takes well under a millisecond; what `load_picture` refuses by it is refused.

    Raises:
        PictureError: no such file, no picture in a known format, too large.
    """
    path = Path(path)
    with _named(path, max_pixels), _no_size_warning(), Image.open(path, formats=FORMATS) as opened:
        _check_size(path, opened, max_pixels)


@contextlib.contextmanager
def _named(path: Path, max_pixels: int) -> Iterator[None]:
    """What decoders fail with, as PictureErrors that name the file."""
    _check_file(path)
    try:
        yield
    except PictureError:
        raise
    except UnidentifiedImageError:
        raise PictureError(f"{path} is not a picture in a known format ({', '.join(FORMATS)})") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PictureError(f"{path} is too large: more than max_pixels = {max_pixels} pixels") from None
    except PermissionError as error:
        raise PictureError(f"{path} cannot be read: {error.strerror}") from error
    except Exception as error:  # decoders fail with a dozen types: OSError, SyntaxError, struct.error, ...
        raise PictureError(f"{path} is truncated or damaged: {error}") from error


def list_pictures(path: str | Path) -> PictureList:
    """List the pictures of a folder (not of its sub-folders) in natural order, ``2.png`` before ``10.png``.

    Files are told apart by suffix. A path to a file gives just that file, whatever its suffix.

    Raises:
        PictureError: no such path, a folder that cannot be read, or one without pictures.
    """
    path = Path(path)
    try:
        if not path.is_dir():
            if not path.exists():
                raise PictureError(f"{path} does not exist")
            return PictureList([path], [])
        entries = sorted(path.iterdir(), key=_natural)
        is_picture = [_looks_like_picture(entry) for entry in entries]
    except OSError as error:
        raise PictureError(f"folder {path} cannot be read: {error.strerror}") from error
    pictures = [entry for entry, good in zip(entries, is_picture, strict=True) if good]
    skipped = [entry for entry, good in zip(entries, is_picture, strict=True) if not good]
    if not pictures:
        raise PictureError(f"folder {path} holds no pictures ({len(skipped)} other entries)")
    return PictureList(pictures, skipped)


def save_png(path: str | Path, image: NDArray[Any]) -> None:
    """Write uint8 [rows, columns, 3] (RGB) or [rows, columns] (grey) as PNG.

    Raises:
        PictureError: another shape or type, or the file cannot be written.
    """
    if image.dtype != np.uint8 or 0 in image.shape or not _is_picture_shape(image.shape):
        found = f"{image.dtype} {list(image.shape)}"
        raise PictureError(f"image must be uint8 [rows, columns, 3] or [rows, columns], not {found}")
    try:
        Image.fromarray(np.ascontiguousarray(image)).save(path, format="PNG")
    except OSError as error:
        raise PictureError(f"{path} cannot be written: {error.strerror or error}") from error


@contextlib.contextmanager
def _no_size_warning() -> Iterator[None]:
    """Sizes are judged here, so Pillow need not warn of large ones as well."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        yield


def _check_file(path: Path) -> None:
    try:
        status = path.stat()
    except FileNotFoundError:
        raise PictureError(f"{path} does not exist") from None
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        raise PictureError(f"{path} cannot be read: {error}") from error
    if stat.S_ISDIR(status.st_mode):
        raise PictureError(f"{path} is a folder, not a picture")
    if not stat.S_ISREG(status.st_mode):  # a pipe would block for ever
        raise PictureError(f"{path} is not a regular file")
    if status.st_size == 0:
        raise PictureError(f"{path} is empty (0 bytes)")
    if status.st_size > MAX_FILE_BYTES:
        raise PictureError(f"{path} is too large: {status.st_size} bytes, at most {MAX_FILE_BYTES} are read")


def _check_size(path: Path, opened: Image.Image, max_pixels: int) -> None:
    columns, rows = opened.size
    if columns < 1 or rows < 1:
        raise PictureError(f"{path} has no pixels ({columns}x{rows})")
    if columns * rows > max_pixels:
        raise PictureError(f"{path} is too large: {columns}x{rows} is more than max_pixels = {max_pixels} pixels")


def _upright(picture: Image.Image) -> Image.Image:
    """Apply the EXIF rotation; unreadable EXIF beside good pixels counts as none."""
    try:
        turn = _TURNS.get(picture.getexif().get(_ORIENTATION, 1))
    except Exception:
        turn = None
    return picture if turn is None else picture.transpose(turn)


def _to_rgb(path: Path, picture: Image.Image) -> NDArray[np.uint8]:
    mode = picture.mode
    if mode.startswith("I"):  # I;16, I;16B, I: Pillow would clip these to 8 bits, not scale them
        return _grey16_to_rgb(path, np.asarray(picture))
    if mode == "F":
        raise PictureError(f"{path} holds floating-point pixels, whose range is not defined")
    if picture.has_transparency_data:
        layer = picture.convert("RGBA")
        paper = Image.new("RGBA", layer.size, (255, 255, 255, 255))
        picture = Image.alpha_composite(paper, layer)
    return np.array(picture.convert("RGB"), dtype=np.uint8)


def _grey16_to_rgb(path: Path, grey: NDArray[Any]) -> NDArray[np.uint8]:
    low, high = int(grey.min()), int(grey.max())
    if low < 0 or high > 65535:
        raise PictureError(f"{path} holds 32-bit pixels from {low} to {high}; at most 16 bits are read")
    eight = ((grey.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
    return np.repeat(eight[:, :, None], 3, axis=2)


def _natural(path: Path) -> tuple[list[tuple[int, int, str]], str]:
    """Sort key: runs of digits by value, the rest by text without case; the name itself breaks ties."""
    parts = re.findall(r"[0-9]+|[^0-9]+", path.name)
    return [(0, int(p), "") if p.isdecimal() else (1, 0, p.casefold()) for p in parts], path.name


def _looks_like_picture(entry: Path) -> bool:
    return entry.suffix.lower() in SUFFIXES and entry.is_file()


def _is_picture_shape(shape: tuple[int, ...]) -> bool:
    return len(shape) == 2 or (len(shape) == 3 and shape[2] == 3)
