"""AVIF, WebP, JPEG, JPEG 2000 through Pillow, without the headers that the receiver can write itself.

The receiver knows the picture's size, so each codec's headers are taken off before the air and put back after it.
Sizes are checked before a decoder sees the data. None of these streams is decodable from a prefix as used here:
the part of a stream that arrives is worth nothing without the rest.
"""

import io
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, features

from semwave.models import av1still, stillcodecs_more

Picture = NDArray[np.uint8]

CODECS = ("avif", "webp", "jpeg", "jpeg2000")
SLOWER = ("hevc", "jpegxl")  # for comparisons: through pillow-heif and imagecodecs
FORMATS = (
    "avif-bare",
    "avif-obus",
    "webp",
    "jpeg-bare",
    "jpeg-whole",
    "jpeg2000",
    "hevc",
    "jpegxl",
)  # index = number on the air
STEPS = {"avif": 63, "webp": 100, "jpeg": 94, "jpeg2000": 63, "hevc": 251, "jpegxl": 63}  # qualities run from 0 to this

_FEATURES = {"avif": "avif", "webp": "webp", "jpeg": "jpg", "jpeg2000": "jpg_2000"}
_WEBP_LIMIT = 16383


class StillError(ValueError):
    """A picture that cannot be coded, or bytes that are no picture of the expected size."""


def available() -> tuple[str, ...]:
    """The codecs that this build of Pillow has."""
    return tuple(codec for codec in CODECS if features.check(_FEATURES[codec]))


def encode(image: Picture, quality: int, codec: str, *, slow: bool = False) -> tuple[str, bytes]:
    """Code uint8 RGB [rows, columns, 3] at ``quality`` 0..STEPS[codec] -> (one of FORMATS, bytes without headers).

    AVIF's encoder aims at squared error, which is as quick as its default, 0.2 dB better and no worse in LPIPS, DISTS
    (photographs of 240 x 160 at 0.1 to 0.4 bits a pixel). With ``slow`` it takes some four times as long for another
    0.2 to 0.4 dB: for baselines, which should be as strong as they can be.

    Raises:
        StillError: the codec refuses the picture, or writes a stream of an unknown kind.
    """
    encoder = _encode_avif_slow if slow and codec == "avif" else _ENCODERS[codec]
    try:
        return encoder(Image.fromarray(np.ascontiguousarray(image)), quality)
    except (OSError, ValueError, RuntimeError, struct.error) as error:
        raise StillError(f"{codec} cannot code {image.shape[1]}x{image.shape[0]} pixels: {error}") from error


def decode(data: bytes, fmt: str, height: int, width: int) -> Picture:
    """Decode what `encode` made of a picture of this size -> uint8 RGB [height, width, 3].

    Raises:
        StillError: the bytes are no such picture.
    """
    try:
        if fmt in stillcodecs_more.DECODERS:
            return _sized(stillcodecs_more.DECODERS[fmt](data, height, width), fmt, height, width)
        picture = _read(_WRAPPERS[fmt](data, height, width), fmt, (width, height))
    except StillError:
        raise
    except Exception as error:  # decoders fail with a dozen types: OSError, SyntaxError, struct.error, ...
        raise StillError(f"not {fmt} of {width}x{height} pixels: {error}") from error
    return picture


def _sized(picture: Picture, fmt: str, height: int, width: int) -> Picture:
    if picture.shape != (height, width, 3):
        raise StillError(f"not {fmt} of {width}x{height} pixels but {list(picture.shape)}")
    return picture


def _read(file: bytes, fmt: str, size: tuple[int, int]) -> Picture:
    kind = {"avif": "AVIF", "webp": "WEBP", "jpeg": "JPEG", "jpeg2000": "JPEG2000"}[fmt.split("-")[0]]
    with Image.open(io.BytesIO(file), formats=[kind]) as opened:
        if opened.size != size:
            raise StillError(f"not {fmt} of {size[0]}x{size[1]} pixels but of {opened.size[0]}x{opened.size[1]}")
        return np.array(opened.convert("RGB"), np.uint8)


