"""The IEEE 802.11 receiver over recordings."""

from typing import Any

import numpy as np
import numpy.typing as npt

from semwave.modulation.ieee80211 import Ppdu
from semwave.modulation.ieee80211 import Receiver as Ieee80211Receiver
from semwave.modulation.ieee80211 import params as p
from semwave.replay import mac
from semwave.replay.frame import Frame, some

Array = npt.NDArray[Any]
BANDWIDTH_HZ = {"11a/g": 53 * 312.5e3, "11n": 57 * 312.5e3}
KEPT, SYMBOLS = 1 << 18, 8  # samples kept for constellations; symbols shown of each
BACKOFF = 3  # samples by which the receiver's transforms start early: its channel estimate contains that turn


class WifiReceiver:
    """802.11a/g and one-stream 802.11n at 20 MS/s; see :class:`semwave.modulation.ieee80211.Receiver`."""

    name = "ieee80211"

    def __init__(self, rate: float | None = None, options: dict[str, Any] | None = None) -> None:
        if options:
            raise ValueError(f"receiver ieee80211 has no options, so not {', '.join(options)}")
        self.rate = p.SAMPLE_RATE if rate is None else rate
        self._receiver = Ieee80211Receiver(self.rate)
        self._kept: Array = np.empty(0, np.complex64)
        self._end = 0

    def at_rate(self, rate: float) -> None:
        """It has a rate of its own."""

    def push(self, samples: Array) -> list[Frame]:
        """Take samples `[n]` at ``rate``, give the frames that are whole; their indices count samples at ``rate``."""
        self._kept = np.concatenate([self._kept[-KEPT:], samples])
        self._end += samples.size
        return [self._frame(ppdu) for ppdu in self._receiver.push(samples)]

    def finish(self) -> list[Frame]:
        """The frames that are left."""
        return [self._frame(ppdu) for ppdu in self._receiver.finish()]

    def trouble(self) -> list[str]:
        """What was strange about the samples."""
        bad = self._receiver.bad_samples
        return [f"{bad} samples were NaN or infinite and were taken as silence"] if bad else []

    def _frame(self, ppdu: Ppdu) -> Frame:
        decoded = bool(ppdu.psdu)
        facts: dict[str, Any] = {"rate_mbps": bit_rate(ppdu), "mcs": ppdu.mcs, "ltf_sample": ppdu.ltf}
        facts |= {"short_gi": ppdu.short_gi, "ldpc": ppdu.ldpc, "aggregation": ppdu.aggregation, "seed": ppdu.seed}
        about = ""
        if ppdu.mpdus and (ppdu.ok or any(m.fcs_ok for m in ppdu.mpdus)):
            good = [mac.describe(m.data) for m in ppdu.mpdus if m.fcs_ok]
            facts |= good[0]
            facts |= {"mpdus": len(ppdu.mpdus), "mpdus_ok": len(good)}
            about = mac.words(good[0]) + (f" and {len(good) - 1} more" if len(good) > 1 else "")
        rate = f"MCS {ppdu.mcs}" if ppdu.mcs is not None else f"{ppdu.rate_mbps} Mbit/s" if ppdu.rate_mbps else ""
        return Frame(
            start=ppdu.start, count=max(0, min(ppdu.end, self._end) - ppdu.start), kind=ppdu.format, status=ppdu.status,
            rate=rate, length=ppdu.length, cfo_hz=ppdu.cfo_hz, snr_db=ppdu.snr_db, evm_db=ppdu.evm_db,
            check=ppdu.ok if decoded else None, payload=ppdu.psdu, about=about,
            bandwidth_hz=BANDWIDTH_HZ.get(ppdu.format, 20e6), facts=facts, source=ppdu,
            points=self._points(ppdu) if decoded and ppdu.evm_db == ppdu.evm_db else None,
        )  # fmt: skip

    def _points(self, ppdu: Ppdu) -> Array | None:
        """Data points of the first symbols, equalised with the estimate that the receiver gave."""
        ht = ppdu.format == "11n"
        where, guard = (p.HT, p.SHORT_GUARD if ppdu.short_gi else p.GUARD) if ht else (p.LEGACY, p.GUARD)
        if ppdu.channel.size != where.all.size:
            return None
        first = 2 * p.FFT + 80 * (5 if ht else 1)  # after L-SIG; after HT-SIG, HT-STF and HT-LTF
        pilots = p.ht_pilots(SYMBOLS) if ht else p.legacy_pilots(1, SYMBOLS)
        base = ppdu.ltf - (self._end - self._kept.size)
        rows = []
        for i in range(SYMBOLS):
            at = base + first + guard + (p.FFT + guard) * i - BACKOFF
            if at < 0 or at + p.FFT > min(self._kept.size, base + ppdu.end - ppdu.ltf):
                break
            n = at - base + np.arange(p.FFT)
            turned = self._kept[at : at + p.FFT] * np.exp(-2j * np.pi * ppdu.cfo_hz / self.rate * n)
            seen = np.fft.fft(turned, norm="ortho")[where.bins] / ppdu.channel
            rows.append(_straightened(seen, where, pilots[i]))
        return some(np.concatenate(rows).astype(np.complex64)) if rows else None


def bit_rate(ppdu: Ppdu) -> float | None:
    """Of the payload, Mbit/s; None where it is not known."""
    if ppdu.mcs is None:
        return ppdu.rate_mbps
    if ppdu.mcs > 7:
        return None
    return round(p.ht_mode(ppdu.mcs).data_bits / (3.6 if ppdu.short_gi else 4.0), 1)


def _straightened(seen: Array, where: p.Carriers, pilots: Array) -> Array:
    """Data carriers without the common phase and the slope over the carriers that the pilots show."""
    got = seen[where.pilot_places] * pilots
    slope = np.angle(np.sum(got[1:] * got[:-1].conj())) / 14
    common = np.angle(np.sum(got * np.exp(-1j * slope * p.PILOTS)))
    return np.asarray((seen * np.exp(-1j * (common + slope * where.all)))[where.data_places])
