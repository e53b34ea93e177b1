"""Speed of the OFDM waveform and of the burst receiver, samples per second of wall time.

    python benchmarks/ofdm.py [--quick]

The peer of the waveform is the bare transform without prefix or order: ``scipy.fft``, same rows, same threads.
"""

import argparse

import numpy as np
import scipy.fft
from _report import best_seconds, emit

from semwave.modulation.ofdm import BurstReceiver, BurstTransmitter, OfdmParams, PreambleSearch, demodulate, modulate


def qpsk(rng, *shape):
    return (rng.choice([-1, 1], shape) + 1j * rng.choice([-1, 1], shape)).astype(np.complex64) / np.float32(np.sqrt(2))


def waveform(rng, seconds):
    params = OfdmParams(fft_size=1024, cp_len=72, active=600, sample_rate=15.36e6)
    grid = np.zeros((896, 1024), np.complex64)
    grid[:, params.columns] = qpsk(rng, 896, 600)
    samples = modulate(grid, params)
    time_out, grid_out = np.empty_like(samples), np.empty_like(grid)
    for workers in (1, 2):
        peer = samples.size / best_seconds(lambda w=workers: scipy.fft.fft(grid, workers=w), seconds) / 1e6
        for name, work in (
            ("modulate", lambda w=workers: modulate(grid, params, w, time_out)),
            ("demodulate", lambda w=workers: demodulate(samples, params, w, grid_out)),
        ):
            rate = samples.size / best_seconds(work, seconds) / 1e6
            emit("ofdm", f"{name} 1024, {workers} threads", rate, "Msample/s", "scipy.fft alone", peer)


def search(rng, seconds):
    noise = rng.standard_normal((1 << 19, 2), np.float32).view(np.complex64)[:, 0]
    found = PreambleSearch(OfdmParams())
    rate = noise.size / best_seconds(lambda: found.metric(noise), seconds) / 1e6
    emit("ofdm", "search, first stage alone", rate, "Msample/s")

    def idle():
        receiver = BurstReceiver(OfdmParams(), 144, lambda *_: None)
        for chunk in np.split(noise, 64):
            receiver.push(chunk)

    emit("ofdm", "receiver on noise, chunks of 8192", noise.size / best_seconds(idle, seconds) / 1e6, "Msample/s")


def bursts(rng, seconds):
    params = OfdmParams()
    transmitter = BurstTransmitter(params, 144)
    for n in (500, 5000, 50_000):
        header, payload = qpsk(rng, 144), qpsk(rng, n)
        one = transmitter.burst(header, payload)
        rate = one.size / best_seconds(lambda h=header, p=payload: transmitter.burst(h, p), seconds) / 1e6
        emit("ofdm", f"transmit bursts of {n}", rate, "Msample/s")
        samples = np.tile(one, max(200_000 // one.size, 3))
        samples = samples + rng.standard_normal((samples.size, 2), np.float32).view(np.complex64)[:, 0] * np.float32(
            0.1
        )

        def receive(samples=samples, n=n):
            receiver = BurstReceiver(params, 144, lambda *_: n)
            return receiver.push(samples) + receiver.finish()

        good = sum(b.status == "ok" for b in receive())
        expected = max(200_000 // one.size, 3)
        rate = samples.size / best_seconds(receive, seconds) / 1e6
        emit("ofdm", f"receive bursts of {n}, back to back, {good}/{expected} received", rate, "Msample/s")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    seconds = 0.2 if parser.parse_args().quick else 2.0
    rng = np.random.default_rng(1)
    waveform(rng, seconds)
    search(rng, seconds)
    bursts(rng, seconds)


if __name__ == "__main__":
    main()
