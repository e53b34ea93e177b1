"""Demodulation in plain NumPy: what ``demodulate_kernels`` is held equal to."""

from typing import Any

import numpy as np
import numpy.typing as npt

from semwave.modulation.ieee80211.params import FFT, PILOT_TURN

Array = npt.NDArray[Any]


def drift(seen: Array, power: Array, n0: float, times: Array, prior: float) -> float:
    """Sampling clock offset: samples by which the signal falls behind in one sample.

    ``seen`` [n, 4] = conj(H P) Y of the pilots, ``power`` [4] = |H|^2, ``times`` [n] samples since the channel was
    estimated. Each pilot turns by -2 pi k delay / 64; products of pilots 14 carriers apart give the delay free of
    the common phase. The fit grows from the first symbols on, so that the phase never has to be unwrapped.
    """
    product = (np.conj(seen[:, :-1]) * seen[:, 1:]).sum(axis=1)
    level = float(power[:-1] @ power[1:]) + 1e-30
    # the angle's variance of one symbol: each of three products has two noisy factors
    variance = max(1.5 * n0 * float(np.mean(power)) / level, 1e-6)
    return slope(product, times * PILOT_TURN, variance, prior)


def slope(product: Array, turn: Array, variance: float, prior: float) -> float:
    """Slope s of ``angle(product) = -s turn`` by maximum a posteriori, over longer and longer beginnings."""
    found, n = 0.0, 2
    weight = np.abs(product)
    mean = weight.mean() + 1e-30
    while True:
        t, w = turn[:n], weight[:n] / mean
        left = np.angle(product[:n] * np.exp(1j * found * t))
        pull = float(w @ (left * t)) / variance + found / prior**2
        found -= pull / (float(w @ t**2) / variance + 1 / prior**2)
        if n >= product.size:
            return found
        n *= 2


def common(seen: Array, power: float, n0: float, times: Array, offset_prior: float) -> Array:
    """Common complex gain of each symbol against the estimated channel: [n, 4] -> [n] complex128.

    ``seen`` as in :func:`drift`, ``power`` the pilots' mean |H|^2, ``times`` [n] samples since the channel was
    estimated. The phase is a line in time (what is left of the carrier offset) plus a slow rest, averaged over
    more symbols the noisier the pilots are. The amplitude is averaged over 25 symbols and drawn towards that of
    the training field, since noise on it costs more than it gains.
    """
    total = seen.sum(axis=1) / max(4 * power, 1e-30)
    noise = n0 / max(4 * power, 1e-30)
    prior = max(np.sqrt(noise / 16) / FFT, offset_prior)  # 64 samples of the long symbols against 4 pilots
    turn = np.exp(-1j * times * slope(total, times, max(noise / 2, 1e-5), prior))
    flat = total * np.conj(turn)
    half = int(np.clip(np.ceil(30 * noise), 0, 8))
    # soon after training, the line is better known than a few noisy pilots tell
    trust = noise / 2 / (0.003 + (1.5e-5 * times) ** 2) / (2 * half + 1)
    phase = _average(flat, half) + trust
    phase = phase / np.maximum(np.abs(phase), 1e-30)
    level = _average((flat * np.conj(phase)).real, 12)
    level = np.maximum((level * 25 + 26.0) / (25 + 26.0), 0.1)
    return turn * phase * level


def _average(values: Array, half: int) -> Array:
    """Mean over up to ``half`` neighbours on each side."""
    if half == 0 or values.size == 1:
        return values
    sums = np.concatenate([[0], np.cumsum(values)])
    i = np.arange(values.size)
    low, high = np.maximum(i - half, 0), np.minimum(i + half + 1, values.size)
    return (sums[high] - sums[low]) / (high - low)


def soft_bits(points: Array, n0: Array, order: Array, bits: int, unit: float) -> tuple[Array, float]:
    """LLRs of the coded bits in their own order, max-log over the constellation, and the mean squared error.

    Points and noise [n, carriers]; ``order`` says which coded bit each bit of the points is; ``unit`` makes the
    levels odd integers. A carrier whose errors against the nearest points are larger than the training field
    promised (spurs, neighbours, DC) counts for less; where they are smaller, wrong decisions may have hidden them.
    """
    axis_bits = max(bits // 2, 1)
    labels = np.arange(1 << axis_bits)
    level = 2.0 * np.array([_gray(label, axis_bits) for label in range(labels.size)]) - (len(labels) - 1)
    axes = np.stack([points.real, points.imag] if bits > 1 else [points.real], axis=-1).astype(np.float64)
    distance = (axes[..., None] - level / unit) ** 2
    error = distance.min(axis=-1).sum(axis=-1) + (points.imag**2 if bits == 1 else 0)
    n = len(points)
    scale = np.maximum(((error / n0).mean(axis=0) * n + 8) / (n + 8), 1)
    metric = distance / (n0 * scale)[..., None, None]
    llr = np.empty((*axes.shape, axis_bits))
    for j in range(axis_bits):
        one = (labels >> (axis_bits - 1 - j) & 1).astype(bool)
        llr[..., j] = metric[..., ~one].min(axis=-1) - metric[..., one].min(axis=-1)
    out = np.empty((n, order.size), np.float32)
    out[:, order] = llr.reshape(n, -1)
    return out.ravel(), float(error.mean())


def _gray(label: int, bits: int) -> int:
    """Rank of a label among the levels of an axis: the number whose Gray code it is."""
    rank = 0
    for shift in range(bits):
        rank ^= label >> shift
    return rank
