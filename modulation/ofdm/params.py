"""What both ends of an OFDM link agree on: carriers, cyclic prefix, pilots."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from semwave.modulation.ofdm.sequences import PILOT_SEED, qpsk_sequence

Array = npt.NDArray[Any]
PATTERNS = ("scattered", "comb", "block")


@dataclass(frozen=True)
class OfdmParams:
    """An OFDM numerology with its pilots; the defaults are semwave's own preset (15 kHz carriers, 2.7 MHz).

    *scattered* pilots sit on every ``pilot_spacing_f * pilot_spacing_t``-th active carrier and move by a multiple of
    ``pilot_spacing_f`` from symbol to symbol, so that ``pilot_spacing_t`` symbols together show every
    ``pilot_spacing_f``-th carrier and each symbol shows its own phase (as in ETSI EN 300 744, 4.5.3); *comb* pilots sit
    on every ``pilot_spacing_f``-th active carrier of each symbol; *block* pilots fill every
    ``pilot_spacing_t``-th symbol.
    Raises ValueError naming the parameter to change.
    """

    fft_size: int = 256
    cp_len: int = 20
    first_cp_len: int | None = None
    """Cyclic prefix of the first symbol of a grid, where it differs (7-symbol slots of LTE and NR)."""
    active: int = 180
    """Occupied carriers around DC, DC itself left free."""
    sample_rate: float = 3.84e6
    pilot_pattern: str = "scattered"
    pilot_spacing_f: int = 6
    pilot_spacing_t: int = 4
    window_len: int = 0
    """Samples of raised-cosine edge, shared with the next symbol's cyclic prefix."""
    dft_spread: bool = False
    """Spread the data of each symbol by a DFT (DFT-s-OFDM, TS 38.211, 6.3.1.4) for a lower peak power."""

    def __post_init__(self) -> None:
        for name in ("fft_size", "cp_len", "active", "pilot_spacing_f", "pilot_spacing_t", "window_len"):
            value = getattr(self, name)
            if not isinstance(value, (int, np.integer)) or isinstance(value, bool):
                raise ValueError(f"{name} must be an integer, not {value!r}")
        self._check_carriers()
        self._check_pilots()

    def _check_carriers(self) -> None:
        if self.fft_size < 8:
            raise ValueError(f"fft_size must be at least 8, not {self.fft_size}")
        if not 2 <= self.active <= self.fft_size - 2:
            raise ValueError(f"active must be 2 to fft_size - 2 = {self.fft_size - 2}, not {self.active}")
        if not 0 <= self.cp_len < self.fft_size:
            raise ValueError(f"cp_len must be 0 to fft_size - 1 = {self.fft_size - 1}, not {self.cp_len}")
        if self.first_cp_len is not None and not self.cp_len <= self.first_cp_len < self.fft_size:
            raise ValueError(f"first_cp_len must be cp_len = {self.cp_len} or longer and below fft_size = "
                             f"{self.fft_size}, not {self.first_cp_len}")  # fmt: skip
        if not 0 <= self.window_len <= self.cp_len:
            raise ValueError(f"window_len must be 0 to cp_len = {self.cp_len}, not {self.window_len}")
        if not (np.isfinite(self.sample_rate) and self.sample_rate > 0):
            raise ValueError(f"sample_rate must be positive, in Hz, not {self.sample_rate}")

    def _check_pilots(self) -> None:
        if self.pilot_pattern not in PATTERNS:
            raise ValueError(f"pilot_pattern must be one of {', '.join(PATTERNS)}, not {self.pilot_pattern!r}")
        if self.pilot_pattern != "block" and not 2 <= self.pilot_spacing_f <= self.active // 2:
            raise ValueError(
                f"pilot_spacing_f must be 2 to active / 2 = {self.active // 2}, not {self.pilot_spacing_f}"
            )
        if self.pilot_spacing_t < 1 + (self.pilot_pattern == "block"):
            raise ValueError(f"pilot_spacing_t must be at least {1 + (self.pilot_pattern == 'block')}, "
                             f"not {self.pilot_spacing_t}")  # fmt: skip
        if self.pilot_pattern == "scattered" and self.pilot_stride > self.active:
            raise ValueError(f"pilot_spacing_f * pilot_spacing_t must be at most active = {self.active}, not "
                             f"{self.pilot_stride}: lower pilot_spacing_t, or each symbol has no pilot")  # fmt: skip
        if self.pilot_pattern != "block" and self.pilot_spacing_f * self.cp_len > self.fft_size:
            raise ValueError(f"pilot_spacing_f must be at most fft_size / cp_len = {self.fft_size // self.cp_len}, not "
                             f"{self.pilot_spacing_f}: wider spacing cannot tell delays within the prefix")  # fmt: skip

    @property
    def pilot_stride(self) -> int:
        """Distance of pilots within one symbol, in active carriers."""
        return self.pilot_spacing_f * (self.pilot_spacing_t if self.pilot_pattern == "scattered" else 1)

    @property
    def pilot_period(self) -> int:
        """Symbols after which the pilot pattern repeats."""
        return 1 if self.pilot_pattern == "comb" else self.pilot_spacing_t

    @property
    def symbol_len(self) -> int:
        """Samples of one symbol with its (ordinary) cyclic prefix."""
        return self.fft_size + self.cp_len

    @property
    def carrier_spacing_hz(self) -> float:
        return self.sample_rate / self.fft_size

    @property
    def symbol_duration_s(self) -> float:
        return self.symbol_len / self.sample_rate

    @cached_property
    def carriers(self) -> Array:
        """Active carriers in units of the carrier spacing, rising, without 0: [active] int64."""
        low = self.active // 2
        return _frozen(np.concatenate([np.arange(-low, 0), np.arange(1, self.active - low + 1)]))

    @cached_property
    def columns(self) -> Array:
        """Active carriers' columns in a grid with DC in the middle (at ``fft_size // 2``): [active] int64."""
        return _frozen(self.carriers + self.fft_size // 2)

    @cached_property
    def pilot_masks(self) -> Array:
        """Where pilots are, for one period of the pattern: [pilot_period, active] bool."""
        masks = np.zeros((self.pilot_period, self.active), bool)
        if self.pilot_pattern == "block":
            masks[-1] = True  # last of the period: the preamble has just been seen at the first
            return _frozen(masks)
        for row, shift in enumerate(_spread_order(self.pilot_period)):
            masks[row, self.pilot_spacing_f * shift + self.pilot_spacing_f // 2 :: self.pilot_stride] = True
        return _frozen(masks)

    def pilot_mask(self, symbols: int) -> Array:
        """Where pilots are: [symbols, active] bool."""
        return self.pilot_masks[np.arange(symbols) % self.pilot_period]

    def pilot_values(self, symbols: int) -> Array:
        """Known QPSK values, used where ``pilot_mask`` is set: [symbols, active] complex64."""
        return _pilot_values(self.active, 1 << max(symbols - 1, 31).bit_length())[:symbols]

    def data_count(self, symbols: int) -> int:
        """Data resource elements in the first ``symbols`` symbols."""
        whole, rest = divmod(symbols, self.pilot_period)
        return whole * self._data_before[-1] + self._data_before[rest]

    @cached_property
    def _data_before(self) -> list[int]:
        """Data elements before each symbol of a period, and in all of it."""
        return [0, *np.cumsum(self.active - self.pilot_masks.sum(axis=1)).tolist()]

    def symbol_starts(self, symbols: int) -> Array:
        """First useful sample (after the cyclic prefix) of each symbol of a grid: [symbols] int64."""
        first = self.cp_len if self.first_cp_len is None else self.first_cp_len
        return first + self.symbol_len * np.arange(symbols)

    def grid_length(self, symbols: int) -> int:
        """Samples that ``modulate`` makes of a grid."""
        extra = 0 if self.first_cp_len is None else self.first_cp_len - self.cp_len
        return symbols * self.symbol_len + (extra + self.window_len if symbols else 0)


def _spread_order(n: int) -> list[int]:
    """0..n-1 in bit-reversed order: neighbours in time show carriers far apart."""
    bits = max(n - 1, 1).bit_length()
    return sorted(range(n), key=lambda i: int(format(i, f"0{bits}b")[::-1], 2))


@lru_cache(maxsize=16)
def _pilot_values(active: int, symbols: int) -> Array:
    return _frozen(qpsk_sequence(PILOT_SEED, symbols * active).reshape(symbols, active))


def _frozen(array: Array) -> Array:
    array.setflags(write=False)
    return array
