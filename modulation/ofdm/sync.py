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
from semwave.modulation.ofdm.detect_kernels import periodicity
from semwave.modulation.ofdm.params import OfdmParams

Array = npt.NDArray[Any]
Reader = Callable[[int, int], Array]
"""``read(first, last)`` gives the samples of absolute indices first..last-1, zeros where there are none."""


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
        segment = segment - segment.mean()
        t = np.arange(segment.size)
        turned = (segment * np.exp(-1j * offset * t)).astype(np.complex64)
        spectrum = scipy.fft.fft(turned, self._fft)
        match = np.abs(scipy.fft.ifft(spectrum * self._spectrum)[: self._lags]) ** 2
        sums = np.concatenate([[0.0], np.cumsum(np.abs(turned) ** 2, dtype=np.float64)])
        energy = sums[self.template.size :] - sums[: self._lags]
        metric = match / np.maximum(energy * self._energy, 1e-30)
        best = int(np.argmax(metric))
        if not metric[best] > self.second_threshold or first + best < earliest or not self._confirmed(turned, best):
            return None
        return Detection(first + best, self._refine(turned, best, offset), float(metric[best]))

    def _confirmed(self, turned: Array, start: int) -> bool:
        """Whether B alone is there too: lines on the comb of A would otherwise pass for A and B together."""
        half = self.params.symbol_len
        received, known = turned[start + half : start + 2 * half], self.template[half:]
        energy = np.vdot(received, received).real * np.vdot(known, known).real
        return bool(np.abs(np.vdot(known, received)) ** 2 > self.third_threshold * energy)

    def _offset(self, window: Array) -> float:
        """Maximum of the periodicity's likelihood, radians per sample."""
        x = (window - window.mean()).reshape(preamble.REPEATS, self.part).astype(np.complex128)
        gram = x.conj() @ x.T
        lagged = np.array([np.trace(gram, offset=m) for m in range(preamble.REPEATS)])
        lagged[0] = 0
        size = 128
        likelihood = scipy.fft.fft(lagged, size).real
        peak = int(np.argmax(likelihood))
        left, top, right = likelihood[[peak - 1, peak, (peak + 1) % size]]
        curve = left - 2 * top + right
        turn = (peak + (0.5 * (left - right) / curve if curve < 0 else 0.0)) / size
        return float(2 * np.pi * ((turn + 0.5) % 1.0 - 0.5) / self.part)

    def _refine(self, turned: Array, best: int, offset: float) -> float:
        """Add the turn from A to B, path by path, on the paths within 10 dB of the strongest."""
        p = self.params
        n, lag = p.fft_size, p.symbol_len
        taps = np.arange(max(best - p.cp_len, 0), best + p.cp_len + 1)
        need = int(taps[-1]) + 2 * lag
        if need > turned.size:
            turned = np.concatenate([turned, np.zeros(need - turned.size, np.complex64)])
        windows = np.lib.stride_tricks.sliding_window_view(turned, n)
        known = self.template.conj()
        # sums rather than products of matrices: BLAS would start threads for them
        a = np.sum(windows[taps + p.cp_len] * known[p.cp_len : lag], axis=1)
        b = np.sum(windows[taps + lag + p.cp_len] * known[lag + p.cp_len :], axis=1)
        power = np.abs(b) ** 2  # not of A: it peaks again at every part, which short symbols have within a prefix
        strong = power > 0.1 * power.max()
        return offset + float(np.angle(np.vdot(a[strong], b[strong]))) / lag
