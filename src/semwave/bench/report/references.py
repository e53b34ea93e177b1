"""Block error rates that other programs give, to draw beside ours.

Eb/N0 and block error rate over the information bits in white noise with BPSK or QPSK, 20 layered iterations where the
code iterates: simulations independent of this project, agreed with AFF3CT where it has the code.
"""

import math
import re

from semwave.bench.report.data import Curve

POINTS: dict[str, tuple[tuple[float, float], ...]] = {
    "ldpc_80211n n=1944 rate=1/2": ((1.5, 4.5e-2), (1.75, 6.5e-3)),  # normalised min-sum, 0.75
    "ldpc_5g k=1024 n=2048": ((1.25, 0.124),),  # normalised min-sum, 0.75
    "polar_5g k=64 n=128": ((2.5, 3.3e-2), (3.0, 8.1e-3)),  # list of 8
}


def references(curve: Curve) -> list[list[float]]:
    """[Es/N0 in dB, block error rate] of the curve's code, where BPSK or QPSK makes them comparable."""
    result = curve.rates[0].result
    if result["profile"] != "awgn" or "bits_per_symbol" not in result or int(result["order"]) not in (2, 4):
        return []
    code = re.sub(r"\s+", " ", str(result["code"]))
    shift = 10 * math.log10(float(result["bits_per_symbol"]))
    return [[ebn0_db + shift, bler] for ebn0_db, bler in POINTS.get(code, ())]
