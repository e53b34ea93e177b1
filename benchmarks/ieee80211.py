"""Speed and packet error rate of the 802.11 receiver.

    python benchmarks/ieee80211.py [--quick]

Speed in samples of wall time a second: 20 is real time. Packet error rates over a channel with noise and a random
carrier offset within +-100 kHz, frames of 500 octets, Es/N0 of a carrier; ``low`` and ``high`` are the ends of the
95 % Wilson interval.
"""

import argparse

import numpy as np
from _report import best_seconds, emit

from semwave.modulation.ieee80211 import Receiver, TxFormat, append_fcs, transmit

PER_SNRS_DB = {6: (0, 1, 2, 3), 24: (8, 9, 10, 11), 54: (17, 18, 19, 20)}
SIFS = 320  # samples: 16 us, the least silence between two frames of an exchange
CHUNK = 1 << 13


def noise(rng, n, variance):
    pairs = rng.standard_normal((n, 2), np.float32) * np.float32(np.sqrt(variance / 2))
    return pairs.view(np.complex64)[:, 0]


def receive(samples):
    receiver, found = Receiver(), []
    for at in range(0, samples.size, CHUNK):
        found += receiver.push(samples[at : at + CHUNK])
    return found + receiver.finish()


def exchange(rng, form, octets, idle):
    """Data frames, each answered by an acknowledgement, with SIFS and ``idle`` samples between them."""
    parts = []
    for _ in range(max(200_000 // (octets * 8 * 20 // 30 + 4000 + idle), 4)):
        data, ack = transmit(append_fcs(rng.bytes(octets - 4)), form), transmit(append_fcs(rng.bytes(10)), TxFormat(24))
        parts += [np.zeros(idle), data, np.zeros(SIFS), ack]
    x = np.concatenate([*parts, np.zeros(400)])
    return (x + noise(rng, x.size, 1e-3)).astype(np.complex64), len(parts) // 2


def speed(rng, seconds):
    x = noise(rng, 1 << 19, 1.0)
    emit("ieee80211", "receive noise", x.size / best_seconds(lambda: receive(x), seconds) / 1e6, "Msample/s")
    cases = {
        "6 Mbit/s, 1500 octets and ACK, SIFS only": (TxFormat(6), 1500, SIFS),
        "24 Mbit/s, 1500 octets and ACK, SIFS only": (TxFormat(24), 1500, SIFS),
        "54 Mbit/s, 1500 octets and ACK, SIFS only": (TxFormat(54), 1500, SIFS),
        "54 Mbit/s, 100 octets and ACK, SIFS only": (TxFormat(54), 100, SIFS),
        "54 Mbit/s, 1500 octets and ACK, 100 us between": (TxFormat(54), 1500, 2000),
        "MCS 7, 1500 octets and ACK, SIFS only": (TxFormat(mcs=7), 1500, SIFS),
        "MCS 7 LDPC, 1500 octets and ACK, SIFS only": (TxFormat(mcs=7, ldpc=True), 1500, SIFS),
    }
    for name, (form, octets, idle) in cases.items():
        x, frames = exchange(rng, form, octets, idle)
        good = sum(p.ok for p in receive(x))
        rate = x.size / best_seconds(lambda x=x: receive(x), seconds) / 1e6
        emit("ieee80211", f"receive {name}, {good}/{frames} received", rate, "Msample/s")
    psdu = append_fcs(rng.bytes(1496))
    for rate_mbps in (6, 54):
        form = TxFormat(rate_mbps)
        size = transmit(psdu, form).size
        rate = size / best_seconds(lambda form=form: transmit(psdu, form), seconds) / 1e6
        emit("ieee80211", f"transmit {rate_mbps} Mbit/s, 1500 octets", rate, "Msample/s")


def wilson(errors, n, z=1.96):
    """95 % interval of a rate."""
    p, spread = errors / n, z / n * np.sqrt(errors * (n - errors) / n + z * z / 4)
    middle, scale = p + z * z / (2 * n), 1 + z * z / n
    return max((middle - spread) / scale, 0.0), min((middle + spread) / scale, 1.0)


def packet_errors(rng, frames):
    for rate_mbps, snrs_db in PER_SNRS_DB.items():
        for snr_db in snrs_db:
            errors = 0
            for _ in range(frames):
                psdu = append_fcs(rng.bytes(496))
                x = np.concatenate([np.zeros(400), transmit(psdu, TxFormat(rate_mbps)), np.zeros(200)])
                turn = np.exp(2j * np.pi * rng.uniform(-100e3, 100e3) / 20e6 * np.arange(x.size))
                found = receive((x * turn + noise(rng, x.size, 10 ** (-snr_db / 10))).astype(np.complex64))
                errors += not any(p.psdu == psdu for p in found)
            low, high = wilson(errors, frames)
            case = f"{rate_mbps} Mbit/s at {snr_db} dB, {frames} frames, low {low:.3g}, high {high:.3g}"
            emit("ieee80211", case, errors / frames, "packet error rate")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    rng = np.random.default_rng(1)
    speed(rng, 0.3 if quick else 2.0)
    packet_errors(rng, 50 if quick else 500)


if __name__ == "__main__":
    main()
