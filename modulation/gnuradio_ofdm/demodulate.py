"""One packet, from the place of its preamble to bytes."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.fft
from numba import njit

from semwave.modulation.gnuradio_ofdm import channel as ch
from semwave.modulation.gnuradio_ofdm import header, track
from semwave.modulation.gnuradio_ofdm.detect import Detection
from semwave.modulation.gnuradio_ofdm.frame import (
    ACTIVE,
    BINS,
    CP_LEN,
    CRC_LEN,
    DATA,
    FFT_SIZE,
    OVERHEAD,
    PILOT_SIGNS,
    PILOTS,
    SYMBOL_LEN,
    GnuradioOfdmFormat,
)

Array = npt.NDArray[Any]
Reader = Callable[[int, int], Array]

SEGMENT = 64
"""Symbols between two chances to move the FFT windows after a drifting clock."""
MARGIN = CP_LEN
"""Samples that windows may have moved by the end of a packet."""


@dataclass
class Look:
    """What the preamble and the header tell."""

    found: Detection
    prior: ch.Prior
    sums: Array
    weights: Array
    channel: Array
    header: tuple[int, int, Array] | None
    dc: complex


@dataclass(frozen=True)
class Decided:
    """Bytes of a packet's payload symbols, and how well they fit."""

    data: Array
    cfo: float
    drift: float
    timing: float
    error: float
    energy: float
    points: Array
    """[symbols, 48] complex64: equalised payload symbols, NaN where there are none; no rows unless asked for."""


@njit(nogil=True, cache=True, fastmath={"contract", "reassoc"}, error_model="numpy")
def dc_offset(samples: Array) -> complex:
    """Mean of the samples where it is beyond chance, else 0.

    Data under a carrier offset may lie at 0 Hz: |mean|^2 must exceed 16 times the power over the number of samples.
    """
    parts = samples.view(np.float32)
    n = samples.size
    re, im, power = 0.0, 0.0, 0.0
    for low in range(0, n, 64):  # sums of single precision stay short
        zero = np.float32(0)
        a, b, c = zero, zero, zero
        for i in range(low, min(low + 64, n)):
            x, y = parts[2 * i], parts[2 * i + 1]
            a += x
            b += y
            c += x * x + y * y
        re, im, power = re + float(a), im + float(b), power + float(c)
    mean = complex(re / n, im / n)
    return mean if (mean.real**2 + mean.imag**2) * n > 16 * power / n else complex(0)


@njit(nogil=True, cache=True, error_model="numpy")
def _windows(x: Array, count: int, at: int, cfo: float, dc: complex, out: Array) -> None:
    """64 samples of each of ``count`` symbols, 80 apart, offset taken off; ``x[0]`` is ``at`` behind phase 0."""
    turns = np.empty(FFT_SIZE, np.complex64)
    for n in range(FFT_SIZE):
        turns[n] = np.complex64(complex(np.cos(cfo * n), -np.sin(cfo * n)))
    mean = np.complex64(dc)
    for t in range(count):
        angle = cfo * (at + t * SYMBOL_LEN)
        turn = np.complex64(complex(np.cos(angle), -np.sin(angle)))
        for n in range(FFT_SIZE):
            out[t, n] = (x[t * SYMBOL_LEN + n] - mean) * (turns[n] * turn)


def spectra(read: Reader, found: Detection, first: int, count: int, shift: int, dc: complex) -> Array:
    """FFT of symbols ``first ..`` of a frame (0 is word 1), windows ``shift`` late: [count, 64] complex64, over 64."""
    at = first * SYMBOL_LEN + CP_LEN - ch.EARLY + shift
    start = found.start + at
    rows = np.empty((count, FFT_SIZE), np.complex64)
    _windows(read(start, start + (count - 1) * SYMBOL_LEN + FFT_SIZE), count, at, found.cfo, dc, rows)
    return np.asarray(scipy.fft.fft(rows, norm="forward", overwrite_x=True))


