"""What the burst receiver loses: detection, timing, carrier offset, false alarms, channel estimation.

    python benchmarks/ofdm_sync.py [--quick]

Estimation loss is the SNR by which a receiver that knows channel, timing, offset and noise could do with less for
the same mutual information (per-bit, from LLRs with the noise variances that the receiver itself gives).
"""

import argparse
from dataclasses import dataclass

import numpy as np
import scipy.fft
from _report import emit
from scipy.stats import beta

from semwave.modulation import fading, qam
from semwave.modulation.ofdm import (
    BurstLayout,
    BurstReceiver,
    BurstTransmitter,
    OfdmParams,
    burst_permutation,
    preamble,
)

PARAMS = OfdmParams()
HEADER, PAYLOAD, BEFORE, AFTER = 144, 3000, 600, 400
LAYOUT = BurstLayout(PARAMS, HEADER)


@dataclass
class Trial:
    """One burst through one channel: what was sent, what came, and the truth."""

    start: int
    cfo: float
    channel: fading.Channel
    clean: np.ndarray
    noise: np.ndarray
    bits: np.ndarray
    header_bits: np.ndarray


def trial(profile, doppler_hz, order, rng):
    bits = rng.integers(0, 2, PAYLOAD * qam.bits_per_symbol(order), dtype=np.uint8)
    header_bits = rng.integers(0, 2, 2 * HEADER, dtype=np.uint8)
    burst = BurstTransmitter(PARAMS, HEADER).burst(qam.map_bits(header_bits, 4), qam.map_bits(bits, order))
    x = np.concatenate([np.zeros(BEFORE), burst, np.zeros(AFTER)]).astype(np.complex64)
    channel = fading.Identity()
    if profile:
        options = {"sample_rate": PARAMS.sample_rate, "delay_spread_s": 300e-9, "doppler_hz": doppler_hz}
        channel = fading.TdlChannel(profile, rng=rng, **options)
    cfo = rng.uniform(-2.5, 2.5)
    clean = channel.process(x) * np.exp(2j * np.pi * cfo / PARAMS.fft_size * np.arange(x.size))
    noise = rng.standard_normal((x.size, 2)) @ [1, 1j] * np.sqrt(0.5)
    return Trial(BEFORE + channel.delay, cfo, channel, clean, noise, bits, header_bits)


def receive(t, n0):
    receiver = BurstReceiver(PARAMS, HEADER, lambda header, noise_variance: PAYLOAD)
    samples = (t.clean + np.sqrt(n0) * t.noise).astype(np.complex64)
    bursts = receiver.push(samples) + receiver.finish()
    return next((b for b in bursts if abs(b.start - t.start) < PARAMS.cp_len), None)


def genie(t, n0):
    """Header and payload with their noise variances, everything known."""
    symbols, early = LAYOUT.ofdm_symbols(PAYLOAD), 2
    starts = t.start + preamble.length(PARAMS) + PARAMS.symbol_starts(symbols) - early
    samples = (t.clean + np.sqrt(n0) * t.noise) * np.exp(
        -2j * np.pi * t.cfo / PARAMS.fft_size * np.arange(t.clean.size)
    )
    windows = samples[starts[:, None] + np.arange(PARAMS.fft_size)]
    y = scipy.fft.fft(windows, norm="ortho")[:, PARAMS.carriers]
    middle = starts + PARAMS.fft_size // 2
    h = t.channel.frequency_response(middle, PARAMS.carriers * PARAMS.carrier_spacing_hz) if profile_of(t) else 1
    h = h * np.exp(-2j * np.pi * PARAMS.carriers * early / PARAMS.fft_size)
    z, variance = (y / h).reshape(-1), (n0 / np.abs(h) ** 2 * np.ones(y.shape)).reshape(-1)
    cells = LAYOUT.payload_cells(PAYLOAD)[:PAYLOAD]
    return (z[LAYOUT.header_cells], variance[LAYOUT.header_cells]), (z[cells], variance[cells])


def profile_of(t):
    return not isinstance(t.channel, fading.Identity)


