"""The key codec fits its budget, keeps to its mask, and takes any bytes without falling over."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from semwave.bench.metrics import psnr
from semwave.models import av1still, stillcodecs
from semwave.models.keycodec import (
    KeyCodecError,
    decode_key,
    decode_whole,
    encode_key,
    encode_whole,
    fill_smoothly,
)

CODECS = [
    pytest.param(name, marks=pytest.mark.skipif(name not in stillcodecs.available(), reason=f"no {name} here"))
    for name in stillcodecs.CODECS
]


def scene(rows: int = 72, columns: int = 96) -> np.ndarray:
    """Soft colours, a few edges, a little grain: compresses like a photograph."""
    rng = np.random.default_rng(11)
    y, x = np.mgrid[0:rows, 0:columns].astype(float)
    planes = [128 + 60 * np.sin(x / 17 + k) + 40 * np.cos(y / 11 - k) for k in range(3)]
    image = np.stack(planes, axis=2)
    image[(y - 30) ** 2 + (x - 50) ** 2 < 300] += (60, -50, 20)
    return np.clip(image + rng.normal(0, 3, image.shape), 0, 255).astype(np.uint8)


def region(rows: int = 72, columns: int = 96) -> np.ndarray:
    mask = np.zeros((rows, columns), bool)
    mask[16:48, 32:80] = True
    mask[48:64, 40:56] = True
    return mask


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("budget", [150, 400, 1500])
def test_the_code_fits_and_only_the_key_region_comes_back(codec, budget):
    image, mask = scene(), region()
    data = encode_key(image, mask, budget, codec)
    assert len(data) <= budget
    decoded, known = decode_key(data, mask, image.shape)
    assert np.array_equal(known, mask)
    assert not decoded[~mask].any()
    flat = np.where(mask[:, :, None], image[mask].mean(0), 0)
    assert psnr(image, decoded, mask) > psnr(image, flat, mask) + 1


@pytest.mark.parametrize("codec", CODECS)
def test_a_larger_budget_is_never_much_worse_and_ends_far_better(codec):
    image, mask = scene(), region()
    values = []
    for budget in (120, 250, 500, 1000, 2000):
        data = encode_key(image, mask, budget, codec)
        values.append(psnr(image, decode_key(data, mask, image.shape)[0], mask))
    assert min(np.diff(values)) > -0.5
    assert values[-1] > values[0] + 2


def test_what_is_outside_the_mask_does_not_matter():
    image, mask = scene(), region()
    other = np.where(mask[:, :, None], image, 255 - image)
    assert encode_key(image, mask, 600) == encode_key(other, mask, 600)


@pytest.mark.parametrize("codec", CODECS)
def test_headers_taken_off_change_no_pixel(codec):
    """Decoding the short form equals what Pillow itself decodes from its whole file."""
    image = scene(41, 57)
    options = {
        "avif": lambda q: {"quality": round(q * 100 / 63), "speed": 6, "max_threads": 1, "advanced": {"tune": "psnr"}},
        "webp": lambda q: {"quality": q, "method": 6},
        "jpeg": lambda q: {"quality": q + 1},
        "jpeg2000": lambda q: {
            "quality_layers": [1000.0 ** (1 - q / 63) * 2.0 ** (q / 63)],
            "quality_mode": "rates",
            "irreversible": True,
            "mct": 1,
            "no_jp2": True,
        },
    }[codec]
    for quality in (5, 30, 60):
        file = io.BytesIO()
        Image.fromarray(image).save(file, codec, **options(quality))
        fmt, short = stillcodecs.encode(image, quality, codec)
        assert len(short) <= len(file.getvalue()) - {"avif": 280, "webp": 27, "jpeg": 22, "jpeg2000": 80}[codec]
        with Image.open(io.BytesIO(file.getvalue())) as opened:
            expected = np.array(opened.convert("RGB"))
        assert np.array_equal(stillcodecs.decode(short, fmt, 41, 57), expected)


@pytest.mark.parametrize("codec", ["best", *CODECS])
def test_whole_picture(codec):
    image = scene()
    result = encode_whole(image, 700, codec)
    assert result is not None
    data, used = result
    assert len(data) <= 700
    assert used in stillcodecs.CODECS
    assert codec in ("best", used)
    assert psnr(image, decode_whole(data, image.shape)) > 20
    if codec != "best":
        best = encode_whole(image, 700)
        assert best is not None
        assert psnr(image, decode_whole(best[0], image.shape)) >= psnr(image, decode_whole(data, image.shape))


def test_nothing_fits():
    assert encode_whole(scene(), 3) is None
    with pytest.raises(KeyCodecError, match="avif cannot code the key region in budget_bytes = 3"):
        encode_key(scene(), region(), 3)


@pytest.mark.parametrize("shape", [(1, 1), (1, 70), (70, 1), (17, 5)])
def test_any_size(shape):
    image = scene(*shape)
    mask = np.zeros(shape, bool)
    mask[-1, -1] = True
    for codec in stillcodecs.available():
        data = encode_key(image, mask, 400, codec)
        decoded, _ = decode_key(data, mask, shape)
        assert decoded.shape == image.shape
        assert np.abs(decoded[-1, -1].astype(int) - image[-1, -1]).max() < 40
    result = encode_whole(image, 1000)
    assert result is not None
    assert decode_whole(result[0], shape).shape == image.shape


def test_the_fill_keeps_the_key_and_is_smooth_elsewhere():
    image, mask = scene(), region()
    filled = fill_smoothly(image, mask)
    assert np.array_equal(filled[mask], image[mask])
    low, high = image[mask].min(0).astype(int), image[mask].max(0).astype(int)
    assert (filled >= low - 1).all()
    assert (filled <= high + 1).all()
    far = ~mask
    far[8:72, 24:88] = False  # beyond a block's distance from the key region
    steps = np.abs(np.diff(filled.astype(int), axis=1))[far[:, 1:] & far[:, :-1]]
    assert steps.max() <= 6
    one = np.zeros((72, 96), bool)
    one[5, 7] = True
    assert (fill_smoothly(image, one) == image[5, 7]).all()


@settings(max_examples=150, deadline=None)
@given(data=st.binary(max_size=60), first=st.integers(0, 0x5A))
def test_garbage_gives_an_error_or_a_picture(data, first):
    mask = region()
    try:
        decoded, _ = decode_key(bytes([first]) + data, mask, (72, 96))
    except KeyCodecError:
        return
    assert decoded.shape == (72, 96, 3)


@pytest.mark.parametrize("codec", CODECS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_damage_gives_an_error_or_a_picture(codec, data):
    mask = region()
    raw = bytearray(_code(codec))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(1, len(raw) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(1, len(raw)))
    for wrong in (bytes(raw), bytes(raw[:cut])):
        try:
            decoded, _ = decode_key(wrong, mask, (72, 96))
        except KeyCodecError:
            continue
        assert decoded.shape == (72, 96, 3)
        assert not decoded[~mask].any()


def _code(codec: str, cache: dict[str, bytes] = {}) -> bytes:  # noqa: B006 (a cache on purpose)
    if codec not in cache:
        cache[codec] = encode_key(scene(), region(), 500, codec)
    return cache[codec]


def test_a_stream_of_another_size_is_refused_before_it_is_decoded():
    """A progressive JPEG names its own size; a mask of another size does not take it."""
    file = io.BytesIO()
    Image.fromarray(scene(200, 300)).save(file, "JPEG", progressive=True)
    whole = file.getvalue()[20:-2]
    assert stillcodecs.decode(whole, "jpeg-whole", 200, 300).shape == (200, 300, 3)
    with pytest.raises(stillcodecs.StillError, match="not jpeg-whole of 96x72 pixels but of 300x200"):
        stillcodecs.decode(whole, "jpeg-whole", 72, 96)


def test_av1_streams_with_their_own_headers():
    """The form for encoders whose sequence header is not the expected one: same pixels, sizes checked."""
    file = io.BytesIO()
    Image.fromarray(scene()).save(file, "AVIF", quality=50, max_threads=1)
    stream = av1still._media_data(file.getvalue())
    expected = np.array(Image.open(io.BytesIO(file.getvalue())))
    assert np.array_equal(stillcodecs.decode(stream, "avif-obus", 72, 96), expected)
    with pytest.raises(stillcodecs.StillError, match="holds 96x72 pixels, expected 97x72"):
        stillcodecs.decode(stream, "avif-obus", 72, 97)
    with pytest.raises(stillcodecs.StillError, match="one sequence header and one picture"):
        stillcodecs.decode(stream + stream[2:], "avif-obus", 72, 96)
    with pytest.raises(stillcodecs.StillError, match=r"malformed|truncated"):
        stillcodecs.decode(stream[:-1], "avif-obus", 72, 96)


def test_bad_arguments_are_named():
    image, mask = scene(), region()
    with pytest.raises(ValueError, match=r"image must be uint8 \[rows, columns, 3\], not float64 \[72, 96, 3\]"):
        encode_key(image.astype(float), mask, 500)
    with pytest.raises(ValueError, match=r"mask must be bool \[72, 96\], not bool \[3, 3\]"):
        encode_key(image, np.ones((3, 3), bool), 500)
    with pytest.raises(ValueError, match="mask must hold at least one pixel"):
        encode_key(image, np.zeros((72, 96), bool), 500)
    with pytest.raises(
        ValueError, match="codec must be best, all, avif, webp, jpeg, jpeg2000, hevc, jpegxl, not 'bpg'"
    ):
        encode_key(image, mask, 500, "bpg")
    with pytest.raises(ValueError, match=r"not \[100000, 100000\]"):
        decode_whole(b"\x00", (100000, 100000))
    with pytest.raises(KeyCodecError, match="code of the key region is empty"):
        decode_key(b"", mask, image.shape)
    with pytest.raises(KeyCodecError, match="0xf0 names no codec and scale"):
        decode_key(b"\xf0abc", mask, image.shape)
