"""Examples of constellations of one's own, codes and interleavers by parameter, transport blocks."""

from pathlib import Path
from typing import Any

import numpy as np
from jig import Example, Tag, stream

RNG = np.random.default_rng(19)
BITS = RNG.integers(0, 2, 6000).astype(np.uint8)
LLR = (RNG.normal(size=6000) * 4).astype(np.float32)
SAMPLES = (RNG.normal(size=5000) + 1j * RNG.normal(size=5000)).astype(np.complex64)
VARIANCE = RNG.uniform(0.1, 2.0, 5000).astype(np.float32)
TAGS = [Tag(0, "label", "a"), Tag(1001, "label", "b")]
STAR = {"constellation": "custom", "points": ((1.0, 0.0), (0.0, 1.0), (-2.0, 0.0), (0.0, -2.0)), "labels": (0, 1, 3, 2)}
TRANSPORT = {"size": 500, "coded_bits": 1000, "transmissions": 2}


def pi2_bpsk() -> dict[str, Any]:
    """TS 38.211, 5.1.1, written out."""
    turn = np.exp(0.5j * np.pi * (np.arange(BITS.size) % 2))
    return {"symbols": (turn * (1 - 2.0 * BITS) * (1 + 1j) / np.sqrt(2)).astype(np.complex64)}


def star_symbols() -> dict[str, Any]:
    """By looking labels up."""
    points = {(0, 0): 1, (0, 1): 1j, (1, 1): -2, (1, 0): -2j}
    pairs = [tuple(pair) for pair in BITS.reshape(-1, 2).tolist()]
    return {"symbols": (np.array([points[p] for p in pairs]) / np.sqrt(2.5)).astype(np.complex64)}


def in_a_file(folder: Path) -> dict[str, Any]:
    """A constellation file."""
    file = folder / "points.txt"
    angles = 2 * np.pi * np.arange(8) / 8
    lines = [f"{i ^ (i >> 1):#05b}, {np.cos(a):.9f}, {np.sin(a):.9f}" for i, a in enumerate(angles)]
    file.write_text("\n".join(["# Gray", *lines, ""]))
    return {"constellation": "custom", "file": str(file)}


EXAMPLES = [
    Example("ConstellationMapper", STAR, {"bits": stream(BITS, TAGS)}, expect=star_symbols, atol=1e-6),
    Example("ConstellationMapper", {"constellation": "pi2_bpsk"}, {"bits": stream(BITS)}, expect=pi2_bpsk, atol=1e-6),
    Example("ConstellationMapper", in_a_file, {"bits": stream(BITS)}),
    Example("ConstellationDemapper", {**STAR, "method": "exact"}, {"symbols": stream(SAMPLES, TAGS)}),
    Example("ConstellationDemapper", {"constellation": "pi2_bpsk"}, {"symbols": stream(SAMPLES)}),
    Example(
        "ConstellationDemapper",
        STAR,
        {"symbols": stream(SAMPLES), "gains": stream(SAMPLES[::-1]), "noise_variance": stream(VARIANCE)},
    ),
    Example("QamDemapper", {"order": 64}, {"symbols": stream(SAMPLES), "noise_variance": stream(VARIANCE)}),
    Example("ChannelEncoder", {"code": "conv_k7", "k": 100, "ending": "tail_biting"}, {"bits": stream(BITS)}),
    Example("ChannelDecoder", {"code": "conv_k7", "k": 100, "ending": "tail_biting"}, {"llr": stream(LLR)}),
    Example("ChannelEncoder", {"code": "rs", "m": 4, "symbols": 9}, {"bits": stream(BITS[:720])}),
    Example(
        "ChannelDecoder",
        {"code": "ldpc_80211n", "n": 648, "algorithm": "oms", "precision": "int8", "iterations": 5},
        {"llr": stream(LLR)},
    ),
    Example("ChannelDecoder", {"code": "polar_5g", "k": 40, "n": 100, "list_size": 2}, {"llr": stream(LLR)}),
    Example("CrcAppender", {"block": 96, "crc": "32"}, {"bits": stream(BITS)}),
    Example("Interleaver", {"kind": "block", "rows": 5, "columns": 7}, {"items": stream(BITS, TAGS)}),
    Example("Interleaver", {"kind": "802.11", "bits_per_symbol": 4}, {"items": stream(LLR)}),
    Example(
        "Interleaver",
        {"kind": "802.11_ht", "bandwidth_mhz": 40, "spatial_stream": 2, "undo": True},
        {"items": stream(LLR)},
    ),
    Example("TransportEncoder", TRANSPORT, {"bits": stream(BITS)}),
    Example("TransportEncoder", {"mcs": 4, "coded_bits": 600}, {"bits": stream(BITS)}),
    Example("TransportDecoder", TRANSPORT, {"llr": stream(LLR)}),
]
