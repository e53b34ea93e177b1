"""The scene header: every field, every bit, and what a damaged one does."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semwave.modulation import qam, scene
from semwave.modulation.scene.header import HEADER_BITS, LENGTH_BITS

ENTRIES = {
    name: st.builds(
        scene.LayerEntry, st.integers(0, 15), st.integers(0, 31), st.integers(0, (1 << LENGTH_BITS[name]) - 1)
    )
    for name in scene.LAYERS
}
HEADERS = st.builds(
    scene.SceneHeader,
    st.integers(0, 65535),
    st.integers(1, 8191),
    st.integers(1, 8191),
    st.integers(0, 65535),
    **ENTRIES,
)
PLAIN = scene.SceneHeader(7, 480, 640, 99, key=scene.LayerEntry(1, 3, 1000))


@given(HEADERS)
def test_unpacks_what_was_packed(header: scene.SceneHeader) -> None:
    packed = scene.pack_header(header)
    assert packed.shape == (HEADER_BITS,)
    assert scene.unpack_header(packed) == header


def test_fields_lie_where_the_table_says() -> None:
    """Bit positions typed out by hand: version 4, number 16, height 13, width 13, seed 16."""
    text = "".join(map(str, scene.pack_header(PLAIN)))
    fields = [text[:4], text[4:20], text[20:33], text[33:46], text[46:62]]
    assert [int(f, 2) for f in fields] == [1, 7, 480, 640, 99]
    assert int(text[-16 - 20 : -16], 2) == 1000


@pytest.mark.parametrize("bit", range(0, HEADER_BITS, 7))
def test_any_wrong_bit_is_noticed(bit: int) -> None:
    packed = scene.pack_header(PLAIN)
    packed[bit] ^= 1
    with pytest.raises(ValueError, match="CRC"):
        scene.unpack_header(packed)


@pytest.mark.parametrize(
    ("change", "said"),
    [({"height": 8192}, "height must be 0 to 8191, not 8192"), ({"seed": -1}, "seed must be 0 to 65535, not -1")],
)
def test_a_field_that_does_not_fit_is_named(change: dict[str, int], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        scene.pack_header(dataclasses.replace(PLAIN, **change))


def test_a_layer_that_is_too_long_is_named() -> None:
    with pytest.raises(ValueError, match=r"sketch\.length must be 0 to 255, not 256"):
        scene.pack_header(dataclasses.replace(PLAIN, sketch=scene.LayerEntry(1, 0, 256)))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_noise_is_no_header(seed: int) -> None:
    rng = np.random.default_rng(seed)
    noise = (rng.standard_normal((scene.HEADER_SYMBOLS, 2)) @ [1, 1j]).astype(np.complex64)
    assert scene.decode_header(noise, np.ones(scene.HEADER_SYMBOLS, np.float32)) is None


def test_nothing_and_zeros_are_no_header() -> None:
    zeros = np.zeros(scene.HEADER_SYMBOLS, np.complex64)
    assert scene.decode_header(zeros, np.ones(scene.HEADER_SYMBOLS, np.float32)) is None


def test_comes_through_at_minus_four_db() -> None:
    """Rate 0.13 QPSK: where the mask and the prompt, at rate 0.19, begin to fail."""
    rng = np.random.default_rng(3)
    sent = qam.map_bits(scene.encode_header(PLAIN), 4)
    n0 = 10**0.4
    lost = 0
    for _ in range(40):
        noise = (rng.standard_normal((sent.size, 2)) @ [1, 1j]) * np.sqrt(n0 / 2)
        got = scene.decode_header((sent + noise).astype(np.complex64), np.full(sent.size, n0, np.float32))
        assert got in (None, PLAIN)
        lost += got is None
    assert lost <= 4
