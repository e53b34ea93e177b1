"""OFDM symbols of a located PPDU to equalised points."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.fft

from semwave.modulation.ieee80211 import coding
from semwave.modulation.ieee80211 import demodulate_kernels as kernels
from semwave.modulation.ieee80211 import params as p
from semwave.modulation.ieee80211.sync import BACKOFF, Located, Reader

Array = npt.NDArray[Any]

CLOCK_PRIOR = 25e-6  # standard deviation assumed of the sampling clock's offset: 802.11 allows 20 ppm at each end
OFFSET_PRIOR = 2 * np.pi * 300 / p.SAMPLE_RATE  # of the carrier offset left after training, at least, rad/sample


@dataclass(frozen=True, slots=True)
class Estimate:
    """A channel estimate on all of some carriers, taken around sample ``at``."""

    channel: Array
    """[52] or [56] complex64."""
    carriers: p.Carriers
    at: float


@dataclass(frozen=True, slots=True)
class Points:
    """Equalised symbols: ``points`` [n, data carriers] complex64 and their noise variances ``n0``, float32."""

    points: Array
    n0: Array


def spectra(read: Reader, found: Located, starts: Array) -> Array:
    """Spectra of 64 samples each, without DC and carrier offset: starts [n] -> [n, 64] complex64."""
    base = int(starts[0])
    samples = read(base, int(starts[-1]) + p.FFT)
    rows = np.empty((starts.size, p.FFT), np.complex64)
    kernels.take(samples, starts - base, found.cfo, float(base - found.ltf), found.dc, rows)
    return np.asarray(scipy.fft.fft(rows, axis=1, norm="ortho", overwrite_x=True))


def equalise(read: Reader, found: Located, estimate: Estimate, starts: Array, pilots: Array) -> Points:
    """Demodulate symbols whose transforms start at ``starts`` - BACKOFF, with pilots [n, 4].

    The pilots give the sampling clock's offset and each symbol's phase. Where the clock has moved a symbol by
    half a sample or more, its transform starts earlier or later.
    """
    where, h = estimate.carriers, estimate.channel
    h_pilots = h[where.pilot_places]
    starts = starts - BACKOFF
    times = starts + (p.FFT / 2 - estimate.at)
    y = spectra(read, found, starts)
    power = np.abs(h_pilots.astype(np.complex128)) ** 2
    seen = kernels.match(y, p.PILOT_BINS, h_pilots, pilots)
    if starts.size > 3:
        late = times * kernels.drift(seen, power, found.n0, times, p.PILOT_TURN, CLOCK_PRIOR)
        if abs(late[-1]) >= 0.5:
            shift = np.rint(late).astype(np.int64)
            y = spectra(read, found, starts + shift)
            late -= shift
        kernels.unturn(y, late)
        seen = kernels.match(y, p.PILOT_BINS, h_pilots, pilots)
    gain = kernels.common(seen, power.sum() / 4, found.n0, times, OFFSET_PRIOR)
    points = np.empty((starts.size, where.data.size), np.complex64)
    noise = np.empty(points.shape, np.float32)
    kernels.divide(y, where.data_bins, h, where.data_places, gain, found.n0, points, noise)
    return Points(points, noise)


def soft_bits(seen: Points, mode: p.Mode, ldpc: bool = False) -> tuple[Array, float]:
    """LLRs of coded bits in their own order, [n * N_CBPS] float32, and the EVM in dB against the nearest points."""
    out = np.empty(len(seen.points) * mode.coded_bits, np.float32)
    unit = np.float32(coding.unit(mode))
    error = kernels.soft_bits(seen.points, seen.n0, coding.order(mode, ldpc), mode.bits_per_carrier, unit, out)
    return out, 10 * float(np.log10(max(error, 1e-12)))


def refine(seen: Points, sent: Array, whole_end: bool) -> Points:
    """Correct channel and phases by what was sent: points and sent [n, carriers] -> points.

    The training field stays worth four symbols. The last symbol's padding is not known unless ``whole_end``: it
    does not count, and takes the phase of the one before.
    """
    n = len(sent) if whole_end else len(sent) - 1
    weight = np.abs(sent[:n]) ** 2 / seen.n0[:n]
    product = np.conj(sent[:n]) * seen.points[:n] / seen.n0[:n]
    known = 4 * weight.mean(axis=0)
    carrier = (known + product.sum(axis=0)) / (known + weight.sum(axis=0))
    strength = np.abs(carrier) ** 2
    at = np.concatenate([[0], np.cumsum((product * np.conj(carrier)).sum(axis=1))])
    of = np.concatenate([[0], np.cumsum((weight * strength).sum(axis=1))])
    low, high = np.maximum(np.arange(n) - 1, 0), np.minimum(np.arange(n) + 2, n)
    symbol = np.ones(len(sent), np.complex128)
    symbol[:n] = (at[high] - at[low]) / np.maximum(of[high] - of[low], 1e-30)
    symbol[n:] = symbol[n - 1]
    gain = np.outer(symbol, carrier).astype(np.complex64)
    gain[np.abs(gain) < 0.1] = 0.1
    return Points(seen.points / gain, (seen.n0 / np.abs(gain) ** 2).astype(np.float32))