def information(bits, symbols, variance, order):
    """Mutual information per bit that a decoder can use: 1 - E log2(1 + exp(-(2 b - 1) LLR))."""
    llr = qam.demap_llr(symbols.astype(np.complex64), order, variance.astype(np.float32))
    return 1 - np.mean(np.logaddexp(0, -(2.0 * bits - 1) * llr)) / np.log(2)


def estimation_loss(profile, doppler_hz, snr_db, order, trials, rng):
    """Loss in dB of header (QPSK) and payload."""
    n0, shifts, rows = 10 ** (-snr_db / 10), (0.0, 0.5, 1.0, 2.0, 4.0), []
    hit = 0
    while len(rows) < trials:
        t = trial(profile, doppler_hz, order, rng)
        got = receive(t, n0)
        hit += got is not None
        if got is None:
            if hit == 0 and len(rows) > 50:
                break
            continue
        bits = t.bits.reshape(PAYLOAD, -1)[burst_permutation(PAYLOAD)].reshape(-1)  # in sent order
        row = [
            information(t.header_bits, got.header, got.header_noise_variance, 4),
            information(t.bits, got.payload, got.noise_variance, order),
        ]
        for shift in shifts:
            head, body = genie(t, n0 * 10 ** (shift / 10))
            row += [information(t.header_bits, *head, 4), information(bits, *body, order)]
        rows.append(row)
    mean = np.mean(rows, axis=0)
    known = mean[2:].reshape(-1, 2)
    # where knowledge of everything leaves no error, the loss cannot be told
    return [float(np.interp(-mean[i], -known[:, i], shifts)) if known[0, i] < 0.999 else None for i in (0, 1)]


def detection(case, profile, doppler_hz, snr_db, trials, rng):
    hits, cfo, timing = 0, [], []
    for _ in range(trials):
        t = trial(profile, doppler_hz, 4, rng)
        got = receive(t, 10 ** (-snr_db / 10))
        if got is not None:
            hits += 1
            cfo.append(got.report.cfo_hz / PARAMS.carrier_spacing_hz - t.cfo)
            timing.append(got.start - t.start)
    emit("ofdm_sync", f"{case}: detected of {trials}", hits / trials, "1")
    emit("ofdm_sync", f"{case}: detected, lower 95 % bound", beta.ppf(0.05, hits, trials - hits + 1), "1")
    emit("ofdm_sync", f"{case}: carrier offset error after pilots, rms", np.sqrt(np.mean(np.square(cfo))), "carriers")
    emit("ofdm_sync", f"{case}: timing error, mean", np.mean(timing), "samples")
    emit("ofdm_sync", f"{case}: timing error, deviation", np.std(timing), "samples")


def false_alarms(samples, rng):
    receiver = BurstReceiver(PARAMS, HEADER, lambda header, noise_variance: None)
    found, chunk = 0, 250_000
    for _ in range(samples // chunk):
        pairs = rng.standard_normal((chunk, 2), np.float32)
        found += len(receiver.push(pairs.view(np.complex64)[:, 0]))
    emit("ofdm_sync", f"false alarms in {samples:.0e} samples of noise", found, "1")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    rng = np.random.default_rng(1)
    trials = 60 if quick else 400
    for snr_db in (0, -3):
        detection(f"AWGN {snr_db} dB", None, 0, snr_db, trials, rng)
    for snr_db in (0, 8):
        detection(f"TDL-C 300 ns 30 Hz {snr_db} dB", "TDL-C", 30.0, snr_db, trials, rng)
    for profile, doppler_hz in ((None, 0.0), ("TDL-C", 30.0), ("TDL-C", 200.0)):
        for snr_db, order in ((0, 4), (8, 16), (20, 64)):
            losses = estimation_loss(profile, doppler_hz, snr_db, order, trials // 4, rng)
            for part, loss in zip(("header QPSK", f"payload {order}-QAM"), losses, strict=True):
                name = f"{profile or 'AWGN'} {doppler_hz:.0f} Hz {snr_db} dB"
                if loss is not None:
                    emit("ofdm_sync", f"{name}: {part}, loss to perfect knowledge", loss, "dB")
    false_alarms(5_000_000 if quick else 200_000_000, rng)


if __name__ == "__main__":
    main()
