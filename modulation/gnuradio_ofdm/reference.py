"""Plain NumPy for the kernels of this package, as in the formulas: tests hold them equal."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from semwave.modulation.gnuradio_ofdm import channel, detect
from semwave.modulation.gnuradio_ofdm.frame import (
    ACTIVE,
    BINS,
    CP_LEN,
    DATA,
    FFT_SIZE,
    PILOT_SIGNS,
    PILOTS,
    POLARITY,
    SYMBOL_LEN,
    preamble,
    sync_words,
)

Array = npt.NDArray[Any]


def match(segment: Array, offset: float) -> tuple[float, int, int, int, float]:
    """``detect``'s matched filter over a segment [223]: metric, shift, first and strongest lag, angle between words."""
    t = np.arange(segment.size)
    x = (segment - segment.mean()) * np.exp(-1j * offset * t)
    windows = np.lib.stride_tricks.sliding_window_view(x, 2 * SYMBOL_LEN)
    known = preamble() / np.linalg.norm(preamble())
    turns = np.exp(2j * np.pi / FFT_SIZE * np.outer(detect.SHIFTS, t[: 2 * SYMBOL_LEN]))
    power = np.abs(windows @ np.conj(known * turns).T) ** 2  # [lags, shifts]
    best, shift = (int(i) for i in np.unravel_index(np.argmax(power), power.shape))
    lags = power[:, shift]
    starts = range(max(best - CP_LEN, 0), min(best, lags.size - CP_LEN - 1) + 1)
    inside = max((lags[s : s + CP_LEN + 1].sum() for s in starts), default=0.0)
    metric = inside / np.sum(np.abs(windows[best]) ** 2)
    if inside / (CP_LEN + 1) <= detect.STANDING_OUT * (lags.sum() - inside) / (lags.size - CP_LEN - 1):
        metric = 0.0
    low, high = max(best - CP_LEN, 0), min(best + CP_LEN + 1, lags.size)
    replica = np.conj(known * turns[shift])
    one = windows[low:high, :SYMBOL_LEN] @ replica[:SYMBOL_LEN]
    two = windows[low:high, SYMBOL_LEN:] @ replica[SYMBOL_LEN:]
    both = np.abs(one) ** 2 + np.abs(two) ** 2
    strong = both > 0.1 * both.max()
    floor = min(max(0.1 * lags[best], 6 * np.median(lags) / np.log(2)), 0.99 * lags[best])
    first = low + int(np.flatnonzero(lags[low : best + 1] > floor)[0])
    return float(metric), shift, first, best, float(np.angle(np.vdot(one[strong], two[strong])))


def estimate(received: Array, peak: int) -> tuple[Array, float, float]:
    """``channel.estimate`` by its covariances: channel [52], mean of |H|^2, noise; received [2, 52]."""
    words = sync_words().astype(np.complex128)
    root = np.sqrt((np.abs(words) ** 2).sum(axis=0))
    white = (received * np.conj(words)).sum(axis=0) / root
    delta = ACTIVE[:, None] - ACTIVE
    covariances = []
    for center, width in channel.candidates(peak):
        r = np.sinc(width * delta / FFT_SIZE) * np.exp(-2j * np.pi * center * delta / FFT_SIZE)
        covariances.append(r * np.outer(root, root))
    values, vectors = np.linalg.eigh(covariances[-1])
    span = vectors[:, values > channel.LEAST * values[-1]]
    observed = float(np.sum(np.abs(received) ** 2))
    noise = (observed - np.sum(np.abs(span.conj().T @ white) ** 2)) / (channel.LOOKS - span.shape[1])
    power = (observed - channel.LOOKS * noise) / np.sum(root**2)
    seen = [power * r + noise * np.eye(ACTIVE.size) for r in covariances]
    likelihood = [-np.vdot(white, np.linalg.solve(s, white)).real - np.linalg.slogdet(s)[1] for s in seen]
    kept = int(np.argmax(likelihood))
    return power * covariances[kept] @ np.linalg.solve(seen[kept], white) / root, float(power), float(noise)


def cheapest(syndrome: int, columns: Array, costs: Array) -> float:
    """Least cost of flips that cancel a syndrome, by trying all; infinite where none do."""
    best = np.inf
    for count in range(columns.size + 1):
        for flips in combinations(range(columns.size), count):
            rest = syndrome
            for i in flips:
                rest ^= int(columns[i])
            if rest == 0:
                best = min(best, float(sum(costs[i] for i in flips)))
    return best


def decide(spectra: Array, channel: Array, points: Array, cells: int) -> Array:
    """Symbol indices of payload rows through a known, constant channel: phase by pilots, nearest point; [cells].

    spectra  [symbols, 64], payload symbols 1, 2, ... of a frame
    """
    z = spectra[:, BINS] / channel
    known = POLARITY[1 + np.arange(len(z)) % POLARITY.size][:, None] * PILOT_SIGNS
    z = z * np.exp(-1j * np.angle((z[:, PILOTS] * known).sum(axis=1)))[:, None]
    flat = z[:, DATA].reshape(-1)[:cells]
    return np.asarray(np.argmin(np.abs(flat[:, None] - points), axis=1))
