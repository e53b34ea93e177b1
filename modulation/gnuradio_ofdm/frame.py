"""The frame of GNU Radio's stock ``digital.ofdm_tx`` and ``digital.ofdm_rx`` (3.10): carriers, words, bits.

64 carriers, cyclic prefix 16, 48 data and 4 pilot carriers as in IEEE 802.11a: two sync words, one BPSK header symbol,
then the payload with its CRC-32. Every value here is held to recorded output of GNU Radio by the tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from semwave.modulation import crc, scramble

Array = npt.NDArray[Any]

FFT_SIZE, CP_LEN = 64, 16
SYMBOL_LEN = FFT_SIZE + CP_LEN
OVERHEAD = 3
"""Symbols before the payload: two sync words and the header."""
MAX_PAYLOAD = 4091
CRC_LEN = 4
MODULATIONS = {"bpsk": 1, "qpsk": 2, "8psk": 3}
HEADER_SEED, PAYLOAD_SEED = 0x6F, 0x7F
HEADER_BITS, ZERO_BITS = 48, 16


def _frozen(array: Array) -> Array:
    array.setflags(write=False)
    return array


ACTIVE = _frozen(np.concatenate([np.arange(-26, 0), np.arange(1, 27)]))
"""Occupied carriers, rising: [52]."""
BINS = _frozen(ACTIVE % FFT_SIZE)
"""The same as FFT bins."""
_PILOTS = np.array([-21, -7, 7, 21])
PILOTS = _frozen(np.flatnonzero(np.isin(ACTIVE, _PILOTS)))
"""Pilots' places in ``ACTIVE``: [4]."""
DATA = _frozen(np.flatnonzero(~np.isin(ACTIVE, _PILOTS)))
"""Data carriers' places in ``ACTIVE``, in the order they are filled: [48]."""
PILOT_SIGNS = _frozen(np.array([1.0, 1.0, 1.0, -1.0]))
POLARITY = _frozen(1.0 - 2.0 * scramble.wifi_sequence(127, 0x7F))
"""Sign of the pilots, symbol by symbol from the header on, period 127 (IEEE 802.11-2020, 17.3.5.10)."""


@lru_cache(maxsize=1)
def sync_words() -> Array:
    """Both sync words on the active carriers: [2, 52] complex64.

    NumPy's legacy generator with seed 42, one bit a carrier over bins 0 to 63: word 1 has sqrt(2) on odd bins and 0
    on even ones, word 2 has 1 everywhere; bit 0 is the positive sign.
    """
    words = np.zeros((2, FFT_SIZE))
    occupied = np.zeros(FFT_SIZE, bool)
    occupied[BINS] = True
    for word, used in zip(words, (occupied & (np.arange(FFT_SIZE) % 2 == 1), occupied), strict=True):
        legacy = np.random.RandomState(42)
        signs = np.array([legacy.randint(2) if used[b] else 0 for b in range(FFT_SIZE)])
        word[used] = (1 - 2 * signs[used]) * np.sqrt(52 / used.sum())
    return _frozen(words[:, BINS].astype(np.complex64))


@lru_cache(maxsize=1)
def preamble() -> Array:
    """Both sync words in time, with their prefixes: [160] complex64."""
    grid = np.zeros((2, FFT_SIZE), np.complex128)
    grid[:, BINS] = sync_words()
    body = np.fft.ifft(grid, norm="forward")
    return _frozen(np.concatenate([body[:, -CP_LEN:], body], axis=1).reshape(-1).astype(np.complex64))


@lru_cache(maxsize=1)
def _header_scrambler() -> Array:
    return _frozen(scramble.lfsr(scramble.OFDM_MASK, scramble.OFDM_LENGTH, HEADER_SEED, HEADER_BITS))


@lru_cache(maxsize=1)
def _payload_scrambler() -> Array:
    bits = scramble.lfsr(scramble.OFDM_MASK, scramble.OFDM_LENGTH, PAYLOAD_SEED, 8 * (MAX_PAYLOAD + CRC_LEN))
    return _frozen(np.packbits(bits, bitorder="little"))


def header_crc(length: int, number: int) -> int:
    """CRC-8 of a header: polynomial 0x07 from 0xFF over length and number as 16-bit little-endian words."""
    return crc.compute_bytes(bytes([length & 0xFF, length >> 8, number & 0xFF, number >> 8]), "8")


@dataclass(frozen=True)
class GnuradioOfdmFormat:
    """What both ends must agree on.

    modulation  of the payload: ``"bpsk"``, ``"qpsk"`` or ``"8psk"``
    scramble    GNU Radio's ``scramble_bits`` (off there by default)
    unit_power  QPSK of unit power; the stock transmitter's has power 4, 6 dB above its own header and preamble
    Raises ValueError for an unknown modulation.
    """

    modulation: str = "bpsk"
    scramble: bool = False
    unit_power: bool = False

    def __post_init__(self) -> None:
        if self.modulation not in MODULATIONS:
            raise ValueError(f"modulation must be one of {', '.join(MODULATIONS)}, not {self.modulation!r}")

    @property
    def bits_per_symbol(self) -> int:
        """Bits on one data carrier of one payload symbol."""
        return MODULATIONS[self.modulation]

    @property
    def amplitude(self) -> float:
        """Magnitude of the payload's points."""
        return 2.0 if self.modulation == "qpsk" and not self.unit_power else 1.0

    @cached_property
    def points(self) -> Array:
        """Constellation by symbol index, whose lowest bit is sent first: [2^k] complex64."""
        if self.modulation == "bpsk":
            return _frozen(np.array([-1, 1], np.complex64))
        if self.modulation == "qpsk":
            half = self.amplitude / np.sqrt(2)
            return _frozen((half * np.array([-1 - 1j, 1 - 1j, -1 + 1j, 1 + 1j])).astype(np.complex64))
        turns = np.array([1, 7, 15, 9, 3, 5, 13, 11])
        return _frozen(np.exp(1j * np.pi / 8 * turns).astype(np.complex64))

    @property
    def payload_scrambler(self) -> Array:
        """Bytes that the payload and its CRC are exclusive-ored with: [4095] uint8."""
        return _payload_scrambler() if self.scramble else _NO_SCRAMBLER

    @property
    def header_scrambler(self) -> Array:
        """Bits that the header is exclusive-ored with: [48] uint8."""
        return _header_scrambler() if self.scramble else _NO_SCRAMBLER[:HEADER_BITS]

    def payload_symbols(self, length: int) -> int:
        """OFDM symbols that ``length`` bytes fill, CRC included."""
        return -(-8 * length // (self.bits_per_symbol * DATA.size))

    def samples(self, payload: int) -> int:
        """Samples of a frame with ``payload`` bytes."""
        return (OVERHEAD + self.payload_symbols(payload + CRC_LEN)) * SYMBOL_LEN

    def header_bits(self, length: int, number: int) -> Array:
        """Header as sent, least significant bits first: length (CRC-32 included), number, CRC-8, zeros: [48] uint8."""
        word = length | number << 12 | header_crc(length, number) << 24
        bits = (word >> np.arange(HEADER_BITS)) & 1
        return bits.astype(np.uint8) ^ self.header_scrambler


_NO_SCRAMBLER = _frozen(np.zeros(MAX_PAYLOAD + CRC_LEN, np.uint8))
