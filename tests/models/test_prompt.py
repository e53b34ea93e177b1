"""The prompt: grammar and its inverse, measuring, compact coding and damaged bytes."""

import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semwave.models import prompt as prompts
from semwave.models import prompt_grammar as grammar
from semwave.models import prompt_v1
from semwave.models.prompt import Cell, Prompt, PromptError, Thing, decode_prompt, describe, encode_prompt, parse

EXAMPLE = (
    "scene outdoor; light bright warm; contrast high; top pale blue smooth, light grey smooth, pale blue soft; "
    "middle green rough, -, dark green rough; bottom grey soft; edges horizontal; sky 30%; vegetation 40%; "
    "colours #7ac 40% #352 30%; objects tree (top left), gate (right), fence; caption Two dogs run on a meadow."
)
V1_BYTES = "19d1c1bf4bbd26f8d1"

cell = st.builds(Cell, st.sampled_from(grammar.COLOURS), st.sampled_from(grammar.TEXTURES)) | st.none()
row = st.none() | st.tuples(cell, cell, cell)
tenth = st.integers(0, 10).map(lambda n: 10 * n)
colour = st.integers(0, 4095).map(lambda n: f"#{n:03x}")
caption = st.text(max_size=40).map(lambda s: " ".join(s.replace(";", "").split()))
name = st.sampled_from(["tree", "dogs", "a red barn"]) | st.text("abc xyzéß' 9", min_size=1, max_size=20)
thing = st.builds(Thing, name.map(lambda s: " ".join(s.lower().split()) or "x"), st.sampled_from(grammar.PLACES))
any_prompt = st.builds(
    Prompt,
    scene=st.none() | st.sampled_from(grammar.SCENES),
    light=st.none() | st.tuples(st.sampled_from(grammar.LIGHTS), st.sampled_from(grammar.WARMTHS)),
    contrast=st.none() | st.sampled_from(grammar.CONTRASTS),
    top=row,
    middle=row,
    bottom=row,
    edges=st.none() | st.sampled_from(grammar.EDGES),
    sky=st.none() | tenth,
    vegetation=st.none() | tenth,
    colours=st.lists(st.tuples(colour, tenth), max_size=3).map(tuple),
    objects=st.lists(thing, max_size=8).map(tuple),
    caption=caption,
)


@settings(max_examples=30)
@given(any_prompt)
def test_text_and_bytes_round_trip(prompt: Prompt) -> None:
    assert parse(str(prompt)) == prompt
    assert decode_prompt(encode_prompt(prompt)) == str(prompt)


@settings(max_examples=30)
@given(st.text(max_size=80))
def test_any_text_travels(text: str) -> None:
    assert decode_prompt(encode_prompt(text)) == text


@settings(max_examples=100)
@given(st.binary(max_size=60))
def test_garbage_is_refused_or_canonical(data: bytes) -> None:
    try:
        text = decode_prompt(data)
    except PromptError:
        return
    assert data in (encode_prompt(text), prompt_v1.encode(text))


def test_long_and_uniform_garbage_ends_soon() -> None:
    for data in (b"\xff" * 1024, b"\0" * 1024, np.random.default_rng(0).bytes(1024)):
        with pytest.raises(PromptError, match="these 1024 bytes are not a prompt"):
            decode_prompt(data)
    with pytest.raises(PromptError, match="at most 1024 bytes, not 1025"):
        decode_prompt(bytes(1025))


