"""Power for Gaussian coefficients of known variances over a noisy channel, and their estimates at the receiver."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def order(levels: Array, count: int) -> Array:
    """Indices of the ``count`` greatest whole numbers [n], from the top down.

    Equal ones come in a fixed shuffle, so that a run of lost symbols hurts no one place.
    """
    shuffled = np.random.default_rng(20).permutation(levels.size)
    keys = levels.astype(np.int16)[shuffled]
    most = int(keys.max(initial=0))
    above = np.cumsum(np.bincount(most - keys, minlength=1))  # how many are at least ``most - i``
    enough = most - int(np.searchsorted(above, min(count, levels.size)))
    some = np.flatnonzero(keys >= enough)
    return np.asarray(shuffled[some[np.argsort(-keys[some], kind="stable")]][:count])


def gains(variances: Array, snr_db: float) -> Array:
    """Gains [n] that minimise the sum of errors after linear estimation, at mean power 1/2 per real value.

    With x = g c, noise variance m = n0 / 2 and p = g^2 v the error is v m / (p + m); the best powers are
    p = max(0, sqrt(v m / t) - m), t such that their mean is 1/2 (Lee and Petersen, IEEE Trans. Commun., 1976;
    without noise g ~ v^-1/4: Jakubczak and Katabi, SoftCast, 2011).
    """
    noise = 0.5 * 10 ** (-snr_db / 10)
    roots = np.sqrt(np.maximum(variances, 1e-30))
    descending = np.sort(roots)[::-1]
    count = np.arange(1, roots.size + 1)
    levels = (0.5 * roots.size + count * noise) / np.cumsum(descending)  # of p = level * root - m when k get power
    fits = np.flatnonzero(levels * descending > noise)
    level = levels[fits[-1]] if fits.size else 0.0
    return np.sqrt(np.maximum(level * roots - noise, 0.0)) / roots


def estimate(received: Array, gain: Array, variances: Array, noise: Array) -> tuple[Array, Array]:
    """Linear least-squares estimate of c from y = g c + w and its error variance; ``noise`` [n] of w may be inf."""
    weight = gain * variances / (gain * gain * variances + np.where(np.isinf(noise), 1.0, noise))
    weight = np.where(np.isinf(noise), 0.0, weight)
    return weight * np.where(np.isinf(noise), 0.0, received), variances * (1.0 - weight * gain)


def to_symbols(values: Array) -> Array:
    """Real values in pairs: [n] -> complex64 [ceil(n / 2)]."""
    even = np.zeros(values.size + values.size % 2, np.float32)
    even[: values.size] = values
    return np.ascontiguousarray(even).view(np.complex64)


def to_reals(symbols: Array) -> Array:
    """Complex [n] -> float32 [2 n]."""
    return np.ascontiguousarray(symbols, np.complex64).view(np.float32)


def scale_byte(values: Array) -> int:
    """A byte for `scale`, so that these values get a mean power of one half."""
    power = float(np.mean(np.square(values))) if values.size else 0.0
    return int(np.clip(round(-50 * np.log10(max(2 * power, 1e-9))) + 128, 0, 255)) if power > 0 else 128


def scale(byte: int) -> float:
    """The factor of amplitude that a byte stands for, in steps of 0.2 dB."""
    return float(10 ** ((byte - 128) / 100))
