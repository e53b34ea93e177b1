"""The tapped delay line with fading paths behind the channels of :mod:`semwave.modulation.fading`."""

from typing import Any

import numpy as np
import numpy.typing as npt

from semwave.modulation import fading_kernels as kernels
from semwave.modulation.fading_profiles import Profile

Array = npt.NDArray[Any]

FILTER_LENGTH = 32
KAISER_BETA = 8.0
MAX_PHASE_STEP = 0.05  # rad a grid step at the highest Doppler: linear interpolation is then good to step^2/8, -70 dB
MAX_GRID = 1024


def interpolation_filter(delay: float, length: int = FILTER_LENGTH) -> tuple[int, Array]:
    """Kaiser-windowed sinc that delays by ``delay`` samples: lag of its first tap (maybe negative), `[length]` taps.

    h[k] = sinc(k - d) I0(beta sqrt(1 - (2(k - d)/L)^2))/I0(beta), scaled to unit gain at 0 Hz. It is continuous in
    d, so no delay loses its path; with 32 taps its error is below -75 dB up to 0.4 of the sample rate.
    """
    first = int(np.floor(delay)) - length // 2 + 1
    u = first + np.arange(length) - delay
    taps = np.sinc(u) * np.i0(KAISER_BETA * np.sqrt(np.maximum(0, 1 - (2 * u / length) ** 2)))
    return first, taps / taps.sum()


class Fader:
    """Gains of all paths as sums of sinusoids with the Jakes spectrum, a function of the absolute sample index.

    g(n) = sqrt(P/N) sum_i e^(j(2 pi f_D cos(alpha_i) n/f_s + phi_i)), alpha_i one random angle in each of N equal
    sectors, phi_i random; a line of sight is one sinusoid; at f_D = 0 the gain is one complex Gaussian draw.
    """

    def __init__(
        self,
        profile: Profile,
        doppler: float,
        los_doppler: float,
        rng: np.random.Generator,
        sinusoids: int,
    ) -> None:
        waves = (1 if doppler == 0 else sinusoids, profile.powers.size)
        self.frequency = np.zeros(waves)  # [sinusoid, path] cycles a sample
        self.amplitude = np.zeros(waves, complex)  # [sinusoid, path]
        for p, direct in enumerate(profile.line_of_sight):
            if direct:
                self.frequency[0, p] = los_doppler
                self.amplitude[0, p] = np.exp(2j * np.pi * rng.random())
            elif doppler == 0:
                self.amplitude[0, p] = complex(*rng.normal(0, np.sqrt(0.5), 2))
            else:
                angles = 2 * np.pi * (np.arange(sinusoids) + rng.random(sinusoids)) / sinusoids
                self.frequency[:, p] = doppler * np.cos(angles)
                self.amplitude[:, p] = np.exp(2j * np.pi * rng.random(sinusoids)) / np.sqrt(sinusoids)
        self.amplitude *= np.sqrt(profile.powers)

    def at(self, index: int | Array) -> Array:
        """Gains at absolute sample indices, `[...]` -> `[..., path]` complex128, computed directly."""
        cycles = np.asarray(index, np.float64)[..., None, None] * self.frequency
        waves = self.amplitude * np.exp(2j * np.pi * (cycles - np.floor(cycles)))
        return np.asarray(waves.sum(axis=-2))


