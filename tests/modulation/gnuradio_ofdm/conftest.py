"""What the tests of GNU Radio's stock OFDM packets share."""

import zlib
from pathlib import Path

import numpy as np
import pytest

from semwave.modulation.gnuradio_ofdm import GnuradioOfdmFormat, Receiver

VECTORS = Path(__file__).resolve().parents[2] / "vectors" / "gnuradio_ofdm.npz"
MODULATIONS = ("bpsk", "qpsk", "8psk")


@pytest.fixture
def rng(request):
    return np.random.default_rng(zlib.crc32(request.node.name.encode()))


@pytest.fixture(scope="session")
def recorded():
    """By modulation and scrambling: format, payloads, samples of GNU Radio's transmitter."""
    with np.load(VECTORS) as file:
        ends = np.cumsum(file["lengths"])
        found = {}
        for bits, modulation in enumerate(MODULATIONS, 1):
            for scramble in (False, True):
                name = f"bits{bits}_scramble{scramble:d}"
                data = file[f"{name}_payloads"].tobytes()
                payloads = [data[e - n : e] for e, n in zip(ends, file["lengths"], strict=True)]
                form = GnuradioOfdmFormat(modulation, scramble)
                found[modulation, scramble] = form, payloads, file[f"{name}_samples"]
        return found


@pytest.fixture
def receive():
    """Everything that a new receiver finds in samples."""

    def run(samples, form):
        receiver = Receiver(form)
        return receiver.push(samples) + receiver.finish()

    return run


@pytest.fixture
def through(rng):
    """A channel: paths, carrier offset in carriers, a constant, noise at an SNR over a signal of power 52."""

    def run(samples, taps=(1,), cfo=0.0, snr_db=30.0, dc=0.0):
        x = np.convolve(samples, taps)
        x = x * np.exp(2j * np.pi * cfo / 64 * np.arange(x.size)) + dc
        noise = rng.standard_normal((x.size, 2)) @ [1, 1j] * np.sqrt(52 / 2 * 10 ** (-snr_db / 10))
        return (x + noise).astype(np.complex64)

    return run
