"""OFDM symbols of a located PPDU to equalised points."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.fft

from semwave.modulation.ieee80211 import coding, tracking
from semwave.modulation.ieee80211 import demodulate_kernels as kernels
from semwave.modulation.ieee80211 import params as p
from semwave.modulation.ieee80211.sync import BACKOFF, Located, Reader

Array = npt.NDArray[Any]

_PILOT_BINS = p.PILOTS % p.FFT


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
    samples = read(base, int(starts[-1]) + p.FFT)
    rows = np.empty((starts.size, p.FFT), np.complex64)
    kernels.take(samples, starts - base, found.cfo, float(base - found.ltf), complex(found.dc), rows)
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
    times = starts + (p.FFT / 2 - estimate.at)
    y = spectra(read, found, starts)
    matched = np.conj(h_pilots) * pilots
    power = np.abs(h_pilots.astype(np.complex128)) ** 2
    if len(starts) > 3:
        seen = matched * y[:, _PILOT_BINS]
        late = times * kernels.drift(seen, power, found.n0, times, tracking.SPACING, tracking.CLOCK_PRIOR)
        if abs(late[-1]) >= 0.5:
            shift = np.rint(late).astype(np.int64)
            y = spectra(read, found, starts + shift)
            late -= shift
        kernels.unturn(y, late)
    seen = matched * y[:, _PILOT_BINS]
    gain = kernels.common(seen, float(power.mean()), found.n0, times, tracking.OFFSET_PRIOR)
    points = np.empty((starts.size, carriers.size), np.complex64)
    noise = np.empty(points.shape, np.float32)
    kernels.divide(y, carriers % p.FFT, h, gain, found.n0, points, noise)
    return Points(points, noise)


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
