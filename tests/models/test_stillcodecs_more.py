"""HEVC and JPEG XL without their headers: there and back, and bytes that are no such picture."""

import contextlib
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from semwave.models import keycodec, stillcodecs
from semwave.models.stillcodecs_more import jpegxl_size

PICTURE = np.asarray(
    Image.open(Path(__file__).resolve().parents[2] / "recordings" / "images" / "coffee.jpg").convert("RGB")
)[100:227, 150:341]


@pytest.mark.parametrize("codec", stillcodecs.SLOWER)
@pytest.mark.parametrize("shape", [(127, 191), (64, 64), (17, 40)])
def test_there_and_back(codec, shape):
    """Odd sizes too; finer quality is closer and longer."""
    picture = np.ascontiguousarray(PICTURE[: shape[0], : shape[1]])
    lengths, errors = [], []
    for share in (0.2, 0.8):
        fmt, data = stillcodecs.encode(picture, int(share * stillcodecs.STEPS[codec]), codec)
        back = stillcodecs.decode(data, fmt, *shape)
        assert back.shape == picture.shape
        lengths.append(len(data))
        errors.append(float(np.mean((back.astype(float) - picture) ** 2)))
    assert lengths[0] < lengths[1]
    assert errors[1] < errors[0] < picture.var()


@pytest.mark.parametrize("codec", stillcodecs.SLOWER)
def test_fits_its_budget(codec):
    data, used = keycodec.encode_whole(PICTURE, 1500, codec)
    assert used == codec
    assert len(data) <= 1500
    back = keycodec.decode_whole(data, PICTURE.shape)
    assert 10 * np.log10(255**2 / np.mean((back.astype(float) - PICTURE) ** 2)) > 24


def test_all_is_no_worse_than_each():
    def error(codec):
        data, _ = keycodec.encode_whole(PICTURE, 1000, codec)
        return np.mean((keycodec.decode_whole(data, PICTURE.shape).astype(float) - PICTURE) ** 2)

    assert error("all") == min(error(codec) for codec in ("best", *stillcodecs.SLOWER))


@settings(max_examples=60, deadline=None)
@given(height=st.integers(1, 3000), width=st.integers(1, 3000))
def test_stated_size_of_jpegxl(height, width):
    """The size in the header, against the library's own header of a picture of that size."""
    if height * width > 400_000:
        height = max(1, 400_000 // width)
    file = imagecodecs.jpegxl_encode(np.zeros((height, width, 3), np.uint8), distance=20, effort=1)
    assert file.startswith(b"\xff\x0a")
    assert jpegxl_size(file[2:]) == (height, width)


@pytest.mark.parametrize("codec", stillcodecs.SLOWER)
def test_damage_is_an_error_or_a_picture(codec):
    rng = np.random.default_rng(4)
    fmt, data = stillcodecs.encode(PICTURE, 20, codec)
    for _ in range(25):
        broken = bytearray(data)
        for at in rng.integers(0, len(broken), 3):
            broken[at] ^= 1 << int(rng.integers(8))
        broken = bytes(broken[: int(rng.integers(1, len(broken) + 1))])
        with contextlib.suppress(stillcodecs.StillError):
            assert stillcodecs.decode(broken, fmt, *PICTURE.shape[:2]).shape == PICTURE.shape


def test_a_picture_of_another_size_is_refused():
    fmt, data = stillcodecs.encode(PICTURE, 20, "jpegxl")
    with pytest.raises(stillcodecs.StillError, match="states another size"):
        stillcodecs.decode(data, fmt, 9000, 9000)


def test_parameter_sets_from_outside_are_refused():
    """A sequence parameter set (NAL type 33) could state any size: only slices are taken."""
    fmt, data = stillcodecs.encode(PICTURE, 20, "hevc")
    planted = data[:1] + (5).to_bytes(4, "big") + bytes([33 << 1, 1, 0, 0, 0]) + data[1:]
    with pytest.raises(stillcodecs.StillError, match="not the NAL units of an intra picture"):
        stillcodecs.decode(planted, fmt, *PICTURE.shape[:2])


def test_steps_of_hevc_are_finer_than_its_quantiser():
    """Six qualities a step of QP, by chroma offsets: lengths lie closer together than those of two QPs."""
    lengths = np.array([len(stillcodecs.encode(PICTURE, q, "hevc")[1]) for q in range(96, 108)]).reshape(2, 6)
    coarse = lengths[1].mean() / lengths[0].mean() - 1
    assert coarse > 0.05
    assert np.diff(np.sort(lengths.ravel())).max() / lengths.min() < coarse


def test_slow_avif_is_the_better_code():
    """The baseline's encoder against the link's: more PSNR from no more bytes."""

    def score(slow):
        found = [stillcodecs.encode(PICTURE, q, "avif", slow=slow) for q in (20, 28, 36)]
        backs = [stillcodecs.decode(data, fmt, *PICTURE.shape[:2]) for fmt, data in found]
        errors = [np.mean((back.astype(float) - PICTURE) ** 2) for back in backs]
        return np.log([len(data) for _, data in found]), 10 * np.log10(255**2 / np.array(errors))

    (quick_bytes, quick_db), (slow_bytes, slow_db) = score(False), score(True)
    middle = np.mean([quick_bytes[1], slow_bytes[1]])
    assert np.interp(middle, slow_bytes, slow_db) > np.interp(middle, quick_bytes, quick_db) + 0.1
