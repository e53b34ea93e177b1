"""Frame error rates of LDPC codes next to reference curves, BPSK over AWGN, one JSON line a point.

python benchmarks/bler_ldpc.py [--quick] [--seed N]

``value`` is the measured frame error rate over information bits, ``peer_value`` the reference's. The case names the
frames, the 95 % Clopper-Pearson interval and how far the curve lies from the reference, in dB: positive is worse.
The distance follows from the slope between the reference's neighbouring points. 20 layered iterations, early stop.
"""

import argparse
from dataclasses import dataclass, field
from math import log10
from typing import Any

import numpy as np
from _report import emit
from scipy import stats

from semwave.modulation import ldpc

WIFI, WIFI_SHORT = ldpc.WifiCode(1944, "1/2"), ldpc.WifiCode(648, "5/6")
BG2, BG1 = ldpc.NrCode(1024, 2048), ldpc.NrCode(8448, 16896)
SIMULATED = "independent simulation"


@dataclass(frozen=True)
class Anchor:
    """A point of a reference curve, and how steep the curve is there in decades per dB."""

    name: str
    code: ldpc.LdpcCode
    ebn0_db: float
    rate: float
    slope: float
    peer: str = SIMULATED
    options: dict[str, Any] = field(default_factory=dict)


ANCHORS = [
    Anchor("802.11n (1944, 972) spa", WIFI, 1.25, 4.4e-2, 3.0, options={"algorithm": "spa"}),
    Anchor("802.11n (1944, 972) spa", WIFI, 1.5, 8.0e-3, 3.0, options={"algorithm": "spa"}),
    Anchor("802.11n (1944, 972) nms 0.75", WIFI, 1.5, 4.5e-2, 3.4, options={"factor": 0.75}),
    Anchor("802.11n (1944, 972) nms 0.75", WIFI, 1.75, 6.5e-3, 3.4, options={"factor": 0.75}),
    Anchor("802.11n (1944, 972) nms 0.8", WIFI, 1.5, 1.7e-2, 3.4, options={"factor": 0.8}),
    Anchor("802.11n (1944, 972) nms 0.9", WIFI, 1.5, 5.5e-2, 3.4, options={"factor": 0.9}),
    Anchor("802.11n (648, 540) spa", WIFI_SHORT, 4.0, 5.49e-3, 2.6, "aff3ct", {"algorithm": "spa"}),
    Anchor("NR BG2 (2048, 1024) spa", BG2, 1.25, 1.8e-2, 4.0, options={"algorithm": "spa"}),
    Anchor("NR BG2 (2048, 1024) nms 0.7", BG2, 1.25, 0.107, 4.0, options={"factor": 0.7}),
    Anchor("NR BG2 (2048, 1024) nms 0.75", BG2, 1.25, 0.124, 4.0, options={"factor": 0.75}),
    Anchor("NR BG1 (16896, 8448) nms 0.75", BG1, 1.25, 1.7e-2, 8.0, options={"factor": 0.75}),
]
OURS = [  # the defaults, without a reference
    Anchor("802.11n (1944, 972) nms default", WIFI, 1.5, 0.0, 1.0),
    Anchor("802.11n (1944, 972) nms default int8", WIFI, 1.5, 0.0, 1.0, options={"precision": "int8"}),
    Anchor("802.11n (1944, 972) oms default", WIFI, 1.5, 0.0, 1.0, options={"algorithm": "oms"}),
    Anchor("NR BG2 (2048, 1024) oms default", BG2, 1.25, 0.0, 1.0, options={"algorithm": "oms"}),
    Anchor("NR BG1 (16896, 8448) nms default", BG1, 1.1, 0.0, 1.0),
    Anchor("NR BG1 (16896, 8448) nms default int8", BG1, 1.1, 0.0, 1.0, options={"precision": "int8"}),
    Anchor("NR BG1 (16896, 8448) oms default", BG1, 1.1, 0.0, 1.0, options={"algorithm": "oms"}),
]


def frame_errors(
    code: ldpc.LdpcCode, ebn0_db: float, errors: int, frames: int, rng: np.random.Generator, options: dict[str, Any]
) -> tuple[int, int]:
    """Send batches until so many frames are wrong or so many sent; return both counts."""
    n0 = 10 ** (-ebn0_db / 10) * code.n / code.k
    batch = max(16, 1_000_000 // code.n)
    wrong = sent = 0
    while wrong < errors and sent < frames:
        bits = rng.integers(0, 2, (batch, code.k), dtype=np.uint8)
        llr = rng.standard_normal((batch, code.n), dtype=np.float32) * np.float32(np.sqrt(n0 / 2))
        llr += 2 * code.encode(bits).astype(np.float32) - 1
        llr *= np.float32(4 / n0)
        wrong += int((code.decode(llr, **options).bits != bits).any(axis=1).sum())
        sent += batch
    return wrong, sent


def measure(anchor: Anchor, quick: bool, rng: np.random.Generator) -> None:
    bits = 20_000_000 if quick else 200_000_000
    goal = (40 if quick else 300, bits // anchor.code.n)
    wrong, sent = frame_errors(anchor.code, anchor.ebn0_db, *goal, rng, anchor.options)
    low = stats.beta.ppf(0.025, wrong, sent - wrong + 1) if wrong else 0.0
    high = stats.beta.ppf(0.975, wrong + 1, sent - wrong)
    case = f"{anchor.name}, {anchor.ebn0_db} dB: {wrong} of {sent} frames, 95 % {low:.2e} to {high:.2e}"
    if anchor.rate:
        offsets = [log10(max(r, 1e-9) / anchor.rate) / anchor.slope for r in (low, wrong / sent, high)]
        case += f", {offsets[1]:+.3f} dB ({offsets[0]:+.3f} to {offsets[2]:+.3f})"
    emit("bler_ldpc", case, wrong / sent, "FER", anchor.peer if anchor.rate else None, anchor.rate or None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="stop at 40 frame errors or 20 million sent bits")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    rng = np.random.default_rng(chosen.seed)
    for anchor in [*ANCHORS, *OURS]:
        measure(anchor, chosen.quick, rng)


if __name__ == "__main__":
    main()
