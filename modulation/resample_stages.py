"""What a resampler is made of: a shift, overlap-save with a change of transform size, interpolation; their filters."""

from fractions import Fraction
from functools import lru_cache
from math import ceil
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
BLOCK = 1 << 12  # least transform size
GROUP = 1 << 15  # samples transformed in one call
TAPS, PHASES = 18, 512  # of the interpolation from twice the rate
PLACES = 1 << 12  # outputs of one interpolation step


def phasors(frequency: Fraction, first: int, count: int) -> Array:
    """e^(j 2 pi frequency n), n = first ... first + count - 1, `[count]` complex64, phase exact before rounding."""
    step = float(frequency - round(frequency))
    start = float(first * frequency % 1)
    return np.exp(2j * np.pi * ((start + step * np.arange(count)) % 1)).astype(np.complex64)


class Queue:
    """Samples that wait for a whole block."""

    def __init__(self, before: int) -> None:
        self._before = before
        self.reset()

    def reset(self) -> None:
        """As at the beginning of a stream: ``before`` zeros."""
        self._kept = np.zeros(self._before, np.complex64)

    def blocks(self, x: Array, size: int, hop: int) -> list[Array]:
        """Blocks of ``size`` samples, ``hop`` apart, that are complete with ``x``; the rest is kept."""
        line = np.concatenate([self._kept, x]) if self._kept.size else x
        count = max(0, (line.size - size) // hop + 1)
        self._kept = line[count * hop :].copy()
        return [line[i * hop : i * hop + size] for i in range(count)]

    @property
    def size(self) -> int:
        """Samples that are kept."""
        return int(self._kept.size)


class Shifter:
    """y[n] = x[n] e^(j 2 pi f n), in blocks of a fixed grid."""

    def __init__(self, frequency: Fraction) -> None:
        self._frequency, self._queue, self._at = frequency, Queue(0), 0
        self._table = phasors(frequency, 0, BLOCK)

    def reset(self) -> None:
        """Phase 0 again."""
        self._queue.reset()
        self._at = 0

    def process(self, x: Array) -> Array:
        """`[n] -> [whole blocks]`."""
        out = [self._turned(block) for block in self._queue.blocks(x, BLOCK, BLOCK)]
        return np.concatenate(out) if out else np.empty(0, np.complex64)

    def flush(self) -> Array:
        """The last, partial block."""
        rest = self._queue.size
        return self.process(np.zeros(BLOCK - rest, np.complex64))[:rest] if rest else np.empty(0, np.complex64)

    def _turned(self, block: Array) -> Array:
        start = phasors(self._frequency, self._at, 1)[0]
        self._at += BLOCK
        return (block * self._table) * start


class Blocks:
    """FFT overlap-save with a change of transform size; ``cut``: edge of the stop band in cycles per input sample."""

    def __init__(
        self, ratio: Fraction, cut: Fraction, before: Fraction, after: Fraction, passband: float, down_db: float
    ) -> None:
        up, down = ratio.numerator, ratio.denominator
        taps = _filter(float(cut), passband, down_db)
        overlap = down * ceil((taps.size // 2) / down)
        self._size, self._out_size = _sizes(up, down, overlap)
        self._hop, self._overlap = self._size - 2 * overlap, overlap
        self._skip, self._out_hop = overlap * up // down, self._hop * up // down
        self._rows = max(1, GROUP // max(self._size, self._out_size))
        self._low, self._high = _weights(taps, self._size, min(float(cut) * self._size, self._out_size / 2))
        self._bins = np.zeros((self._rows, self._out_size), np.complex64)
        self._before, self._after = before, after
        self._table_in = phasors(before, 0, self._size) if before else None
        self._table_out = phasors(after, 0, self._out_hop) if after else None
        self._queue = Queue(overlap)
        self.reset()

    def reset(self) -> None:
        """As at the beginning of a stream."""
        self._queue.reset()
        self._row = 0

    def process(self, x: Array) -> Array:
        """`[n] -> [outputs of the groups that are complete]`."""
        size = self._hop * self._rows + 2 * self._overlap
        out = [self._group(group) for group in self._queue.blocks(x, size, self._hop * self._rows)]
        return np.concatenate(out) if out else np.empty(0, np.complex64)

    def flush(self) -> Array:
        """Outputs up to the last input and a little beyond, zeros taken to follow it."""
        step = self._hop * self._rows
        waiting = self._queue.size - self._overlap  # inputs without an output, at most
        groups = max(0, ceil(waiting / step))
        return self.process(np.zeros(groups * step + 2 * self._overlap - self._queue.size, np.complex64))

    def _group(self, line: Array) -> Array:
        import scipy.fft

        rows = np.lib.stride_tricks.sliding_window_view(line, self._size)[:: self._hop]
        if self._table_in is not None:
            rows = rows * self._table_in
        bins = scipy.fft.fft(rows, axis=1)
        high = self._high.size
        np.multiply(bins[:, : self._low.size], self._low, out=self._bins[:, : self._low.size])
        if high:
            np.multiply(bins[:, -high:], self._high, out=self._bins[:, -high:])
        wide = scipy.fft.ifft(self._bins, axis=1, norm="forward")
        y = wide[:, self._skip : self._skip + self._out_hop]
        if self._table_in is not None:
            y = y * self._starts(self._before, self._hop, -self._overlap)
        elif self._table_out is not None:
            y = (y * self._table_out) * self._starts(self._after, self._out_hop, 0)
        self._row += self._rows
        return y.reshape(-1)

    def _starts(self, frequency: Fraction, hop: int, first: int) -> Array:
        """Phasors of the first sample of every row, `[rows, 1]`."""
        at = [(self._row + i) * hop + first for i in range(self._rows)]
        return np.concatenate([phasors(frequency, n, 1) for n in at])[:, None]


class Interpolator:
    """Outputs ``step`` inputs apart, any number above 0, for a signal that fills half of the band at most."""

    def __init__(self, step: Fraction) -> None:
        self._step, self._table = step, _interpolation_table()
        self.reset()

    def reset(self) -> None:
        """As at the beginning of a stream."""
        self._line = np.zeros(TAPS // 2 - 1, np.complex64)
        self._origin = self._made = 0  # input index of _line[TAPS // 2 - 1]; outputs so far

    def process(self, x: Array) -> Array:
        """`[n] -> [outputs of the steps that are complete]`."""
        line = np.concatenate([self._line, x])
        out = []
        while (self._made + PLACES) * self._step + TAPS < self._origin + line.size - TAPS:
            out.append(self._make(line))
        place = self._made * self._step
        drop = place.numerator // place.denominator - self._origin
        self._line, self._origin = line[drop:].copy(), self._origin + drop
        return np.concatenate(out) if out else np.empty(0, np.complex64)

    def flush(self) -> Array:
        """Outputs up to the last input and a little beyond, zeros taken to follow it."""
        needed = ceil(PLACES * self._step) + 4 * TAPS
        return self.process(np.zeros(needed, np.complex64))

    def _make(self, line: Array) -> Array:
        from semwave.modulation import resample_kernels as kernels

        out = np.empty(PLACES, np.complex64)
        place = self._made * self._step
        whole = place.numerator // place.denominator
        line = line[whole - self._origin :]
        kernels.interpolate(line.view(np.float32), float(place - whole), float(self._step), self._table, out)
        self._made += PLACES
        return out


def _sizes(up: int, down: int, overlap: int) -> tuple[int, int]:
    """Transform sizes in and out: in the ratio ``up / down``, quick to compute, the overlap a quarter at most."""
    import scipy.fft

    least = max(8 * overlap, min(BLOCK, BLOCK * down // up))
    blocks = scipy.fft.next_fast_len(max(1, ceil(least / down)), real=True)  # factors 2, 3, 5 only
    return blocks * down, blocks * up


@lru_cache(maxsize=16)
def _filter(cut: float, passband: float, down_db: float) -> Array:
    """Kaiser low-pass, odd length, gain 1: passes ``passband * cut`` cycles per sample, stops from ``cut`` on."""
    width = 2 * np.pi * cut * (1 - passband)
    half = ceil((down_db - 7.95) / (2.285 * width) / 2)
    centre = cut * (1 + passband) / 2
    n = np.arange(-half, half + 1)
    beta = 0.1102 * (down_db - 8.7) if down_db > 50 else 0.5842 * (down_db - 21) ** 0.4 + 0.07886 * (down_db - 21)
    taps = 2 * centre * np.sinc(2 * centre * n) * np.kaiser(n.size, max(beta, 0.0))
    return np.asarray(taps / taps.sum())


def _weights(taps: Array, size: int, edge: float) -> tuple[Array, Array]:
    """Frequency response of the centred filter below ``edge`` bins: bins 0 ... and the negative ones, over ``size``."""
    half = taps.size // 2
    line = np.zeros(size)
    line[: half + 1] = taps[half:]
    line[size - half :] = taps[:half]
    response = np.fft.fft(line).real.astype(np.float32) / np.float32(size)
    most = max(0, ceil(edge) - 1)
    return response[: most + 1], response[size - most :] if most else response[:0]


@lru_cache(maxsize=1)
def _interpolation_table() -> Array:
    """Kaiser-windowed sinc at fractions 0 ... 1 of a sample, `[PHASES + 1, TAPS]` float32, gain 1 in every row."""
    offsets = np.arange(TAPS) - (TAPS // 2 - 1)
    t = offsets - np.arange(PHASES + 1)[:, None] / PHASES
    window = np.i0(9.0 * np.sqrt(np.maximum(0, 1 - (t / (TAPS / 2)) ** 2))) / np.i0(9.0)
    table = np.sinc(t) * window
    return np.ascontiguousarray(table / table.sum(axis=1, keepdims=True), np.float32)
