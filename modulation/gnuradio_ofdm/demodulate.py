"""One packet, from the place of its preamble to bytes."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from semwave.modulation.gnuradio_ofdm import channel as ch
from semwave.modulation.gnuradio_ofdm import header, track
from semwave.modulation.gnuradio_ofdm.carriers import N
from semwave.modulation.gnuradio_ofdm.detect import Detection
from semwave.modulation.gnuradio_ofdm.frame import (
    BINS,
    CP_LEN,
    CRC_LEN,
    DATA,
    FFT_SIZE,
    HEADER_BITS,
    MAX_PAYLOAD,
    OVERHEAD,
    PILOT_SIGNS,
    PILOTS,
    SYMBOL_LEN,
    GnuradioOfdmFormat,
)
from semwave.modulation.gnuradio_ofdm.spectra import WORK, dc_offset, spectra, tables, turns_of, whole

Array = npt.NDArray[Any]
Reader = Callable[[int, int], Array]

SEGMENT = 64
"""Symbols between two chances to move the FFT windows after a drifting clock."""
MARGIN = CP_LEN
"""Samples that windows may have moved by the end of a packet."""
_BINS, _DATA, _PILOTS = BINS.astype(np.int64), DATA.astype(np.int64), PILOTS.astype(np.int64)
_NO_POINT = complex(np.nan, np.nan)
_NO_POINTS = np.empty((0, DATA.size), np.complex64)
_SIGNS = PILOT_SIGNS.astype(np.complex64)


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


class Decided(NamedTuple):
    """Bytes of a packet's payload symbols, and how well they fit."""

    data: Array
    good: bool
    """Whether their CRC fits."""
    cfo: float
    drift: float
    timing: float
    error: float
    energy: float
    points: Array
    """[symbols, 48] complex64: equalised payload symbols, NaN where there are none; no rows unless asked for."""


