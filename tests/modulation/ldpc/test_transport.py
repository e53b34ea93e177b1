"""Transport blocks: segmentation, block lengths, CRCs and soft combining."""

import numpy as np
import pytest
from numpy.typing import NDArray

from semwave.modulation import crc, ldpc
from semwave.modulation.ldpc import transport


def noisy(sent: NDArray[np.uint8], snr_db: float, rng: np.random.Generator) -> NDArray[np.float32]:
    n0 = 10 ** (-snr_db / 10)
    return (4 * (2.0 * sent - 1 + rng.normal(size=sent.shape) * np.sqrt(n0 / 2)) / n0).astype(np.float32)


@pytest.mark.parametrize(
    ("size", "coded_bits", "order", "rate", "graph", "blocks", "block_size"),
    [
        (24, 100, 4, None, 2, 1, 24 + 16),
        (3824, 6000, 4, None, 2, 1, 3824 + 16),
        (3840, 5000, 16, None, 1, 1, 3840 + 24),
        (8424, 12000, 64, None, 1, 1, 8448),  # 8424 + 24 just fits
        (8424 + 16 * 8, 12000, 64, None, 1, 2, (8424 + 128 + 24) // 2 + 24),
        (30024 - 24, 120000 - 120000 % 8, 256, 0.25, 2, 8, 30024 // 8 + 24),
    ],
)
def test_segmentation(
    size: int, coded_bits: int, order: int, rate: float | None, graph: int, blocks: int, block_size: int
) -> None:
    block = ldpc.NrTransportBlock(size, coded_bits, order, rate)
    assert (block.base_graph, block.blocks, block.block_size) == (graph, blocks, block_size)
    assert sum(block.lengths) == coded_bits
    assert max(block.lengths) - min(block.lengths) in (0, order.bit_length() - 1)
    assert block.lengths == sorted(block.lengths)


def test_block_lengths_by_the_letter() -> None:
    """5.4.2.1: G = 1000 units of 12 bits over 7 blocks: 1000 = 7 * 142 + 6."""
    assert transport.block_lengths(12000, 7, 12) == [142 * 12] + [143 * 12] * 6
    assert transport.block_lengths(12000, 4, 12) == [3000] * 4


@pytest.mark.parametrize("rv", [0, 1, 2, 3])
def test_words_are_built_from_single_blocks(rv: int) -> None:
    size, coded_bits = 20000 - 2, 36006
    block = ldpc.NrTransportBlock(size, coded_bits, 64)
    payload = np.random.default_rng(0).integers(0, 2, size, dtype=np.uint8)
    parts = crc.append(payload, "24A").reshape(block.blocks, -1)
    want = []
    for part, length in zip(parts, block.lengths, strict=True):
        code = ldpc.NrCode(block.block_size, length, base_graph=1, rv=rv, order=64)
        assert code.lifting_size == block.lifting_size
        want.append(code.encode(crc.append(part, "24B")))
    sent = block.encode(payload, rv)
    assert len(set(block.lengths)) == 2, "both lengths occur"
    assert (sent == np.concatenate(want)).all()


@pytest.mark.parametrize(("size", "coded_bits", "order"), [(1000, 1800, 4), (20000 - 2, 30000, 64), (200, 3000, 2)])
def test_round_trip(size: int, coded_bits: int, order: int) -> None:
    rng = np.random.default_rng(size)
    block = ldpc.NrTransportBlock(size, coded_bits, order)
    payload = rng.integers(0, 2, size, dtype=np.uint8)
    for rv in (0, 3):  # the self-decodable ones
        found = block.decode(noisy(block.encode(payload, rv), 5.0, rng), rv, iterations=50)
        assert found.ok
        assert found.blocks_ok.all()
        assert (found.bits == payload).all()
        assert ((found.llr > 0) == payload).all()
        assert found.iterations.shape == (block.blocks,)


@pytest.mark.parametrize("limited_buffer", [None, 20000])
def test_redundancy_versions_add_up(limited_buffer: int | None) -> None:
    """At this noise none of the versions is decodable alone, all four together are."""
    rng = np.random.default_rng(2)
    block = ldpc.NrTransportBlock(20000 - 2, 24000, 16, limited_buffer=limited_buffer)
    payload = rng.integers(0, 2, block.size, dtype=np.uint8)
    received = {rv: noisy(block.encode(payload, rv), -2.0, rng) for rv in (0, 2, 3, 1)}
    assert not any(block.decode(llr, rv).ok for rv, llr in received.items())
    soft = None
    for rv, llr in received.items():
        found = block.decode(llr, rv, soft, algorithm="oms")
        soft = found.soft
    assert found.ok
    assert (found.bits == payload).all()
    assert found.soft.shape == (3, block.buffer_size)


def test_repeating_one_version_gains_what_the_energy_gives() -> None:
    """Chase combining: the buffer after twice rv 0 holds the sum of the LLRs."""
    rng = np.random.default_rng(3)
    block = ldpc.NrTransportBlock(500, 900, 4)
    sent = block.encode(rng.integers(0, 2, 500, dtype=np.uint8))
    one, two = noisy(sent, 0.0, rng), noisy(sent, 0.0, rng)
    twice = block.decode(two, 0, block.decode(one).soft)
    assert np.allclose(twice.soft, block.decode(one + two).soft, atol=1e-4)


def test_limited_buffer_size() -> None:
    """N_ref = floor(TBS_LBRM / (C * 2/3))."""
    full = ldpc.NrTransportBlock(20000 - 2, 24000, 16)
    half = ldpc.NrTransportBlock(20000 - 2, 24000, 16, limited_buffer=30001)
    assert full.buffer_size == 66 * full.lifting_size
    assert half.buffer_size == int(30001 / (3 * 2 / 3))


def test_noise_is_not_ok() -> None:
    rng = np.random.default_rng(4)
    block = ldpc.NrTransportBlock(20000 - 2, 24000, 16)
    found = block.decode(rng.normal(size=24000), iterations=3)
    assert not found.ok
    assert not found.blocks_ok.any()
    silent = block.decode(np.zeros(24000), iterations=3)
    assert not silent.ok
    assert not silent.blocks_ok.any()


def test_refusals() -> None:
    with pytest.raises(ValueError, match="size must be 1 or more, not 0"):
        ldpc.NrTransportBlock(0, 100)
    with pytest.raises(ValueError, match="coded_bits must be a positive multiple of 4"):
        ldpc.NrTransportBlock(100, 402, 16)
    with pytest.raises(ValueError, match="coded_bits must be a positive multiple of 8"):
        ldpc.NrTransportBlock(100, 404, 16, layers=2)
    with pytest.raises(ValueError, match="take 2 bits less or 1 more"):
        ldpc.NrTransportBlock(20000, 40000, 16)
    block = ldpc.NrTransportBlock(100, 400, 16)
    with pytest.raises(ValueError, match=r"bits must have shape \[100\]"):
        block.encode(np.zeros(99, np.uint8))
    with pytest.raises(ValueError, match="bits must hold one payload, not 2"):
        block.encode(np.zeros((2, 100), np.uint8))
    with pytest.raises(ValueError, match=r"llr must have shape \[400\]"):
        block.decode(np.zeros(399))
    with pytest.raises(ValueError, match="llr must not hold NaN"):
        block.decode(np.full(400, np.nan))
    with pytest.raises(ValueError, match="rv must be 0, 1, 2 or 3, not 5"):
        block.encode(np.zeros(100, np.uint8), 5)
    with pytest.raises(ValueError, match=r"soft must have shape \[1, "):
        block.decode(np.zeros(400), soft=np.zeros((1, 5)))
