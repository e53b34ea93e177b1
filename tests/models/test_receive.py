"""Layers from bytes: a sketch that holds the key region stands in for the key layer."""

import numpy as np
import pytest
from PIL import Image

from semwave.models.generate import still_share
from semwave.models.keylayer import encode_key_layer
from semwave.models.maskcode import block_size, encode_mask
from semwave.models.receive import decode_layers
from semwave.models.segment import expand
from semwave.models.sketch import REST, WITH_KEY, encode_sketch

SHAPE = (96, 128)


def layers() -> tuple[np.ndarray, np.ndarray, dict[str, bytes | None]]:
    """A picture, its key region, and both as layers; the sketch holds all."""
    coarse = np.random.default_rng(2).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    image = np.array(Image.fromarray(coarse).resize(SHAPE[::-1], Image.Resampling.BICUBIC))
    block = block_size(*SHAPE)
    grid = np.zeros((-(-SHAPE[0] // block), -(-SHAPE[1] // block)), bool)
    grid[1:3, 1:4] = True
    region = expand(grid, block, SHAPE)
    sketch = encode_sketch(image, region, 600, with_key=True)
    return (
        image,
        region,
        {"mask": encode_mask(grid), "sketch": sketch, "key": encode_key_layer(image, grid, 500, "avif")},
    )


def test_a_sketch_with_the_key_region_gives_the_key_picture() -> None:
    image, region, sent = layers()
    parts, problems = decode_layers({**sent, "key": None}, SHAPE, {"sketch": WITH_KEY})
    assert not problems
    assert np.array_equal(parts["mask"], region)
    assert np.array_equal(parts["key"], np.rint(255 * parts["sketch"]))
    assert np.abs(parts["key"].astype(int) - image)[region].mean() < 12
    assert parts["still_bytes"] == len(sent["sketch"]) > 64


def test_it_does_so_for_that_codec_alone_and_where_the_mask_came() -> None:
    _, _, sent = layers()
    for codecs in (None, {}, {"sketch": REST}):
        assert decode_layers({**sent, "key": None}, SHAPE, codecs)[0]["key"] is None
    without = decode_layers({"sketch": sent["sketch"], "mask": None}, SHAPE, {"sketch": WITH_KEY})[0]
    assert without["key"] is None
    assert without["sketch"] is not None


def test_a_key_layer_that_came_goes_first() -> None:
    _, _, sent = layers()
    alone, _ = decode_layers({**sent, "sketch": None}, SHAPE)
    both, _ = decode_layers(sent, SHAPE, {"sketch": WITH_KEY})
    assert np.array_equal(alone["key"], both["key"])
    assert alone["still_bytes"] == 0


def test_a_generator_that_is_not_told_changes_less_over_more_bytes() -> None:
    """0.6 at 0.0014 bytes a pixel, by (bytes a pixel) ** -0.4: at 16 times as many, 0.6 / 16 ** 0.4."""
    assert still_share(1400, 1_000_000) == pytest.approx(0.6)
    assert still_share(16 * 1400, 1_000_000) == pytest.approx(0.6 / 3.0314331)
    assert still_share(0, 100) == still_share(65, 25_000_000) == 1.0


def test_a_sketch_of_cosines_or_none_is_no_still_picture() -> None:
    image, region, _ = layers()
    few = encode_sketch(image, region, 48)
    assert decode_layers({"sketch": few}, SHAPE)[0]["still_bytes"] == 0
    assert decode_layers({}, SHAPE)[0]["still_bytes"] == 0
    damaged, problems = decode_layers({"sketch": bytes([0xFF] * 100)}, SHAPE, {"sketch": WITH_KEY})
    assert damaged["still_bytes"] == 0
    assert len(problems) == 1
