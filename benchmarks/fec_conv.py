"""Convolutional code cases of fec.py: the K = 7 code of 802.11, BPSK over AWGN, on all threads numba may use."""

import os
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from _report import best_seconds, emit

from semwave.modulation.convolutional import ConvCode

Array = np.ndarray[Any, Any]


def llrs(code: ConvCode, frames: int, k: int, ebn0_db: float) -> Array:
    rng = np.random.default_rng(1)
    n0 = 10 ** (-ebn0_db / 10) * code.coded_length(k) / k
    words = code.encode(rng.integers(0, 2, (frames, k), dtype=np.uint8)).astype(np.float32)
    noise = rng.standard_normal(words.shape, dtype=np.float32) * np.float32(np.sqrt(n0 / 2))
    return np.asarray((2 * words - 1 + noise) * np.float32(4 / n0))


def measure(
    case: str, bits: int, work: Callable[[], object], quick: bool, peer: tuple[str, float] | None = None
) -> None:
    speed = bits / best_seconds(work, 0.3 if quick else 2.0) / 1e6
    emit("fec_conv", case, speed, "Mbit/s", *(peer or ()))


@cache
def sionna_viterbi() -> tuple[str, float] | None:
    """Sionna's Viterbi decoder, the same blocks."""
    try:
        import torch
        from sionna.phy.fec.conv import ViterbiDecoder
    except ImportError:
        return None
    torch.set_num_threads(os.cpu_count() or 1)
    decoder = ViterbiDecoder(gen_poly=("1011011", "1111001"), method="soft_llr", device="cpu")
    llr = torch.from_numpy(llrs(ConvCode(), 64, 1024, 3.0))
    with torch.no_grad():
        return "sionna", 64 * 1024 / best_seconds(lambda: decoder(llr), 0.5) / 1e6


@cache
def commpy_viterbi() -> tuple[str, float] | None:
    """commpy's Viterbi decoder, one block at a time."""
    try:
        from semwave.modulation.commpy_adapter import load

        commpy = load()
        trellis = commpy.Trellis(constraint_length=7, generators=(0o133, 0o171))
    except (ImportError, AttributeError):
        return None
    llr = -llrs(ConvCode(), 1, 1024, 3.0)[0].astype(float)
    work = lambda: commpy.viterbi_decode(trellis, llr, mode="soft")  # noqa: E731
    return "commpy", 1024 / best_seconds(work, 0.5) / 1e6


def viterbi_blocks(quick: bool) -> None:
    code, frames = ConvCode(), 1024
    llr = llrs(code, frames, 1024, 3.0)
    for peer in (sionna_viterbi(), commpy_viterbi()):
        measure("viterbi_k7_r12_soft_1024", llr.shape[0] * 1024, lambda: code.decode(llr), quick, peer)


def viterbi_punctured(quick: bool) -> None:
    code, frames = ConvCode(rate="3/4"), 1024
    llr = llrs(code, frames, 1024, 5.0)
    measure("viterbi_k7_r34_soft_1024", frames * 1024, lambda: code.decode(llr), quick)


def viterbi_tail_biting(quick: bool) -> None:
    code, frames = ConvCode(ending="tail_biting"), 1024
    llr = llrs(code, frames, 1024, 3.0)
    measure("viterbi_k7_r12_tail_biting_1024", frames * 1024, lambda: code.decode(llr), quick)


def viterbi_long(quick: bool) -> None:
    code, k = ConvCode(), 1_000_000
    llr = llrs(code, 1, k, 3.0)[0]
    measure("viterbi_k7_r12_stream_exact", k, lambda: code.decode(llr), quick)
    measure("viterbi_k7_r12_stream_windows_8192", k, lambda: code.decode(llr, window=8192), quick)


def viterbi_other_code(quick: bool) -> None:
    code, frames = ConvCode((0o561, 0o753)), 256
    llr = llrs(code, frames, 1024, 3.0)
    measure("viterbi_k9_r12_soft_1024", frames * 1024, lambda: code.decode(llr), quick)


def encode(quick: bool) -> None:
    code, frames = ConvCode(), 1024
    bits = np.random.default_rng(1).integers(0, 2, (frames, 1024), dtype=np.uint8)
    measure("encode_k7_r12_1024", bits.size, lambda: code.encode(bits), quick)


CASES = [viterbi_blocks, viterbi_punctured, viterbi_tail_biting, viterbi_long, viterbi_other_code, encode]
