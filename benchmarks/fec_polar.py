"""Polar code and CRC cases of fec.py: BPSK over AWGN, on all threads numba may use."""

import os
import zlib
from functools import cache
from typing import Any

import numpy as np
from _report import best_seconds, emit

from semwave.modulation import crc
from semwave.modulation.polar import PolarCode

Array = np.ndarray[Any, Any]
K, N = 512, 1024


def llrs(code: PolarCode, frames: int, ebn0_db: float) -> Array:
    rng = np.random.default_rng(1)
    n0 = 10 ** (-ebn0_db / 10) * code.n / code.k
    words = code.encode(rng.integers(0, 2, (frames, code.k), dtype=np.uint8)).astype(np.float32)
    noise = rng.standard_normal(words.shape, dtype=np.float32) * np.float32(np.sqrt(n0 / 2))
    return np.asarray((2 * words - 1 + noise) * np.float32(4 / n0))


@cache
def sionna(method: str, list_size: int) -> tuple[str, float] | None:
    """Sionna's 5G polar decoder, the same code."""
    try:
        import torch
        from sionna.phy.fec.polar import Polar5GDecoder, Polar5GEncoder
    except ImportError:
        return None
    torch.set_num_threads(os.cpu_count() or 1)
    frames = 256 if method == "SC" else 16
    decoder = Polar5GDecoder(Polar5GEncoder(K, N, device="cpu"), dec_type=method, list_size=list_size, device="cpu")
    llr = torch.from_numpy(llrs(PolarCode(K, N), frames, 2.5))
    with torch.no_grad():
        return f"sionna, {method}", frames * K / best_seconds(lambda: decoder(llr), 0.5) / 1e6


def decode(case: str, code: PolarCode, quick: bool, peer: tuple[str, float] | None = None) -> None:
    frames = 256 if quick else 1024
    llr = llrs(code, frames, 2.5)
    speed = frames * code.k / best_seconds(lambda: code.decode(llr), 0.5 if quick else 3.0) / 1e6
    emit("fec_polar", case, speed, "Mbit/s", *(peer or ()))


def polar_cancellation(quick: bool) -> None:
    decode("polar_5g_512_1024_sc", PolarCode(K, N, list_size=1), quick, sionna("SC", 1))


def polar_list(quick: bool) -> None:
    for size in (2, 4, 8, 32):
        peer = sionna("SCL", 8) if size == 8 else None
        decode(f"polar_5g_512_1024_scl{size}", PolarCode(K, N, list_size=size), quick, peer)


def polar_adaptive(quick: bool) -> None:
    decode("polar_5g_512_1024_scl8_adaptive", PolarCode(K, N, adaptive=True), quick)


def polar_short(quick: bool) -> None:
    decode("polar_5g_64_128_scl8", PolarCode(64, 128), quick)


def polar_encode(quick: bool) -> None:
    code = PolarCode(K, N)
    bits = np.random.default_rng(1).integers(0, 2, (1024, K), dtype=np.uint8)
    speed = bits.size / best_seconds(lambda: code.encode(bits), 0.3 if quick else 1.0) / 1e6
    emit("fec_polar", "polar_5g_512_1024_encode", speed, "Mbit/s")


def checks(quick: bool) -> None:
    rng, seconds = np.random.default_rng(1), 0.3 if quick else 1.0
    bits = rng.integers(0, 2, (1000, 1000), dtype=np.uint8)
    emit(
        "fec_polar", "crc24a_bits", bits.size / best_seconds(lambda: crc.compute(bits, "24A"), seconds) / 1e6, "Mbit/s"
    )
    data = rng.bytes(1 << 20)
    ours, theirs = (
        8e-6 * len(data) / best_seconds(w, seconds)
        for w in (lambda: crc.compute_bytes(data, "32"), lambda: zlib.crc32(data))
    )
    emit("fec_polar", "crc32_bytes", ours, "Mbit/s", "zlib", theirs)


CASES = [polar_cancellation, polar_list, polar_adaptive, polar_short, polar_encode, checks]
