"""Encoders against the parity checks, an independent encoder's words, and the plain reference."""

import hashlib
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from semwave.modulation import ldpc
from semwave.modulation.ldpc import reference, tables

FIXTURE = Path(__file__).resolve().parents[2] / "vectors" / "ldpc.npz"


def information(k: int, n: int) -> NDArray[np.uint8]:
    """The bits of tests/vectors/make_ldpc.py."""
    raw = hashlib.shake_256(f"{k},{n}".encode()).digest(-(-k // 8))
    return np.unpackbits(np.frombuffer(raw, np.uint8))[:k]


@pytest.mark.parametrize("rv", [0, 1, 2, 3])
def test_words_of_an_independent_encoder(rv: int) -> None:
    """142 cases: every lifting size of base graph 1, most of 2, fillers, interleaving, choice of the graph."""
    with np.load(FIXTURE, allow_pickle=False) as file:
        cases, digests = file["cases"], file["digests"]
        whole = {name: file[name] for name in file.files if name.startswith("word_")}
    assert len(cases) > 140
    assert len(whole) == 3
    for (k, n, per_symbol, graph, chosen, z), want in zip(cases.tolist(), digests, strict=True):
        order = 2**per_symbol if per_symbol else None
        code = ldpc.NrCode(k, n, rv=rv, order=order, base_graph=graph or None)
        assert (code.base_graph, code.lifting_size) == (chosen, z)
        word = code.encode(information(k, n))
        if f"word_{k}_{n}" in whole:
            assert (word == np.unpackbits(whole[f"word_{k}_{n}"][rv])[:n]).all()
        assert hashlib.sha256(word.tobytes()).digest() == want[rv].tobytes(), (k, n, graph)


@pytest.mark.peer
def test_words_of_sionna() -> None:
    encoding = pytest.importorskip("sionna.phy.fec.ldpc", reason="sionna-no-rt is not installed")
    torch = pytest.importorskip("torch", reason="torch is not installed")
    rng = np.random.default_rng(3)
    for k, n, per_symbol in ((77, 210, 2), (1500, 2500, 4), (5000, 8000, 8), (640, 3000, 6)):
        bits = rng.integers(0, 2, (4, k), dtype=np.uint8)
        theirs = encoding.LDPC5GEncoder(k, n, num_bits_per_symbol=per_symbol)(torch.tensor(bits, dtype=torch.float32))
        ours = ldpc.NrCode(k, n, order=2**per_symbol).encode(bits)
        assert (ours == theirs.cpu().numpy()).all()


@pytest.mark.parametrize("n", tables.WIFI_LENGTHS)
@pytest.mark.parametrize("rate", tables.WIFI_RATES)
def test_wifi_words_satisfy_every_check(n: int, rate: Fraction) -> None:
    code = ldpc.WifiCode(n, rate)
    bits = np.random.default_rng(n).integers(0, 2, (20, code.k), dtype=np.uint8)
    words = code.encode(bits)
    assert words.shape == (20, n)
    assert (words[:, : code.k] == bits).all(), "systematic"
    checks = code.graph.parity_check().astype(np.int64)
    assert not (checks @ words.T.astype(np.int64) % 2).any()


@pytest.mark.parametrize("base_graph", [1, 2])
def test_parent_words_satisfy_every_check_at_every_lifting_size(base_graph: int) -> None:
    rng = np.random.default_rng(0)
    for z in tables.LIFTING_SIZES:
        graph = tables.nr_graph(base_graph, z)
        columns = graph.systematic
        code = ldpc.LdpcCode(graph, columns * z, graph.length, np.array([[0, 0, graph.length]]), factor=0.75)
        word = code.encode(rng.integers(0, 2, columns * z, dtype=np.uint8))
        assert not (graph.parity_check().astype(np.int64) @ word % 2).any(), z


@pytest.mark.parametrize(
    "graph", [tables.nr_graph(1, 13), tables.nr_graph(2, 15), tables.wifi_graph(648, Fraction(3, 4))]
)
def test_reference_encoder(graph: ldpc.graph.QuasiCyclic) -> None:
    k = graph.systematic * graph.z
    bits = np.random.default_rng(1).integers(0, 2, (3, k), dtype=np.uint8)
    code = ldpc.LdpcCode(graph, k, graph.length, np.array([[0, 0, graph.length]]), factor=0.75)
    assert (code.encode(bits) == reference.encode(graph, bits)).all()


def test_one_frame_or_many() -> None:
    code = ldpc.NrCode(50, 120)
    bits = np.random.default_rng(2).integers(0, 2, (40, 50), dtype=np.uint8)
    words = code.encode(bits)
    assert words.dtype == np.uint8
    assert (code.encode(bits[7]) == words[7]).all()
    assert (code.encode(bits.astype(bool)) == words).all()
    assert code.encode(bits[:0]).shape == (0, 120)
    assert code.rate == Fraction(5, 12)


def test_refusals() -> None:
    code = ldpc.NrCode(50, 120)
    with pytest.raises(ValueError, match=r"bits must have shape \[50\] or \[frames, 50\], not \[49\]"):
        code.encode(np.zeros(49, np.uint8))
    with pytest.raises(ValueError, match="bits must be 0 or 1, not 2"):
        code.encode(np.full(50, 2, np.uint8))
    with pytest.raises(ValueError, match="bits must be 0 or 1"):
        code.encode(np.full(50, 0.5))
    with pytest.raises(ValueError, match="k must be 1 to 8448, not 8449"):
        ldpc.NrCode(8449, 20000)
    with pytest.raises(ValueError, match="k must be at most 3840 with base graph 2, not 3841"):
        ldpc.NrCode(3841, 20000, base_graph=2)
    with pytest.raises(ValueError, match="n must be at least k = 50, not 49"):
        ldpc.NrCode(50, 49)
    with pytest.raises(ValueError, match="n must be a multiple of 4 bits for order 16, not 121"):
        ldpc.NrCode(50, 121, order=16)
    with pytest.raises(ValueError, match="order must be 2, 4, 16, 64, 256 or 1024, not 8"):
        ldpc.NrCode(50, 120, order=8)
    with pytest.raises(ValueError, match="base_graph must be 1 or 2, not 3"):
        ldpc.NrCode(50, 120, base_graph=3)
    with pytest.raises(ValueError, match="buffer_size must be 1 or more, not 0"):
        ldpc.NrCode(50, 120, buffer_size=0)
    with pytest.raises(ValueError, match="n must be 648, 1296 or 1944, not 1000"):
        ldpc.WifiCode(1000, "1/2")
    with pytest.raises(ValueError, match="rate must be 1/2, 2/3, 3/4 or 5/6, not 7/8"):
        ldpc.WifiCode(648, "7/8")
    with pytest.raises(ValueError, match=r"rate must be .*, not half"):
        ldpc.WifiCode(648, "half")
