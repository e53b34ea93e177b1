"""Timing impairments that stream: a fixed timing offset and a sampling clock that runs fast or slow."""

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from semwave.modulation import impairment_kernels as kernels
from semwave.modulation.multipath import FILTER_LENGTH, FixedFilter, as_samples, interpolation_filter

Array = npt.NDArray[Any]


class TimingOffset:
    """Delay by a fixed, possibly fractional number of samples: y[n] = x(n - delay_samples - delay).

    ``delay`` is the bulk delay of the interpolation filter, 0 for whole samples.
    """

    def __init__(self, *, delay_samples: float, filter_length: int = FILTER_LENGTH) -> None:
        if not (np.isfinite(delay_samples) and delay_samples >= 0):
            raise ValueError(f"delay_samples must be 0 or more, not {delay_samples}")
        if float(delay_samples).is_integer():
            self.delay, first, taps = 0, int(delay_samples), np.ones(1)
        else:
            self.delay = filter_length // 2 - 1
            first, taps = interpolation_filter(delay_samples, filter_length)
        self._queue = np.zeros(first + self.delay, np.complex64)  # whole samples are cheaper as a queue than as taps
        self._filter = FixedFilter(np.arange(taps.size), taps)

    def process(self, x: Array) -> Array:
        """`[n]` complex -> `[n]` complex64; the next call goes on where this ends."""
        x = as_samples(x)
        line = np.concatenate([self._queue, x])
        self._queue = line[x.size :]
        return self._filter.process(line[: x.size])


@lru_cache(maxsize=4)
def _filter_table(length: int) -> Array:
    """Interpolation filters for fractions 0 ... 1 of a sample, `[RESAMPLE_PHASES + 1, length]` float32."""
    fractions = np.arange(kernels.RESAMPLE_PHASES + 1) / kernels.RESAMPLE_PHASES
    offsets = np.arange(length) - length // 2 + 1
    table = np.empty((fractions.size, length))
    for row, fraction in enumerate(fractions):
        first, taps = interpolation_filter(float(fraction), length)
        shift = first - int(offsets[0])  # 1 at fraction 1, where the filter has moved on by a sample
        table[row] = np.concatenate([np.zeros(shift), taps[: length - shift]])
    return table.astype(np.float32)


class SampleClockOffset:
    """Sampling clock of rate f_s (1 + ppm 10^-6): output m is the band-limited input at t_m.

    t_m = m/(1 + ppm 10^-6) + offset_samples. A fast clock (ppm > 0) gives more samples than went in. Outputs come as
    soon as the input reaches half a filter beyond t_m; :meth:`flush` gives those that are still due. t_m is computed
    from m, so no error adds up.
    """

    delay = 0

    def __init__(self, *, ppm: float, offset_samples: float = 0.0, filter_length: int = FILTER_LENGTH) -> None:
        if not (np.isfinite(ppm) and abs(ppm) < 1e5):
            raise ValueError(f"ppm must be within 100000, not {ppm}")
        if not (np.isfinite(offset_samples) and offset_samples >= 0):
            raise ValueError(f"offset_samples must be 0 or more, not {offset_samples}")
        self._step, self._offset, self._length = 1 / (1 + ppm * 1e-6), float(offset_samples), filter_length
        self._table = _filter_table(filter_length)
        self._made = 0  # outputs so far
        self._origin = -filter_length  # input index of the first sample kept
        self._kept = np.zeros(filter_length, np.complex64)

    def process(self, x: Array) -> Array:
        """`[n]` complex -> `[n']` complex64, as many outputs as are ready."""
        self._kept = np.concatenate([self._kept, as_samples(x)])
        ready = self._origin + self._kept.size - self._length // 2  # t_m below this has all it needs
        return self._make_until(float(ready))

    def flush(self) -> Array:
        """Outputs still due for t_m up to the last input sample, zeros taken to follow it; ends the stream."""
        end = self._origin + self._kept.size
        self._kept = np.concatenate([self._kept, np.zeros(self._length, np.complex64)])
        return self._make_until(float(end))

    def _make_until(self, limit: float) -> Array:
        last = self._made + max(0, int((limit - self._made * self._step - self._offset) / self._step) + 2)
        while last > self._made and (last - 1) * self._step + self._offset >= limit:
            last -= 1
        out = np.empty(last - self._made, np.complex64)
        re, im = np.ascontiguousarray(self._kept.real), np.ascontiguousarray(self._kept.imag)
        kernels.resample(re, im, self._origin, self._made, self._step, self._offset, self._table, out)
        self._made = last
        needed = int(np.floor(last * self._step + self._offset)) - self._length // 2 + 1
        drop = min(max(0, needed - self._origin), self._kept.size)
        self._kept, self._origin = self._kept[drop:], self._origin + drop
        return out
