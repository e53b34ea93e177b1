"""10 % packet error point of GNU Radio's stock OFDM packets, ours and its own receiver on the same samples.

    python benchmarks/ofdm_per.py [--quick]

95-byte payloads, scrambled, 160 zeros between packets, carrier offset 0.3 carriers, white noise; SNR is the mean power
of the whole packet over the noise power in the full band. Detection, synchronisation and header count: a packet is
good when its payload comes out. Errors are counted at SNRs 0.5 dB apart and the point is interpolated linearly in the
logarithm of the error rate between the two SNRs around 10 %; the interval comes from 95 % Clopper-Pearson bounds on
both rates and is given in a second line. Ideal uncoded BPSK over 792 bits with a known channel: 7.3 dB.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
from _report import emit
from scipy.stats import beta

from semwave.modulation.gnuradio_ofdm import GnuradioOfdmFormat, Receiver, Transmitter

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "gnuradio"))
import ofdm_peer

SIZE, GAP, EDGE, CFO = 95, 160, 2000, 0.3
CASES = {"bpsk": (1, 6.5, 12.5), "qpsk": (2, 8.0, 17.0), "8psk": (3, 14.5, 18.0)}
STEP_DB = 0.5


class Link:
    """Packets and noise of one modulation, the same at every SNR but for the noise's level."""

    def __init__(self, modulation, bits, count, rng):
        self.form, self.bits, self.count = GnuradioOfdmFormat(modulation, True), bits, count
        self.payloads = [rng.bytes(SIZE) for _ in range(count)]
        x = Transmitter(self.form).frames(self.payloads, GAP)
        self.power = float(np.mean(np.abs(x.reshape(count, -1)[:, :-GAP]) ** 2))
        edge = np.zeros(EDGE, np.complex64)
        x = np.concatenate([edge, x, edge])
        self.clean = x * np.exp(2j * np.pi * CFO / 64 * np.arange(x.size))
        self.noise = rng.standard_normal((x.size, 2), np.float32).view(np.complex64)[:, 0]

    def samples(self, snr_db):
        return (self.clean + np.sqrt(self.power / 2 * 10 ** (-snr_db / 10)) * self.noise).astype(np.complex64)

    def errors(self, delivered):
        return self.count - len(set(self.payloads) & set(delivered))

    def ours(self, snr_db):
        receiver = Receiver(self.form)
        packets = receiver.push(self.samples(snr_db)) + receiver.finish()
        return self.errors(p.payload.tobytes() for p in packets if p.status == "ok")

    def peer(self, snr_db):
        with tempfile.TemporaryDirectory() as folder:
            return self.errors(ofdm_peer.receive(folder, self.samples(snr_db), self.bits, True))


def crossing(low, high, rates):
    """SNR of 10 %, linear in the logarithm of the rate."""
    a, b = np.log10(np.maximum(rates, 1e-6))
    return low + (high - low) * (a + 1) / (a - b) if a > b else np.nan


def point(errors_at, start, count):
    """10 % point and the bounds of its interval, from the two SNRs around it."""
    seen = {start: errors_at(start)}
    low = high = start
    while seen[high] >= 0.1 * count:
        low, high = high, high + STEP_DB
        seen[high] = errors_at(high)
    while seen[low] < 0.1 * count:
        low, high = low - STEP_DB, low
        seen[low] = errors_at(low)
    k = np.array([seen[low], seen[high]])
    bounds = beta.ppf(0.025, k, count - k + 1), beta.ppf(0.975, k + 1, count - k)
    return crossing(low, high, k / count), *(crossing(low, high, np.nan_to_num(b)) for b in bounds)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    version = ofdm_peer.version()
    for modulation, (bits, start, peer_start) in CASES.items():
        count = 300 if quick else 4000
        value, low, high = point(Link(modulation, bits, count, np.random.default_rng(bits)).ours, start, count)
        peer = None
        if version:
            fewer = 150 if quick else 800
            link = Link(modulation, bits, fewer, np.random.default_rng(bits))
            peer = point(link.peer, peer_start, fewer)[0]
        name = f"{modulation}, {SIZE} bytes: 10 % packet error point"
        emit("ofdm_per", name, value, "dB", version and f"GNU Radio {version}", peer)
        emit("ofdm_per", f"{name}, half of the 95 % interval", abs(high - low) / 2, "dB")


if __name__ == "__main__":
    main()
