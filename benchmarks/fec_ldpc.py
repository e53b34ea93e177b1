"""LDPC cases of fec.py: encoders and decoders, BPSK over AWGN, on all threads numba may use."""

import os
import time
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np
from _report import best_seconds, emit

from semwave.modulation import ldpc

Array = np.ndarray[Any, Any]

WIFI = ldpc.WifiCode(1944, "1/2")
BG1 = ldpc.NrCode(8448, 16896)
BG2 = ldpc.NrCode(1024, 2048)


def llrs(code: ldpc.LdpcCode, frames: int, ebn0_db: float) -> Array:
    rng = np.random.default_rng(1)
    n0 = 10 ** (-ebn0_db / 10) * code.n / code.k
    words = code.encode(rng.integers(0, 2, (frames, code.k), dtype=np.uint8)).astype(np.float32)
    noise = rng.standard_normal(words.shape, dtype=np.float32) * np.float32(np.sqrt(n0 / 2))
    return (2 * words - 1 + noise) * np.float32(4 / n0)


def mbit_per_s(code: ldpc.LdpcCode, frames: int, work: Callable[[], object], seconds: float) -> float:
    return frames * code.k / best_seconds(work, seconds) / 1e6


@cache
def sionna_wifi() -> tuple[str, float] | None:
    """Sionna's decoder on the same code: flooding min-sum, 10 iterations."""
    try:
        import torch
        from sionna.phy.fec.ldpc import LDPCBPDecoder
    except ImportError:
        return None
    torch.set_num_threads(os.cpu_count() or 1)
    decoder = LDPCBPDecoder(WIFI.graph.parity_check().astype(float), cn_update="minsum", num_iter=10, device="cpu")
    llr = torch.from_numpy(llrs(WIFI, 128, 2.0))
    with torch.no_grad():
        return "sionna, flooding min-sum", mbit_per_s(WIFI, 128, lambda: decoder(llr), 1.0)


@cache
def sionna_nr(k: int, n: int) -> tuple[tuple[str, float], tuple[str, float]] | None:
    """Sionna's NR decoder (flooding min-sum, 10 iterations) and encoder."""
    try:
        import torch
        from sionna.phy.fec.ldpc import LDPC5GDecoder, LDPC5GEncoder
    except ImportError:
        return None
    torch.set_num_threads(os.cpu_count() or 1)
    code, frames = ldpc.NrCode(k, n), 16 if k > 4000 else 128
    encoder = LDPC5GEncoder(k, n, device="cpu")
    decoder = LDPC5GDecoder(encoder, cn_update="minsum", num_iter=10, device="cpu")
    llr, bits = torch.from_numpy(llrs(code, frames, 1.5)), torch.randint(0, 2, (frames, k)).float()
    with torch.no_grad():
        decoding = mbit_per_s(code, frames, lambda: decoder(llr), 1.0)
        encoding = mbit_per_s(code, frames, lambda: encoder(bits), 1.0)
    return ("sionna, flooding min-sum", decoding), ("sionna", encoding)


@cache
def commpy_wifi() -> tuple[str, float] | None:
    """commpy 1.2 on the same code, one frame at a time: flooding min-sum, 10 iterations."""
    try:
        from commpy import LDPCCode

        code = LDPCCode(WIFI.graph.parity_check().toarray())
        llr = -llrs(WIFI, 1, 2.0)[0].astype(float)
        start = time.perf_counter()
        code.decode(llr, max_iter=10, method="min-sum")
    except (ImportError, TypeError, AttributeError, ValueError):  # another package of this name, or another version
        return None
    return "commpy, flooding min-sum", WIFI.k / (time.perf_counter() - start) / 1e6


def report(case: str, value: float, *peers: tuple[str, float] | None) -> None:
    found = [p for p in peers if p is not None]
    if not found:
        emit("fec", f"ldpc {case}", value, "Mbit/s")
    for peer, peer_value in found:
        emit("fec", f"ldpc {case}", value, "Mbit/s", peer, peer_value)


def decoding(
    name: str, code: ldpc.LdpcCode, llr: Array, quick: bool, precision: str, *peers: tuple[str, float] | None
) -> None:
    """Ten iterations, and twenty with early stop."""

    def ten() -> ldpc.DecodeResult:
        return code.decode(llr, iterations=10, precision=precision, early_stop=False)

    def stopping() -> ldpc.DecodeResult:
        return code.decode(llr, precision=precision)

    seconds = 0.5 if quick else 4.0
    case = f"{name} ({code.n}, {code.k}), layered min-sum {precision}"
    report(f"{case}, 10 iterations", mbit_per_s(code, len(llr), ten, seconds), *peers)
    report(f"{case}, early stop in 20 iterations", mbit_per_s(code, len(llr), stopping, seconds))


def decode_wifi(quick: bool) -> None:
    """802.11n (1944, 972) at 2 dB."""
    llr = llrs(WIFI, 256 if quick else 1024, 2.0)
    decoding("802.11n", WIFI, llr, quick, "int16", sionna_wifi(), None if quick else commpy_wifi())
    decoding("802.11n", WIFI, llr, quick, "int8")
    decoding("802.11n", WIFI, llr, quick, "float32")
    few = llr[:64]
    exact = mbit_per_s(
        WIFI, 64, lambda: WIFI.decode(few, iterations=10, algorithm="spa", early_stop=False), 0.5 if quick else 4.0
    )
    report("802.11n (1944, 972), layered sum-product float32, 10 iterations", exact)


def decode_nr(quick: bool) -> None:
    """NR, rate 1/2, at 1.5 dB."""
    for name, code, frames in (("NR BG1", BG1, 128), ("NR BG2", BG2, 1024)):
        llr = llrs(code, frames // 4 if quick else frames, 1.5)
        peer = None if quick else sionna_nr(code.k, code.n)
        decoding(name, code, llr, quick, "int16", peer[0] if peer else None)
        decoding(name, code, llr, quick, "int8")


def encode(quick: bool) -> None:
    """All three codes."""
    for name, code, frames in (("802.11n", WIFI, 1024), ("NR BG1", BG1, 128), ("NR BG2", BG2, 1024)):
        bits = np.random.default_rng(0).integers(0, 2, (frames, code.k), dtype=np.uint8)
        peer = sionna_nr(code.k, code.n) if name != "802.11n" and not quick else None
        value = mbit_per_s(code, frames, partial(code.encode, bits), 0.5 if quick else 2.0)
        report(f"encode {name} ({code.n}, {code.k})", value, peer[1] if peer else None)


CASES = [decode_wifi, decode_nr, encode]
