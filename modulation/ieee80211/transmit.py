"""Transmitter: PSDU in, complex baseband samples at 20 MS/s out (IEEE 802.11-2020, 17.3 and 19.3)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from semwave.modulation.ieee80211 import coding, fields
from semwave.modulation.ieee80211 import params as p

Array = npt.NDArray[Any]

_SIGNAL = p.legacy_mode(6)


@dataclass(frozen=True, slots=True)
class TxFormat:
    """How a PPDU is sent: legacy at ``rate_mbps``, or HT mixed format with one stream if ``mcs`` is given.

    ``seed`` starts the scrambler; ``window`` samples of raised cosine smooth every symbol border (17.3.2.5).
    """

    rate_mbps: int = 24
    mcs: int | None = None
    short_gi: bool = False
    ldpc: bool = False
    aggregation: bool = False
    seed: int = 0x5D
    window: int = 0

    def __post_init__(self) -> None:
        _ = self.mode
        if self.mcs is None and (self.short_gi or self.ldpc or self.aggregation):
            raise ValueError("mcs must be given for short_gi, ldpc or aggregation: legacy frames have none of them")
        if not 1 <= self.seed <= 127:
            raise ValueError(f"seed must be 1 to 127, not {self.seed}")
        if not 0 <= self.window <= p.SHORT_GUARD:
            raise ValueError(f"window must be 0 to {p.SHORT_GUARD} samples, not {self.window}")

    @property
    def mode(self) -> p.Mode:
        """Modulation and coding of the DATA field."""
        return p.legacy_mode(self.rate_mbps) if self.mcs is None else p.ht_mode(self.mcs)


def transmit(psdu: bytes, form: TxFormat | None = None) -> Array:
    """Samples of one PPDU: -> [n] complex64 at 20 MS/s, from the first sample of the L-STF on.

    The mean power of every part is about 1 (52 carriers of unit energy make 52/64 of that). Raise ValueError for
    a PSDU that is empty or too long (4095 octets; 65535 in HT).
    """
    form = TxFormat() if form is None else form
    limit = p.MAX_LENGTH if form.mcs is None else 65535
    if not 1 <= len(psdu) <= limit:
        raise ValueError(f"psdu must have 1 to {limit} octets, not {len(psdu)}")
    points = coding.map_symbols(coding.encode(psdu, form.mode, form.seed, form.ldpc), form.mode, form.ldpc)
    if form.mcs is None:
        parts = [*_preamble(fields.LSig(form.rate_mbps, len(psdu)))]
        spectra = _data(points, p.LEGACY.data, p.legacy_pilots(1, len(points)), 1.0)
        parts += _symbols(spectra, p.GUARD)
    else:
        parts = _ht(psdu, form, points)
    return _join(parts, form.window).astype(np.complex64)


def _ht(psdu: bytes, form: TxFormat, points: Array) -> list[tuple[Array, int]]:
    """Parts of an HT mixed-format PPDU with one stream (19.3.2)."""
    guard = p.SHORT_GUARD if form.short_gi else p.GUARD
    scale = np.sqrt(52 / 56)
    after = 240 + 160 + len(points) * (p.FFT + guard)  # samples after L-SIG: HT-SIG, HT-STF, HT-LTF, data
    length = 3 * -(-(after - 80) // 80) - 3  # equation 10-12: the duration as a legacy length at 6 Mbit/s
    if length > p.MAX_LENGTH:
        raise ValueError(f"psdu of {len(psdu)} octets at MCS {form.mcs} takes longer than 5.484 ms")
    sig = fields.HtSig(form.mcs or 0, len(psdu), aggregation=form.aggregation, ldpc=form.ldpc, short_gi=form.short_gi)
    coded = fields.encode(sig.bits())
    turned = 1j * coding.map_symbols(coded, _SIGNAL)
    parts = _preamble(fields.LSig(6, length))
    parts += _symbols(_data(turned, p.LEGACY.data, p.legacy_pilots(1, 2), 1.0), p.GUARD)
    parts.append((np.tile(p.short_period(), 5), 0))
    training = p.spectrum(scale * p.HT_LONG[None], p.HT.all)
    parts += _symbols(training, p.GUARD)
    spectra = _data(points, p.HT.data, p.ht_pilots(len(points)), scale)
    return parts + _symbols(spectra, guard)


def _preamble(sig: fields.LSig) -> list[tuple[Array, int]]:
    """L-STF, L-LTF and L-SIG."""
    long = p.long_symbol()
    points = coding.map_symbols(fields.encode(sig.bits()), _SIGNAL)
    signal = _data(points, p.LEGACY.data, p.legacy_pilots(0, 1), 1.0)
    return [(np.tile(p.short_period(), 10), 0), (np.concatenate([long[-32:], long, long]), 0), *_symbols(signal, 16)]


def _data(points: Array, carriers: Array, pilots: Array, scale: float) -> Array:
    """Spectra with data and pilots: [n, carriers], [n, 4] -> [n, 64] complex128."""
    return scale * (p.spectrum(points, carriers) + p.spectrum(pilots, p.PILOTS))


def _symbols(spectra: Array, guard: int) -> list[tuple[Array, int]]:
    time = np.fft.ifft(spectra, norm="ortho", axis=-1)
    return [(np.concatenate([row[-guard:], row]), guard) for row in time]


def _join(parts: list[tuple[Array, int]], window: int) -> Array:
    """Lay the parts end to end; with a window each one runs on cyclically into a raised-cosine fall.

    A part of guard g repeats after 64 samples; the training fields (g = 0) repeat too, every 16 or 64 samples.
    """
    if not window:
        return np.concatenate([samples for samples, _ in parts])
    out = np.zeros(sum(s.size for s, _ in parts) + window, np.complex128)
    rise = np.sin(np.pi / 2 * (np.arange(window) + 0.5) / window) ** 2
    at = 0
    for samples, _ in parts:
        more = samples[samples.size - p.FFT : samples.size - p.FFT + window] if samples.size >= p.FFT else samples
        piece = np.concatenate([samples, more])
        piece[:window] *= rise
        piece[-window:] *= 1 - rise
        out[at : at + piece.size] += piece
        at += samples.size
    return out
