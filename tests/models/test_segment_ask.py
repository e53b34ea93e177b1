"""What the user says is key: read, refused with reasons, and found."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from semwave.models.segment import load_segmenter
from semwave.models.segment.ask import Key, box_of, mask_of, moved, parse_key, point_of

PICTURE = np.random.default_rng(1).integers(0, 256, (40, 60, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("auto", Key()),
        ("box:0.1,0.2,0.5,0.75", Key("box", (0.1, 0.2, 0.5, 0.75))),
        ("box: 3, 4, 20, 30 px", Key("box", (3, 4, 20, 30), pixels=True)),
        ("point:0.5,1", Key("point", (0.5, 1.0))),
        ("word:polar bear", Key("word", text="polar bear")),
        ("mask:a folder/with:colon.png", Key("mask", text="a folder/with:colon.png")),
    ],
)
def test_keys_are_read(text, key):
    assert parse_key(text) == key


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dog", "key must begin with auto, box, point, word, mask, not 'dog'"),
        ("box:1,2,3", "key box: takes 4 numbers, as in 'box:0.25,0.1,0.75,0.9', not 'box:1,2,3'"),
        ("point:a,b", "key point: takes 2 numbers"),
        ("point:nan,0.5", "key point: takes 2 numbers"),
        ("point:", "key point: takes 2 numbers"),
        ("auto:3", "key auto: takes 0 numbers"),
        ("box:10,10,30,30", "shares of the picture are 0 to 1; for pixels write px after the numbers"),
        ("box:0.5,0.1,0.5,0.9", "a box is LEFT,TOP,RIGHT,BOTTOM with LEFT below RIGHT"),
        ("word:", "key needs something after word:"),
    ],
)
def test_bad_keys_are_named(text, message):
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        parse_key(text)


def test_boxes_and_points_in_pixels():
    assert box_of(parse_key("box:0.25,0.5,0.5,1"), (40, 60)) == (15, 20, 30, 40)
    assert box_of(parse_key("box:-5,10,20,99 px"), (40, 60)) == (0, 10, 20, 40)
    assert point_of(parse_key("point:1,1"), (40, 60)) == (39, 59)
    with pytest.raises(ValueError, match=r"the box 70,0,90,10 px lies outside a.jpg, which is 60 x 40 pixels"):
        box_of(parse_key("box:70,0,90,10px"), (40, 60), "a.jpg")
    with pytest.raises(ValueError, match=r"the point 3,41 px lies outside the picture, which is 60 x 40 pixels"):
        point_of(parse_key("point:3,41px"), (40, 60))


@given(
    left=st.floats(0, 0.8), top=st.floats(0, 0.8), size=st.floats(0.05, 0.2),
    down=st.floats(-2, 2), right=st.floats(-2, 2),
)  # fmt: skip
def test_moved_boxes_keep_their_size_and_stay_inside(left, top, size, down, right):
    key = moved(Key("box", (left, top, left + size, top + size)), down, right, (40, 60))
    x0, y0, x1, y1 = key.numbers
    assert x1 - x0 == pytest.approx(size)
    assert y1 - y0 == pytest.approx(size)
    assert min(x0, y0) >= -1e-9
    assert max(x1, y1) <= 1 + 1e-9


def test_mask_files_by_name(tmp_path: Path):
    grey = np.zeros((40, 60), np.uint8)
    grey[10:20, 30:50] = 255
    Image.fromarray(grey).save(tmp_path / "boat.png")
    for text in (f"mask:{tmp_path}", f"mask:{tmp_path / 'boat.png'}"):
        found = mask_of(parse_key(text), (40, 60), "boat.jpg")
        assert found.dtype == np.float32
        assert np.array_equal(found, grey / np.float32(255))
    with pytest.raises(FileNotFoundError, match=r"no mask in .* for cat.jpg: expected cat.png"):
        mask_of(parse_key(f"mask:{tmp_path}"), (40, 60), "cat.jpg")
    with pytest.raises(ValueError, match=r"boat.png is 60 x 40 pixels, boat.jpg is 61 x 40"):
        mask_of(parse_key(f"mask:{tmp_path}"), (40, 61), "boat.jpg")
    with pytest.raises(FileNotFoundError, match="there is no such file or folder"):
        mask_of(parse_key(f"mask:{tmp_path / 'none.png'}"), (40, 60))
    (tmp_path / "text.png").write_text("not a picture")
    with pytest.raises(ValueError, match="cannot be read as a mask"):
        mask_of(parse_key(f"mask:{tmp_path / 'text.png'}"), (40, 60))


def test_a_missing_mask_stops_the_block_before_a_picture_comes(tmp_path: Path):
    from semwave.runtime import Context
    from semwave.runtime.registry import block_class

    block = block_class("Segmenter")(model="centre", key=f"mask:{tmp_path / 'none.png'}")
    with pytest.raises(FileNotFoundError, match=r"key mask:.*none.png: there is no such file or folder"):
        block.start(Context("segmenter", 1, {}, {}, 1))


def test_a_box_is_key_whole_and_nothing_else():
    found = load_segmenter("centre").find(PICTURE, parse_key("box:0.5,0,1,0.5"))
    inside = np.zeros((40, 60), bool)
    inside[:20, 30:] = True
    assert (found[inside] >= 0.6).all()
    assert not found[~inside].any()


def test_a_point_grows_to_the_thing_there():
    image = np.full((96, 96, 3), 40, np.uint8)
    image[10:40, 10:50] = (200, 60, 60)
    image[60:90, 40:90] = (60, 60, 200)
    thing = np.zeros((96, 96), bool)
    thing[10:40, 10:50] = True
    found = load_segmenter("centre").find(image, parse_key("point:0.3,0.25")) >= 0.5
    assert (found & thing).sum() / (found | thing).sum() > 0.8


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 7, 3), (9, 2, 3)])
@pytest.mark.parametrize("text", ["auto", "point:0.5,0.5", "box:0,0,1,1"])
def test_the_smallest_pictures_have_keys_too(shape, text):
    for name in ("centre", "spectral"):
        found = load_segmenter(name).find(np.full(shape, 9, np.uint8), parse_key(text))
        assert found.shape == shape[:2]
        assert np.isfinite(found).all()


def test_words_need_a_model_that_knows_words():
    with pytest.raises(ValueError, match="key word:dog: the model 'centre' knows no words; lite does"):
        load_segmenter("centre").find(PICTURE, parse_key("word:dog"))


def test_a_black_mask_marks_nothing(tmp_path):
    from PIL import Image

    Image.new("L", (PICTURE.shape[1], PICTURE.shape[0])).save(tmp_path / "black.png")
    assert load_segmenter("centre").find(PICTURE, parse_key(f"mask:{tmp_path / 'black.png'}")) is None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"model": "centre", "key": "word:dog"}, "key word:dog: the model 'centre' knows no words; lite does"),
        ({"key": "word:zebbra"}, r"key word:zebbra: the shipped tagger knows no such word \(near it: zebra"),
        ({"model": "hub:"}, "model must be lite, tiny, spectral, centre or hub:ID, not 'hub:'"),
        ({"key": "point:2,0.5"}, "shares of the picture are 0 to 1"),
    ],
)
def test_the_block_says_before_a_run_what_cannot_be(given, message):
    from semwave.blocks.segment import Segmenter
    from semwave.runtime import Flowgraph

    with pytest.raises(Exception, match=message):
        Flowgraph().add(segmenter=Segmenter(**given))