def _save(picture: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def _encode_avif(picture: Image.Image, quality: int) -> tuple[str, bytes]:
    pixels = picture.width * picture.height
    speed = 6 if pixels <= 1 << 20 else 8 if pixels <= 1 << 22 else 10  # slower is smaller: 6 saves a fifth of 8
    return _avif(picture, quality, speed)


def _encode_avif_slow(picture: Image.Image, quality: int) -> tuple[str, bytes]:
    speed = 4 if picture.width * picture.height <= 1 << 20 else 6  # 3 takes 1.7 times as long for 0.06 dB
    return _avif(picture, quality, speed)


def _avif(picture: Image.Image, quality: int, speed: int) -> tuple[str, bytes]:
    quality, tuned = round(quality * 100 / STEPS["avif"]), {"tune": "psnr"}
    file = _save(picture, "AVIF", quality=quality, speed=speed, max_threads=1, advanced=tuned)
    data, bare = av1still.strip(file)
    return ("avif-bare" if bare else "avif-obus"), data


def _encode_webp(picture: Image.Image, quality: int) -> tuple[str, bytes]:
    """A lossy WebP file is RIFF and VP8 headers, a 3-byte frame tag, a start code, the size, and the rest."""
    file = _save(picture, "WEBP", quality=quality, method=6)
    if max(picture.size) > _WEBP_LIMIT or file[12:16] != b"VP8 ":
        raise StillError("the file is not plain lossy WebP")
    length = struct.unpack_from("<I", file, 16)[0]
    frame = file[20 : 20 + length]
    return "webp", frame[:3] + frame[10:]


def _wrap_webp(data: bytes, height: int, width: int) -> bytes:
    if max(height, width) > _WEBP_LIMIT or len(data) < 4 or data[0] & 1:
        raise StillError("not a WebP key frame")
    frame = data[:3] + b"\x9d\x01\x2a" + struct.pack("<HH", width, height) + data[3:]
    padded = frame + bytes(len(frame) % 2)
    return b"RIFF" + struct.pack("<I", 12 + len(padded)) + b"WEBPVP8 " + struct.pack("<I", len(frame)) + padded


def _encode_jpeg(picture: Image.Image, quality: int) -> tuple[str, bytes]:
    """The shorter of: baseline without its headers, and progressive with its own Huffman tables."""
    plain = _save(picture, "JPEG", quality=quality + 1)
    head = _jpeg_head(picture.size, quality)
    bare = bytes([quality]) + plain[len(head) : -2]
    whole = _save(picture, "JPEG", quality=quality + 1, optimize=True, progressive=True)[20:-2]
    if plain.startswith(head) and len(bare) <= len(whole):
        return "jpeg-bare", bare
    return "jpeg-whole", whole


def _jpeg_head(size: tuple[int, int], quality: int) -> bytes:
    """All that stands before the coded data in a baseline file of this size and quality; standard tables."""
    blank = _save(Image.new("RGB", size), "JPEG", quality=quality + 1)
    scan = blank.index(b"\xff\xda")
    return blank[: scan + 2 + struct.unpack_from(">H", blank, scan + 2)[0]]


def _wrap_jpeg(data: bytes, height: int, width: int) -> bytes:
    if not data or data[0] > STEPS["jpeg"]:
        raise StillError("not a bare JPEG stream")
    return _jpeg_head((width, height), data[0]) + data[1:] + b"\xff\xd9"


def _wrap_jpeg_whole(data: bytes, height: int, width: int) -> bytes:
    return b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00" + data + b"\xff\xd9"


def _encode_jpeg2000(picture: Image.Image, quality: int) -> tuple[str, bytes]:
    """A raw codestream without its size marker and comment; the rate is the quality: 1:1000 to 1:2, by ratios."""
    rate = 1000.0 ** (1 - quality / STEPS["jpeg2000"]) * 2.0 ** (quality / STEPS["jpeg2000"])
    options = {"no_jp2": True, "irreversible": True, "mct": 1, "quality_mode": "rates"}
    file = _save(picture, "JPEG2000", quality_layers=[rate], **options)
    head = _jpeg2000_head(*picture.size)
    if not file.startswith(head):
        raise StillError("the file is not a plain JPEG 2000 codestream")
    rest = file[len(head) :]
    comment = rest.find(b"\xff\x64")
    tile = rest.index(b"\xff\x90")
    if 0 <= comment < tile:
        rest = rest[:comment] + rest[tile:]
    return "jpeg2000", rest[:-2]


def _jpeg2000_head(width: int, height: int) -> bytes:
    """SOC and SIZ: three components of 8 bits, no subsampling, one tile (ISO/IEC 15444-1, A.5.1)."""
    siz = struct.pack(">HHIIIIIIIIH", 47, 0, width, height, 0, 0, width, height, 0, 0, 3)
    return b"\xff\x4f\xff\x51" + siz + b"\x07\x01\x01" * 3


def _wrap_jpeg2000(data: bytes, height: int, width: int) -> bytes:
    if b"\xff\x51" in data[: max(0, data.find(b"\xff\x90"))]:
        raise StillError("a JPEG 2000 stream with a size of its own")
    return _jpeg2000_head(width, height) + data + b"\xff\xd9"


def _wrap_avif(data: bytes, height: int, width: int) -> bytes:
    return av1still.wrap(data, True, height, width)


def _wrap_avif_obus(data: bytes, height: int, width: int) -> bytes:
    return av1still.wrap(data, False, height, width)


_ENCODERS = {
    "avif": _encode_avif,
    "webp": _encode_webp,
    "jpeg": _encode_jpeg,
    "jpeg2000": _encode_jpeg2000,
    **stillcodecs_more.ENCODERS,
}
_WRAPPERS = {
    "avif-bare": _wrap_avif,
    "avif-obus": _wrap_avif_obus,
    "webp": _wrap_webp,
    "jpeg-bare": _wrap_jpeg,
    "jpeg-whole": _wrap_jpeg_whole,
    "jpeg2000": _wrap_jpeg2000,
}
