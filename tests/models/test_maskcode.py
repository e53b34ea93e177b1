"""The mask coder is lossless for any mask, refuses any other bytes, and keeps within its model's ideal length."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semwave.models import maskcode
from semwave.models.maskcode import MaskError, block_size, decode_mask, encode_mask


def blob(rows: int = 24, columns: int = 32) -> np.ndarray:
    y, x = np.mgrid[0:rows, 0:columns]
    return ((y - 0.55 * rows) / (0.4 * rows)) ** 2 + ((x - 0.4 * columns) / (0.25 * columns)) ** 2 < 1


@st.composite
def any_mask(draw: st.DrawFn) -> np.ndarray:
    rows, columns = draw(st.integers(1, 40)), draw(st.integers(1, 40))
    rng = np.random.default_rng(draw(st.integers(0, 9999)))
    coarse = draw(st.integers(1, 9))
    share = draw(st.sampled_from([0.0, 0.02, 0.3, 0.5, 0.9, 1.0]))
    small = rng.random((-(-rows // coarse), -(-columns // coarse))) < share
    return np.kron(small, np.ones((coarse, coarse), bool))[:rows, :columns].astype(bool)


@settings(max_examples=150, deadline=None)
@given(mask=any_mask())
def test_round_trip_is_lossless(mask):
    data = encode_mask(mask)
    assert len(data) >= 1
    decoded = decode_mask(data, *mask.shape)
    assert decoded.dtype == np.bool_
    assert np.array_equal(decoded, mask)


@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=40), rows=st.integers(1, 30), columns=st.integers(1, 30))
def test_any_bytes_give_a_mask_with_that_code_or_an_error(data, rows, columns):
    try:
        mask = decode_mask(data, rows, columns)
    except MaskError:
        return
    assert mask.shape == (rows, columns)
    assert mask.dtype == np.bool_


def test_zeros_after_the_code_are_refused():
    """They change no cell (the decoder continues the code by zeros), so only coding again notices them."""
    for mask in (blob(), np.zeros((9, 9), bool)):
        with pytest.raises(MaskError, match="are not the code of a mask of"):
            decode_mask(encode_mask(mask) + bytes(2), *mask.shape)


def test_every_cut_and_every_flipped_bit_gives_another_mask_or_an_error():
    data = encode_mask(blob())
    spoiled = [data[:k] for k in range(len(data))]
    spoiled += [data[:k] + bytes([data[k] ^ 1 << b]) + data[k + 1 :] for k in range(len(data)) for b in range(8)]
    refused = 0
    for wrong in spoiled:
        try:
            assert not np.array_equal(decode_mask(wrong, 24, 32), blob())
        except MaskError:
            refused += 1
    assert refused > 0


@pytest.mark.parametrize("value", [False, True])
def test_a_flat_mask_is_one_byte(value):
    mask = np.full((24, 32), value)
    assert len(encode_mask(mask)) == 1
    assert np.array_equal(decode_mask(encode_mask(mask), 24, 32), mask)


def test_an_oval_takes_few_bits():
    """768 cells of a plain shape: far below a bit a cell, and below the length of its outline at a bit a step."""
    mask = blob()
    outline = int((mask[:, 1:] != mask[:, :-1]).sum() + (mask[1:] != mask[:-1]).sum())
    assert 8 * len(encode_mask(mask)) < outline * 1.5
    assert 8 * len(encode_mask(mask)) < 120


def test_the_length_is_the_ideal_length_rounded_up():
    for seed in range(8):
        mask = np.random.default_rng(seed).random((20, 20)) < 0.3
        ideal = min(maskcode._cost(*maskcode._plan(mask, scan)) for scan in range(4))
        assert ideal - 8 <= 8 * len(encode_mask(mask)) <= ideal + 16


def test_turned_masks_cost_about_the_same_by_choice_of_scan():
    tall = np.zeros((30, 30), bool)
    tall[5:28, 6:9] = True
    lengths = [len(encode_mask(view)) for view in (tall, tall.T, tall[::-1], tall[:, ::-1])]
    assert max(lengths) - min(lengths) <= 4


def test_the_vector_and_the_cell_by_cell_model_agree():
    """Contexts computed at once (encoder) and one after the other (decoder), on a mask with every context."""
    mask = np.random.default_rng(0).random((64, 64)) < 0.5
    assert np.array_equal(decode_mask(encode_mask(mask), 64, 64), mask)


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match=r"mask must be bool \[rows, columns\], not uint8 \[2, 2\]"):
        encode_mask(np.zeros((2, 2), np.uint8))
    with pytest.raises(ValueError, match="1 to 65536 cells, not 0 x 4"):
        encode_mask(np.zeros((0, 4), bool))
    with pytest.raises(ValueError, match="1 to 65536 cells, not 300 x 300"):
        decode_mask(b"\x00", 300, 300)
    with pytest.raises(MaskError, match="code is empty"):
        decode_mask(b"", 4, 4)
    with pytest.raises(MaskError, match="100 bytes are too many for a mask of 2 x 2 cells"):
        decode_mask(bytes(100), 2, 2)


@settings(max_examples=100, deadline=None)
@given(height=st.integers(64, 5000), width=st.integers(64, 5000))
def test_block_size_keeps_the_grid_near_768_cells(height, width):
    block = block_size(height, width)
    assert block % 8 == 0
    if height * width >= 512 * 384 / 4:
        assert 768 / 2.3 < height * width / block**2 < 768 * 2.3


@pytest.mark.parametrize(
    ("height", "width", "block"),
    [(384, 512, 16), (512, 768, 24), (1, 1, 8), (3000, 4000, 128), (1, 60000, 8)],
)
def test_block_size_of_common_pictures(height, width, block):
    assert block_size(height, width) == block
    with pytest.raises(ValueError, match="at least 1, not 0 and 5"):
        block_size(0, 5)
