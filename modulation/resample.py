"""Change of sample rate and frequency of streams, any ratio, the same output however the input is cut.

A rational ratio L/M runs as FFT overlap-save: blocks on a grid of the whole stream are transformed, the bins of the
band that both rates have are weighted and transformed back at the other size. The grid depends on the ratio only, so
every output is computed from the same numbers in the same order for any chunk size. Other ratios go through twice the
lower rate and a windowed-sinc interpolation from there.
"""

from fractions import Fraction
from math import ceil
from typing import Any

import numpy as np
import numpy.typing as npt

from semwave.modulation.resample_stages import Blocks, Interpolator, Shifter

Array = npt.NDArray[Any]
PASSBAND, STOPBAND_DB = 0.92, 90.0
LIMIT = 1 << 14  # largest L or M of the direct way
MAX_RATIO = 4096


def resample(x: Array, in_rate: float, out_rate: float, *, shift_hz: float = 0.0) -> Array:
    """`[n]` complex at ``in_rate`` -> `[ceil(n out_rate / in_rate)]` complex64 at ``out_rate``, ``shift_hz`` higher.

    Output m belongs to time m / out_rate: there is no delay. See :class:`Resampler`; raises ValueError.
    """
    resampler = Resampler(in_rate=in_rate, out_rate=out_rate, shift_hz=shift_hz)
    return np.concatenate([resampler.process(x), resampler.flush()])


class Resampler:
    """Streaming resampler and frequency shifter, y(t) = (h * x)(t) e^(j 2 pi shift_hz t), t = 0 at the first sample.

    h keeps ``passband`` of the lower rate's band and takes what lies beyond that band down by ``stopband_db``; zeros
    are taken to precede and follow the input. The shift is made at the higher of the two rates, before the filter when
    the rate goes down. Bit-exact for any cut of the input. Raises ValueError for rates that are not above 0, or whose
    ratio is beyond 4096.
    """

    def __init__(
        self,
        *,
        in_rate: float,
        out_rate: float,
        shift_hz: float = 0.0,
        passband: float = PASSBAND,
        stopband_db: float = STOPBAND_DB,
    ) -> None:
        for name, rate in (("in_rate", in_rate), ("out_rate", out_rate)):
            if not (np.isfinite(rate) and rate > 0):
                raise ValueError(f"{name} must be above 0 Hz, not {rate}")
        if not np.isfinite(shift_hz):
            raise ValueError(f"shift_hz must be finite, not {shift_hz}")
        if not 0.1 <= passband <= 0.99:
            raise ValueError(f"passband must be 0.1 to 0.99, not {passband}")
        if not 20 <= stopband_db <= 140:
            raise ValueError(f"stopband_db must be 20 to 140, not {stopband_db}")
        self.ratio = _ratio(in_rate, out_rate)
        if not Fraction(1, MAX_RATIO) <= self.ratio <= MAX_RATIO:
            raise ValueError(f"out_rate must be within {MAX_RATIO} times in_rate = {in_rate:g} Hz, not {out_rate:g}")
        shift = Fraction(shift_hz) / Fraction(max(in_rate, out_rate))
        self._in = self._out = 0
        self._stages = _stages(self.ratio, shift, passband, stopband_db)

    def index(self, at: int) -> int:
        """The first output at or after input ``at``, for tags."""
        return ceil(at * self.ratio)

    def process(self, x: Array) -> Array:
        """`[n]` complex -> `[n']` complex64, what is ready; the next call goes on where this ends."""
        y = np.ascontiguousarray(x, np.complex64)
        if y.ndim != 1:
            raise ValueError(f"x must have one axis, not shape {list(y.shape)}")
        self._in += y.size
        for stage in self._stages:
            y = stage.process(y)
        self._out += y.size
        return y.copy() if y is x else y

    def flush(self) -> Array:
        """`[n']` complex64, the outputs still due; ends the stream (a new one may follow)."""
        due = self.index(self._in) - self._out
        y = np.empty(0, np.complex64)
        for stage in self._stages:
            y = np.concatenate([stage.process(y), stage.flush()])
            stage.reset()
        self._in = self._out = 0
        return y[:due]


def _ratio(in_rate: float, out_rate: float) -> Fraction:
    """out_rate / in_rate, and the small fraction that a rounded rate such as 1e6 / 3 stands for."""
    exact = Fraction(out_rate) / Fraction(in_rate)
    small = exact.limit_denominator(LIMIT)
    return small if small and abs(small / exact - 1) < 2**-51 else exact


def _stages(ratio: Fraction, shift: Fraction, passband: float, stopband_db: float) -> list[Any]:
    down, cut = ratio <= 1, min(Fraction(1), ratio) / 2
    if ratio == 1:
        return [Shifter(shift)] if shift else []
    if max(ratio.numerator, ratio.denominator) <= LIMIT:
        return [
            Blocks(ratio, cut, shift if down else Fraction(0), Fraction(0) if down else shift, passband, stopband_db)
        ]
    double = (4 * cut).limit_denominator(LIMIT // 8)
    first = Blocks(double, cut, shift if down else Fraction(0), Fraction(0), passband, stopband_db)
    found: list[Any] = [first, Interpolator(double / ratio)]
    return [*found, Shifter(shift)] if shift and not down else found
