"""Find PPDUs: the short training field's period, then the long one's timing, carrier offset and channel.

The first stage is the likelihood-ratio test for eight equal parts of 16 samples with the window's mean taken off,
:mod:`semwave.modulation.ofdm.detect_kernels`: a receiver's DC offset has any period, so it must go before the
test, and because the short training field has no DC its own mean over whole periods is nothing to lose.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.fft

from semwave.modulation.ieee80211 import params as p
from semwave.modulation.ofdm.detect_kernels import periodicity

Array = npt.NDArray[Any]
Reader = Callable[[int, int], Array]
"""``read(first, last)`` gives samples first ... last - 1 by absolute index, zeros where there are none."""

HOP = 8  # samples between two looks of the first stage, at multiples of it
PERIOD = 16
WINDOW = 8 * PERIOD
FIRST_THRESHOLD = 0.22  # S / (S + N) of the short training field: 4e-6 of the looks at noise pass
PAIR_THRESHOLD = 0.35  # S / (S + N) of the two long symbols' likeness: 2e-4 of noise passes
MATCH_THRESHOLD = 0.09  # share of the energy on the strongest path; noise: 6e-6 a position
SPREAD_THRESHOLD = 0.22  # share of the energy on 16 paths in a row; noise has 1/8
LINES = 2.5  # the short field's energy must be on more lines than this: tones are no preambles
BACKOFF = 3  # samples by which transforms start inside the guard, for paths before the first found
PEAK_HOPS = 20  # hops after a candidate among which its short training field must lie
EARLY, LATE = 116, 252  # long training symbol after the best look: between these (152 to 200 without noise)
LOOKAHEAD = PEAK_HOPS * HOP + LATE + 2 * p.FFT + 16  # samples after a candidate that ``locate`` reads
BEHIND = 160  # samples before a candidate that may still be read


@dataclass(frozen=True, slots=True)
class Located:
    """A preamble found."""

    ltf: int
    """Absolute index of the first long training symbol's first sample, on the first path."""
    cfo: float
    """Carrier frequency offset, radians per sample."""
    dc: complex
    """DC offset, to be taken off before anything else."""
    n0: float
    """Noise variance of a carrier after a unitary FFT."""
    channel: Array
    """Least-squares channel on carriers -26 ... 26 without 0, [52] complex64; transforms start BACKOFF early."""
    match: float
    """S / (S + N) as the likeness of the two long symbols tells it."""


@lru_cache(maxsize=1)
def _template() -> tuple[Array, int]:
    """Conjugate spectrum of the doubled long symbol, of unit energy, and the FFT size."""
    double = np.tile(p.long_symbol(), 2)
    size = scipy.fft.next_fast_len(LATE - EARLY + double.size)
    double = double / np.linalg.norm(double)
    return np.conj(scipy.fft.fft(double, size)).astype(np.complex64), size


def metric(samples: Array) -> Array:
    """First stage at each hop whose window lies inside: [n] complex64 -> [hops] float32."""
    return periodicity(samples, HOP, PERIOD)


def locate(read: Reader, candidate: int, earliest: int) -> Located | None:
    """Second stage around a candidate's index; None where no long training symbol fits.

    ``earliest``: the first sample that an L-STF may start at; samples before it belong to something else.
    """
    near = metric(read(candidate, candidate + (PEAK_HOPS - 1) * HOP + WINDOW))
    best = candidate + HOP * int(np.argmax(near))
    window = read(best, best + WINDOW)
    offset = _coarse(window)
    if offset is None:
        return None
    first = best + EARLY
    segment = read(first, best + LATE + 2 * p.FFT)
    segment = segment - window.mean()
    turned = segment * np.exp(-1j * offset * np.arange(segment.size)).astype(np.complex64)
    at = _timing(turned)
    if at is None or first + at - p.FIRST_LONG < earliest - 2 * PERIOD:
        return None
    return _estimate(read, first + at, offset)


