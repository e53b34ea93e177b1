"""What the receiver says of each PPDU."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from semwave.modulation.ieee80211.mpdu import Mpdu

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Ppdu:
    """One PPDU as received.

    ``status``: "ok" (every MAC frame's FCS holds), "bad FCS", "unsupported: ..." (recognised, not decoded),
    "truncated" (the samples ended first) or "bad signal field".
    """

    start: int
    """Absolute index of the L-STF's first sample, on the first path."""
    ltf: int
    """Absolute index of the first long training symbol's first sample, after its 32-sample guard."""
    end: int
    """Absolute index after the last sample, as far as the signal fields tell."""
    status: str
    format: str
    """"11a/g", "11n", "11ac", "11ax" or "" where no signal field could be read."""
    rate_mbps: int | None
    """Rate of a legacy PPDU; of any other, that of its L-SIG, 6."""
    mcs: int | None
    length: int
    """Octets of the PSDU (L-SIG's LENGTH where no other is known)."""
    cfo_hz: float
    """Carrier frequency offset over the training fields."""
    snr_db: float
    """Mean over the carriers, from the two long training symbols."""
    evm_db: float
    """Error vector magnitude of the data carriers against the nearest points; NaN where nothing was demodulated."""
    short_gi: bool = False
    ldpc: bool = False
    aggregation: bool = False
    psdu: bytes = b""
    mpdus: list[Mpdu] = field(default_factory=list)
    seed: int | None = None
    """Scrambler's start; 0 where the SERVICE field was not scrambled by the standard's rule."""
    channel: Array = field(default_factory=lambda: np.empty(0, np.complex64))
    """Channel estimate on carriers -26 ... 26 [52], of an HT PPDU -28 ... 28 [56], without 0."""

    @property
    def ok(self) -> bool:
        """Whether all of it was received."""
        return self.status == "ok"

    @property
    def sha256(self) -> str:
        """Hash of the PSDU, in hexadecimal."""
        return hashlib.sha256(self.psdu).hexdigest()

    def __str__(self) -> str:
        how = f"MCS {self.mcs}" if self.mcs is not None else f"{self.rate_mbps} Mbit/s"
        return f"{self.format or 'unknown'} {how} {self.length} B {self.status}"
