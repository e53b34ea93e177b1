"""What comes after the long training field: which PPDU format, how long, how modulated."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from semwave.modulation.ieee80211 import channel, coding, demodulate, fields
from semwave.modulation.ieee80211 import params as p
from semwave.modulation.ieee80211.demodulate import Estimate
from semwave.modulation.ieee80211.sync import Located, Reader

Array = npt.NDArray[Any]

_SURE = 0.4  # of ``_turned``: no other constellation gets there but in deep noise
AFTER_LTF = 2 * p.FFT  # L-SIG starts here, counted from the first long training symbol
L_SIG_END = AFTER_LTF + 80
HT_SIG_END = L_SIG_END + 160
HT_LTF = HT_SIG_END + 80  # after the HT-STF
HT_DATA = HT_LTF + 80


@dataclass(frozen=True, slots=True)
class Header:
    """A PPDU announced: ``problem`` says why its data cannot be decoded, if so; ``bad`` that a field was wrong."""

    format: str
    end: int
    l_sig: fields.LSig | None = None
    ht_sig: fields.HtSig | None = None
    problem: str = ""
    bad: bool = False

    @property
    def length(self) -> int:
        """Octets of the PSDU."""
        return self.ht_sig.length if self.ht_sig else self.l_sig.length if self.l_sig else 0

    @property
    def mode(self) -> p.Mode:
        """Modulation and coding of the DATA field."""
        return p.ht_mode(self.ht_sig.mcs) if self.ht_sig else p.legacy_mode(self.l_sig.rate_mbps if self.l_sig else 6)


def legacy_estimate(found: Located) -> Estimate:
    """Smoothed channel of the long training field."""
    return Estimate(channel.smooth(found.channel, found.n0 / 2), p.LEGACY, found.ltf + p.FFT)


def _symbols(read: Reader, found: Located, estimate: Estimate, n: int) -> demodulate.Points:
    """The first ``n`` symbols from L-SIG on, as legacy symbols."""
    starts = found.ltf + AFTER_LTF + p.GUARD + 80 * np.arange(n)
    return demodulate.equalise(read, found, estimate, starts, p.legacy_pilots(0, n))


def _turned(seen: demodulate.Points, symbols: slice) -> float:
    """How far BPSK symbols lie on the imaginary axis: 1 all of it, -1 on the real one, 0 in doubt."""
    x, w = seen.points[symbols], 1 / seen.n0[symbols]
    real, imaginary = float((w * x.real**2).sum()), float((w * x.imag**2).sum())
    return (imaginary - real) / (imaginary + real + 1e-30)


def _decode(points: Array, n0: Array) -> Array:
    return fields.decode(coding.demap_bpsk(points, n0))


def read_l_sig(read: Reader, found: Located, estimate: Estimate) -> fields.LSig | None:
    """Decode L-SIG; None if it is none. Reads up to L_SIG_END."""
    seen = _symbols(read, found, estimate, 1)
    sure = _turned(seen, slice(0, 1)) > _SURE
    return None if sure else fields.LSig.parse(_decode(seen.points, seen.n0))


def read_header(read: Reader, found: Located, estimate: Estimate, l_sig: fields.LSig | None) -> Header:
    """Tell the format. Reads up to L_SIG_END where L-SIG says more than 6 Mbit/s, else up to HT_SIG_END."""
    if l_sig is None:
        return _greenfield(read, found, estimate)
    end = found.ltf + L_SIG_END + 80 * coding.symbols_needed(l_sig.length, p.legacy_mode(l_sig.rate_mbps))
    if l_sig.rate_mbps != 6:
        return Header("11a/g", end, l_sig)
    seen = _symbols(read, found, estimate, 3)
    turned = _turned(seen, slice(1, 3))
    if turned > 0:  # in doubt the CRC tells
        ht_sig = fields.HtSig.parse(_decode(seen.points[1:] * np.complex64(-1j), seen.n0[1:]))
        if ht_sig is not None:
            return _ht(found, l_sig, ht_sig, end)
        if turned > _SURE:
            return Header("11n", end, l_sig, bad=True)
    if _turned(seen, slice(2, 3)) > 0 and l_sig.length % 3 == 0:
        points = np.stack([seen.points[1], seen.points[2] * np.complex64(-1j)])
        vht = fields.VhtSigA.parse(_decode(points, seen.n0[1:]))
        if vht is not None:
            return Header("11ac", end, l_sig, problem=str(vht))
    if _repeated(seen):
        return Header("11ax", end, l_sig, problem="HE or later (repeated L-SIG)")
    return Header("11a/g", end, l_sig)


def _ht(found: Located, l_sig: fields.LSig, ht_sig: fields.HtSig, end: int) -> Header:
    if ht_sig.problem:
        return Header("11n", end, l_sig, ht_sig, ht_sig.problem)
    symbols = coding.symbols_needed(ht_sig.length, p.ht_mode(ht_sig.mcs), ht_sig.ldpc)
    own = found.ltf + HT_DATA + symbols * (p.FFT + (p.SHORT_GUARD if ht_sig.short_gi else p.GUARD))
    if own > end + 80:
        return Header("11n", end, l_sig, ht_sig, bad=True)
    return Header("11n", own, l_sig, ht_sig)


def _repeated(seen: demodulate.Points) -> bool:
    """Whether the symbol after L-SIG is L-SIG again."""
    a, b = seen.points[0].real, seen.points[1].real
    w = 1 / seen.n0[0]
    alike = float((w * a) @ b) / float(np.sqrt(((w * a) @ a) * ((w * b) @ b)) + 1e-30)
    return alike > 0.7 and int(np.count_nonzero((a > 0) == (b > 0))) >= 42


def _greenfield(read: Reader, found: Located, estimate: Estimate) -> Header:
    """HT greenfield has its HT-SIG, both symbols turned, in the place of L-SIG."""
    seen = _symbols(read, found, estimate, 2)
    end = found.ltf + L_SIG_END
    if not _turned(seen, slice(0, 2)) > 0:
        return Header("", end, bad=True)
    ht_sig = fields.HtSig.parse(_decode(seen.points * np.complex64(-1j), seen.n0))
    if ht_sig is None:
        return Header("", end, bad=True)
    bits = (1, 2, 3, 4, 6, 8, 9, 10)[ht_sig.mcs % 8] * 26 * ht_sig.streams * (54 / 26 if ht_sig.bandwidth_40 else 1)
    symbols = -(-(p.SERVICE + 8 * ht_sig.length + p.TAIL) // int(bits)) + ht_sig.streams - 1
    end = found.ltf + AFTER_LTF + 160 + symbols * (72 if ht_sig.short_gi else 80)
    return Header("11n", end, None, ht_sig, f"HT greenfield, MCS {ht_sig.mcs}")
