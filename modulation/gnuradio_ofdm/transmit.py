"""Stock GNU Radio OFDM frames from bytes."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.fft
from numba import njit

from semwave.modulation.gnuradio_ofdm.frame import (
    BINS,
    CP_LEN,
    CRC_LEN,
    DATA,
    FFT_SIZE,
    MAX_PAYLOAD,
    OVERHEAD,
    PILOT_SIGNS,
    PILOTS,
    POLARITY,
    SYMBOL_LEN,
    GnuradioOfdmFormat,
    preamble,
)

Array = npt.NDArray[Any]
Bytes = bytes | bytearray | memoryview | Array
NUMBERS = 4096
SYMBOLS_AT_ONCE = 1024
"""Symbols that are made before they are put into their places: half a MiB."""


@lru_cache(maxsize=1)
def _pilot_rows() -> Array:
    """Grid rows with nothing but pilots, one per polarity: [127, 64] complex64."""
    rows = np.zeros((POLARITY.size, FFT_SIZE), np.complex64)
    rows[:, BINS[PILOTS]] = POLARITY[:, None] * PILOT_SIGNS
    return rows


@njit(nogil=True, cache=True)
def fill(data: Array, pilots: Array, bins: Array, points: Array, grid: Array) -> None:
    """Payload symbols: pilots first, then bits of ``data``, lowest first, ``k`` to a carrier.

    data    [n] uint8, scrambled
    pilots  [127, 64]; bins [48]: FFT bin of each data carrier; points [2^k]
    grid    [1 + symbols, 64] complex64: row 0, the header, is left alone
    """
    per_symbol = 1 if points.size == 2 else (2 if points.size == 4 else 3)
    mask = points.size - 1
    word, held, at = 0, 0, 0
    for t in range(1, grid.shape[0]):
        grid[t] = pilots[t % pilots.shape[0]]
        for b in bins:
            if held < per_symbol:
                if at == data.size:
                    if held == 0:
                        return
                    held = per_symbol  # the last group is filled up with zeros
                else:
                    word |= int(data[at]) << held
                    held += 8
                    at += 1
            grid[t, b] = points[word & mask]
            word >>= per_symbol
            held -= per_symbol


def fill_reference(data: Array, pilots: Array, bins: Array, points: Array, grid: Array) -> None:
    """The same as ``fill``, a whole frame at a time."""
    k = int(points.size).bit_length() - 1
    bits: Array = np.unpackbits(data, bitorder="little")
    bits = np.concatenate([bits, np.zeros(-bits.size % k, np.uint8)]).reshape(-1, k)
    symbols = points[bits @ (1 << np.arange(k))]
    t = np.arange(1, grid.shape[0])
    grid[1:] = pilots[t % pilots.shape[0]]
    cell = np.arange(symbols.size)
    grid[1 + cell // bins.size, bins[cell % bins.size]] = symbols


@njit(nogil=True, cache=True)
def header_word(length: int, number: int) -> int:
    """Length, number and their CRC-8 as ``GnuradioOfdmFormat.header_bits`` sends them, lowest bit first."""
    crc = 0xFF
    for byte in (length & 0xFF, length >> 8, number & 0xFF, number >> 8):
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x07) & 0xFF if crc & 0x80 else crc << 1
    return length | number << 12 | crc << 24


@njit(nogil=True, cache=True)
def _fill_frames(
    raw: Array, sizes: Array, counts: Array, number: int, scramblers: tuple[Array, Array], pilots: Array, bins: Array,
    points: Array, amplitude: float, grid: Array,
) -> None:  # fmt: skip
    """Header and payload symbols of frames in a row; ``raw`` has their payloads, each with its CRC behind it."""
    of_header, of_payload = scramblers
    data = np.empty(of_payload.size, np.uint8)
    at, row = 0, 0
    for f in range(sizes.size):
        symbols = grid[row : row + counts[f]]
        symbols[0] = pilots[0]
        word = header_word(sizes[f], (number + f) % NUMBERS)
        for j in range(bins.size):
            symbols[0, bins[j]] = amplitude if (word >> j & 1) ^ of_header[j] else -amplitude
        for i in range(sizes[f]):
            data[i] = raw[at + i] ^ of_payload[i]
        fill(data[: sizes[f]], pilots, bins, points, symbols)
        at, row = at + sizes[f], row + counts[f]


@njit(nogil=True, cache=True)
def _assemble(body: Array, start: Array, at: Array, counts: Array, out: Array) -> None:
    """Preamble and symbols with their prefixes to each frame's place in ``out``."""
    row = 0
    for f in range(at.size):
        to = at[f]
        out[to : to + start.size] = start
        to += start.size
        for _ in range(counts[f]):
            for n in range(CP_LEN):
                out[to + n] = body[row, FFT_SIZE - CP_LEN + n]
            for n in range(FFT_SIZE):
                out[to + CP_LEN + n] = body[row, n]
            to += SYMBOL_LEN
            row += 1


