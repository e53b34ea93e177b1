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

from semwave.modulation.ieee80211 import params as p
from semwave.modulation.ieee80211 import sync_kernels as kernels
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
NEAR_PATH, FAR_PATH = 0.2, 0.045  # least power of a path before the strongest, up to 3 samples before it (where a
# path between two samples has side lobes) and farther away
LINES = 2.5  # the short field's energy must be on more lines than this: tones are no preambles
BACKOFF = 3  # samples by which transforms start inside the guard, for paths before the first found
PEAK_HOPS = 20  # hops after a candidate among which its short training field must lie
EARLY, LATE = 116, 324  # long training symbol after the best look: 152 to 200, and room for its repetition
LOOKAHEAD = PEAK_HOPS * HOP + LATE + 4 * p.FFT + 16  # samples after a candidate that ``locate`` reads
BEHIND = 160  # samples before a candidate that may still be read
_LIMITS, _PATHS = (MATCH_THRESHOLD, SPREAD_THRESHOLD), (NEAR_PATH, FAR_PATH)


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
def _template() -> Array:
    """The long symbol, of unit energy."""
    return (p.long_symbol() / np.linalg.norm(p.long_symbol())).astype(np.complex64)


@lru_cache(maxsize=1)
def _dft() -> Array:
    """Rows of the unitary transform on carriers -26 ... 26, times the long training sequence: [52, 64]."""
    turn = np.exp(-2j * np.pi / p.FFT * np.outer(p.LEGACY.all, np.arange(p.FFT)))
    return np.ascontiguousarray(turn * p.LONG[:, None] / 8, np.complex64)


def metric(samples: Array) -> Array:
    """First stage at each hop whose window lies inside: [n] complex64 -> [hops] float32."""
    return np.asarray(periodicity(samples, HOP, PERIOD))


def locate(read: Reader, candidate: int, earliest: int) -> Located | None:
    """Second stage around a candidate's index; None where no long training symbol fits.

    ``earliest``: the first sample that an L-STF may start at; samples before it belong to something else.
    """
    best = candidate + HOP * kernels.best_look(read(candidate, candidate + (PEAK_HOPS - 1) * HOP + WINDOW), PEAK_HOPS)
    window = read(best, best + WINDOW)
    good, offset = kernels.coarse(window, LINES)
    if not good:
        return None
    first = best + EARLY
    segment = read(first, best + LATE + 2 * p.FFT)
    at = kernels.timing(segment, complex(window.mean()), offset, _template(), _LIMITS, _PATHS)
    ltf = first + at
    if at < 0 or ltf - p.FIRST_LONG < earliest - 2 * PERIOD:
        return None
    return _estimate(read, ltf, offset)


def _estimate(read: Reader, ltf: int, coarse: float, look_later: bool = True) -> Located | None:
    """Fine offset, DC, noise and channel from the two long symbols."""
    start = ltf - p.FIRST_LONG
    dc = kernels.offset_free_mean(read(start + 8, start + 8 + 9 * PERIOD), coarse)
    long = read(ltf - BACKOFF, ltf + 2 * p.FFT)
    likeness, cfo = kernels.pair(long, BACKOFF, dc, coarse)
    if look_later and kernels.pair(read(ltf + p.FFT, ltf + 3 * p.FFT), 0, dc, coarse)[0] > likeness + 0.1:
        # a bad coarse offset made half a match look better than the whole one
        return _estimate(read, ltf + p.FFT, coarse, look_later=False)
    if not likeness > PAIR_THRESHOLD:
        return None
    channel = np.empty(p.LEGACY.all.size, np.complex64)
    n0 = kernels.channel(long, BACKOFF, dc, cfo, _dft(), channel)
    floor = 1e-7 * float(np.vdot(channel, channel).real) / channel.size
    return Located(ltf, cfo, dc, max(n0, floor, 1e-30), channel, likeness)
