"""Oscillator impairments that stream: carrier frequency offset with drift, Wiener and PLL phase noise."""

from typing import Any

import numpy as np
import numpy.typing as npt

from semwave.modulation import impairment_kernels as kernels
from semwave.modulation.multipath import as_samples, check_rate_and_rng

Array = npt.NDArray[Any]

# 3GPP R1-163984: reference carrier, level at 0 Hz in dBc/Hz, poles and zeros in Hz
_PLL_SETS = {
    "A": (30e9, -79.4, (0.1e6, 0.2e6, 8e6), (1.8e6, 2.2e6, 40e6)),
    "B": (60e9, -70.0, (0.005e6, 0.4e6, 0.6e6), (0.02e6, 6e6, 10e6)),
}


class CarrierOffset:
    """Carrier frequency offset with linear drift, y[n] = x[n] e^(j (phase + 2 pi (f t + drift t^2/2))), t = n/f_s."""

    delay = 0

    def __init__(
        self, *, sample_rate: float, cfo_hz: float, drift_hz_per_s: float = 0.0, phase_rad: float = 0.0
    ) -> None:
        if not (np.isfinite(sample_rate) and sample_rate > 0):
            raise ValueError(f"sample_rate must be above 0 Hz, not {sample_rate}")
        for name, value in (("cfo_hz", cfo_hz), ("drift_hz_per_s", drift_hz_per_s), ("phase_rad", phase_rad)):
            if not np.isfinite(value):
                raise ValueError(f"{name} must be finite, not {value}")
        self._frequency, self._drift = cfo_hz / sample_rate, drift_hz_per_s / sample_rate**2
        self._phase = phase_rad / (2 * np.pi)
        self._index = 0

    def process(self, x: Array) -> Array:
        """`[n]` complex -> `[n]` complex64; the next call goes on where this ends."""
        x = as_samples(x)
        out = np.empty_like(x)
        kernels.rotate(x, self._index, self._frequency, self._drift, self._phase, out)
        self._index += x.size
        return out


class PhaseNoise:
    """Phase noise y[n] = x[n] e^(j phi[n]); subclasses say how phi is drawn, sample by sample."""

    delay = 0

    def phase(self, n: int) -> Array:
        """The next n values of phi in rad, `[n]` float64."""
        raise NotImplementedError

    def process(self, x: Array) -> Array:
        """`[n]` complex -> `[n]` complex64; the next call goes on where this ends."""
        x = as_samples(x)
        out = np.empty_like(x)
        kernels.rotate_by(x, self.phase(x.size), out)
        return out


class WienerPhaseNoise(PhaseNoise):
    """Free-running oscillator of 3 dB linewidth B: a random walk with steps of variance 2 pi B/f_s."""

    def __init__(self, *, sample_rate: float, linewidth_hz: float, rng: np.random.Generator) -> None:
        check_rate_and_rng(sample_rate, rng)
        if not (np.isfinite(linewidth_hz) and linewidth_hz >= 0):
            raise ValueError(f"linewidth_hz must be 0 or more, not {linewidth_hz}")
        self._rng, self._sigma, self._last = rng, np.sqrt(2 * np.pi * linewidth_hz / sample_rate), 0.0

    def phase(self, n: int) -> Array:
        """The next n values of the walk, which starts near 0, `[n]` float64."""
        if n == 0:
            return np.zeros(0)
        steps = self._sigma * self._rng.standard_normal(n)
        steps[0] += self._last  # before the sum, so that cuts do not change the order of the additions
        walk = np.cumsum(steps)
        self._last = float(walk[-1])
        return walk


class PllPhaseNoise(PhaseNoise):
    """Phase noise of a synthesiser with the multi-pole/zero mask S(f) = S0 prod(1 + (f/fz)^2)/prod(1 + (f/fp)^2).

    The style of TR 38.803, 6.1.11; S in dBc/Hz on either side of the carrier. Sets "A" (30 GHz) and "B" (60 GHz) are
    those of 3GPP R1-163984, scaled by 20 log10(carrier_hz/reference). White noise is shaped by one first-order section
    per pole and zero; the state starts in its stationary distribution.
    """

    def __init__(
        self,
        *,
        sample_rate: float,
        rng: np.random.Generator,
        mask: str | None = "A",
        carrier_hz: float | None = None,
        level_dbc_hz: float = -80.0,
        poles_hz: tuple[float, ...] = (),
        zeros_hz: tuple[float, ...] = (),
    ) -> None:
        check_rate_and_rng(sample_rate, rng)
        if mask is not None:
            if mask not in _PLL_SETS:
                raise ValueError(f"mask must be 'A', 'B' or None with poles and zeros of one's own, not {mask!r}")
            if poles_hz or zeros_hz:
                raise ValueError(f"mask must be None with poles_hz and zeros_hz of one's own, not {mask!r}")
            reference_hz, level_dbc_hz, poles_hz, zeros_hz = _PLL_SETS[mask]
            level_dbc_hz += 20 * np.log10(carrier_hz / reference_hz) if carrier_hz else 0.0
        if not poles_hz or len(zeros_hz) > len(poles_hz) or min((*poles_hz, *zeros_hz)) <= 0:
            raise ValueError(
                f"poles_hz must be 1 or more, no fewer than zeros_hz, all above 0, not {poles_hz}, {zeros_hz}"
            )
        self.level_dbc_hz, self.poles_hz, self.zeros_hz = float(level_dbc_hz), poles_hz, zeros_hz
        self.sample_rate, self._rng = float(sample_rate), rng
        self._sigma = np.sqrt(10 ** (level_dbc_hz / 10) * sample_rate)
        self._poles = np.exp(-2 * np.pi * np.array(poles_hz) / sample_rate)
        self._zeros = np.zeros(self._poles.size)
        self._zeros[: len(zeros_hz)] = np.exp(-2 * np.pi * np.array(zeros_hz) / sample_rate)
        self._state = self._stationary_state()

    def _stationary_state(self) -> Array:
        """Draw the sections' state from N(0, P), P = A P A^T + B B^T of the cascade's state space."""
        from scipy.linalg import solve_discrete_lyapunov

        size = self._poles.size
        columns = []
        for i in range(size + 1):
            state, kick, out = np.zeros(size), np.zeros(1), np.empty(1)
            if i < size:
                state[i] = 1.0
            else:
                kick[0] = self._sigma
            kernels.first_order_cascade(kick, self._zeros, self._poles, state, out)
            columns.append(state)
        a, b = np.array(columns[:size]).T, columns[size]
        covariance = solve_discrete_lyapunov(a, np.outer(b, b))
        values, vectors = np.linalg.eigh(covariance)
        return np.asarray(vectors @ (np.sqrt(np.maximum(values, 0)) * self._rng.standard_normal(size)))

    def density_dbc_hz(self, freqs_hz: Array) -> Array:
        """The mask S(f), `[f]` Hz -> `[f]` dBc/Hz."""
        f = np.asarray(freqs_hz, float)[..., None]
        shape = np.prod(1 + (f / np.array(self.zeros_hz)) ** 2, axis=-1) if self.zeros_hz else 1.0
        return np.asarray(
            self.level_dbc_hz + 10 * np.log10(shape / np.prod(1 + (f / np.array(self.poles_hz)) ** 2, axis=-1))
        )

    def phase(self, n: int) -> Array:
        """The next n values of phi in rad, `[n]` float64."""
        out = np.empty(n)
        kernels.first_order_cascade(
            self._sigma * self._rng.standard_normal(n), self._zeros, self._poles, self._state, out
        )
        return out
