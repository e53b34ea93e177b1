"""Channel smoothing over the carriers: Wiener filter for impulse responses shorter than the guard."""

import math
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_STEP_DB = 2.0  # the filters are designed for SNRs at multiples of this
_PROFILE_START, _PROFILE_LENGTH = -6, 26  # samples before the transform's start; of power delay profile
_DECAY = 6.0  # samples in which the assumed power falls by e
_FLOOR = 2e-4  # share of the power that may come at any delay: what filters and long echoes leave


@lru_cache(maxsize=64)
def _filter(size: int, step: int) -> Array:
    """W = R (R + n0 I)^-1 for carriers -size/2 ... size/2 without 0, at an SNR of 2 dB ``step``: [n, n] complex64."""
    carriers = np.arange(-size // 2, size // 2 + 1)
    carriers = carriers[carriers != 0]
    delay = np.arange(_PROFILE_START, _PROFILE_START + _PROFILE_LENGTH)
    profile = np.exp(-np.maximum(delay - 5, 0) / _DECAY)  # flat where the first paths may be
    turn = np.exp(-2j * np.pi * np.outer(carriers, delay) / 64)
    r = (turn * (profile / profile.sum())) @ turn.conj().T
    r = (1 - _FLOOR) * r + _FLOOR * np.eye(carriers.size)
    n0 = 10 ** (-_STEP_DB * step / 10)
    w = np.linalg.solve(r + n0 * np.eye(carriers.size), r).conj().T
    out = np.ascontiguousarray(w, np.complex64)
    out.setflags(write=False)
    return out


def smooth(channel: Array, n0: float) -> Array:
    """Wiener estimate from a least-squares one with noise variance ``n0``: [n] complex64 -> [n] complex64.

    At high SNR it changes next to nothing, so that channels that break the assumed profile lose nothing.
    """
    power = max(float(np.vdot(channel, channel).real) / channel.size - n0, 0.1 * n0)
    step = min(max(math.floor(10 * math.log10(power / n0) / _STEP_DB), -2), 25)
    return _filter(channel.size, step) @ channel