class _Work:
    """Room for the longest packet, used again and again."""

    def __init__(self, bits: int) -> None:
        longest = -(-8 * (MAX_PAYLOAD + CRC_LEN) // (bits * DATA.size))
        self.fft = np.zeros(WORK, np.float32)
        self.rows = np.zeros((whole(1 + longest) + SEGMENT, FFT_SIZE), np.complex64)
        self.shifts = np.zeros(1 + longest, np.int64)
        self.out = np.zeros(longest * DATA.size * bits, np.uint8)


@njit(nogil=True, cache=True, error_model="numpy")
def _look(
    x: Array, cfo: float, dc: complex, any_dc: bool, looks: Any, plan: Any, scrambler: Array, start: int,
    columns: Array, work: Array, rows: Array, channel: Array, sums: Array, bits: Array,
) -> tuple[int, int, float, float, complex]:  # fmt: skip
    """Both sync words and the header; fills channel and sums [52] and the header's bits [48].

    x        [240] complex64; with ``any_dc`` the constant is measured in it, else ``dc`` is believed
    returns  length + 4096 number (-1: no header), window of ``channel.candidates``, mean of |H|^2, noise, constant
    """
    if any_dc:
        dc = dc_offset(x)
    turns, white, received = np.empty(FFT_SIZE, np.complex64), np.empty(N, np.complex64), np.empty((2, N), np.complex64)
    turns_of(cfo, turns)
    spectra(x, 0, OVERHEAD, 0, cfo, turns, dc, plan, work, rows)
    for k in range(N):
        received[0, k], received[1, k] = rows[0, _BINS[k]], rows[1, _BINS[k]]
    looked, values, ends, words, root = looks
    kept, power, noise = ch.choose(received, words, root, looked, values, ends, sums, white, channel)
    common, llr = np.complex64(0), np.empty(DATA.size)
    for k in range(N):
        white[k] = rows[2, _BINS[k]] * channel[k].conjugate()
    for j in range(_PILOTS.size):
        common += white[_PILOTS[j]].conjugate() * _SIGNS[j]
    for j in range(_DATA.size):
        llr[j] = (white[_DATA[j]] * common).real  # up to a positive factor
    return header.parse(llr, scrambler, start, columns, bits), kept, power, noise, dc


@njit(nogil=True, cache=True, error_model="numpy")
def _decide(
    x: Array, cfo: float, dc: complex, told: Array, last_used: int, total: int, bits: int, size: float, noise: float,
    basis: Array, values: Array, backwards: bool, plan: Any, work: Array, rows: Array, shifts: Array, state: Array,
    channel: Array, sums: Array, weights: Array, out: Array, points: Array,
) -> tuple[float, float]:  # fmt: skip
    """One way through a packet's header and payload, ``track`` by ``SEGMENT`` symbols; ``x[0]`` is its first sample.

    told  [48] uint8: the header's bits as sent
    """
    turns, error, energy = np.empty(FFT_SIZE, np.complex64), 0.0, 0.0
    known = np.empty(N, np.complex64)
    for j in range(_DATA.size):
        known[_DATA[j]] = 1 if told[j] else -1
    known[_PILOTS] = _SIGNS
    turns_of(cfo, turns)
    segments = (total + SEGMENT - 1) // SEGMENT
    for i in range(segments):
        first = (segments - 1 - i if backwards else i) * SEGMENT
        last = min(first + SEGMENT, total)
        if not backwards:
            shift = min(max(int(np.rint(state[track.TIMING])), -MARGIN), MARGIN - ch.EARLY)
            spectra(x, first + OVERHEAD - 1, last - first, shift, cfo, turns, dc, plan, work, rows[first:])
            shifts[first:last] = shift
        left, made = track.track(
            rows[first:last], first, shifts[first:last], known, _PILOTS, _DATA, last_used, total, bits, size, noise,
            basis, values, backwards, state, channel, sums, weights, out, points,
        )  # fmt: skip
        error, energy = error + left, energy + made
    return error, energy


class Demodulator:
    """Header and payload of packets found."""

    def __init__(self, form: GnuradioOfdmFormat, points: bool = False) -> None:
        self.format, self.points = form, points
        self._work = _Work(form.bits_per_symbol)

    def span(self, length: int) -> int:
        """Samples from a packet's start that ``payload`` may read."""
        return (OVERHEAD + self.format.payload_symbols(length)) * SYMBOL_LEN + MARGIN

    def look(self, read: Reader, found: Detection, dc: complex | None = None) -> Look:
        """Channel from both sync words, then the header; reads 3 symbols from the start."""
        x, peak = read(found.start, found.start + OVERHEAD * SYMBOL_LEN), found.peak - found.start
        channel, sums = np.empty((2, N), np.complex64)
        looks, bits = ch.looks(peak), np.empty(HEADER_BITS, np.uint8)
        word, kept, power, noise, dc = _look(
            x, found.cfo, dc or 0j, dc is None, looks, tables(), self.format.header_scrambler, header.start(),
            header.columns(), self._work.fft, self._work.rows, channel, sums, bits,
        )  # fmt: skip
        told = None if word < 0 else (word & 0xFFF, word >> 12, bits)
        root = looks[4]
        return Look(found, ch.prior_of(peak, kept, power, noise), sums, root * root, channel, told, dc)

    def payload(self, read: Reader, look: Look) -> list[Decided]:
        """Decisions to believe in this order: going forwards; if their CRC fails, going back from the end as well."""
        assert look.header is not None
        total = 1 + self.format.payload_symbols(look.header[0])
        start = look.found.start
        x = read(start, start + self.span(look.header[0]))
        dc = dc_offset(x[: (total + 2) * SYMBOL_LEN])
        if dc != look.dc:
            told = look.header
            look = self.look(read, look.found, dc)
            look.header = told
        run = _Run(self.format, x, look, total, self.points, self._work)
        forwards = run.decide(backwards=False)
        if forwards.good:
            return [forwards]
        return [forwards, run.decide(backwards=True)]


class _Run:
    """State of one packet while it is decided."""

    def __init__(
        self, form: GnuradioOfdmFormat, samples: Array, look: Look, total: int, points: bool, work: _Work
    ) -> None:
        assert look.header is not None
        self.form, self.samples, self.look, self.total, self.work = form, samples, look, total, work
        self.length = look.header[0]
        self.noise = look.prior.noise
        self.last_used = -(-8 * self.length // form.bits_per_symbol) - (total - 2) * DATA.size
        self.points = np.full((total - 1, DATA.size), _NO_POINT, np.complex64) if points else _NO_POINTS
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
        look, form, work = self.look, self.form, self.work
        assert look.header is not None
        told = look.header[2]
        error, energy = _decide(
            self.samples, look.found.cfo, look.dc, told, self.last_used, self.total, form.bits_per_symbol,
            form.amplitude, self.noise, look.prior.rows, look.prior.values, backwards, tables(), work.fft, work.rows,
            work.shifts, self.state, look.channel, look.sums, look.weights, work.out, self.points,
        )  # fmt: skip
        if not backwards:
            self.noise = max(error / (self.total * DATA.size), 1e-3 * self.noise)
        data = np.packbits(work.out[: 8 * self.length], bitorder="little")
        data ^= self.form.payload_scrambler[: self.length]
        _, step, timing, drift = self.state[:4].tolist()
        good = crc_ok(data)
        return Decided(
            data, good, look.found.cfo + step / SYMBOL_LEN, drift / SYMBOL_LEN, timing, error, energy, self.points
        )


def crc_ok(data: Array) -> bool:
    """Whether the last four bytes are the CRC-32 of those before: [n] uint8."""
    return zlib.crc32(data[:-CRC_LEN].data) == int.from_bytes(data[-CRC_LEN:].tobytes(), "little")