def _coarse(window: Array) -> float | None:
    """Carrier offset from the short training field, radians per sample; None for a tone."""
    x = (window - window.mean()).astype(np.complex128).reshape(8, PERIOD)
    lag = [np.vdot(x[:-m], x[m:]) for m in (1, 4)]
    step = np.angle(lag[0])  # per period, without ambiguity up to 625 kHz
    step += np.angle(lag[1] * np.exp(-4j * step)) / 4
    period = (x * np.exp(-1j * step * np.arange(8))[:, None]).sum(axis=0)
    period *= np.exp(-1j * step / PERIOD * np.arange(PERIOD))
    lines = np.abs(np.fft.fft(period)) ** 2
    if not lines.sum() ** 2 > LINES * (lines**2).sum():
        return None
    return float(step / PERIOD)


def _timing(turned: Array) -> int | None:
    """Place of the first path's first long symbol in a segment without DC and coarse offset; None if there is none."""
    spectrum, size = _template()
    lags = LATE - EARLY
    match = np.abs(scipy.fft.ifft(scipy.fft.fft(turned, size) * spectrum)[:lags]) ** 2
    power = np.concatenate([[0.0], np.cumsum(np.abs(turned) ** 2, dtype=np.float64)])
    energy = power[2 * p.FFT :][:lags] - power[:lags]
    share = match / np.maximum(energy, 1e-30)
    peak = int(np.argmax(share))
    first = max(peak - 15, 0)
    spread = np.convolve(share[first : peak + 16], np.ones(16), "valid").max() if peak + 16 <= lags else 0.0
    if share[peak] < MATCH_THRESHOLD or spread < SPREAD_THRESHOLD:
        return None
    noise = (1 - min(share[peak], 1.0)) / (2 * p.FFT)
    strong = np.flatnonzero(match[first : peak + 1] > max(0.2, 8 * noise / share[peak]) * match[peak])
    return first + int(strong[0])


def _estimate(read: Reader, ltf: int, coarse: float) -> Located | None:
    """Fine offset, DC, noise and channel from the two long symbols."""
    start = ltf - p.FIRST_LONG
    dc = _dc(read(start + 8, start + 8 + 9 * PERIOD), coarse)
    long = read(ltf - BACKOFF, ltf + 2 * p.FFT) - np.complex64(dc)
    a, b = long[BACKOFF : -p.FFT], long[BACKOFF + p.FFT :]
    pair = np.vdot(a, b)
    likeness = float(np.abs(pair) / (0.5 * (np.vdot(a, a).real + np.vdot(b, b).real) + 1e-30))
    if not likeness > PAIR_THRESHOLD:
        return None
    cfo = coarse + np.angle(pair * np.exp(-1j * coarse * p.FFT)) / p.FFT
    body = long[: 2 * p.FFT] * np.exp(-1j * cfo * (np.arange(2 * p.FFT) - BACKOFF)).astype(np.complex64)
    bins = p.LEGACY_CARRIERS % p.FFT
    y = scipy.fft.fft(body.reshape(2, p.FFT), norm="ortho")[:, bins]
    n0 = float(np.mean(np.abs(y[0] - y[1]) ** 2)) / 2
    channel = (y[0] + y[1]) * (p.LONG / 2).astype(np.float32)
    floor = 1e-7 * float(np.mean(np.abs(channel) ** 2))
    return Located(ltf, float(cfo), complex(dc), max(n0, floor, 1e-30), channel, likeness)


def _dc(window: Array, cfo: float) -> complex:
    """Mean of nine periods of the short field once the periodic part, which has no DC itself, is taken off."""
    turn = np.exp(1j * cfo * np.arange(window.size))
    period = (window * np.conj(turn)).reshape(-1, PERIOD).mean(axis=0)
    rest = window - np.tile(period - period.mean(), window.size // PERIOD) * turn
    return complex(rest.mean())
