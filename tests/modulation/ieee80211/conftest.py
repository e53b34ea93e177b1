"""Frames, channels and captures that the 802.11 tests share."""

import json
import zlib
from pathlib import Path

import numpy as np
import pytest

from semwave.modulation.ieee80211 import Receiver, TxFormat, append_fcs, coding, fields, params, transmit

CAPTURES = Path(__file__).resolve().parents[4] / "shared" / "captures"


class Air:
    """A seeded channel: SNR is Es/N0 of a carrier, so noise has variance 1/SNR per sample. And ways to make frames."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def noise(self, n, variance=1.0):
        pairs = self.rng.standard_normal((n, 2)).astype(np.float32)
        return pairs.view(np.complex64)[:, 0] * np.float32(np.sqrt(variance / 2))

    def mpdu(self, octets):
        """A random MAC frame of so many octets, its FCS included."""
        return append_fcs(self.rng.bytes(octets - 4))

    def taps(self, n, decay):
        return (self.rng.standard_normal(n) + 1j * self.rng.standard_normal(n)) * np.exp(-np.arange(n) / decay)

    def send(self, samples, snr_db=30.0, cfo_hz=0.0, taps=(1,), dc=0.0, clock=0.0, before=400, after=300):
        """Silence, the samples after a static channel of unit energy, silence; then offset, DC and noise."""
        x = np.concatenate([np.zeros(before), samples, np.zeros(after)])
        if clock:
            x = self._resample(x, 1 + clock)
        taps = np.asarray(taps) / np.linalg.norm(taps)
        x = np.convolve(x, taps)
        x = x * np.exp(2j * np.pi * cfo_hz / 20e6 * np.arange(x.size)) + dc
        return (x + self.noise(x.size, 10 ** (-snr_db / 10))).astype(np.complex64)

    @staticmethod
    def _resample(x, step):
        """Samples at 0, step, 2 step, ... by a windowed sinc of 32 taps."""
        at = np.arange(int(x.size / step) - 1) * step
        whole = at.astype(int)
        k = np.arange(-15, 17)
        away = k - (at - whole)[:, None]
        weights = np.sinc(away) * np.cos(np.pi * away / 34) ** 2
        padded = np.concatenate([np.zeros(15), x, np.zeros(32)])
        return (padded[whole[:, None] + 15 + k] * weights).sum(axis=1)

    @staticmethod
    def receive(samples, cuts=()):
        """All PPDUs of samples pushed in pieces."""
        receiver, out = Receiver(), []
        for piece in np.split(np.asarray(samples, np.complex64), cuts):
            out += receiver.push(piece)
        return out + receiver.finish()

    @staticmethod
    def start_of(length):
        """L-STF, L-LTF and L-SIG (6 Mbit/s) of a PPDU with this LENGTH."""
        return transmit(bytes(length), TxFormat(6))[:400]

    def signal_symbols(self, bits, turned, first=1):
        """A signal field after L-SIG: its bits coded, one symbol of 48 each, turned by 90 degrees or not."""
        points = coding.map_symbols(fields.encode(np.asarray(bits, np.uint8)), params.legacy_mode(6))
        points = points * np.where(turned, 1j, 1)[:, None]
        return self.ofdm(points, params.LEGACY, params.legacy_pilots(first, len(points)))

    @staticmethod
    def ofdm(points, carriers, pilots, guard=16):
        """OFDM symbols with pilots and guard, in a row."""
        spectra = params.spectrum(points, carriers.data) + params.spectrum(pilots, params.PILOTS)
        time = np.fft.ifft(spectra, norm="ortho")
        return np.concatenate([time[:, -guard:], time], axis=1).ravel()


@pytest.fixture
def air(request):
    return Air(zlib.crc32(request.node.name.encode()))


@pytest.fixture
def capture():
    return _capture


def _capture(name):
    """Samples and truth of a recorded capture; skips where it is absent."""
    data, truth = (CAPTURES / "wifi" / f"{name}{end}" for end in (".sigmf-data", ".truth.json"))
    if not data.exists():
        pytest.skip(f"no {data.name} in shared/captures/wifi")
    samples = np.fromfile(data, "<i2").astype(np.float32).view(np.complex64)
    return samples, json.loads(truth.read_text(encoding="utf-8"))