class TappedDelayLine:
    """FIR filter that streams, y[n] = sum_k c_k(n) x[n - lag_k], with taps on a grid of absolute sample indices.

    Taps move linearly between grid points. Samples are filtered in whole sub-blocks of the absolute time
    line, what is still missing of the last one being taken as 0 and done again by the next call.
    """

    def __init__(self, lags: Array, grid: int, moving: bool) -> None:
        groups = np.unique(np.asarray(lags) // kernels.TAP_GROUP)  # the kernel takes lags four in a row
        self._lags = (groups[:, None] * kernels.TAP_GROUP + np.arange(kernels.TAP_GROUP)).ravel()
        self._grid, self._moving = grid, moving
        self._sub = min(grid, kernels.SUB_BLOCK)
        rows = (kernels.GRID_BLOCK + 1, self._lags.size)
        self._taps = np.zeros(rows, np.float32), np.zeros(rows, np.float32)
        self._index = 0
        self._reach = int(self._lags.max())
        self._past = np.zeros(self._reach + self._sub, np.complex64)

    def _make_taps(self, block: int) -> None:
        """Fill ``_taps`` for grid points block * GRID_BLOCK on."""

    def process(self, x: Array) -> Array:
        """Send samples through, `[n]` complex -> `[n]` complex64; the next call goes on where this ends."""
        x = as_samples(x)
        if x.size == 0:
            return x
        before = self._index % self._sub  # samples of the first sub-block that came with earlier calls
        after = -(self._index + x.size) % self._sub
        known = np.concatenate([self._past[self._past.size - self._reach - before :], x, np.zeros(after, np.complex64)])
        out = np.empty(before + x.size + after, np.complex64)
        self._filter(known, self._index - before, out)
        self._index += x.size
        self._past = np.concatenate([self._past, x])[-self._past.size :]
        return out[before : before + x.size]

    def _filter(self, known: Array, start: int, out: Array) -> None:
        re, im = np.ascontiguousarray(known.real), np.ascontiguousarray(known.imag)
        span = kernels.GRID_BLOCK * self._grid
        done = 0
        while done < out.size:
            block, into = divmod(start + done, span)
            count = min(span - into, out.size - done)
            self._make_taps(block)
            part = slice(done, done + self._reach + count)
            kernels.filter_on_grid(
                re[part], im[part], self._reach, 0, into, self._sub, self._grid, self._moving,
                *self._taps, self._lags, out[done : done + count],
            )  # fmt: skip
            done += count


class FixedFilter(TappedDelayLine):
    """FIR filter with taps that stay, `[tap]` at lags `[tap]`."""

    def __init__(self, lags: Array, taps: Array) -> None:
        super().__init__(lags, MAX_GRID, moving=False)
        at = np.searchsorted(self._lags, lags)
        self._taps[0][:, at] = np.real(taps)
        self._taps[1][:, at] = np.imag(taps)


class MultipathChannel(TappedDelayLine):
    """Tapped delay line with fading paths, y[n] = sum_p g_p(n) (h_p * x)[n], fractional delays included.

    ``delay`` is the bulk delay of the interpolation filters: 0 if all path delays are whole samples.
    """

    def __init__(
        self,
        profile: Profile,
        *,
        sample_rate: float,
        rng: np.random.Generator,
        doppler_hz: float = 0.0,
        los_doppler_hz: float = 0.0,
        sinusoids: int = 32,
        filter_length: int = FILTER_LENGTH,
    ) -> None:
        _check(sample_rate, doppler_hz, los_doppler_hz, sinusoids, filter_length, rng)
        self.profile, self.sample_rate = profile, float(sample_rate)
        self.doppler_hz, self.los_doppler_hz = float(doppler_hz), float(los_doppler_hz)
        self._fader = Fader(profile, doppler_hz / sample_rate, los_doppler_hz / sample_rate, rng, sinusoids)
        filters = self._interpolate(filter_length)
        moving = bool(np.any(self._fader.frequency))
        lags = np.unique([first + np.arange(taps.size) for first, taps in filters])
        super().__init__(lags, _grid_step(max(doppler_hz, abs(los_doppler_hz)) / sample_rate), moving)
        self._first_tap = np.searchsorted(self._lags, [first for first, _ in filters])
        self._filters = np.array([taps for _, taps in filters], np.float32)
        self._turn = np.exp(
            2j * np.pi * self._fader.frequency * self._grid
        )  # of each sinusoid, from grid point to point
        self._taps_block = -1

    def _interpolate(self, length: int) -> list[tuple[int, Array]]:
        """First lag and taps of every path, made causal by the bulk delay."""
        delays = self.profile.delays_s * self.sample_rate
        self.delay = 0 if np.allclose(delays, np.round(delays), rtol=0, atol=1e-9) else length // 2 - 1
        if self.delay == 0:
            return [(round(d), np.ones(1)) for d in delays]
        return [(first + self.delay, taps) for first, taps in (interpolation_filter(d, length) for d in delays)]

    def _make_taps(self, block: int) -> None:
        if block == self._taps_block:
            return
        fader = self._fader
        gains = np.empty((kernels.GRID_BLOCK + 1, self.profile.powers.size), np.complex128)
        kernels.path_gains(block, self._grid, fader.frequency, fader.amplitude, self._turn, gains)
        kernels.combine(gains, self._filters, self._first_tap, *self._taps)
        self._taps_block = block

    def gains_at(self, sample_index: int | Array) -> Array:
        """True gains of the paths when output sample ``sample_index`` is made, `[...]` -> `[..., path]` complex128."""
        return self._fader.at(sample_index)

    def taps_at(self, sample_index: int) -> Array:
        """True impulse response behind output sample n, `[lags]` complex64, bulk delay included.

        y[n] = sum_k h[k] x[n-k].
        """
        gains = self.gains_at(sample_index)
        response = np.zeros(self._reach + 1, np.complex128)
        for p, gain in enumerate(gains):
            first = self._lags[self._first_tap[p]]
            response[first : first + self._filters.shape[1]] += gain * self._filters[p]
        return response.astype(np.complex64)

    def frequency_response(self, sample_index: int | Array, freqs_hz: Array) -> Array:
        """True response without the bulk delay, `[...]` indices of output samples, `[f]` Hz -> `[..., f]` complex64.

        H(f) = sum_p g_p(n) e^(-j 2 pi f tau_p).
        """
        turn = np.exp(-2j * np.pi * np.outer(self.profile.delays_s, np.asarray(freqs_hz, float)))  # [path, f]
        return np.asarray(self.gains_at(sample_index) @ turn).astype(np.complex64)


def _grid_step(doppler: float) -> int:
    """Samples between grid points: a power of two, so short that no gain turns by more than MAX_PHASE_STEP."""
    step = MAX_GRID
    while step > 1 and 2 * np.pi * doppler * step > MAX_PHASE_STEP:
        step //= 2
    return step


def as_samples(x: Array) -> Array:
    """`[n]` numbers as complex64; ValueError for more than one axis."""
    x = np.asarray(x)
    if x.ndim != 1:
        raise ValueError(f"x must have one axis, not shape {x.shape}")
    return np.ascontiguousarray(x, np.complex64)


def _check(
    sample_rate: float,
    doppler_hz: float,
    los_doppler_hz: float,
    sinusoids: int,
    filter_length: int,
    rng: np.random.Generator,
) -> None:
    check_rate_and_rng(sample_rate, rng)
    if not 0 <= doppler_hz < sample_rate / 2:
        raise ValueError(f"doppler_hz must be from 0 to below half the sample rate, not {doppler_hz}")
    if not abs(los_doppler_hz) < sample_rate / 2:
        raise ValueError(f"los_doppler_hz must be within half the sample rate, not {los_doppler_hz}")
    if sinusoids < 4:
        raise ValueError(f"sinusoids must be 4 or more, not {sinusoids}")
    if filter_length < 4 or filter_length % 2:
        raise ValueError(f"filter_length must be even and 4 or more, not {filter_length}")


def check_rate_and_rng(sample_rate: float, rng: np.random.Generator) -> None:
    """ValueError unless the sample rate is above 0 Hz and rng is a Generator."""
    if not (np.isfinite(sample_rate) and sample_rate > 0):
        raise ValueError(f"sample_rate must be above 0 Hz, not {sample_rate}")
    if not isinstance(rng, np.random.Generator):
        raise ValueError(f"rng must be a numpy Generator, not {type(rng).__name__}")
