"""Every format and every kind of bad file, made on the spot with Pillow or by hand."""

import os
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from semwave.models.pictures import PictureError, check_picture, list_pictures, load_picture, save_png


def ramp(rows: int = 24, columns: int = 36) -> np.ndarray:
    y, x = np.mgrid[0:rows, 0:columns]
    return np.stack([x * 7 % 256, y * 9 % 256, (x + y) * 4 % 256], axis=2).astype(np.uint8)


def png_header(columns: int, rows: int) -> bytes:
    """A PNG that claims a size and holds a few bytes of it."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    ihdr = struct.pack(">IIBBBBB", columns, rows, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", ihdr) + chunk(b"IDAT", zlib.compress(bytes(100)))


@pytest.mark.parametrize(
    ("suffix", "options", "max_error"),
    [
        ("png", {}, 0),
        ("bmp", {}, 0),
        ("ppm", {}, 0),
        ("tiff", {"compression": "tiff_lzw"}, 0),
        ("webp", {"lossless": True}, 0),
        ("jpg", {"quality": 98, "subsampling": 0}, 12),
        ("avif", {"quality": 98, "subsampling": "4:4:4"}, 12),
    ],
)
def test_formats_give_the_pixels(tmp_path, suffix, options, max_error):
    path = tmp_path / f"x.{suffix}"
    smooth = np.stack([np.add.outer(np.arange(24), np.arange(36)) * k for k in (1, 2, 3)], axis=2)
    Image.fromarray(smooth.astype(np.uint8)).save(path, **options)
    loaded = load_picture(path)
    assert loaded.dtype == np.uint8
    assert loaded.shape == (24, 36, 3)
    assert np.abs(loaded.astype(int) - smooth).max() <= max_error


def test_gif_gives_its_first_frame(tmp_path):
    frames = [Image.new("RGB", (9, 5), colour) for colour in ((255, 0, 0), (0, 0, 255))]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert (load_picture(tmp_path / "a.gif") == [255, 0, 0]).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (4100, 3)])
def test_extreme_sizes(tmp_path, size):
    Image.new("RGB", size, (1, 2, 3)).save(tmp_path / "a.png")
    loaded = load_picture(tmp_path / "a.png")
    assert loaded.shape == (size[1], size[0], 3)
    assert (loaded == [1, 2, 3]).all()


def test_grey_palette_bilevel_and_cmyk(tmp_path):
    grey = ramp()[:, :, 0]
    Image.fromarray(grey).save(tmp_path / "grey.png")
    assert np.array_equal(load_picture(tmp_path / "grey.png"), np.repeat(grey[:, :, None], 3, axis=2))
    palette = Image.new("P", (4, 4), 1)
    palette.putpalette([0, 0, 0, 10, 20, 30])
    palette.save(tmp_path / "palette.png")
    assert (load_picture(tmp_path / "palette.png") == [10, 20, 30]).all()
    Image.new("1", (4, 4), 1).save(tmp_path / "one.png")
    assert (load_picture(tmp_path / "one.png") == 255).all()
    Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(tmp_path / "cmyk.jpg", quality=95)
    assert np.abs(load_picture(tmp_path / "cmyk.jpg").astype(int) - [255, 0, 0]).max() <= 4


@pytest.mark.parametrize("suffix", ["png", "tiff"])
def test_16_bit_grey_is_scaled_not_clipped(tmp_path, suffix):
    values = np.array([[0, 128, 257, 32768, 65535]], dtype=np.uint16)
    Image.fromarray(values).save(tmp_path / f"a.{suffix}")
    expected = np.rint(values / 257).astype(np.uint8)
    assert np.array_equal(load_picture(tmp_path / f"a.{suffix}")[:, :, 1], expected)


def test_16_bit_colour_png(tmp_path):
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    row = b"\x00" + struct.pack(">6H", 65535, 0, 257 * 100, 257 * 7, 65535, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 1, 16, 2, 0, 0, 0))
    (tmp_path / "a.png").write_bytes(data + chunk(b"IDAT", zlib.compress(row)) + chunk(b"IEND", b""))
    assert load_picture(tmp_path / "a.png").tolist() == [[[255, 0, 100], [7, 255, 0]]]


@pytest.mark.parametrize("suffix", ["png", "webp", "tiff", "avif"])
def test_alpha_is_composited_on_white(tmp_path, suffix):
    layer = np.zeros((16, 16, 4), np.uint8)
    layer[:, :8] = (200, 0, 0, 255)
    layer[:, 8:] = (0, 0, 0, 128)
    Image.fromarray(layer).save(tmp_path / f"a.{suffix}", **({"quality": 100} if suffix == "avif" else {}))
    loaded = load_picture(tmp_path / f"a.{suffix}").astype(int)
    assert np.abs(loaded[:, :6] - [200, 0, 0]).max() <= 4
    assert np.abs(loaded[:, 10:] - 127).max() <= 4


def test_transparent_palette_entry_becomes_white(tmp_path):
    picture = Image.new("P", (4, 4), 0)
    picture.putpalette([9, 9, 9, 0, 0, 0])
    picture.save(tmp_path / "a.png", transparency=0)
    assert (load_picture(tmp_path / "a.png") == 255).all()


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tiff", "avif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_applied_once(tmp_path, suffix, orientation):
    """An upright picture, stored as EXIF says a camera would store it (row 0 and column 0 sides)."""
    upright = np.zeros((16, 32, 3), np.uint8)
    upright[:8, :16], upright[:8, 16:] = (250, 10, 10), (10, 250, 10)
    upright[8:, :16], upright[8:, 16:] = (10, 10, 250), (250, 250, 10)
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright, 1),
        7: upright[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"jpg": {"quality": 95, "subsampling": 0}, "webp": {"lossless": True}}.get(suffix, {})
    Image.fromarray(np.ascontiguousarray(stored)).save(tmp_path / f"a.{suffix}", exif=exif, **options)
    loaded = load_picture(tmp_path / f"a.{suffix}").astype(int)
    assert loaded.shape == upright.shape
    corners = np.s_[4::8, 4::8]
    assert np.abs(loaded[corners] - upright[corners]).max() < 60


def test_bad_exif_beside_good_pixels_is_ignored(tmp_path):
    Image.fromarray(ramp()).save(tmp_path / "a.png", exif=b"Exif\x00\x00garbage")
    assert np.array_equal(load_picture(tmp_path / "a.png"), ramp())


def test_messages_name_the_file_and_the_reason(tmp_path):
    with pytest.raises(PictureError, match=r"none\.png does not exist"):
        load_picture(tmp_path / "none.png")
    (tmp_path / "zero.png").write_bytes(b"")
    with pytest.raises(PictureError, match=r"zero\.png is empty \(0 bytes\)"):
        load_picture(tmp_path / "zero.png")
    (tmp_path / "text.jpg").write_text("no picture at all")
    with pytest.raises(PictureError, match=r"text\.jpg is not a picture in a known format \(JPEG, PNG"):
        load_picture(tmp_path / "text.jpg")
    with pytest.raises(PictureError, match="is a folder, not a picture"):
        load_picture(tmp_path)
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(PictureError, match=r"pipe\.png is not a regular file"):
        load_picture(tmp_path / "pipe.png")
    with pytest.raises(PictureError, match="cannot be read"):
        load_picture("a\0b.png")


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "avif", "gif", "tiff", "bmp"])
def test_truncated_files_say_so(tmp_path, suffix):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    with pytest.raises(PictureError, match=rf"a\.{suffix} is (truncated or damaged|not a picture)"):
        load_picture(path)


def test_size_is_checked_before_memory_is_taken(tmp_path):
    (tmp_path / "bomb.png").write_bytes(png_header(60000, 60000))
    with pytest.raises(PictureError, match=r"bomb\.png is too large"):
        load_picture(tmp_path / "bomb.png")
    (tmp_path / "big.png").write_bytes(png_header(9000, 8000))
    with pytest.raises(PictureError, match=r"9000x8000 is more than max_pixels = 64000000"):
        load_picture(tmp_path / "big.png")
    (tmp_path / "warned.png").write_bytes(png_header(12000, 9000))  # Pillow would print a warning of its own
    with warnings.catch_warnings(record=True) as caught, pytest.raises(PictureError, match="12000x9000 is more than"):
        load_picture(tmp_path / "warned.png")
    assert not caught
    save_png(tmp_path / "small.png", ramp())
    with pytest.raises(PictureError, match="36x24 is more than max_pixels = 863"):
        load_picture(tmp_path / "small.png", max_pixels=863)


def test_float_pixels_are_refused(tmp_path):
    Image.fromarray(np.ones((4, 4), np.float32)).save(tmp_path / "a.tiff")
    with pytest.raises(PictureError, match="floating-point pixels"):
        load_picture(tmp_path / "a.tiff")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), suffix=st.sampled_from(["png", "jpg", "gif", "tiff", "bmp", "webp"]))
def test_damaged_files_never_escape_as_another_error(tmp_path: Path, data, suffix):
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(ramp()).save(path)
    raw = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(raw))
    message = ""
    try:
        loaded = load_picture(path, max_pixels=1_000_000)
    except PictureError as error:
        loaded, message = ramp(), str(error)
    assert message == "" or "a." + suffix in message
    assert (loaded.dtype, loaded.ndim) == (np.uint8, 3)


def test_folder_in_natural_order_with_the_rest_counted(tmp_path):
    for name in ("10.png", "2.png", "B.jpg", "a1.webp", "a01.webp", "notes.txt", "x.xmp"):
        (tmp_path / name).touch()
    (tmp_path / "sub.png").mkdir()
    found = list_pictures(tmp_path)
    assert [p.name for p in found.pictures] == ["2.png", "10.png", "a01.webp", "a1.webp", "B.jpg"]
    assert [p.name for p in found.skipped] == ["notes.txt", "sub.png", "x.xmp"]


def test_one_file_lists_itself_and_bad_folders_say_why(tmp_path):
    (tmp_path / "photo").touch()
    assert list_pictures(tmp_path / "photo") == ([tmp_path / "photo"], [])
    with pytest.raises(PictureError, match=r"holds no pictures \(1 other entries\)"):
        list_pictures(tmp_path)
    with pytest.raises(PictureError, match="nowhere does not exist"):
        list_pictures(tmp_path / "nowhere")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every folder")
def test_unreadable_folder(tmp_path):
    (tmp_path / "locked").mkdir(mode=0)
    with pytest.raises(PictureError, match="locked cannot be read"):
        list_pictures(tmp_path / "locked")


def test_save_png_round_trip_and_refusals(tmp_path):
    save_png(tmp_path / "a.png", ramp())
    assert np.array_equal(load_picture(tmp_path / "a.png"), ramp())
    save_png(tmp_path / "g.png", ramp()[::2, ::2, 0])
    with pytest.raises(PictureError, match=r"not float64 \[4, 4, 3\]"):
        save_png(tmp_path / "b.png", np.zeros((4, 4, 3)))
    with pytest.raises(PictureError, match=r"not uint8 \[4, 4, 4\]"):
        save_png(tmp_path / "b.png", np.zeros((4, 4, 4), np.uint8))
    with pytest.raises(PictureError, match="cannot be written"):
        save_png(tmp_path / "none" / "b.png", ramp())


def test_headers_are_checked_without_the_pixels(tmp_path):
    """What the header tells is refused; a picture cut off after it passes."""
    good = tmp_path / "good.png"
    Image.fromarray(ramp()).save(good)
    check_picture(good)
    (tmp_path / "cut.png").write_bytes(good.read_bytes()[:100])
    check_picture(tmp_path / "cut.png")
    (tmp_path / "none.png").write_bytes(b"no picture")
    with pytest.raises(PictureError, match=r"none\.png is not a picture in a known format"):
        check_picture(tmp_path / "none.png")
    with pytest.raises(PictureError, match="max_pixels = 10"):
        check_picture(good, max_pixels=10)
