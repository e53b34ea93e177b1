"""The known start of a burst: one symbol of eight equal parts, then one full known symbol.

Part A, ``symbol_len`` samples of a signal with period fft_size / 8, gives detection and carrier frequency offset
within +-4 carrier spacings (Schmidl and Cox, IEEE Trans. Commun. 45(12), 1997, with the lags of Morelli and Mengali,
IEEE Comm. Letters 3(3), 1999). Part B, a cyclic prefix and a Zadoff-Chu sequence on all active carriers, gives timing
and the channel. Both have the sample power of a data symbol: a unit of energy per active carrier.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from semwave.modulation.ofdm.params import OfdmParams
from semwave.modulation.ofdm.sequences import zadoff_chu

Array = npt.NDArray[Any]

REPEATS = 8
SYMBOLS = 2
"""OFDM symbols that the preamble takes."""


def period(params: OfdmParams) -> int:
    """Samples of one of the equal parts of A."""
    return params.fft_size // REPEATS


def length(params: OfdmParams) -> int:
    """Samples of the preamble."""
    return SYMBOLS * params.symbol_len


@lru_cache(maxsize=16)
def known_b(params: OfdmParams) -> Array:
    """Values of B on the active carriers: [active] complex64 of unit modulus."""
    values = zadoff_chu(_root(params.active), params.active)
    values.setflags(write=False)
    return values


def _root(active: int) -> int:
    """About 0.38 of the length: a carrier offset of one moves the correlation peak far away, where it is not sought."""
    return max(1, round(0.38 * active))


@lru_cache(maxsize=16)
def known_a(params: OfdmParams) -> tuple[Array, Array]:
    """A as seen by an FFT over fft_size of its samples: indices into the active carriers, values there.

    Empty where eight does not divide fft_size: the parts then have no line spectrum on the carriers.
    """
    lines, values = _lines(params)
    if params.fft_size % REPEATS:
        return np.zeros(0, np.int64), np.zeros(0, np.complex64)
    found = np.searchsorted(params.carriers, lines * REPEATS)
    return found, values


def _lines(params: OfdmParams) -> tuple[Array, Array]:
    """Lines of a part of A, in units of sample_rate / period, and values: the energy of ``active`` carriers."""
    part = period(params)
    highest = int(params.active // 2 * part // params.fft_size)
    if part < 4 or highest < 1:
        raise ValueError(f"a burst needs fft_size of at least 32 and active of at least {2 * REPEATS}, not "
                         f"{params.fft_size} and {params.active}")  # fmt: skip
    lines = np.concatenate([np.arange(-highest, 0), np.arange(1, highest + 1)])
    k = np.arange(lines.size)
    phases = np.exp(1j * np.pi * k * k / lines.size)  # Newman's phases: low peaks
    return lines, (phases * np.sqrt(params.active / lines.size)).astype(np.complex64)


@lru_cache(maxsize=16)
def extended(params: OfdmParams) -> Array:
    """A and B with their cyclic continuation for edge windowing: [2, symbol_len + window_len] complex64."""
    n, cp = params.fft_size, params.cp_len
    lines, values = _lines(params)
    t = np.arange(-cp, n + params.window_len)
    a = np.exp(2j * np.pi * np.outer(t, lines) / period(params)) @ values / np.sqrt(n)
    b = np.exp(2j * np.pi * np.outer(t, params.carriers) / n) @ known_b(params) / np.sqrt(n)
    both = np.stack([a, b]).astype(np.complex64)
    both.setflags(write=False)
    return both


@lru_cache(maxsize=16)
def template(params: OfdmParams) -> Array:
    """The preamble's samples: [2 * symbol_len] complex64."""
    samples = extended(params)[:, : params.symbol_len].reshape(-1)
    samples.setflags(write=False)
    return samples
