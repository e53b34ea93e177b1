"""Signals that the OFDM tests share."""

import zlib
from types import SimpleNamespace

import numpy as np
import pytest


class Signals:
    """Random symbols, noise and channels from one seeded generator."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def qpsk(self, n):
        bits = self.rng.integers(0, 2, (n, 2)) * 2 - 1
        return ((bits[:, 0] + 1j * bits[:, 1]) / np.sqrt(2)).astype(np.complex64)

    def noise(self, n, variance=1.0):
        pairs = self.rng.standard_normal((n, 2)).astype(np.float32)
        return pairs.view(np.complex64)[:, 0] * np.float32(np.sqrt(variance / 2))

    def header(self, symbols, n):
        """A header whose first 20 symbols spell n, uncoded, in their real parts."""
        header = self.qpsk(symbols)
        header[:20] = [(1 + 1j if n >> i & 1 else -1 + 1j) / np.sqrt(2) for i in range(20)]
        return header

    @staticmethod
    def read_header(header, noise_variance):
        return sum(1 << i for i in range(20) if header[i].real > 0)

    def channel(self, samples, params, taps=(1,), cfo=0.0, snr_db=np.inf, dc=0.0):
        """Static paths of unit energy, offset in carrier spacings, a constant, noise."""
        taps = np.asarray(taps) / np.linalg.norm(taps)
        out = np.convolve(samples, taps)
        out = out * np.exp(2j * np.pi * cfo / params.fft_size * np.arange(out.size)) + dc
        return (out + self.noise(out.size, 10 ** (-snr_db / 10))).astype(np.complex64)


@pytest.fixture
def signals(request):
    return Signals(zlib.crc32(request.node.name.encode()))


@pytest.fixture
def wrong():
    """A symbol error count for QPSK and the mean squared error in dB."""

    def compare(got, sent):
        assert got.shape == sent.shape
        errors = (np.sign(got.real) != np.sign(sent.real)) | (np.sign(got.imag) != np.sign(sent.imag))
        mse = float(np.mean(np.abs(got - sent) ** 2)) if sent.size else 0.0
        return SimpleNamespace(errors=int(errors.sum()), mse_db=10 * np.log10(max(mse, 1e-12)))

    return compare
