"""One frame found in a recording, the same for every receiver."""

import hashlib
import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
NAN = float("nan")


@dataclass
class Frame:
    """A frame found: ``start`` and ``count`` are samples of the recording, ``time_s`` counts from its first sample.

    ``check`` is whether the check sum holds (None where there was nothing to check); ``status`` says what is wrong.
    """

    start: int
    count: int
    kind: str
    status: str
    rate: str = ""
    length: int = 0
    cfo_hz: float = NAN
    snr_db: float = NAN
    evm_db: float = NAN
    check: bool | None = None
    payload: bytes = b""
    about: str = ""
    """What is in it, for people: addresses, layers."""
    bandwidth_hz: float = 0.0
    number: int = 0
    time_s: float | None = None
    time: str | None = None
    """ISO time, where the recording states one."""
    frequency: float | None = None
    """Centre frequency in Hz, where the recording states one."""
    facts: dict[str, Any] = field(default_factory=dict)
    points: Array | None = None
    """Equalised points `[n]` complex64, some of them."""
    source: Any = None
    """What the receiver itself gave."""

    @property
    def sha256(self) -> str:
        """Hash of the payload in hexadecimal; empty where there is none."""
        return hashlib.sha256(self.payload).hexdigest() if self.payload else ""

    @property
    def verdict(self) -> str:
        """The status without its details: ``unsupported: two streams`` counts as unsupported."""
        return self.status.partition(":")[0]

    def as_dict(self, *, payload: bool = False) -> dict[str, Any]:
        """For JSON and CSV."""
        found: dict[str, Any] = {
            "number": self.number, "start": self.start, "count": self.count, "time_s": self.time_s, "time": self.time,
            "kind": self.kind, "rate": self.rate, "length": self.length, "cfo_hz": _rounded(self.cfo_hz, 1),
            "snr_db": _rounded(self.snr_db, 2), "evm_db": _rounded(self.evm_db, 2), "status": self.status,
            "check_ok": self.check, "sha256": self.sha256, "about": self.about, "frequency_hz": self.frequency,
            **self.facts,
        }  # fmt: skip
        if payload:
            found["payload"] = self.payload.hex()
        return found

    @property
    def label(self) -> str:
        """A short label: ``11a 36M 138B ok``."""
        kind = self.kind.replace("11a/g", "11a")
        rate = self.rate.replace(" Mbit/s", "M").replace("MCS ", "MCS")
        size = f"{self.length}B" if self.length else ""
        verdict = self.verdict.replace("unsupported", "unsupp.")
        return " ".join(part for part in (kind, rate, size, verdict) if part)


def statuses(frames: Iterable[Frame]) -> dict[str, int]:
    """How many frames there are of every status, the good ones first."""
    counts = Counter(frame.status for frame in frames)
    return dict(sorted(counts.items(), key=lambda item: (item[0] != "ok", -item[1], item[0])))


def some(points: Array, most: int = 600) -> Array:
    """At most so many of the points, evenly spread."""
    step = max(1, math.ceil(points.size / most))
    return np.ascontiguousarray(points.reshape(-1)[::step][:most])


def _rounded(value: float, digits: int) -> float | None:
    return round(float(value), digits) if math.isfinite(value) else None