def _payload(payload: Bytes) -> bytes:
    if isinstance(payload, np.ndarray):
        if payload.dtype != np.uint8 or payload.ndim != 1:
            raise ValueError(f"payload must be [n] uint8, not {payload.dtype} of shape {payload.shape}")
        payload = payload.tobytes()
    payload = bytes(payload)
    if not 1 <= len(payload) <= MAX_PAYLOAD:
        raise ValueError(f"payload must have 1 to {MAX_PAYLOAD} bytes, not {len(payload)}")
    return payload


class Transmitter:
    """Make frames that ``digital.ofdm_rx`` receives, sample for sample those of ``digital.ofdm_tx``.

    number     of the first packet; each next one has one more, modulo 4096
    amplitude  factor on all samples; 1 as in GNU Radio: 52 unit-power carriers, IFFT without 1/N
    """

    def __init__(self, form: GnuradioOfdmFormat | None = None, number: int = 0, amplitude: float = 1.0) -> None:
        self.format = form or GnuradioOfdmFormat()
        if not 0 <= number < NUMBERS:
            raise ValueError(f"number must be 0 to {NUMBERS - 1}, not {number}")
        if not (np.isfinite(amplitude) and amplitude > 0):
            raise ValueError(f"amplitude must be positive, not {amplitude}")
        self.number = number
        self._amplitude = np.float32(amplitude)
        self._points = self.format.points * self._amplitude
        self._pilots = _pilot_rows() * self._amplitude
        self._preamble = preamble() * self._amplitude
        self._bins = BINS[DATA]

    def frame(self, payload: Bytes) -> Array:
        """One frame: [n] uint8 or bytes -> [samples] complex64. Raise ValueError unless it has 1 to 4091 bytes."""
        return self.frames([payload])

    def frames(self, payloads: Sequence[Bytes], gap: int = 0) -> Array:
        """Frames in a row, ``gap`` zeros behind each: -> [samples] complex64."""
        if gap < 0:
            raise ValueError(f"gap must be at least 0, not {gap}")
        checked = [_payload(p) for p in payloads]
        sizes = np.fromiter((len(p) + CRC_LEN for p in checked), np.int64, len(checked))
        counts = 1 - (-8 * sizes // (self.format.bits_per_symbol * DATA.size))
        lengths = (counts + OVERHEAD - 1) * SYMBOL_LEN + gap
        ends = np.cumsum(lengths)
        out = np.zeros(int(lengths.sum()), np.complex64) if gap else np.empty(int(lengths.sum()), np.complex64)
        first = 0
        for last in _ends(counts):
            body = self._symbols(checked[first:last], sizes[first:last], counts[first:last])
            _assemble(body, self._preamble, (ends - lengths)[first:last], counts[first:last], out)
            first = last
        return out

    def _symbols(self, payloads: list[bytes], sizes: Array, counts: Array) -> Array:
        """Header and payload symbols of some frames in time, without prefixes: [symbols, 64]; counts the frames."""
        raw = np.frombuffer(b"".join([p + zlib.crc32(p).to_bytes(CRC_LEN, "little") for p in payloads]), np.uint8)
        grid = np.empty((int(counts.sum()), FFT_SIZE), np.complex64)
        _fill_frames(
            raw, sizes, counts, self.number, (self.format.header_scrambler, self.format.payload_scrambler),
            self._pilots, self._bins, self._points, self._amplitude, grid,
        )  # fmt: skip
        self.number = (self.number + len(payloads)) % NUMBERS
        return np.asarray(scipy.fft.ifft(grid, norm="forward", overwrite_x=True))


def _ends(counts: Array) -> list[int]:
    """Ends of the parts that frames are made in, few enough symbols for the cache."""
    parts = np.cumsum(counts) // SYMBOLS_AT_ONCE
    return [int(i) + 1 for i in np.flatnonzero(np.diff(parts, append=np.inf))]
