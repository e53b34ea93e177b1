"""Which resource element of a burst carries what: the bookkeeping that transmitter and receiver share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from semwave.modulation.ofdm import preamble
from semwave.modulation.ofdm.params import OfdmParams
from semwave.modulation.ofdm.sequences import (
    HEADER_PAD_SEED,
    PAYLOAD_PAD_SEED,
    burst_permutation,
    qpsk_sequence,
)

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class BurstLayout:
    """A burst: preamble, ``header_ofdm`` symbols of header, then as many symbols as the payload needs.

    Header and payload start on their own OFDM symbols; what they leave free is filled with known QPSK.
    """

    params: OfdmParams
    header_symbols: int

    def __post_init__(self) -> None:
        if self.header_symbols < 1:
            raise ValueError(f"header_symbols must be at least 1, not {self.header_symbols}")
        preamble.template(self.params)  # raises where this numerology has none

    @cached_property
    def header_ofdm(self) -> int:
        """OFDM symbols of the header."""
        return _symbols_for(self.params, self.header_symbols, 0)

    def ofdm_symbols(self, n: int) -> int:
        """OFDM symbols after the preamble, for n payload symbols."""
        return self.header_ofdm + _symbols_for(self.params, n, self.header_ofdm)

    def length(self, n: int) -> int:
        """Samples of a burst with n payload symbols."""
        return preamble.length(self.params) + self.params.grid_length(self.ofdm_symbols(n))

    @cached_property
    def header_cells(self) -> Array:
        """Flat places [symbol * active] of the header in the burst's grid of active carriers: [header_symbols]."""
        return _header_cells(self.params, self.header_symbols, self.header_ofdm)

    def payload_cells(self, n: int) -> Array:
        """Flat places of the payload's data elements, in order of time, then frequency: [capacity >= n]."""
        return _data_cells(self.params, self.header_ofdm, self.ofdm_symbols(n))

    def fill(self, header: Array, payload: Array) -> Array:
        """Header, payload, pilots and padding on the active carriers: [symbols, active] complex64."""
        n = payload.size
        symbols = self.ofdm_symbols(n)
        grid = np.where(self.params.pilot_mask(symbols), self.params.pilot_values(symbols), 0)
        flat = grid.reshape(-1)
        pad = _data_cells(self.params, 0, self.header_ofdm)
        flat[pad] = qpsk_sequence(HEADER_PAD_SEED, pad.size)
        flat[self.header_cells] = header
        cells = self.payload_cells(n)
        flat[cells] = qpsk_sequence(PAYLOAD_PAD_SEED, cells.size)
        flat[cells[:n]] = payload[burst_permutation(n)]
        return grid

    def account(self, n: int) -> dict[str, int]:
        """Every channel use of a burst with n payload symbols, in resource elements (``*_samples``: in samples).

        ``payload + payload_padding + header + header_padding + pilots + preamble`` is the number of occupied resource
        elements, ``active * (ofdm_symbols + 2)``.
        """
        symbols, p = self.ofdm_symbols(n), self.params
        header_data = p.data_count(self.header_ofdm)
        samples = self.length(n)
        return {
            "payload": n,
            "payload_padding": p.data_count(symbols) - header_data - n,
            "header": self.header_symbols,
            "header_padding": header_data - self.header_symbols,
            "pilots": p.active * symbols - p.data_count(symbols),
            "preamble": p.active * preamble.SYMBOLS,
            "ofdm_symbols": symbols,
            "samples": samples,
            "cyclic_prefix_samples": samples - p.fft_size * (symbols + preamble.SYMBOLS) - p.window_len,
        }


def _symbols_for(params: OfdmParams, n: int, first: int) -> int:
    """Fewest symbols from ``first`` on with room for n data elements."""
    if n < 0:
        raise ValueError(f"n must be at least 0, not {n}")
    base, per_period = params.data_count(first), params.data_count(params.pilot_period)
    symbols = max(n - 1, 0) // per_period * params.pilot_period  # whole periods hold at most n - 1
    while params.data_count(first + symbols) - base < n:
        symbols += 1
    return symbols


@lru_cache(maxsize=8)
def _data_cells(params: OfdmParams, first: int, last: int) -> Array:
    """Flat places of the data elements of symbols first..last-1."""
    return np.flatnonzero(~params.pilot_mask(last)[first:]) + first * params.active


def _header_cells(params: OfdmParams, n: int, symbols: int) -> Array:
    cells = _data_cells(params, 0, symbols)
    return cells[burst_permutation(cells.size)[:n]]
