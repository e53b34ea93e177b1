"""What the number format of the LDPC decoder costs: int8 and float32 beside int16 on the same noise.

    python benchmarks/ldpc_precision.py [--quick] [--seed N] [WORD ...]

Frames go through bit interleaver, QAM, AWGN or flat Rayleigh fading (one gain a symbol, known) and max-log LLRs, near a
frame error rate of 0.1 in int16, and every format decodes the same LLRs, 20 iterations of min-sum with early stop.
``value`` is the loss to int16 in dB (positive is worse): the change of the error rate over the slope of int16's own
curve, taken 0.1 dB further on the same noise. The case names the 95 % interval of the paired difference. Words choose
cases by parts of their names.
"""

import argparse
from math import log10

import numpy as np
from _report import emit

from semwave.modulation import ldpc, noise, qam

CODES = {
    "802.11n (1944, 1/2)": ldpc.WifiCode(1944, "1/2"),
    "802.11n (648, 1/2)": ldpc.WifiCode(648, "1/2"),
    "802.11n (1944, 3/4)": ldpc.WifiCode(1944, "3/4"),
    "802.11n (1944, 5/6)": ldpc.WifiCode(1944, "5/6"),
    "NR BG2 (960, 1/5)": ldpc.NrCode(960, 4800),
    "NR BG2 (960, 1/3)": ldpc.NrCode(960, 2880),
    "NR BG2 (1024, 1/2)": ldpc.NrCode(1024, 2048),
    "NR BG1 (4224, 1/3)": ldpc.NrCode(4224, 12672),
    "NR BG1 (8448, 1/2)": ldpc.NrCode(8448, 16896),
    "NR BG1 (4224, 8/9)": ldpc.NrCode(4224, 4752),
}
CHANNELS = {"QPSK": (4, False), "16-QAM": (16, False), "256-QAM": (256, False), "16-QAM, Rayleigh": (16, True)}
CHANNELS["256-QAM, Rayleigh"] = (256, True)
FORMATS = ("int16", "int8", "float32")
STEP_DB = 0.1


class Link:
    """Frames of one code over one channel; the same noise for every SNR."""

    def __init__(self, code, order, fading, seed):
        self.code, self.order, self.fading, self.seed = code, order, fading, seed
        self.frames = max(8, 400_000 // code.n)
        self.places = np.random.default_rng(seed).permutation(code.n)

    def batch(self, index):
        """Bits, symbols, unit noise and gains of batch ``index``."""
        rng = np.random.default_rng([self.seed, index])
        bits = rng.integers(0, 2, (self.frames, self.code.k), dtype=np.uint8)
        symbols = qam.map_bits(self.code.encode(bits)[:, self.places], self.order).ravel()
        unit, flat = (self.noise(index, add, symbols.size) for add in (0, 1000))
        gain = np.maximum(np.abs(flat), 1e-3) if self.fading else np.ones(symbols.size, np.float32)
        return bits, symbols, unit, gain

    def noise(self, index, add, count):
        return noise.add_awgn_fast(np.zeros(count, np.complex64), 1.0, self.seed + add, index * count)

    def llr(self, symbols, unit, gain, snr_db):
        n0 = (10 ** (-snr_db / 10) / gain**2).astype(np.float32)
        out = np.empty((self.frames, self.code.n), np.float32)
        out[:, self.places] = qam.demap_llr(symbols + unit * np.sqrt(n0), self.order, n0).reshape(out.shape)
        return out

    def wrong(self, llr, bits, precision):
        return (self.code.decode(llr, precision=precision).bits != bits).any(axis=1)


def operating_point(link, goal=0.1):
    """Es/N0 in dB near a frame error rate of ``goal`` in int16, by halving."""
    bits, *sent = link.batch(1 << 20)
    low, high = -8.0, 36.0
    for _ in range(9):
        middle = (low + high) / 2
        many = link.wrong(link.llr(*sent, middle), bits, "int16").mean() > goal
        low, high = (middle, high) if many else (low, middle)
    return high


def measure(name, link, coded_bits):
    """One line a format."""
    snr_db, found = operating_point(link), {name: [] for name in (*FORMATS, "steeper")}
    for index in range(max(1, coded_bits // (link.frames * link.code.n))):
        bits, *sent = link.batch(index)
        llr = link.llr(*sent, snr_db)
        for precision in FORMATS:
            found[precision].append(link.wrong(llr, bits, precision))
        found["steeper"].append(link.wrong(link.llr(*sent, snr_db + STEP_DB), bits, "int16"))
    wrong = {key: np.concatenate(value) for key, value in found.items()}
    base = wrong["int16"]
    slope = log10(max(base.sum(), 1) / max(wrong["steeper"].sum(), 0.5)) / STEP_DB
    if slope <= 0:
        raise RuntimeError(f"{name}: no slope from {int(base.sum())} errors; take more frames")
    for precision in FORMATS[1:]:
        worse, better = int((wrong[precision] & ~base).sum()), int((base & ~wrong[precision]).sum())
        half = 1.96 * (worse + better + 1) ** 0.5
        low, loss, high = (
            log10(max((base.sum() + worse - better + d) / base.sum(), 1e-3)) / slope for d in (-half, 0, half)
        )
        case = f"{name}, {snr_db:.2f} dB, {base.sum()} of {base.size} frames wrong in int16: {precision}"
        emit("ldpc_precision", f"{case}, 95 % {low:+.3f} to {high:+.3f}", loss, "dB")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="2 million coded bits a case, not 16 million")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("words", nargs="*", help="parts of case names")
    chosen = parser.parse_args()
    for code_name, code in CODES.items():
        for channel, (order, fading) in CHANNELS.items():
            name = f"{code_name} {channel}"
            if not chosen.words or any(w in name for w in chosen.words):
                measure(name, Link(code, order, fading, chosen.seed), 2_000_000 if chosen.quick else 16_000_000)


if __name__ == "__main__":
    main()
