"""Fading that is constant over a block, and shadowing that wanders: flat gains drawn as the stream goes on."""

from typing import Any

import numpy as np
import numpy.typing as npt

from semwave.modulation.multipath import as_samples, check_rate_and_rng

Array = npt.NDArray[Any]

STEPS_A_DECORRELATION = 64


class _DrawnGains:
    """Flat channel whose gain is read off a sequence that is drawn in order, hence the same for any cut.

    The sequence is kept, so that ``taps_at`` can answer for any sample already reached.
    """

    delay = 0

    def __init__(self, sample_rate: float, rng: np.random.Generator, step: int) -> None:
        check_rate_and_rng(sample_rate, rng)
        self.sample_rate = float(sample_rate)
        self._rng, self._step = rng, step
        self._drawn = np.zeros(0, np.complex64)
        self._index = 0

    def _draw(self, count: int) -> Array:
        """The next ``count`` values of the sequence."""
        raise NotImplementedError

    def _gains(self, index: Array) -> Array:
        raise NotImplementedError

    def _reach(self, last: int) -> None:
        need = int(last) // self._step + 2 - self._drawn.size
        if need > 0:
            self._drawn = np.concatenate([self._drawn, self._draw(need)])

    def process(self, x: Array) -> Array:
        """Multiply by the gain, `[n]` complex -> `[n]` complex64; the next call goes on where this ends."""
        x = as_samples(x)
        if x.size == 0:
            return x
        gains = self.gains_at(self._index + np.arange(x.size))
        self._index += x.size
        return x * gains

    def gains_at(self, sample_index: int | Array) -> Array:
        """Gains at absolute sample indices, `[...]` -> `[...]` complex64."""
        index = np.asarray(sample_index)
        self._reach(int(index.max()))
        return self._gains(index)

    def taps_at(self, sample_index: int) -> Array:
        """The gain as an impulse response of one tap."""
        return self.gains_at(sample_index).reshape(1)

    def frequency_response(self, sample_index: int, freqs_hz: Array) -> Array:
        """The gain at every frequency, `[f]` Hz -> `[f]` complex64."""
        return np.full(np.shape(freqs_hz), self.gains_at(sample_index), np.complex64)


class BlockFading(_DrawnGains):
    """Independent Rayleigh gain, or Rician with ``k_factor_db``, for every ``block_len`` samples.

    The line of sight has a phase drawn anew for each block, g = sqrt(K/(K+1)) e^(j phi) + CN(0, 1/(K+1)).
    """

    def __init__(
        self, *, sample_rate: float, rng: np.random.Generator, block_len: int, k_factor_db: float | None = None
    ) -> None:
        if block_len < 1:
            raise ValueError(f"block_len must be 1 or more samples, not {block_len}")
        super().__init__(sample_rate, rng, int(block_len))
        ratio = 0.0 if k_factor_db is None else 10 ** (k_factor_db / 10)
        self._direct, self._spread = np.sqrt(ratio / (ratio + 1)), np.sqrt(0.5 / (ratio + 1))

    def _draw(self, count: int) -> Array:
        normal = self._rng.standard_normal((count, 4))
        phase = np.arctan2(normal[:, 2], normal[:, 3])  # uniform
        gains = self._spread * (normal[:, 0] + 1j * normal[:, 1]) + self._direct * np.exp(1j * phase)
        return gains.astype(np.complex64)

    def _gains(self, index: Array) -> Array:
        return np.asarray(self._drawn[index // self._step])


class Shadowing(_DrawnGains):
    """Log-normal shadowing: a gain in dB that is Gaussian with autocorrelation e^(-|t|/decorrelation_s) (Gudmundson).

    ``unit_power`` lowers the median by sigma^2 ln(10)/20 dB so that the mean power gain is 1; else the median is 0 dB.
    Drawn every 1/64 of the decorrelation time, linear in between.
    """

    def __init__(
        self,
        *,
        sample_rate: float,
        rng: np.random.Generator,
        sigma_db: float = 8.0,
        decorrelation_s: float = 1.0,
        unit_power: bool = True,
    ) -> None:
        if not (np.isfinite(sigma_db) and sigma_db >= 0):
            raise ValueError(f"sigma_db must be 0 or more, not {sigma_db}")
        if not (np.isfinite(decorrelation_s) and decorrelation_s > 0):
            raise ValueError(f"decorrelation_s must be above 0 s, not {decorrelation_s}")
        check_rate_and_rng(sample_rate, rng)
        step = max(1, round(decorrelation_s * sample_rate / STEPS_A_DECORRELATION))
        super().__init__(sample_rate, rng, step)
        self._sigma_db = float(sigma_db)
        self._keep = float(np.exp(-step / (decorrelation_s * sample_rate)))
        self._offset_db = -(sigma_db**2) * np.log(10) / 20 if unit_power else 0.0
        self._state: float | None = None

    def _draw(self, count: int) -> Array:
        walk = np.empty(count)
        for i, kick in enumerate(self._rng.standard_normal(count)):
            before = self._state
            now = float(kick) if before is None else self._keep * before + np.sqrt(1 - self._keep**2) * float(kick)
            walk[i] = self._state = now
        return np.asarray(10 ** ((self._sigma_db * walk + self._offset_db) / 20)).astype(np.complex64)

    def _gains(self, index: Array) -> Array:
        i, into = np.divmod(index, self._step)
        weight = (into / self._step).astype(np.float32)
        return np.asarray(self._drawn[i] + (self._drawn[i + 1] - self._drawn[i]) * weight)
