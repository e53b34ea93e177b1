"""Deterministic sequences that transmitter and receiver agree on without exchanging anything."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

PILOT_SEED, HEADER_PAD_SEED, PAYLOAD_PAD_SEED, PERMUTATION_SEED = 1, 2, 3, 4
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def hashed(seed: int, n: int) -> Array:
    """Counter-based SplitMix64 words (Steele, Lea, Flood, OOPSLA 2014): ``[n]`` uint64.

    The mixing is a bijection of the counter, so for one seed no two words are equal. Written out here because a
    library's generator may change its stream between versions, and a modem must not.
    """
    with np.errstate(over="ignore"):
        z = np.arange(1, n + 1, dtype=np.uint64) * _GOLDEN + np.uint64(seed) * np.uint64(0xD1B54A32D192ED03)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def qpsk_sequence(seed: int, n: int) -> Array:
    """Known pseudo-random QPSK symbols of unit energy: ``[n]`` complex64."""
    words = hashed(seed, n)
    re = 1.0 - 2.0 * ((words >> np.uint64(63)) & np.uint64(1)).astype(np.float32)
    im = 1.0 - 2.0 * ((words >> np.uint64(31)) & np.uint64(1)).astype(np.float32)
    return ((re + 1j * im) * np.float32(np.sqrt(0.5))).astype(np.complex64)


def zadoff_chu(root: int, n: int) -> Array:
    """Zadoff-Chu sequence of the smallest prime length >= n, cut to ``[n]`` complex64 (TS 38.211, 5.2.2)."""
    length = n
    while any(length % d == 0 for d in range(2, int(length**0.5) + 1)):
        length += 1
    k = np.arange(n, dtype=np.int64)
    phase = (root * k * (k + length % 2)) % (2 * length)
    return np.asarray(np.exp(-1j * np.pi * phase / length), np.complex64)


@lru_cache(maxsize=8)  # a receiver believes lengths that make this megabytes
def burst_permutation(n: int) -> Array:
    """Pseudo-random interleaver of a burst's payload, known from n alone: ``[n]`` int64, read-only.

    ``sent[i] = payload[burst_permutation(n)[i]]``, so ``payload[burst_permutation(n)] = received`` undoes it.
    A hash rather than a stride: no code length can fall in step with the carriers.
    """
    if n < 0:
        raise ValueError(f"n must be at least 0, not {n}")
    order = np.argsort(hashed(PERMUTATION_SEED + (n << 8), n)).astype(np.int64)
    order.setflags(write=False)
    return order
