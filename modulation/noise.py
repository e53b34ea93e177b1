"""White complex Gaussian noise from a NumPy Generator; any cut of a stream draws the same numbers."""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def n0_from_snr_db(snr_db: float, symbol_energy: float = 1.0) -> float:
    """Noise variance per complex dimension at Es/N0 = ``snr_db``: N0 = Es 10^(-snr_db/10)."""
    return float(symbol_energy * 10 ** (-snr_db / 10))


def complex_normal(rng: np.random.Generator, shape: int | tuple[int, ...], n0: float | Array = 1.0) -> Array:
    """Circular Gaussian noise with E|w|^2 = n0, `[*shape]` complex64; n0 a number or an array that fits the shape.

    Real and imaginary parts are drawn in turn, so that drawing 3 and then 5 gives the same numbers as drawing 8.
    """
    power = np.asarray(n0)
    if not np.all(power >= 0):
        raise ValueError(f"n0 must be 0 or more everywhere, its least value is {np.min(power)}")
    size = (shape,) if isinstance(shape, int) else tuple(shape)
    noise = rng.standard_normal((*size, 2), dtype=np.float32)
    scale = np.sqrt(power / 2).astype(np.float32)
    noise *= scale[..., None] if scale.ndim else scale
    return np.asarray(noise.view(np.complex64)[..., 0])


def add_awgn(x: Array, n0: float | Array, rng: np.random.Generator) -> Array:
    """x + w with E|w|^2 = n0, `[...]` complex -> `[...]` complex64."""
    x = np.asarray(x)
    noise = complex_normal(rng, x.shape, n0)
    noise += x
    return noise
