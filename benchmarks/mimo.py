"""Two antennas: bit error rates beside closed forms, and the speed of detection and of whole frames.

    python benchmarks/mimo.py [--quick]

BPSK in flat Rayleigh fading, channel known; Es/N0 of both antennas together. "peer" is the closed form.
"""

import argparse
from math import comb

import numpy as np
from _report import best_seconds, emit

from semwave.modulation import noise
from semwave.modulation.mimo import MimoChannel, MimoFrame, alamouti_decode, alamouti_encode, detect
from semwave.modulation.ofdm import OfdmParams


def rayleigh(rng, *shape):
    return noise.complex_normal(rng, shape)


def closed_form(snr, branches):
    """BPSK with maximum ratio combining of Rayleigh branches (Proakis, eq. 13.4-15)."""
    mu = np.sqrt(snr / (1 + snr))
    terms = (comb(branches - 1 + k, k) * ((1 + mu) / 2) ** k for k in range(branches))
    return ((1 - mu) / 2) ** branches * sum(terms)


def error_rates(rng, n):
    for snr_db in (5, 10, 15):
        snr = 10 ** (snr_db / 10)
        for rx in (1, 2):
            bits, h = rng.integers(0, 2, n), np.repeat(rayleigh(rng, n // 2, rx, 2), 2, axis=0)
            y = np.einsum("nrt,tn->nr", h, alamouti_encode(1.0 - 2 * bits)) + rayleigh(rng, n, rx) / np.sqrt(snr)
            rate = np.mean((alamouti_decode(y, h, 1 / snr)[0].real < 0) != bits)
            emit("mimo", f"Alamouti 2x{rx}, {snr_db} dB", rate, "BER", "closed form", closed_form(snr / 2, 2 * rx))
        bits, h = rng.integers(0, 2, (n, 2)), rayleigh(rng, n, 2, 2)
        y = np.einsum("nrt,nt->nr", h, (1.0 - 2 * bits) / np.sqrt(2)) + rayleigh(rng, n, 2) / np.sqrt(snr)
        for method, form in (("zf", closed_form(snr / 2, 1)), ("mmse", None)):
            found, _ = detect(y, h * np.float32(np.sqrt(0.5)), 1 / snr, method)
            rate = np.mean((found.real < 0) != bits)
            emit("mimo", f"2x2 {method}, {snr_db} dB", rate, "BER", "closed form" if form else None, form)


def speed(rng, seconds):
    n = 1 << 15
    h, y = rayleigh(rng, n, 2, 2), rayleigh(rng, n, 2)
    emit("mimo", "detect 2x2, mmse", n / best_seconds(lambda: detect(y, h, 0.1), seconds) / 1e6, "Mvector/s")
    frame = MimoFrame(OfdmParams(pilot_spacing_t=2))
    channel = MimoChannel("TDL-C", sample_rate=3.84e6, rng=rng, doppler_hz=30.0)
    data = np.exp(0.5j * np.pi * rng.integers(0, 4, frame.data))
    sent = frame.modulate(data)
    heard = noise.add_awgn(channel.process(np.pad(sent, ((0, 0), (0, channel.delay))))[:, channel.delay :], 0.01, rng)
    for name, work in (
        ("modulate", lambda: frame.modulate(data)),
        ("2x2 TDL-C", lambda: channel.process(sent)),
        ("estimate and detect", lambda: frame.demodulate(heard)),
    ):
        emit("mimo", f"{name}, frames of 14 symbols", frame.samples / best_seconds(work, seconds) / 1e6, "Msample/s")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    rng = np.random.default_rng(1)
    error_rates(rng, 100_000 if quick else 1_000_000)
    speed(rng, 0.2 if quick else 1.0)


if __name__ == "__main__":
    main()
