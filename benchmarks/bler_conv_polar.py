"""Error rates of convolutional and polar codes over AWGN (BPSK), with 95 % Wilson intervals.

python benchmarks/bler_conv_polar.py [--quick]

One JSON line a point: value is the rate, ``peer_value`` the published one where there is one, and ``interval``
on a line of its own beside it. Bit errors of a Viterbi decoder come in events; its intervals count events.
"""

import argparse
import json
import sys

import numpy as np
from _report import emit
from scipy.stats import binomtest

from semwave.modulation.convolutional import ConvCode
from semwave.modulation.polar import PolarCode

EVENT_BITS = 8  # variance over mean of the error count of the K = 7 code, as measured over 40 million bits


def noisy(rng: np.random.Generator, coded: np.ndarray, ebn0_db: float, rate: float) -> np.ndarray:
    n0 = 10 ** (-ebn0_db / 10) / rate
    noise = rng.standard_normal(coded.shape, dtype=np.float32) * np.float32(np.sqrt(n0 / 2))
    return (np.float32(2) * coded - 1 + noise) * np.float32(4 / n0)


def report(case: str, unit: str, errors: int, trials: int, published: float | None, event: int = 1) -> None:
    interval = binomtest(round(errors / event), max(round(trials / event), 1)).proportion_ci(0.95, "wilson")
    emit("bler_conv_polar", case, errors / trials, unit, "published" if published else None, published)
    facts = {"bench": "bler_conv_polar", "case": case, "errors": errors, "trials": trials}
    sys.stdout.write(json.dumps(facts | {"interval": [float(f"{x:.3g}") for x in interval]}) + "\n")


def conv_point(rate: str, ebn0_db: float, hard: bool, blocks: int, published: float | None = None) -> None:
    code, rng, k = ConvCode(rate=rate), np.random.default_rng(2026), 1024
    top, bottom = map(int, rate.split("/"))
    errors = trials = 0
    while trials < blocks * k:
        bits = rng.integers(0, 2, (1000, k), dtype=np.uint8)
        llr = noisy(rng, code.encode(bits), ebn0_db, top / bottom)
        got = code.decode_hard(llr > 0) if hard else code.decode(llr)
        errors += int((got != bits).sum())
        trials += bits.size
    case = f"viterbi_k7_{rate}_{'hard' if hard else 'soft'}_{ebn0_db}dB"
    report(case, "BER", errors, trials, published, EVENT_BITS)


def polar_point(k: int, n: int, size: int, ebn0_db: float, frames: int, published: float | None = None) -> None:
    code, rng = PolarCode(k, n, list_size=size), np.random.default_rng(2026)
    errors = trials = 0
    while trials < frames:
        bits = rng.integers(0, 2, (1000, k), dtype=np.uint8)
        got = code.decode(noisy(rng, code.encode(bits), ebn0_db, k / n))
        errors += int((got.bits != bits).any(axis=1).sum())
        trials += len(bits)
    report(f"polar_5g_{k}_{n}_scl{size}_{ebn0_db}dB", "FER", errors, trials, published)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a fifth of the frames, published points only")
    quick = parser.parse_args().quick
    part = 5 if quick else 1
    conv_point("1/2", 3.0, False, 40_000 // part, 3.5e-4)
    conv_point("1/2", 4.0, False, 50_000 // part, 1.9e-5)
    conv_point("1/2", 5.0, True, 20_000 // part, 5.9e-4)
    polar_point(64, 128, 8, 2.5, 50_000 // part, 3.3e-2)
    polar_point(64, 128, 8, 3.0, 50_000 // part, 8.1e-3)
    if quick:
        return
    for rate, ebn0_db in (("2/3", 4.0), ("3/4", 4.5), ("5/6", 5.5)):
        conv_point(rate, ebn0_db, False, 10_000)
    for size in (1, 2, 4, 8, 32):
        polar_point(64, 128, size, 2.5, 20_000)
    for size in (1, 8):
        polar_point(512, 1024, size, 2.0, 10_000)


if __name__ == "__main__":
    main()
