"""Layers: sizes, round trips, and that damage is noticed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semwave.modulation import scene
from semwave.modulation.mcs import table
from semwave.modulation.scene import layers
from semwave.modulation.scene.layers import modulation_and_rate


def soft(coded: np.ndarray) -> np.ndarray:
    return (coded * 8.0 - 4.0).astype(np.float32)


@settings(max_examples=40, deadline=None)
@given(st.binary(min_size=1, max_size=300), st.integers(0, 27))
def test_decodes_what_was_encoded(data: bytes, mcs: int) -> None:
    coded = scene.encode_layer(data, mcs)
    assert coded.size == scene.coded_bits(len(data), mcs)
    assert scene.decode_layer(soft(coded), len(data), mcs) == data


@pytest.mark.parametrize("length", [1, 477, 478, 479, 1000, 1053, 1054, 5000, 70_000])
@pytest.mark.parametrize("mcs", [0, 3, 12])
def test_every_length_takes_whole_symbols_and_comes_back(length: int, mcs: int) -> None:
    data = np.random.default_rng(length).integers(0, 256, length).astype(np.uint8).tobytes()
    order, rate = modulation_and_rate(mcs)
    coded = scene.encode_layer(data, mcs)
    assert coded.size % (order.bit_length() - 1) == 0
    assert coded.size >= 8 * length / rate
    assert coded.size <= (8 * length + 24) / rate * 1.02 + 200
    assert scene.decode_layer(soft(coded), length, mcs) == data


@pytest.mark.parametrize("mcs", [0, 1, 3, 9, 27])
@pytest.mark.parametrize("symbols", [0, 10, 100, 1000, 12_345])
def test_capacity_is_the_largest_that_fits(symbols: int, mcs: int) -> None:
    per_symbol = table("256qam")[mcs].bits_per_symbol
    length = scene.capacity(symbols, mcs)
    assert scene.coded_bits(length, mcs) <= symbols * per_symbol
    assert scene.coded_bits(length + 1, mcs) > symbols * per_symbol


def test_no_layer_takes_nothing() -> None:
    assert scene.coded_bits(0, 3) == 0
    assert scene.encode_layer(b"", 3).size == 0
    assert scene.decode_layer(np.empty(0, np.float32), 0, 3) == b""


@pytest.mark.parametrize("data", [b"\0" * 40, b"a picture", bytes(range(256))])
def test_erased_bits_are_no_layer(data: bytes) -> None:
    """All-zero soft bits decode to the all-zero word, whose plain CRC would be right."""
    size = scene.coded_bits(len(data), 3)
    assert scene.decode_layer(np.zeros(size, np.float32), len(data), 3) is None


def test_noise_is_no_layer() -> None:
    rng = np.random.default_rng(1)
    size = scene.coded_bits(200, 3)
    assert all(scene.decode_layer(rng.normal(size=size).astype(np.float32), 200, 3) is None for _ in range(20))


def test_segments_follow_one_another() -> None:
    header = scene.SceneHeader(
        0,
        10,
        10,
        0,
        scene.LayerEntry(1, 1, 12),
        scene.LayerEntry(1, 1, 30),
        scene.LayerEntry(),
        scene.LayerEntry(1, 12, 900),
    )
    parts = scene.segments(header)
    assert [p.layer for p in parts] == ["mask", "prompt", "key"]
    assert [p.order for p in parts] == [4, 4, 64]
    assert [p.start for p in parts] == [0, parts[0].symbols, parts[0].symbols + parts[1].symbols]
    assert scene.payload_symbols(header) == sum(p.symbols for p in parts)


def test_raw_symbols_follow_their_layers_coded_bits() -> None:
    key = scene.LayerEntry(2, 1, 30, raw=1234)
    header = scene.SceneHeader(0, 10, 10, 0, mask=scene.LayerEntry(1, 1, 12), key=key)
    mask, side, raw = scene.segments(header)
    assert (raw.layer, raw.raw, raw.symbols, raw.bits) == ("key", True, 1234, 0)
    assert (side.raw, side.start, raw.start) == (False, mask.symbols, mask.symbols + side.symbols)
    assert scene.payload_symbols(header) == mask.symbols + side.symbols + 1234
    alone = scene.SceneHeader(0, 10, 10, 0, key=scene.LayerEntry(2, 1, 0, raw=9))
    assert [p.symbols for p in scene.segments(alone)] == [9]


@pytest.mark.parametrize(("length", "mcs"), [(0, 3), (1, 0), (300, 1), (2000, 12)])
def test_coded_symbols_are_coded_bits_over_bits_a_symbol(length: int, mcs: int) -> None:
    assert scene.coded_symbols(length, mcs) * table("256qam")[mcs].bits_per_symbol == scene.coded_bits(length, mcs)


def test_codecs_of_symbols_have_numbers_of_their_own() -> None:
    numbers = [scene.jscc_codec(c, coarse) for c in scene.KEY_JSCC for coarse in (False, True)]
    assert [scene.jscc_coarse(n) for n in numbers] == [False, True] * 5
    numbers += [scene.KEY_IMAGE, scene.KEY_WHOLE]
    assert len(set(numbers)) == len(numbers)
    assert all(0 < n < 16 for n in numbers)
    assert {n: scene.jscc_constellation(n) for n in (2, 4, 9, 1, 15)} == {2: "free", 4: 64, 9: 64, 1: None, 15: None}


def test_an_mcs_index_that_does_not_exist_is_named() -> None:
    with pytest.raises(ValueError, match="mcs must be 0 to 27, not 30"):
        scene.encode_layer(b"x", 30)


@pytest.mark.parametrize(("mcs", "snr_db"), [(0, -6.4), (1, -4.2)])
def test_the_lowest_rates_decode_where_min_sum_fails(mcs: int, snr_db: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Losses with and without the second try, the same noise: a third of a dB lies between the two decoders."""
    rng, data = np.random.default_rng(5), bytes(range(200))
    coded = scene.encode_layer(data, mcs)
    deviation = 10 ** (-snr_db / 20) / np.sqrt(2)
    lost = []
    heard = [qam_llr(coded, deviation, rng) for _ in range(12)]
    for limit in (1, -1):
        monkeypatch.setattr(layers, "SUM_PRODUCT_MCS", limit)
        lost.append(sum(scene.decode_layer(llr, len(data), mcs) is None for llr in heard))
    assert lost[0] <= lost[1] - 4


def qam_llr(coded: np.ndarray, deviation: float, rng: np.random.Generator) -> np.ndarray:
    """LLRs ln P(1) / P(0) of QPSK's bits, one real dimension each at amplitude 1 / sqrt(2), in white noise."""
    received = (1.0 - 2.0 * coded) / np.sqrt(2.0) + deviation * rng.normal(size=coded.size)
    return (-np.sqrt(2.0) * received / deviation**2).astype(np.float32)
