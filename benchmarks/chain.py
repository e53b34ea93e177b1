"""A whole coded chain: bits, LDPC, 16-QAM, white noise, soft bits, LDPC decoder, counting; and where the time goes.

python benchmarks/chain.py [--quick] [--snr-db 7.5]

IEEE 802.11n (1944, 972) at Es/N0 = 7.5 dB (Eb/N0 = 4.5 dB). Threads take batches of frames through all stages: mapper,
noise and demapper in one pass (``awgn_link.soft_bits``). Noise comes by counter, so that no two batches share it.
"Mbit/s" are information bits; the frame error rate is printed with each case. Peers run the same chain on ready code
words.
"""

import argparse
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numba
import numpy as np
from _report import best_seconds, emit

from semwave.modulation import awgn_link, ldpc, noise

Array = np.ndarray[Any, Any]

CODE = ldpc.WifiCode(1944, "1/2")
ORDER, FRAMES = 16, 128
MODES: dict[str, dict[str, Any]] = {
    "10 iterations, int16": {"iterations": 10, "early_stop": False},
    "early stop in 20, int16": {},
    "10 iterations, int8": {"iterations": 10, "early_stop": False, "precision": "int8"},
    "early stop in 20, int8": {"precision": "int8"},
}


def batch(index: int, rng: np.random.Generator, n0: float, options: dict[str, Any], spent: dict[str, float]) -> int:
    """Take batch ``index`` of FRAMES frames through the chain: frames in error. Adds seconds to ``spent``."""
    clock = time.perf_counter
    marks = [clock()]
    bits = np.unpackbits(np.frombuffer(rng.bytes(-(-FRAMES * CODE.k // 8)), np.uint8))[: FRAMES * CODE.k]
    bits = bits.reshape(FRAMES, CODE.k)
    marks.append(clock())
    coded = CODE.encode(bits)
    marks.append(clock())
    llr = awgn_link.soft_bits(coded, ORDER, n0, 1, index * coded.size)
    marks.append(clock())
    found = CODE.decode(llr, **options)
    marks.append(clock())
    wrong = int((found.bits != bits).any(axis=1).sum())
    marks.append(clock())
    for stage, seconds in zip(("bits", "encode", "map, noise, demap", "decode", "count"), np.diff(marks), strict=True):
        spent[stage] = spent.get(stage, 0.0) + float(seconds)
    return wrong


def run(batches: int, n0: float, options: dict[str, Any], threads: int) -> tuple[float, float, dict[str, float]]:
    """Mbit/s, frame error rate and each stage's share of the time."""
    spent: list[dict[str, float]] = [{} for _ in range(threads)]

    def work(t: int) -> int:
        numba.set_num_threads(1)  # of this thread only: stages inside do not start threads of their own
        rng = np.random.Generator(np.random.SFC64([1, t]))
        return sum(batch(i, rng, n0, options, spent[t]) for i in range(t, batches, threads))

    start = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        wrong = sum(pool.map(work, range(threads)))
    seconds = time.perf_counter() - start
    total = sum(sum(s.values()) for s in spent)
    share = {stage: sum(s[stage] for s in spent) / total for stage in spent[0]}
    return batches * FRAMES * CODE.k / seconds / 1e6, wrong / (batches * FRAMES), share


def measure(case: str, options: dict[str, Any], n0: float, threads: int, seconds: float) -> float:
    """Best of the runs that fit in ``seconds``."""
    run(2 * threads, n0, options, threads)  # compile, fill caches
    end, best = time.perf_counter() + seconds, (0.0, 0.0, {"": 0.0})
    while time.perf_counter() < end:
        best = max(best, run(16 * threads, n0, options, threads), key=lambda found: found[0])
    speed, errors, share = best
    emit("chain", f"{case}, {threads} threads", speed, "Mbit/s")
    emit("chain", f"{case}, frame errors", errors, "FER")
    for stage, part in share.items():
        emit("chain", f"{case}, share of {stage}", part, "of the time")
    return speed


def sionna_chain(n0: float) -> Callable[[], object] | None:
    """Mapper, noise, demapper and flooding min-sum, 10 iterations, on FRAMES ready code words."""
    try:
        import torch
        from sionna.phy.channel import AWGN
        from sionna.phy.fec.ldpc import LDPCBPDecoder
        from sionna.phy.mapping import Demapper, Mapper
    except ImportError:
        return None
    torch.set_num_threads(os.cpu_count() or 1)
    mapper, channel = Mapper("qam", 4, device="cpu"), AWGN(device="cpu")
    demapper = Demapper("maxlog", "qam", 4, device="cpu")
    decoder = LDPCBPDecoder(CODE.graph.parity_check().astype(float), cn_update="minsum", num_iter=10, device="cpu")
    words = CODE.encode(np.random.default_rng(0).integers(0, 2, (FRAMES, CODE.k), dtype=np.uint8))
    bits, level = torch.from_numpy(words.astype(np.float32)), torch.tensor(n0)

    def work() -> object:
        with torch.no_grad():
            return decoder(demapper(channel(mapper(bits), level), level))

    return work


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a second a case, no peers")
    parser.add_argument("--snr-db", type=float, default=7.5, help="Es/N0")
    chosen = parser.parse_args()
    n0, threads = noise.n0_from_snr_db(chosen.snr_db), numba.get_num_threads()
    speeds = {
        case: measure(case, options, n0, threads, 1.0 if chosen.quick else 6.0) for case, options in MODES.items()
    }
    peer = None if chosen.quick else sionna_chain(n0)
    if peer is not None:
        theirs = FRAMES * CODE.k / best_seconds(peer, 2.0) / 1e6
        ours = speeds["10 iterations, int16"]
        emit("chain", "10 iterations, int16", ours, "Mbit/s", "sionna, flooding min-sum, without encoder", theirs)


if __name__ == "__main__":
    main()
