"""Front-end impairments without memory: IQ imbalance, DC offset, power amplifiers, quantisation, clipping.

All of them have ``process`` like the impairments with memory, so that they chain; cutting cannot matter to them.
Levels refer to a signal of unit mean power.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from semwave.modulation.multipath import as_samples

Array = npt.NDArray[Any]


class IqImbalance:
    """Gain and phase differing between the branches, y = mu x + nu x*.

    I is multiplied by 10^(A/40) e^(-j phi/2), Q by 10^(-A/40) e^(j phi/2), with A = gain_db and phi = phase_deg.
    """

    delay = 0

    def __init__(self, *, gain_db: float = 0.0, phase_deg: float = 0.0) -> None:
        _finite(gain_db=gain_db, phase_deg=phase_deg)
        half = np.deg2rad(phase_deg) / 2
        in_phase = 10 ** (gain_db / 40) * np.exp(-1j * half)
        quadrature = 10 ** (-gain_db / 40) * np.exp(1j * half)
        self.mu, self.nu = (in_phase + quadrature) / 2, (in_phase - quadrature) / 2

    @property
    def image_rejection_db(self) -> float:
        """20 log10 |mu/nu|."""
        with np.errstate(divide="ignore"):
            return float(20 * (np.log10(abs(self.mu)) - np.log10(abs(self.nu))))

    def process(self, x: Array) -> Array:
        """`[n]` complex -> `[n]` complex64."""
        x = as_samples(x)
        return np.complex64(self.mu) * x + np.complex64(self.nu) * np.conj(x)


class DcOffset:
    """y = x + offset, the offset given as a complex number or by its power and angle."""

    delay = 0

    def __init__(self, *, offset: complex | None = None, power_db: float | None = None, angle_rad: float = 0.0) -> None:
        if (offset is None) == (power_db is None):
            raise ValueError(f"offset or power_db must be given, one of them, not {offset} and {power_db}")
        if power_db is not None:
            _finite(power_db=power_db, angle_rad=angle_rad)
            offset = complex(10 ** (power_db / 20) * np.exp(1j * angle_rad))
        self.offset = offset

    def process(self, x: Array) -> Array:
        """`[n]` complex -> `[n]` complex64."""
        return np.asarray(as_samples(x) + np.complex64(self.offset))


class RappAmplifier:
    """Solid-state power amplifier (Rapp 1991), y = x / (1 + (|x|/A)^(2p))^(1/(2p)), A^2 = 10^(backoff/10), no AM/PM.

    The input back-off is the saturation power A^2 over the unit mean power of the input; the small-signal gain is 1.
    """

    delay = 0

    def __init__(self, *, input_backoff_db: float = 6.0, smoothness: float = 2.0) -> None:
        _finite(input_backoff_db=input_backoff_db)
        if not (np.isfinite(smoothness) and smoothness > 0):
            raise ValueError(f"smoothness must be above 0, not {smoothness}")
        self._saturation, self._p = 10 ** (input_backoff_db / 20), float(smoothness)

    def process(self, x: Array) -> Array:
        """`[n]` complex -> `[n]` complex64."""
        x = as_samples(x)
        drive = (np.abs(x).astype(np.float64) / self._saturation) ** (2 * self._p)
        return np.asarray(x * ((1 + drive) ** (-0.5 / self._p)).astype(np.float32))


class SalehAmplifier:
    """Travelling-wave tube (Saleh 1981), A(r) = a r/(1 + b r^2), Phi(r) = c r^2/(1 + d r^2).

    r is the input scaled so that ``input_backoff_db`` separates unit mean power from the saturation point r^2 = 1/b;
    the output is scaled back to a small-signal gain of 1. Defaults are the constants of Saleh's paper.
    """

    delay = 0

    def __init__(
        self,
        *,
        input_backoff_db: float = 6.0,
        a: float = 2.1587,
        b: float = 1.1517,
        c: float = 4.0033,
        d: float = 9.1040,
    ) -> None:
        _finite(input_backoff_db=input_backoff_db, a=a, b=b, c=c, d=d)
        if a <= 0 or b <= 0 or d < 0:
            raise ValueError(f"a and b must be above 0 and d 0 or more, not {a}, {b}, {d}")
        self._b, self._c, self._d = b, c, d
        self._scale_power = 10 ** (-input_backoff_db / 10) / b

    def process(self, x: Array) -> Array:
        """`[n]` complex -> `[n]` complex64."""
        x = as_samples(x)
        r2 = np.abs(x).astype(np.float64) ** 2 * self._scale_power
        gain = np.exp(1j * self._c * r2 / (1 + self._d * r2)) / (1 + self._b * r2)
        return np.asarray(x * gain.astype(np.complex64))


class Quantizer:
    """Uniform mid-rise converter on I and Q: 2^bits levels across -full_scale ... full_scale, clipping beyond."""

    delay = 0

    def __init__(self, *, bits: int, full_scale: float = 4.0) -> None:
        if not 1 <= bits <= 24:
            raise ValueError(f"bits must be from 1 to 24, not {bits}")
        if not (np.isfinite(full_scale) and full_scale > 0):
            raise ValueError(f"full_scale must be above 0, not {full_scale}")
        self.step = 2 * full_scale / 2**bits
        self._half = 2 ** (bits - 1)

    def process(self, x: Array) -> Array:
        """`[n]` complex -> `[n]` complex64."""
        parts = np.ascontiguousarray(as_samples(x)).view(np.float32)
        level = np.clip(np.floor(parts.astype(np.float64) / self.step), -self._half, self._half - 1)
        return np.asarray(((level + 0.5) * self.step).astype(np.float32).view(np.complex64))


class Clipper:
    """Limit the magnitude to 10^(level_db/20), keeping the phase: level_db is the largest power over the mean of 1."""

    delay = 0

    def __init__(self, *, level_db: float) -> None:
        _finite(level_db=level_db)
        self._limit = np.float32(10 ** (level_db / 20))

    def process(self, x: Array) -> Array:
        """`[n]` complex -> `[n]` complex64."""
        x = as_samples(x)
        return np.asarray(x * (self._limit / np.maximum(np.abs(x), self._limit)))


def _finite(**values: float) -> None:
    for name, value in values.items():
        if not np.isfinite(value):
            raise ValueError(f"{name} must be finite, not {value}")
