"""Stock OFDM packets through transmitter, channel and receiver, beside GNU Radio's own loopback in the same run.

    python benchmarks/ofdm_loopback.py [--quick]

Both: scrambled packets with 80 zeros behind each, carrier offset 0.2 carriers, a little noise out of a prepared table
(GNU Radio's channel model takes it from one too). Ours uses two threads, transmitter with channel and receiver, and
checks every payload; GNU Radio uses a thread a block, some 60. Best of the windows on both sides. By the wall clock a
busy machine favours the one with more threads, so samples a second of processor time, all threads together, are given
too.
"""

import argparse
import queue
import sys
import threading
import time
from pathlib import Path

import numpy as np
from _report import best_seconds, emit

from semwave.modulation.gnuradio_ofdm import GnuradioOfdmFormat, Receiver, Transmitter

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "gnuradio"))
import ofdm_peer

GAP, BATCH, TABLE = 80, 64, 1 << 14
BITS = {"bpsk": 1, "qpsk": 2, "8psk": 3}


class Channel:
    """Carrier offset and noise, from where the last call ended."""

    def __init__(self, rng, cfo=0.2 / 64, sigma=0.001):
        pairs = rng.standard_normal((4 * TABLE, 2), np.float32) * np.float32(sigma / np.sqrt(2))
        self.noise = pairs.view(np.complex64)[:, 0]
        self.turns = np.exp(2j * np.pi * cfo * np.arange(TABLE)).astype(np.complex64)
        self.cfo, self.at = cfo, 0

    def process(self, x):
        out = np.empty_like(x)
        for low in range(0, x.size, TABLE):
            piece = out[low : low + TABLE]
            turn = np.complex64(np.exp(2j * np.pi * ((self.cfo * self.at) % 1)))
            np.multiply(x[low : low + TABLE], self.turns[: piece.size] * turn, out=piece)
            start = self.at % (2 * TABLE)
            piece += self.noise[start : start + piece.size]
            self.at += piece.size
        return out


class Loopback:
    """Transmitter and channel in one thread, the receiver in another; counts what comes out."""

    def __init__(self, size, modulation):
        self.form, rng = GnuradioOfdmFormat(modulation, True), np.random.default_rng(7)
        self.payloads = [rng.bytes(size) for _ in range(BATCH)]
        self.transmitter, self.channel, self.receiver = Transmitter(self.form), Channel(rng), Receiver(self.form)
        self.samples = self.good = self.bad = 0

    def send(self, to, stop):
        while not stop.is_set():
            x = self.channel.process(self.transmitter.frames(self.payloads, GAP))
            while not stop.is_set():
                try:
                    to.put(x, timeout=0.1)
                    break
                except queue.Full:
                    pass

    def take(self, x):
        for p in self.receiver.push(x):
            right = p.status == "ok" and p.payload.tobytes() == self.payloads[p.number % BATCH]
            self.good += right
            self.bad += not right
        self.samples += x.size

    def run(self, seconds, windows):
        """Best of samples a second, good packets a second, samples a second of processor time."""
        blocks, stop, rates = queue.Queue(4), threading.Event(), []
        sender = threading.Thread(target=self.send, args=(blocks, stop))
        sender.start()
        try:
            for window in range(-1, windows):
                self.samples, self.good = 0, 0
                begin, busy = time.perf_counter(), time.process_time()
                while (total := time.perf_counter() - begin) < seconds:
                    self.take(blocks.get(timeout=60))
                if window >= 0:
                    rates.append([self.samples / total, self.good / total, self.samples / (time.process_time() - busy)])
        finally:
            stop.set()
            sender.join()
        if self.bad:
            raise RuntimeError(f"{self.bad} packets came out wrong")
        return np.max(rates, axis=0)

    def parts(self, at_least_s):
        """Samples a second of each part alone, best of some calls."""
        x = self.transmitter.frames(self.payloads, GAP)
        y = self.channel.process(x)
        calls = {
            "transmitter": lambda: self.transmitter.frames(self.payloads, GAP),
            "channel": lambda: self.channel.process(x),
            "receiver": lambda: Receiver(self.form).push(y),
        }
        return {name: x.size / best_seconds(call, at_least_s) for name, call in calls.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    seconds, windows = (0.5, 3) if quick else (1.0, 5)
    sys.setswitchinterval(5e-4)  # as the runner does: two threads that hand samples on
    version = ofdm_peer.version()
    name = version and f"GNU Radio {version}"
    for size in (1001, 95):
        for modulation in ("qpsk",) if quick else BITS:
            peer = ofdm_peer.loopback(size, BITS[modulation], GAP, seconds, windows) if version else {}
            samples, packets, per_cpu = Loopback(size, modulation).run(seconds, windows)
            case = f"{modulation}, {size} bytes"
            emit("ofdm_loopback", case, samples, "samples/s", name, peer.get("samples_s"))
            emit("ofdm_loopback", f"{case}: payload", 8 * size * packets, "bit/s", name, peer.get("bit_s"))
            emit("ofdm_loopback", f"{case}: per CPU", per_cpu, "samples/CPU-s", name, peer.get("samples_cpu_s"))
            for part, rate in Loopback(size, modulation).parts(seconds / 2).items():
                emit("ofdm_loopback", f"{case}: {part} alone", rate, "samples/s")


if __name__ == "__main__":
    main()
