"""Streaming receiver: samples at 20 MS/s in any pieces, PPDUs out."""

from typing import Any

import numpy as np
import numpy.typing as npt

from semwave.modulation.ieee80211 import data, headers, sync
from semwave.modulation.ieee80211 import params as p
from semwave.modulation.ieee80211.data import report
from semwave.modulation.ieee80211.demodulate import Estimate
from semwave.modulation.ieee80211.headers import Header
from semwave.modulation.ieee80211.ppdu import Ppdu
from semwave.modulation.ieee80211.sync import Located
from semwave.modulation.ofdm.buffer import SampleBuffer

Array = npt.NDArray[Any]

_BATCH = 1 << 14  # most samples that the first stage looks at in one go; results do not depend on it
_SHORT_BATCH = 1 << 9  # as many after a PPDU, doubled while there is nothing: the next one may be near
_FEW = 512  # new samples worth a look before the end of the stream


class Receiver:
    """Receive IEEE 802.11 OFDM PPDUs of 20 MHz: 11a/g, and 11n in mixed format with one spatial stream.

    ``push`` any number of samples, then ``finish``; the PPDUs do not depend on how the stream is cut. NaN and
    infinite samples count as silence. Raise ValueError for a sample rate other than 20 MS/s.
    """

    def __init__(self, sample_rate: float = p.SAMPLE_RATE) -> None:
        if sample_rate != p.SAMPLE_RATE:
            raise ValueError(f"sample_rate must be 20e6 samples/s (resample first), not {sample_rate:g}")
        self._buffer = SampleBuffer()
        self._at = 0  # where the search goes on
        self._looked = 0  # as far as the first stage has looked
        self._candidates = np.empty(0, np.int64)  # where it found something
        self._free = 0  # first sample that belongs to no PPDU yet
        self._found: Located | None = None
        self._header: Header | None = None
        self._estimate: Estimate | None = None
        self._out: list[Ppdu] = []
        self._batch = _BATCH
        self._need = 0  # nothing can happen before this many samples have come

    @property
    def bad_samples(self) -> int:
        """NaN, infinite or absurdly large samples so far."""
        return self._buffer.bad_samples

    def push(self, samples: npt.ArrayLike) -> list[Ppdu]:
        """Take samples [n] complex; give the PPDUs that are complete. Raise ValueError for another shape."""
        array = np.asarray(samples)
        if array.ndim != 1:
            raise ValueError(f"samples must have one axis, not shape {array.shape}")
        self._buffer.append(array)
        return self._run(False)

    def finish(self) -> list[Ppdu]:
        """No more samples will come: give what is left, PPDUs cut off at the end included."""
        return self._run(True)

    def _run(self, ending: bool) -> list[Ppdu]:
        while ending or self._buffer.end >= self._need:
            if not (self._search(ending) if self._found is None else self._advance(self._found, ending)):
                break
        keep = self._at if self._found is None else self._found.ltf - p.FIRST_LONG
        self._buffer.drop(min(keep, self._buffer.end) - sync.BEHIND)
        out, self._out = self._out, []
        return out

    def _has(self, end: int, ending: bool) -> bool:
        """Whether the samples before ``end`` are there, or never will be."""
        self._need = end
        return ending or self._buffer.end >= end

    def _search(self, ending: bool) -> bool:
        """First stage: look for a candidate, then a preamble there. False: no samples left to look at."""
        at = max(self._at, self._looked)
        candidates = self._candidates[np.searchsorted(self._candidates, self._at) :]
        if not candidates.size:
            return self._look(-(-at // sync.HOP) * sync.HOP, ending)
        candidate = self._at = int(candidates[0])
        if not self._has(candidate + sync.LOOKAHEAD, ending):
            return False
        self._found = sync.locate(self._buffer.read, candidate, self._free)
        self._header, self._need = None, 0
        if self._found is None:
            self._at = candidate + 4 * sync.PERIOD
        return True

    def _look(self, at: int, ending: bool) -> bool:
        """Extend the first stage's looks from ``at`` on."""
        if not self._has(at + sync.WINDOW + _FEW, ending) or self._buffer.end - at < sync.WINDOW:
            return False
        metric = sync.metric(self._buffer.read(at, min(self._buffer.end, at + self._batch)))
        self._candidates = at + sync.HOP * np.flatnonzero(metric > sync.FIRST_THRESHOLD)
        self._looked = at + sync.HOP * metric.size
        self._batch = min(2 * self._batch, _BATCH)
        if not self._candidates.size:
            self._at = self._looked
        return True

    def _advance(self, found: Located, ending: bool) -> bool:
        """Go on with a preamble found: signal fields, then data. False: samples are missing."""
        if self._header is None and not self._read_header(found, ending):
            return False
        header, estimate, end = self._header, self._estimate, self._buffer.end
        if header is None or estimate is None:
            return True
        if header.bad:
            skip = headers.HT_DATA if header.format == "11n" else headers.AFTER_LTF
            self._done(report(found, header, "bad signal field", estimate), found.ltf + skip)
        elif header.problem:
            self._done(report(found, header, f"unsupported: {header.problem}", estimate), header.end)
        elif not self._has(header.end, ending):
            return False
        else:
            after = found.ltf + (headers.HT_DATA if header.ht_sig else headers.L_SIG_END)
            if end < header.end - sync.BACKOFF:
                self._done(report(found, header, "truncated", estimate), after)
            else:
                ppdu = data.decode(self._buffer.read, found, header, estimate)
                self._done(ppdu, header.end if ppdu.ok else after)
        return True

    def _read_header(self, found: Located, ending: bool) -> bool:
        if not self._has(found.ltf + headers.HT_SIG_END, ending):
            return False
        read, end = self._buffer.read, self._buffer.end
        self._estimate = estimate = headers.legacy_estimate(found)
        l_sig = headers.read_l_sig(read, found, estimate) if end >= found.ltf + headers.L_SIG_END else None
        short = end < found.ltf + (headers.HT_SIG_END if l_sig is None or l_sig.rate_mbps == 6 else headers.L_SIG_END)
        if short:
            header = Header("", found.ltf + headers.L_SIG_END, l_sig)
            self._done(report(found, header, "truncated", estimate), end)
        else:
            self._header = headers.read_header(read, found, estimate, l_sig)
        return True

    def _done(self, ppdu: Ppdu, after: int) -> None:
        """Give out a PPDU and search on from ``after``."""
        self._out.append(ppdu)
        self._batch = _SHORT_BATCH
        self._found = self._header = self._estimate = None
        self._at, self._free, self._need = max(after - 2 * sync.HOP, 0), after, 0
