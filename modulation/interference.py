"""How strong an interferer is: where it is on the air, and its power within a band there."""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
STEP = 32  # samples that are on or off the air together
MARGIN_DB = 6.0  # above the quiet parts, to count as on the air
SEGMENT = 256  # of the spectra


def active_samples(x: Array) -> Array:
    """Where bursts are, by their energy: `[n]` complex -> `[n]` bool.

    Quiet is the lowest tenth of short-time powers; all is active where nothing stands out by 6 dB.
    """
    if x.size < 4 * STEP:
        return np.ones(x.size, bool)
    whole = x.size // STEP
    power = np.mean(np.abs(x[: whole * STEP].reshape(whole, STEP)) ** 2, axis=1)
    smooth = np.convolve(power, np.ones(3) / 3, mode="same")
    quiet, loud = np.percentile(power, 10), np.percentile(power, 95)
    if loud <= quiet * 10 ** (MARGIN_DB / 10):
        return np.ones(x.size, bool)
    threshold = max(quiet * 10 ** (MARGIN_DB / 10), loud * 1e-3)
    active = np.repeat(smooth > threshold, STEP)
    return np.concatenate([active, np.full(x.size - active.size, active[-1])])


def band_power(x: Array, active: Array, sample_rate: float, low_hz: float, high_hz: float) -> float:
    """Mean power of ``x`` `[n]` between two frequencies, over the samples that are active; full band: mean |x|^2.

    Raises ValueError when the band is empty, or nothing is active.
    """
    half = sample_rate / 2
    low_hz, high_hz = max(low_hz, -half), min(high_hz, half)
    if not low_hz < high_hz:
        raise ValueError(f"the band must lie within +-{half:g} Hz, not {low_hz:g} to {high_hz:g} Hz")
    if not active.any():
        raise ValueError("nothing of the recording is active")
    if low_hz <= -half and high_hz >= half:
        return float(np.mean(np.abs(x[active].astype(np.complex128)) ** 2))
    n = np.arange(SEGMENT)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * n / SEGMENT)
    frequency = np.fft.fftfreq(SEGMENT, 1 / sample_rate)
    inside = (frequency >= low_hz) & (frequency < high_hz)
    padded = np.concatenate([x, np.zeros(-x.size % SEGMENT + SEGMENT, x.dtype)])
    share = np.concatenate([active, np.zeros(padded.size - x.size, bool)]).astype(float)
    total = weight = 0.0
    for at in range(0, padded.size - SEGMENT + 1, SEGMENT // 2):
        w = float(share[at : at + SEGMENT] @ window**2)
        if w < 0.5 * float(np.sum(window**2)):
            continue  # mostly silence
        spectrum = np.fft.fft(padded[at : at + SEGMENT] * window)
        total += float(np.sum(np.abs(spectrum[inside]) ** 2)) / SEGMENT
        weight += w
    if not weight:  # bursts shorter than a segment
        return float(np.mean(np.abs(x[active].astype(np.complex128)) ** 2))
    return total / weight
