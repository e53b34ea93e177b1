"""The second stage of the search in plain NumPy: what ``sync_kernels`` is held equal to."""

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.fft

from semwave.modulation.ieee80211 import params as p
from semwave.modulation.ieee80211.sync import (
    BACKOFF,
    EARLY,
    FAR_PATH,
    HOP,
    LATE,
    LINES,
    MATCH_THRESHOLD,
    NEAR_PATH,
    PAIR_THRESHOLD,
    PERIOD,
    SPREAD_THRESHOLD,
    WINDOW,
    Located,
    Reader,
)

Array = npt.NDArray[Any]


@lru_cache(maxsize=1)
def _template() -> tuple[Array, int]:
    """Conjugate spectrum of the doubled long symbol, of unit energy, and the FFT size."""
    double = np.tile(p.long_symbol(), 2)
    size = scipy.fft.next_fast_len(LATE - EARLY + double.size)
    double = double / np.linalg.norm(double)
    return np.conj(scipy.fft.fft(double, size)).astype(np.complex64), size


def best_look(samples: Array, hops: int) -> int:
    """Hop of 8 samples whose 128-sample window is most like itself 16 samples later, its mean taken off."""
    shares = []
    for h in range(hops):
        x = samples[HOP * h : HOP * h + WINDOW].astype(np.complex128)
        x = x - x.mean()
        shares.append(abs(np.vdot(x[:-PERIOD], x[PERIOD:])) / (np.vdot(x, x).real + 1e-30))
    return int(np.argmax(shares))


def coarse(window: Array) -> float | None:
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


def timing(turned: Array) -> int | None:
    """Place of the first path's first long symbol in a segment without DC and coarse offset; None if there is none."""
    spectrum, size = _template()
    lags = LATE - EARLY
    match = np.abs(scipy.fft.ifft(scipy.fft.fft(turned, size) * spectrum)[:lags]) ** 2
    power = np.concatenate([[0.0], np.cumsum(np.abs(turned) ** 2, dtype=np.float64)])
    energy = power[2 * p.FFT :][:lags] - power[:lags]
    share = match / np.maximum(energy, 1e-30)
    peak = int(np.argmax(share))
    first = max(peak - 15, 0)
    spread = np.convolve(share[first : peak + 16], np.ones(16), "valid").max() if peak + 80 <= lags else 0.0
    if share[peak] < MATCH_THRESHOLD or spread < SPREAD_THRESHOLD:
        return None
    noise = 8 * (1 - min(share[peak], 1.0)) / (2 * p.FFT * share[peak])
    before = peak - np.arange(first, peak + 1)
    least = np.maximum(np.where(before < 4, NEAR_PATH, FAR_PATH), noise) * match[peak]
    strong = np.flatnonzero((match[first : peak + 1] > least) | (before == 0))
    return first + int(strong[0])


def estimate(read: Reader, ltf: int, offset: float) -> Located | None:
    """Fine offset, DC, noise and channel from the two long symbols."""
    start = ltf - p.FIRST_LONG
    dc = offset_free_mean(read(start + 8, start + 8 + 9 * PERIOD), offset)
    long = read(ltf - BACKOFF, ltf + 2 * p.FFT) - np.complex64(dc)
    a, b = long[BACKOFF : -p.FFT], long[BACKOFF + p.FFT :]
    pair = np.vdot(a, b)
    likeness = float(np.abs(pair) / (0.5 * (np.vdot(a, a).real + np.vdot(b, b).real) + 1e-30))
    if not likeness > PAIR_THRESHOLD:
        return None
    cfo = offset + np.angle(pair * np.exp(-1j * offset * p.FFT)) / p.FFT
    body = long[: 2 * p.FFT] * np.exp(-1j * cfo * (np.arange(2 * p.FFT) - BACKOFF)).astype(np.complex64)
    bins = p.LEGACY.bins
    y = scipy.fft.fft(body.reshape(2, p.FFT), norm="ortho")[:, bins]
    n0 = float(np.mean(np.abs(y[0] - y[1]) ** 2)) / 2
    channel = (y[0] + y[1]) * (p.LONG / 2).astype(np.float32)
    floor = 1e-7 * float(np.mean(np.abs(channel) ** 2))
    return Located(ltf, float(cfo), complex(dc), max(n0, floor, 1e-30), channel, likeness)


def offset_free_mean(window: Array, cfo: float) -> complex:
    """Mean of nine periods of the short field once the periodic part, which has no DC itself, is taken off."""
    turn = np.exp(1j * cfo * np.arange(window.size))
    period = (window * np.conj(turn)).reshape(-1, PERIOD).mean(axis=0)
    rest = window - np.tile(period - period.mean(), window.size // PERIOD) * turn
    return complex(rest.mean())
