"""Find burst preambles in a sample stream: presence, first sample, carrier frequency offset."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.fft
from scipy.special import gammainccinv

from semwave.modulation.ofdm import preamble
from semwave.modulation.ofdm import search_kernels as kernels
from semwave.modulation.ofdm.detect_kernels import periodicity
from semwave.modulation.ofdm.params import OfdmParams

Array = npt.NDArray[Any]
Reader = Callable[[int, int], Array]
"""``read(first, last)`` gives the samples of absolute indices first..last-1, zeros where there are none."""

_TURNS = 128
"""Carrier offsets tried from -1/2 to 1/2 turns per part."""


@dataclass(frozen=True)
class Detection:
    """A preamble found."""

    start: int
    """Absolute index of the preamble's first sample on the strongest path."""
    cfo: float
    """Carrier frequency offset, radians per sample."""
    metric: float
    """Normalised matched-filter energy, 0 to 1; S / (S + N) on one path."""


class PreambleSearch:
    """Two stages: periodicity of part A at hops of fixed absolute index, then a matched filter over A and B.

    The first threshold lets about ``candidate_rate`` of the hops of white noise pass, the second
    ``false_alarm_rate`` of the sample positions that the first lets through; B alone must exceed chance too.
    """

    def __init__(self, params: OfdmParams, candidate_rate: float = 4e-3, false_alarm_rate: float = 1e-7) -> None:
        self.params = params
        self.part = preamble.period(params)
        self.template = preamble.template(params)
        self.hop = self.part // 2 if self.part % 2 == 0 else self.part
        self.window = preamble.REPEATS * self.part
        self.neighbours = 4 * self.part // self.hop
        # under noise T / R_0 is close to a mean of ``part`` exponentials, for each of about 12 separate offsets
        excess = float(gammainccinv(self.part, candidate_rate / 12)) / self.part - 1
        self.first_threshold = excess / (preamble.REPEATS - 1)
        fill = params.active / params.fft_size  # noise in the signal's band only has fewer degrees of freedom
        self.second_threshold = 1 - false_alarm_rate ** (1 / (self.template.size * fill - 1))
        self.third_threshold = 1 - 1e-3 ** (1 / (self.template.size / 2 * fill - 1))
        self.reach = params.cp_len + 3 * self.part
        lags = self.reach + 3 * self.part + 1
        self._lags = lags
        self._fft = scipy.fft.next_fast_len(lags + self.template.size)
        self._spectrum = np.conj(scipy.fft.fft(self.template, self._fft))
        self._energy = float(np.sum(np.abs(self.template) ** 2))

    @property
    def lookahead(self) -> int:
        """Samples after a candidate's index that ``locate`` reads."""
        return 3 * self.part + self.template.size + self.params.cp_len + 1

    def metric(self, samples: Array) -> Array:
        """Periodicity at each hop whose window lies inside: [n] complex64 -> [hops] float64."""
        return periodicity(samples, self.hop, self.part)

    def locate(self, read: Reader, candidate: int, earliest: int) -> Detection | None:
        """Matched filter around a candidate's index; None where no preamble starts at ``earliest`` or later."""
        offset = self._offset(read(candidate, candidate + self.window))
        first = candidate - self.reach
        segment = read(first, first + self._lags + self.template.size - 1)
        turned = np.empty(segment.size, np.complex64)
        kernels.rotate(segment, kernels.mean_and_power(segment)[0], -offset, 0, turned)
        spectrum = scipy.fft.fft(turned, self._fft)
        match = scipy.fft.ifft(spectrum * self._spectrum)[: self._lags]
        best, metric = kernels.best_match(match, turned, self.template.size, self._energy)
        if not metric > self.second_threshold or first + best < earliest or not self._confirmed(turned, best):
            return None
        return Detection(first + best, self._refine(turned, best, offset), metric)

    def _confirmed(self, turned: Array, start: int) -> bool:
        """Whether B alone is there too: lines on the comb of A would otherwise pass for A and B together."""
        half = self.params.symbol_len
        received, known = turned[start + half : start + 2 * half], self.template[half:]
        energy = np.vdot(received, received).real * np.vdot(known, known).real
        return bool(np.abs(np.vdot(known, received)) ** 2 > self.third_threshold * energy)

    def _offset(self, window: Array) -> float:
        """Maximum of the periodicity's likelihood, radians per sample."""
        return 2 * np.pi * kernels.period_offset(window, preamble.REPEATS, _TURNS) / self.part

    def _refine(self, turned: Array, best: int, offset: float) -> float:
        """Add the turn from A to B, path by path, on the paths within 10 dB of the strongest."""
        p = self.params
        lag, first = p.symbol_len, max(best - p.cp_len, 0)
        a, b = np.empty((2, best + p.cp_len + 1 - first), np.complex64)
        kernels.correlate(turned, self.template[p.cp_len : lag], first + p.cp_len, a)
        kernels.correlate(turned, self.template[lag + p.cp_len :], first + lag + p.cp_len, b)
        power = np.abs(b) ** 2  # not of A: it peaks again at every part, which short symbols have within a prefix
        strong = power > 0.1 * power.max()
        return offset + float(np.angle(np.vdot(a[strong], b[strong]))) / lag
