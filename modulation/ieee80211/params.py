"""Numbers of the OFDM PHY (IEEE 802.11-2020, clause 17) and the 20 MHz HT PHY (clause 19)."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from semwave.modulation.scramble import wifi_sequence

Array = npt.NDArray[Any]

SAMPLE_RATE = 20e6  # Hz
FFT = 64
GUARD, SHORT_GUARD = 16, 8  # samples
STF, LTF_GUARD = 160, 32  # samples: the short training field, the guard of the long one
FIRST_LONG = STF + LTF_GUARD  # from the first sample of the L-STF to the first long training symbol
SERVICE, TAIL = 16, 6  # bits
MAX_LENGTH = 4095  # octets of a legacy PSDU

# RATE field, R1 first (table 17-6).
RATE_BITS: dict[int, str] = {
    6: "1101", 9: "1111", 12: "0101", 18: "0111", 24: "1001", 36: "1011", 48: "0001", 54: "0011",
}  # fmt: skip
_LEGACY: dict[int, tuple[int, str]] = {
    6: (1, "1/2"), 9: (1, "3/4"), 12: (2, "1/2"), 18: (2, "3/4"),
    24: (4, "1/2"), 36: (4, "3/4"), 48: (6, "2/3"), 54: (6, "3/4"),
}  # fmt: skip
_HT = ((1, "1/2"), (2, "1/2"), (2, "3/4"), (4, "1/2"), (4, "3/4"), (6, "2/3"), (6, "3/4"), (6, "5/6"))


@dataclass(frozen=True, slots=True)
class Mode:
    """How the DATA field is modulated and coded: bits per carrier, code rate, data carriers."""

    bits_per_carrier: int
    rate: str
    carriers: int

    @property
    def coded_bits(self) -> int:
        """Coded bits of an OFDM symbol, N_CBPS."""
        return self.carriers * self.bits_per_carrier

    @property
    def data_bits(self) -> int:
        """Data bits of an OFDM symbol, N_DBPS."""
        return self.coded_bits * int(self.rate[0]) // int(self.rate[2])


def legacy_mode(rate_mbps: int) -> Mode:
    """Mode of a rate of table 17-4. Raise ValueError for a rate that is not there."""
    if rate_mbps not in _LEGACY:
        raise ValueError(f"rate_mbps must be one of {', '.join(map(str, _LEGACY))}, not {rate_mbps}")
    return Mode(*_LEGACY[rate_mbps], 48)


def ht_mode(mcs: int) -> Mode:
    """Mode of MCS 0 to 7 at 20 MHz (table 19-27). Raise ValueError for another."""
    if not 0 <= mcs < len(_HT):
        raise ValueError(f"mcs must be 0 to 7, not {mcs}")
    return Mode(*_HT[mcs], 52)


def _locked(array: Array) -> Array:
    array.setflags(write=False)
    return array


PILOTS = _locked(np.array([-21, -7, 7, 21]))
PILOT_BINS = _locked(PILOTS % FFT)
PILOT_TURN = 2 * np.pi * 14 / FFT  # turn between pilots 14 carriers apart for each sample of delay


class Carriers:
    """The occupied carriers -k ... k without 0: ``all``, the ``data`` among them, and where they are.

    ``bins`` and ``data_bins`` are places in a spectrum in FFT order, ``pilot_places`` and ``data_places`` places
    among all.
    """

    def __init__(self, outermost: int) -> None:
        k = np.arange(-outermost, outermost + 1)
        self.all = _locked(k[k != 0])
        pilot = np.isin(self.all, PILOTS)
        self.data = _locked(self.all[~pilot])
        self.bins, self.data_bins = _locked(self.all % FFT), _locked(self.data % FFT)
        self.pilot_places, self.data_places = _locked(np.flatnonzero(pilot)), _locked(np.flatnonzero(~pilot))


LEGACY = Carriers(26)
HT = Carriers(28)


def _signs(text: str) -> Array:
    return np.array([{"+": 1, "-": -1, "0": 0}[c] for c in text], np.float64)


# Long training sequence on carriers -26 ... -1 and 1 ... 26 (equation 17-8).
_LONG_LEFT = _signs("++--++-+-++++++--++-+-++++")
_LONG_RIGHT = _signs("+--++-+-+-----++--+-+-++++")
LONG = _locked(np.concatenate([_LONG_LEFT, _LONG_RIGHT]))
HT_LONG = _locked(np.concatenate([[1, 1], _LONG_LEFT, _LONG_RIGHT, [-1, -1]]))  # equation 19-23

_SHORT = {-24: 1, -20: -1, -16: 1, -12: -1, -8: -1, -4: 1, 4: -1, 8: -1, 12: 1, 16: 1, 20: 1, 24: 1}


def spectrum(values: Array, carriers: Array) -> Array:
    """Place values on carriers of a 64-point spectrum in FFT order: [..., n] -> [..., 64] complex128."""
    out = np.zeros((*values.shape[:-1], FFT), np.complex128)
    out[..., carriers % FFT] = values
    return out


@lru_cache(maxsize=1)
def short_period() -> Array:
    """One 16-sample period of the short training field, [16] complex128 (equation 17-6).

    The scale here and in ``long_symbol`` is that of a unitary IFFT of unit-energy carriers over 52 carriers.
    """
    values = np.array(list(_SHORT.values())) * np.sqrt(13 / 6) * (1 + 1j)
    x = np.fft.ifft(spectrum(values, np.array(list(_SHORT))), norm="ortho")
    return _locked(x[:16])


@lru_cache(maxsize=1)
def long_symbol() -> Array:
    """The 64-sample long training symbol, [64] complex128 (equation 17-8)."""
    return _locked(np.fft.ifft(spectrum(LONG.astype(complex), LEGACY.all), norm="ortho"))


@lru_cache(maxsize=1)
def polarity() -> Array:
    """Pilot polarity p_0 ... p_126, [127] float64 of +1 and -1 (equation 17-25)."""
    return _locked(1.0 - 2.0 * wifi_sequence(127, 0x7F))


@lru_cache(maxsize=1)
def _legacy_pilots() -> Array:
    signs = np.array([1.0, 1.0, 1.0, -1.0])
    return _locked(np.ascontiguousarray(np.resize(polarity(), 127 * 12)[:, None] * signs))


@lru_cache(maxsize=1)
def _ht_pilots() -> Array:
    psi = np.array([1.0, 1.0, 1.0, -1.0])
    symbol = np.arange(4 * 127)[:, None]
    return _locked(polarity()[(symbol + 3) % 127] * psi[(symbol + np.arange(4)) % 4])


def legacy_pilots(first: int, n: int) -> Array:
    """Pilots on carriers -21, -7, 7, 21 of OFDM symbols ``first`` ... (SIGNAL is 0): [n, 4] float64 (17.3.5.10)."""
    return _legacy_pilots()[first : first + n]


def ht_pilots(n: int) -> Array:
    """Pilots of HT mixed-format data symbols 0 ... n - 1 of one stream: [n, 4] float64 (19.3.11.10, z = 3)."""
    table = _ht_pilots()
    return table[:n] if n <= len(table) else np.tile(table, (-(-n // len(table)), 1))[:n]
