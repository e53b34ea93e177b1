"""OFDM symbols of a located PPDU to equalised points."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.fft

from semwave.modulation.ieee80211 import coding, tracking
from semwave.modulation.ieee80211 import params as p
from semwave.modulation.ieee80211.sync import BACKOFF, Located, Reader

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A channel estimate and where it holds."""

    channel: Array
    """[52] or [56] complex64."""
    carriers: Array
    """Its carriers."""
    at: float
    """Sample around which it was taken."""

    def on(self, carriers: Array) -> Array:
        """The estimate on some of its carriers."""
        return self.channel[np.searchsorted(self.carriers, carriers)]


@dataclass(frozen=True, slots=True)
class Points:
    """Equalised symbols: ``points`` [n, carriers] complex64 and their noise variances ``n0``, float32."""

    points: Array
    n0: Array


def spectra(read: Reader, found: Located, starts: Array) -> Array:
    """Spectra of 64 samples each, without DC and carrier offset: starts [n] -> [n, 64] complex64."""
    base = int(starts[0])
    samples = read(base, int(starts[-1]) + p.FFT) - np.complex64(found.dc)
    rows = samples[(starts - base)[:, None] + np.arange(p.FFT)]
    turn = np.exp(-1j * found.cfo * (starts - found.ltf)).astype(np.complex64)
    inside = np.exp(-1j * found.cfo * np.arange(p.FFT)).astype(np.complex64)
    rows *= turn[:, None]
    rows *= inside
    return np.asarray(scipy.fft.fft(rows, axis=1, norm="ortho", overwrite_x=True))


def equalise(
    read: Reader, found: Located, estimate: Estimate, starts: Array, pilots: Array, carriers: Array
) -> Points:
    """Demodulate symbols whose transforms start at ``starts`` - BACKOFF: pilots [n, 4] -> points on ``carriers``.

    The pilots give the sampling clock's offset and each symbol's phase. Where the clock has moved a symbol by
    half a sample or more, its transform starts earlier or later.
    """
    h_pilots, h = estimate.on(p.PILOTS), estimate.on(carriers)
    starts = starts - BACKOFF
    times = (starts + p.FFT / 2) - estimate.at
    y = spectra(read, found, starts)
    matched = np.conj(h_pilots) * pilots
    power = np.abs(h_pilots.astype(np.complex128)) ** 2
    if len(starts) > 3:
        slow = tracking.drift(matched * y[:, p.PILOTS % p.FFT], power, found.n0, times)
        late = slow * times
        shift = np.rint(late).astype(np.int64)
        if shift.any():
            y = spectra(read, found, starts + shift)
        turn = np.exp(2j * np.pi / p.FFT * np.outer(late - shift, np.fft.fftfreq(p.FFT, 1 / p.FFT)))
        y = y * turn.astype(np.complex64)
    gain = tracking.common(matched * y[:, p.PILOTS % p.FFT], float(power.mean()), found.n0, times)
    whole = gain.astype(np.complex64)[:, None] * h
    strength = np.maximum(np.abs(whole) ** 2, np.float32(1e-30))
    points = (y[:, carriers % p.FFT] * np.conj(whole) / strength).astype(np.complex64)
    return Points(points, (np.float32(found.n0) / strength).astype(np.float32))


def errors(seen: Points, mode: p.Mode) -> tuple[float, Points]:
    """EVM in dB against the nearest points, and the points with the noise that carriers really show.

    A carrier whose errors are larger than the training field promised (spurs, neighbours, DC) counts for less;
    where they are smaller, wrong decisions may have hidden them.
    """
    error = np.abs(seen.points - coding.hard_points(seen.points, mode)) ** 2
    evm_db = 10 * np.log10(max(float(error.mean()), 1e-12))
    n = len(error)
    excess = (error / seen.n0).mean(axis=0)
    scale = np.maximum((excess * n + 8) / (n + 8), 1).astype(np.float32)
    return evm_db, Points(seen.points, seen.n0 * scale)
