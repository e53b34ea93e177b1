"""What is measured at the receiver: EVM, SNR estimates, mutual information of LLRs, error counts with intervals."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv, ndtri

Array = npt.NDArray[Any]


def evm_rms(received: Array, reference: Array) -> float:
    """Error vector magnitude sqrt(E|y - x|^2 / E|x|^2), a ratio (0.1 is 10 %); arrays of one shape."""
    y, x = _pair(received, reference)
    return float(np.sqrt(np.mean(np.abs(y - x) ** 2) / np.mean(np.abs(x) ** 2)))


def evm_db(received: Array, reference: Array) -> float:
    """20 log10 of :func:`evm_rms`."""
    with np.errstate(divide="ignore"):
        return float(20 * np.log10(evm_rms(received, reference)))


def _pair(received: Array, reference: Array) -> tuple[Array, Array]:
    y, x = np.asarray(received), np.asarray(reference)
    if y.shape != x.shape or y.size == 0:
        raise ValueError(f"received and reference must be of one shape and not empty, not {y.shape} and {x.shape}")
    return y.astype(np.complex128), x.astype(np.complex128)


def snr_data_aided_db(received: Array, reference: Array) -> float:
    """Maximum likelihood SNR of y = h x + w with known x and one unknown h, less the bias of estimating h, in dB.

    |h|^2 E|x|^2 / (1/(n-1) sum |y - h x|^2) with h = <x, y>/<x, x>; inf without noise.
    """
    y, x = _pair(received, reference)
    energy = np.sum(np.abs(x) ** 2)
    if y.size < 2 or energy == 0:
        raise ValueError(f"reference must hold 2 or more symbols that are not all 0, not {y.size}")
    h = np.vdot(x, y) / energy
    noise = np.sum(np.abs(y - h * x) ** 2) / (y.size - 1)
    signal = max(np.abs(h) ** 2 * energy / y.size - noise / y.size, 0.0)
    with np.errstate(divide="ignore"):
        return float(10 * (np.log10(signal) - np.log10(noise)))


def snr_m2m4_db(received: Array, points: Array | None = None) -> float:
    """Blind SNR from the second and fourth moments (Pauluzzi and Beaulieu 2000), in dB; points None means PSK.

    S = sqrt((2 M2^2 - M4)/(2 - k)), N = M2 - S, with k = E|x|^4 / (E|x|^2)^2 of the points. nan if the moments
    leave no room for a signal.
    """
    power = np.abs(np.asarray(received, np.complex128).ravel()) ** 2
    if power.size == 0:
        raise ValueError("received must not be empty")
    kurtosis = 1.0 if points is None else float(np.mean(np.abs(points) ** 4) / np.mean(np.abs(points) ** 2) ** 2)
    m2, m4 = power.mean(), (power**2).mean()
    inside = (2 * m2**2 - m4) / (2 - kurtosis)
    if inside <= 0:
        return float("nan")
    signal = np.sqrt(inside)
    return float(10 * np.log10(signal / (m2 - signal))) if m2 > signal else float("inf")


def gmi(llr: Array, bits: Array, bits_per_symbol: int = 1, best_scale: bool = False) -> float:
    """Generalised mutual information that LLRs ln P(1)/P(0) carry on the bits sent, in bit per symbol.

    k (1 - E log2(1 + e^(-(2b-1) s L))) with s = 1, or the s that is best for the decoder's knowledge of scale.
    llr and bits of one shape.
    """
    values, sent = np.asarray(llr, np.float64).ravel(), np.asarray(bits).ravel()
    if values.shape != sent.shape or values.size == 0:
        raise ValueError(f"llr and bits must be of one shape and not empty, not {np.shape(llr)} and {np.shape(bits)}")
    agreement = np.where(sent == 1, values, -values)

    def at(scale: float) -> float:
        return float(1 - np.mean(np.logaddexp(0, -scale * agreement)) / np.log(2))

    return bits_per_symbol * (_peak(at) if best_scale else at(1.0))


def _peak(at: Any) -> float:
    """Maximum of a function of a positive scale that is concave in it, by golden section in the logarithm."""
    ratio = (np.sqrt(5) - 1) / 2
    low, high = -6.0, 4.0
    for _ in range(40):
        a, b = high - ratio * (high - low), low + ratio * (high - low)
        low, high = (low, b) if at(np.exp(a)) > at(np.exp(b)) else (a, high)
    return float(at(np.exp((low + high) / 2)))


def clopper_pearson(errors: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """Interval that holds the rate with at least the given confidence whatever the rate is (exact binomial)."""
    _check_counts(errors, trials, confidence)
    tail = (1 - confidence) / 2
    low = 0.0 if errors == 0 else float(betaincinv(errors, trials - errors + 1, tail))
    high = 1.0 if errors == trials else float(betaincinv(errors + 1, trials - errors, 1 - tail))
    return low, high


def wilson(errors: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """Score interval (Wilson 1927): narrower than Clopper-Pearson, right on average."""
    _check_counts(errors, trials, confidence)
    z = float(ndtri((1 + confidence) / 2))
    rate = errors / trials
    middle = (rate + z**2 / (2 * trials)) / (1 + z**2 / trials)
    half = z / (1 + z**2 / trials) * np.sqrt(rate * (1 - rate) / trials + z**2 / (4 * trials**2))
    low = 0.0 if errors == 0 else float(max(middle - half, 0.0))
    return low, 1.0 if errors == trials else float(min(middle + half, 1.0))


def _check_counts(errors: int, trials: int, confidence: float) -> None:
    if not 0 <= errors <= trials or trials == 0:
        raise ValueError(f"errors must be from 0 to trials and trials above 0, not {errors} of {trials}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1, not {confidence}")


@dataclass
class ErrorCounter:
    """Errors among trials, of bits or of blocks; counters of parallel runs add up with ``+``."""

    errors: int = 0
    trials: int = 0

    def add_bits(self, sent: Array, received: Array) -> int:
        """Compare bit by bit, arrays of one shape; returns the errors of this call."""
        wrong = _differ(sent, received)
        return self._add(int(np.count_nonzero(wrong)), wrong.size)

    def add_blocks(self, sent: Array, received: Array) -> int:
        """Compare rows, `[block, bit]`: a block is wrong if any of its bits is; returns the errors of this call."""
        wrong = np.atleast_2d(_differ(sent, received))
        return self._add(int(np.count_nonzero(wrong.any(axis=-1))), int(np.prod(wrong.shape[:-1])))

    def _add(self, errors: int, trials: int) -> int:
        self.errors += errors
        self.trials += trials
        return errors

    def __add__(self, other: "ErrorCounter") -> "ErrorCounter":
        return ErrorCounter(self.errors + other.errors, self.trials + other.trials)

    @property
    def rate(self) -> float:
        """Errors over trials; nan before the first trial."""
        return self.errors / self.trials if self.trials else float("nan")

    def interval(self, confidence: float = 0.95, method: str = "clopper-pearson") -> tuple[float, float]:
        """Confidence interval of the rate; (0, 1) before the first trial. Bit errors in bursts make it too narrow."""
        if method not in ("clopper-pearson", "wilson"):
            raise ValueError(f"method must be 'clopper-pearson' or 'wilson', not {method!r}")
        if self.trials == 0:
            return 0.0, 1.0
        return (clopper_pearson if method == "clopper-pearson" else wilson)(self.errors, self.trials, confidence)


def _differ(sent: Array, received: Array) -> Array:
    a, b = np.asarray(sent), np.asarray(received)
    if a.shape != b.shape:
        raise ValueError(f"sent and received must be of one shape, not {a.shape} and {b.shape}")
    return np.asarray(a != b)