@settings(max_examples=40)
@given(any_prompt, st.data())
def test_damaged_prompts_are_dropped(prompt: Prompt, data: st.DataObject) -> None:
    coded = bytearray(encode_prompt(prompt))
    if not coded:
        return
    for at in data.draw(st.lists(st.integers(0, len(coded) - 1), min_size=1, max_size=3, unique=True)):
        coded[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(PromptError, match="are not a prompt"):
        decode_prompt(bytes(coded))


def test_every_single_byte_error_and_cut_is_noticed() -> None:
    coded = encode_prompt(EXAMPLE)
    damaged = [coded[:at] + bytes([coded[at] ^ flip]) + coded[at + 1 :] for at in range(len(coded)) for flip in (1, 64)]
    damaged += [coded[:length] for length in range(1, len(coded))] + [coded + b"\0"]
    for data in damaged:
        with pytest.raises(PromptError):
            decode_prompt(data)


def test_first_version_is_still_read() -> None:
    # written by version 0.1.0: encode_prompt("light dim cool; top blue smooth; caption a dog on a beach")
    text = "light dim cool; top blue smooth; caption a dog on a beach"
    assert decode_prompt(bytes.fromhex(V1_BYTES)) == text
    assert prompt_v1.encode(text).hex() == V1_BYTES
    assert encode_prompt(text)[0] < prompt_v1.FIRST_BYTES


def test_example_is_canonical_and_small() -> None:
    assert str(parse(EXAMPLE)) == EXAMPLE
    assert str(parse(EXAMPLE.upper().replace("TWO DOGS RUN ON A MEADOW", "two dogs"))).startswith("scene outdoor")
    assert len(encode_prompt(EXAMPLE)) < 0.25 * len(zlib.compress(EXAMPLE.encode(), 9))


@pytest.mark.parametrize("limit", [0, 1, 3, 6, 10, 14, 18, 25, 40])
@pytest.mark.parametrize("text", [EXAMPLE, "a man rides, on a Qzxv horse " * 4, "x" * 200])
def test_limits_are_kept(text: str, limit: int) -> None:
    coded = encode_prompt(text, limit)
    assert len(coded) <= limit
    short = decode_prompt(coded)
    assert len(short) <= len(text)
    if text == EXAMPLE and limit >= 10:
        assert short


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sky 10%;  weather fine", "at character 11: field must be one of scene, light, .*, not 'weather'"),
        ("light sunny warm", "light must be one of dark, dim, medium, bright, not 'sunny'"),
        ("top blue", "top colour must be one of"),
        ("top blue soft, grey soft", "at character 5: top must have one cell or three, not 2"),
        (
            "edges none; light dim sunny",
            "at character 23: light colour must be one of cool, neutral, warm, not 'sunny'",
        ),
        ("objects tree (left", r"at character 9: objects must be things like tree \(top left\)"),
        ("objects tree, barn (behind)", "at character 15: objects place must be one of top left, .*, not 'behind'"),
        ("caption", "at character 8: caption must have 1 to 1000 characters, not 0"),
        ("sky 35%", "sky must be 0%, 10%"),
        ("colours #7ac", "colours must be 1 to 3 pairs"),
        ("colours blue 10%", "colours must be written #rgb"),
        ("sky 10%; sky 10%", "at character 10: field sky must come once"),
    ],
)
def test_bad_prompts_say_what_is_expected(text: str, message: str) -> None:
    with pytest.raises(PromptError, match=message):
        parse(text)


def test_describe_tells_what_lies_outside_the_mask() -> None:
    image = np.zeros((90, 120, 3), np.uint8)
    image[:45] = (182, 206, 231)
    image[45:] = (78, 91, 53)
    mask = np.zeros((90, 120), bool)
    mask[:, :40] = True
    image[mask] = (255, 0, 0)
    found = describe(image, mask, "two; things")
    assert found.top == (None, Cell("pale blue", "smooth"), Cell("pale blue", "smooth"))
    assert found.bottom == (None, Cell("dark green", "smooth"), Cell("dark green", "smooth"))
    assert (found.scene, found.edges, found.caption) == ("outdoor", "horizontal", "two, things")
    assert found.sky is not None
    assert 40 <= found.sky <= 60
    assert describe(image, np.ones((90, 120), bool)) == Prompt()


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (17, 31), (2, 3)])
def test_describe_any_size(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(1).integers(0, 256, (*shape, 3), dtype=np.uint8)
    found = describe(image)
    assert parse(str(found)) == found
    assert prompts.cell_colours(found).shape == (3, 3, 3)
    assert prompts.cell_textures(found).shape == (3, 3)


def test_cells_fill_holes_and_fall_back_to_main_colours() -> None:
    colours = prompts.cell_colours(parse("top blue soft, -, -"))
    assert np.ptp(colours, axis=(0, 1)).max() == 0
    assert np.allclose(prompts.cell_colours(parse("colours #f00 50% #00f 50%"))[1, 1], [0.5, 0.0, 0.5])
    assert prompts.cell_colours(Prompt()) is None
    assert prompts.cell_textures(Prompt(caption="a")) is None


def test_parts_are_dropped_in_the_stated_order() -> None:
    prompt = parse(EXAMPLE)
    seen = [parse(decode_prompt(encode_prompt(prompt, limit))) for limit in range(len(encode_prompt(prompt)), -1, -1)]
    gone = ("colours", "edges", "contrast", "scene", "vegetation", "sky", "objects", "light", "middle", "bottom", "top")
    for kept in seen:
        there = [bool(getattr(kept, name)) for name in gone]
        assert there == sorted(there), kept
        assert kept.objects == prompt.objects[: len(kept.objects)]
        assert prompt.caption.startswith(kept.caption)
    assert [len(p.caption.split()) for p in seen] == sorted((len(p.caption.split()) for p in seen), reverse=True)
    assert seen[-1] == Prompt()
