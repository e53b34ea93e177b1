"""The tapped delay line written out sample by sample: what the compiled channel is held equal to."""

from typing import Any

import numpy as np
import numpy.typing as npt

from semwave.modulation.multipath import MultipathChannel

Array = npt.NDArray[Any]


def process(channel: MultipathChannel, x: Array) -> Array:
    """Output of a fresh channel with the gains computed exactly at every sample, `[n]` complex -> `[n]` complex128."""
    out = np.zeros(x.size, complex)
    for n in range(x.size):
        taps = channel.taps_at(n).astype(complex)[: n + 1]
        out[n] = np.sum(taps * x[n - np.arange(taps.size)])
    return out
