"""From header and payload symbols to the samples of one burst."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from semwave.modulation.ofdm import preamble
from semwave.modulation.ofdm.layout import BurstLayout
from semwave.modulation.ofdm.params import OfdmParams
from semwave.modulation.ofdm.waveform import clip_and_filter, modulate, ramp, spread

Array = npt.NDArray[Any]


class BurstTransmitter:
    """Make bursts: preamble, header, payload interleaved over the whole burst, pilots.

    header_symbols: complex symbols of each burst's header; both ends agree on it.
    papr_limit_db: peak over mean power that clipping and filtering aims at, symbol by symbol; None: no clipping.
    """

    def __init__(self, params: OfdmParams, header_symbols: int, papr_limit_db: float | None = None) -> None:
        self.params = params
        self.papr_limit_db = papr_limit_db
        if papr_limit_db is not None and not papr_limit_db > 0:
            raise ValueError(f"papr_limit_db must be above 0, not {papr_limit_db}")
        self.layout = BurstLayout(params, header_symbols)

    def length(self, n: int) -> int:
        """Samples of a burst with n payload symbols."""
        return self.layout.length(n)

    def symbols_used(self, n: int) -> dict[str, int]:
        """Every channel use of a burst with n payload symbols; see ``BurstLayout.account``."""
        return self.layout.account(n)

    def burst(self, header: Array, payload: Array) -> Array:
        """Samples of one burst, at the power ``active / fft_size`` for unit-energy symbols.

        header   [header_symbols] complex
        payload  [n] complex, n from 0
        returns  [length(n)] complex64

        Raises ValueError when header has another length, or a symbol is not finite.
        """
        header, payload = np.asarray(header, np.complex64), np.asarray(payload, np.complex64)
        if header.shape != (self.layout.header_symbols,):
            raise ValueError(
                f"header must be [header_symbols = {self.layout.header_symbols}], not {list(header.shape)}"
            )
        if payload.ndim != 1:
            raise ValueError(f"payload must be [n], not {list(payload.shape)}")
        if not (np.isfinite(header).all() and np.isfinite(payload).all()):
            raise ValueError("header and payload must be finite, not NaN or infinite")
        grid = self.layout.fill(header, payload)
        if self.params.dft_spread:
            _spread_data(grid, self.params)
        full = np.zeros((grid.shape[0], self.params.fft_size), np.complex64)
        full[:, self.params.columns] = grid
        if self.papr_limit_db is not None:
            full = clip_and_filter(full, self.papr_limit_db, self.params)
        return self._join(modulate(full, self.params))

    def _join(self, data: Array) -> Array:
        """Preamble and data overlapped by the raised-cosine edges."""
        width, symbol_len = self.params.window_len, self.params.symbol_len
        out = np.zeros(2 * symbol_len + data.size, np.complex64)
        out[2 * symbol_len :] = data
        rising = ramp(width)
        for i, symbol in enumerate(preamble.extended(self.params)):
            symbol = symbol.copy()
            symbol[:width] *= rising
            symbol[symbol.size - width :] *= rising[::-1]
            out[i * symbol_len : i * symbol_len + symbol.size] += symbol
        return out


def _spread_data(grid: Array, params: OfdmParams) -> None:
    for row, mask in zip(grid, params.pilot_mask(grid.shape[0]), strict=True):
        row[~mask] = spread(row[~mask])