class Demodulator:
    """Header and payload of packets found."""

    def __init__(self, form: GnuradioOfdmFormat, points: bool = False) -> None:
        self.format, self.points = form, points
        self._bins = BINS.astype(np.int64)
        self._pilots = PILOT_SIGNS.astype(np.complex64)

    def span(self, length: int) -> int:
        """Samples from a packet's start that ``payload`` may read."""
        return (OVERHEAD + self.format.payload_symbols(length)) * SYMBOL_LEN + MARGIN

    def look(self, read: Reader, found: Detection, dc: complex | None = None) -> Look:
        """Channel from both sync words, then the header; reads 3 symbols from the start."""
        if dc is None:
            dc = dc_offset(read(found.start, found.start + OVERHEAD * SYMBOL_LEN))
        rows = spectra(read, found, 0, OVERHEAD, 0, dc)[:, self._bins]
        prior, channel, sums, weights = ch.estimate(rows[:2], found.peak - found.start)
        z = rows[2] * channel.conj()
        common = np.vdot(z[PILOTS], self._pilots)
        llr = (z[DATA] * complex(common)).real.astype(np.float64)  # up to a positive factor
        told = header.decode(llr, self.format.header_scrambler)
        return Look(found, prior, sums, weights, channel, told, dc)

    def payload(self, read: Reader, look: Look) -> list[Decided]:
        """Decisions to believe in this order: going forwards; if their CRC fails, going back from the end as well."""
        assert look.header is not None
        total = 1 + self.format.payload_symbols(look.header[0])
        start = look.found.start
        dc = dc_offset(read(start, start + (total + 2) * SYMBOL_LEN))
        if dc != look.dc:
            told = look.header
            look = self.look(read, look.found, dc)
            look.header = told
        run = _Run(self.format, read, look, total, self.points)
        forwards = run.decide(backwards=False)
        if crc_ok(forwards.data):
            return [forwards]
        return [forwards, run.decide(backwards=True)]


class _Run:
    """State of one packet while it is decided."""

    def __init__(self, form: GnuradioOfdmFormat, read: Reader, look: Look, total: int, points: bool) -> None:
        assert look.header is not None
        self.form, self.read, self.look, self.total = form, read, look, total
        self.length = look.header[0]
        self.noise = look.prior.noise
        bits = form.bits_per_symbol
        cells = -(-8 * self.length // bits)
        self.last_used = cells - (total - 2) * DATA.size
        self.out = np.empty((total - 1) * DATA.size * bits, np.uint8)
        self.points = np.full(((total - 1) * points, DATA.size), complex(np.nan, np.nan), np.complex64)
        self.rows = np.empty((total, FFT_SIZE), np.complex64)
        self.shifts = np.zeros(total, np.int64)
        self.known = np.zeros(ACTIVE.size, np.complex64)
        self.known[DATA] = 2.0 * look.header[2] - 1
        self.known[PILOTS] = PILOT_SIGNS
        self.state = self._start()

    def _start(self) -> Array:
        """Filters at the header: the channel was seen on average 2.5 symbols before the first prediction's end."""
        step = 1.2 * self.noise / (65 * self.look.prior.power) + 1e-8
        drift = (3e-4 * SYMBOL_LEN) ** 2
        before = 0.5  # the first prediction goes one symbol further; the words' middle is 1.5 symbols before the header
        return np.array(
            [0, 0, 0, 0, before**2 * step, before * step, step, before**2 * drift, before * drift, drift], np.float64
        )

    def decide(self, backwards: bool) -> Decided:
        """One way through the packet."""
        error = energy = 0.0
        starts = range(0, self.total, SEGMENT)
        for first in reversed(starts) if backwards else starts:
            last = min(first + SEGMENT, self.total)
            if not backwards:
                shift = round(float(self.state[track.TIMING]))
                shift = min(max(shift, -MARGIN), MARGIN - ch.EARLY)
                self.rows[first:last] = spectra(
                    self.read, self.look.found, first + OVERHEAD - 1, last - first, shift, self.look.dc
                )
                self.shifts[first:last] = shift
            prior = self.look.prior
            left, made = track.track(
                self.rows[first:last], first, self.shifts[first:last], self.known, PILOTS, DATA, self.last_used,
                self.total, self.form.bits_per_symbol, self.form.amplitude, self.noise, prior.rows, prior.values,
                backwards, self.state, self.look.channel, self.look.sums, self.look.weights, self.out, self.points,
            )  # fmt: skip
            error, energy = error + left, energy + made
        if not backwards:
            self.noise = max(error / (self.total * DATA.size), 1e-3 * self.noise)
        data = np.packbits(self.out[: 8 * self.length], bitorder="little")
        data ^= self.form.payload_scrambler[: self.length]
        step, drift = float(self.state[track.STEP]), float(self.state[track.DRIFT])
        return Decided(
            data, self.look.found.cfo + step / SYMBOL_LEN, drift / SYMBOL_LEN,
            float(self.state[track.TIMING]), error, energy, self.points,
        )  # fmt: skip


def crc_ok(data: Array) -> bool:
    """Whether the last four bytes are the CRC-32 of those before: [n] uint8."""
    return zlib.crc32(data[:-CRC_LEN].data) == int.from_bytes(data[-CRC_LEN:].tobytes(), "little")
