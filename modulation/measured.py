"""Measured channels: impulse responses out of channel state or pass-band measurements, and fading along them.

Between measurements taps are interpolated linearly, so the Doppler spread that can be shown is at most half of the
rate at which the channel was measured; what changed faster than that is lost.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from semwave.modulation.resample import resample

Array = npt.NDArray[Any]
EARLY_SHARE = 0.25  # of the delay window lies before the mean delay
FLOOR = 1e-3  # taps below this share of the strongest one's power, at either end, are cut off
MOST_TAPS = 256


@dataclass(frozen=True)
class ImpulseResponses:
    """Channel snapshots: ``taps`` `[snapshot, tap]` complex64 at ``sample_rate``, taken at ``times_s`` `[snapshot]`.

    The mean power (sum over taps, mean over snapshots) is 1 over ``bandwidth_hz``, the part of the band that was
    measured. ``delay`` is the tap that delay 0 fell on.
    """

    taps: Array
    times_s: Array
    sample_rate: float
    bandwidth_hz: float
    delay: int = 0


def from_csi(
    csi: Array, carriers: Array, spacing_hz: float, times_s: Array, sample_rate: float, *, window_s: float = 1.6e-6,
    normalise: str = "mean", align: bool = True,
) -> ImpulseResponses:  # fmt: skip
    """Responses from transfer functions on ``carriers``: csi `[snapshot, carrier]` -> taps at ``sample_rate``.

    ``align`` takes each snapshot's mean delay and its phase against the one before off: receivers measure neither.
    Delays beyond ``window_s`` around the mean are taken as noise. ``normalise``: ``mean`` power over all snapshots, or
    ``each`` one's, which also removes gain control and slow fading. Raises ValueError.
    """
    if csi.ndim != 2 or csi.shape[1] != carriers.size or csi.shape[0] != times_s.size or not csi.size:
        raise ValueError(f"csi must be [snapshot, carrier] = [{times_s.size}, {carriers.size}], not {list(csi.shape)}")
    _check(normalise, sample_rate)
    order = np.argsort(carriers)
    k, h = carriers[order].astype(float), np.asarray(csi, np.complex128)[:, order]
    grid = np.arange(k[0], k[-1] + 1)
    h = np.stack([np.interp(grid, k, row.real) + 1j * np.interp(grid, k, row.imag) for row in _flat(h, k, align)])
    inside = np.abs(grid * spacing_hz) <= sample_rate / 2
    if inside.sum() < 2:
        raise ValueError(f"spacing_hz {spacing_hz:g} leaves fewer than 2 carriers within {sample_rate:g} Hz")
    grid, h = grid[inside], _normal(h[:, inside], normalise)
    before = int(np.ceil(EARLY_SHARE * window_s * sample_rate))
    lags = np.arange(-before, int(np.ceil((1 - EARLY_SHARE) * window_s * sample_rate)) + 1)
    lags = lags[np.abs(lags) <= sample_rate / spacing_hz / 2]
    turn = np.exp(2j * np.pi * np.outer(grid * spacing_hz, lags / sample_rate))
    bandwidth = min(sample_rate, grid.size * spacing_hz)
    taps = _normal(h @ turn, normalise, summed=True) * np.sqrt(bandwidth / sample_rate)
    return ImpulseResponses(taps.astype(np.complex64), times_s.astype(float), sample_rate, bandwidth, -int(lags[0]))


def from_passband(
    h: Array, rate_in: float, centre_hz: float, times_s: Array, sample_rate: float, *, normalise: str = "mean"
) -> ImpulseResponses:
    """Responses from real pass-band ones: h `[snapshot, n]` at ``rate_in`` around ``centre_hz`` -> base band.

    Raises ValueError.
    """
    if h.ndim != 2 or h.shape[0] != times_s.size or not h.size:
        raise ValueError(f"h must be [snapshot, n] with {times_s.size} snapshots, not {list(h.shape)}")
    _check(normalise, sample_rate)
    if not 0 <= centre_hz < rate_in / 2:
        raise ValueError(f"centre_hz must be 0 to {rate_in / 2:g}, half of the measured rate, not {centre_hz:g}")
    rows = [resample(row.astype(np.complex64), rate_in, sample_rate, shift_hz=-centre_hz) for row in h]
    taps = _normal(np.stack(rows).astype(np.complex128), normalise, summed=True)
    power = np.mean(np.abs(taps) ** 2, axis=0)
    kept = np.flatnonzero(power > FLOOR * power.max())
    first = int(kept[0])
    last = min(int(kept[-1]) + 1, first + MOST_TAPS)
    taps = _normal(taps[:, first:last], normalise, summed=True)
    return ImpulseResponses(taps.astype(np.complex64), times_s.astype(float), sample_rate, _width(taps, sample_rate))


def _check(normalise: str, sample_rate: float) -> None:
    if normalise not in ("mean", "each"):
        raise ValueError(f"normalise must be 'mean' or 'each', not {normalise!r}")
    if not (np.isfinite(sample_rate) and sample_rate > 0):
        raise ValueError(f"sample_rate must be above 0 Hz, not {sample_rate}")


def _flat(h: Array, carriers: Array, align: bool) -> Array:
    """Without mean delay, and each in phase with the one before."""
    if not align:
        return h
    near = np.diff(carriers) == 1
    products = np.sum((h[:, 1:] * h[:, :-1].conj())[:, near], axis=1)
    out = h * np.exp(-1j * np.angle(products)[:, None] * carriers)
    between = np.sum(out[1:] * out[:-1].conj(), axis=1)
    turn = np.concatenate([[0.0], np.cumsum(np.angle(between))])
    return np.asarray(out * np.exp(-1j * turn)[:, None])


def _normal(h: Array, normalise: str, *, summed: bool = False) -> Array:
    """Mean |h|^2 of 1, or a sum over the taps of 1."""
    power = np.sum(np.abs(h) ** 2, axis=1) if summed else np.mean(np.abs(h) ** 2, axis=1)
    if not np.isfinite(power).all() or not power.all():
        raise ValueError("every snapshot must be finite and not all zero")
    return np.asarray(h / np.sqrt(power[:, None] if normalise == "each" else power.mean()))


def _width(taps: Array, sample_rate: float) -> float:
    """Noise bandwidth of the mean transfer function."""
    power = np.mean(np.abs(np.fft.fft(taps, 1024, axis=1)) ** 2, axis=0)
    return float(sample_rate * power.sum() ** 2 / (power.size * (power**2).sum()))


class MeasuredFading:
    """Send samples through measured responses, there and back again through the measurement, ``speed`` times as fast.

    y(n) = sum_l h_l(n) x(n - l), taps linear between the snapshots' times. ``offset_s`` is where it begins. Results
    do not depend on how the stream is cut.
    """

    BLOCK = 64  # samples between two interpolated sets of taps, on a grid of the whole stream

    def __init__(self, responses: ImpulseResponses, *, offset_s: float = 0.0, speed: float = 1.0) -> None:
        if not (np.isfinite(speed) and speed >= 0):
            raise ValueError(f"speed must be 0 or more, not {speed}")
        times = responses.times_s - responses.times_s[0]
        if times.size > 1 and not (np.diff(times) > 0).all():
            raise ValueError("times_s must rise from snapshot to snapshot")
        self.responses, self._times = responses, times
        self._offset_s, self._speed = offset_s, speed
        self._history = np.zeros(responses.taps.shape[1] - 1, np.complex64)
        self._at = 0

    def taps_at(self, samples: Array) -> Array:
        """Taps at absolute sample indices: `[n]` -> `[n, tap]` complex64."""
        taps, times = self.responses.taps, self._times
        if times.size == 1:
            return np.broadcast_to(taps[0], (samples.size, taps.shape[1]))
        length = times[-1]
        t = np.mod(samples / self.responses.sample_rate * self._speed + self._offset_s, 2 * length)
        place = np.interp(np.where(t > length, 2 * length - t, t), times, np.arange(times.size))
        low = np.minimum(place.astype(np.int64), times.size - 2)
        share = (place - low).astype(np.float32)[:, None]
        return np.asarray((1 - share) * taps[low] + share * taps[low + 1], np.complex64)

    def process(self, x: Array) -> Array:
        """`[n]` -> `[n]` complex64."""
        if not x.size:
            return np.empty(0, np.complex64)
        from semwave.modulation import measured_kernels as kernels

        first = self._at // self.BLOCK
        last = -(-(self._at + x.size) // self.BLOCK)
        taps = np.ascontiguousarray(self.taps_at(np.arange(first, last + 1) * self.BLOCK))
        line = np.concatenate([self._history, np.asarray(x, np.complex64)])
        out = np.empty(x.size, np.complex64)
        kernels.vary(line, self._at - first * self.BLOCK, self.BLOCK, taps, out)
        self._at += x.size
        self._history = line[line.size - self._history.size :].copy() if self._history.size else self._history
        return out
