"""Soft demapping in M symbols/s, one thread and two, next to Sionna and commpy where they are installed.

python benchmarks/demap.py [--quick]
"""

import argparse
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from _report import best_seconds, emit

from semwave.modulation import noise, qam

N0 = 0.05


def received(order: int, n: int) -> np.ndarray:
    rng = np.random.default_rng(order)
    bits = rng.integers(0, 2, n * qam.bits_per_symbol(order)).astype(np.uint8)
    return noise.add_awgn(qam.map_bits(bits, order), N0, rng)


def sionna_demapper(order: int, method: str) -> Callable[[np.ndarray], Any] | None:
    try:
        import torch
        from sionna.phy.mapping import Demapper
    except ImportError:
        return None
    torch.set_num_threads(2)
    demapper = Demapper({"maxlog": "maxlog", "exact": "app"}[method], "qam", qam.bits_per_symbol(order), device="cpu")
    n0 = torch.tensor(N0)

    def run(y: np.ndarray) -> Any:
        with torch.no_grad():
            return demapper(torch.from_numpy(y), n0)

    return run


def commpy_demapper(order: int, method: str) -> Callable[[np.ndarray], Any] | None:
    try:
        from commpy import MQAMModulator
    except ImportError:
        return None
    if method != "maxlog":
        return None
    modulator = MQAMModulator(order)
    return lambda y: modulator.soft_demodulate(y, N0)


def measure(order: int, method: str, n: int, seconds: float) -> None:
    y = received(order, n)
    case = f"{order} points, {method}"
    most = min(2, numba.config.NUMBA_NUM_THREADS)
    numba.set_num_threads(1)
    one = n / best_seconds(lambda: qam.demap_llr(y, order, N0, method), seconds) / 1e6
    emit("demap", f"{case}, 1 thread", one, "Msymbols/s")
    numba.set_num_threads(most)
    two = n / best_seconds(lambda: qam.demap_llr(y, order, N0, method), seconds) / 1e6
    emit("demap", f"{case}, 2 threads", two, "Msymbols/s")
    for peer, make in (("sionna", sionna_demapper), ("commpy", commpy_demapper)):
        run = make(order, method) if order in (16, 64, 256) else None
        if run is not None:
            part = y[: n if order < 256 else n // 8]
            theirs = part.size / best_seconds(lambda run=run, part=part: run(part), seconds) / 1e6
            emit("demap", f"{case}, 2 threads against {peer}", two, "Msymbols/s", peer, theirs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer symbols, less time")
    quick = parser.parse_args().quick
    for order in qam.ORDERS:
        for method in ("maxlog", "exact"):
            measure(order, method, *((1 << 18, 0.1) if quick else (1 << 20, 1.0)))


if __name__ == "__main__":
    main()
