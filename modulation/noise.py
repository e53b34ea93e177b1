"""White complex Gaussian noise; any cut of a stream draws the same numbers."""

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


def add_awgn_fast(x: Array, n0: float, seed: int, first: int = 0) -> Array:
    """x + w with E|w|^2 = n0, where w is stream ``seed`` from sample ``first`` on: `[...]` complex -> complex64.

    Noise by counter, several times as fast as a Generator's: sample i is a function of ``seed`` and i, so that any
    cut of the stream, in any order and on any thread, has the same noise. The largest value is 6.7 standard
    deviations of a part, and tails are right up to there. Take the seed from a Generator:
    ``int(rng.integers(2**63))``; streams of neighbouring seeds are not related.
    ValueError if n0 is below 0 or ``first`` or ``seed`` out of range.
    """
    from semwave.modulation.noise_kernels import add_noise

    if not (np.isfinite(n0) and n0 >= 0):
        raise ValueError(f"n0 must be 0 or more, not {n0}")
    check_stream(seed, first)
    clean = np.ascontiguousarray(x, np.complex64)
    out = np.empty_like(clean)
    sigma = np.float32(np.sqrt(n0 / 2))
    add_noise(clean.reshape(-1).view(np.float32), np.uint64(seed), first, sigma, out.reshape(-1).view(np.float32))
    return out


def check_stream(seed: int, first: int) -> None:
    """Raise ValueError for what :func:`add_awgn_fast` cannot count to."""
    if not (0 <= seed < 1 << 64 and 0 <= first < 1 << 62):
        raise ValueError(f"seed must be within 0 ... 2^64-1 and first within 0 ... 2^62-1, not {seed} and {first}")


class AwgnStream:
    """White noise for a stream that comes in pieces, by counter: any cut of the stream has the same noise.

    The seed is one draw of ``rng``, which is not used after that; see :func:`add_awgn_fast`.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self._seed, self._at = int(rng.integers(1 << 63)), 0

    def add(self, x: Array, n0: float) -> Array:
        """x + w with E|w|^2 = n0 for the next samples: `[n]` complex -> `[n]` complex64."""
        out = add_awgn_fast(x, n0, self._seed, self._at)
        self._at += out.size
        return out


def complex_normal_fast(seed: int, first: int, n: int, n0: float = 1.0) -> Array:
    """Samples ``first`` ... ``first + n - 1`` of noise stream ``seed``, `[n]` complex64; see :func:`add_awgn_fast`."""
    return add_awgn_fast(np.zeros(n, np.complex64), n0, seed, first)


def complex_normal_plain(seed: int, first: int, n: int) -> Array:
    """What :func:`complex_normal_fast` draws at n0 = 2, in plain NumPy: `[n]` complex128.

    SplitMix64 of the counter; u = (32 bits + 1/2) / 2^32 gives the radius sqrt(-2 ln u), 30 bits an angle within
    +-45 degrees, and two bits one of four sides.
    """
    counter = np.arange(first + 1, first + n + 1, dtype=np.uint64)
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + counter * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    low, high = z & np.uint64(0xFFFFFFFF), z >> np.uint64(32)
    radius = np.sqrt(-2 * np.log((low + 0.5) / 2**32))
    angle = ((high & np.uint64((1 << 30) - 1)) / 2**29 - 1) * (np.pi / 4)
    side = np.where(high >> np.uint64(31), -1, 1)
    point = radius * (side * np.cos(angle) + 1j * np.sin(angle))
    swap = (high >> np.uint64(30)) & np.uint64(1)
    return np.asarray(np.where(swap, point.imag + 1j * point.real, point))
