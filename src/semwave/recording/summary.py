"""What is in a recording, on one screen: text, dictionary, HTML."""

import base64
import html as escaping
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from semwave.recording.reader import Recording

Array = npt.NDArray[Any]
BLOCK, BLOCKS = 1 << 15, 64  # samples looked at unless all are asked for


@dataclass(frozen=True)
class Summary:
    """Facts of a recording; levels are of channel 0, relative to full scale, from ``looked_at`` of the samples.

    ``clipping``: share of samples with a component at the end of its range (integers; None for floats).
    """

    name: str
    path: str
    datatype: str
    channels: int
    samples: int
    sample_rate_hz: float | None
    duration_s: float | None
    frequencies_hz: list[float]
    datetime: str | None
    captures: int
    gaps: int
    lost_samples: int
    annotations: int
    has_hash: bool
    looked_at: float
    peak: float | None
    rms: float | None
    clipping: float | None
    dc_i: float | None
    dc_q: float | None
    not_finite: int
    warnings: list[str]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def rows(self) -> list[tuple[str, str]]:
        """Names and values for people."""
        rate = "not stated" if self.sample_rate_hz is None else _si(self.sample_rate_hz, "S/s")
        length = f"{self.samples} samples" + ("" if self.duration_s is None else f", {_si(self.duration_s, 's')}")
        lost = f", {self.gaps} gaps with {self.lost_samples} samples lost" if self.gaps else ""
        found = [
            ("recording", self.name),
            ("samples", f"{length}, {self.datatype}" + (f", {self.channels} channels" if self.channels > 1 else "")),
            ("sample rate", rate),
            ("centre", ", ".join(_si(f, "Hz") for f in self.frequencies_hz[:5]) or "not stated"),
            ("start", self.datetime or "not stated"),
            ("captures", f"{self.captures}{lost}"),
            ("annotations", str(self.annotations)),
            ("hash", "stated, not checked" if self.has_hash else "none"),
        ]
        if self.peak is not None and self.rms is not None:
            seen = "all" if self.looked_at == 1 else f"{100 * self.looked_at:.2g} %"
            found.append(("level", f"peak {_dbfs(self.peak)}, rms {_dbfs(self.rms)}, {self._dc()} (from {seen})"))
            if self.clipping is not None:
                found.append(("clipping", f"{100 * self.clipping:.3g} % of samples"))
        if self.not_finite:
            found.append(("not finite", f"{self.not_finite} samples"))
        return found + [("warning", text) for text in self.warnings]

    def _dc(self) -> str:
        return f"DC {_dbfs(float(np.hypot(self.dc_i or 0.0, self.dc_q or 0.0)))}"

    def __str__(self) -> str:
        return "\n".join(f"{name:<12} {value}" for name, value in self.rows())


def summarize(recording: "Recording", *, full: bool = False) -> Summary:
    """Look at ``recording``: all of it, or blocks spread evenly."""
    captures = recording.captures
    level = _Level(recording)
    for samples in _blocks(recording, full):
        level.add(samples)
    frequencies = dict.fromkeys(c.frequency for c in captures if c.frequency is not None)
    return Summary(
        name=recording.name, path=recording.path, datatype=recording.datatype.name, channels=recording.num_channels,
        samples=recording.sample_count, sample_rate_hz=recording.sample_rate, duration_s=recording.duration,
        frequencies_hz=list(frequencies), datetime=captures[0].datetime, captures=len(captures),
        gaps=sum(c.gap > 0 for c in captures), lost_samples=sum(c.gap for c in captures),
        annotations=len(recording.annotations),
        has_hash=all("core:sha512" in part.metadata["global"] for part in recording.parts),
        warnings=list(recording.warnings), **level.facts(),
    )  # fmt: skip


def _blocks(recording: "Recording", full: bool) -> Iterator[Array]:
    total = recording.sample_count
    if full or total <= BLOCK * BLOCKS:
        yield from (chunk.samples for chunk in recording.chunks(BLOCK, reuse=True))
        return
    for i in range(BLOCKS):
        yield recording.read(i * (total - BLOCK) // (BLOCKS - 1), BLOCK)


class _Level:
    """Running sums in float64."""

    def __init__(self, recording: "Recording") -> None:
        kind = recording.datatype
        self.total, self.count, self.bad, self.clipped = recording.sample_count, 0, 0, 0
        self.power = self.peak = 0.0
        self.dc = 0j
        self.high = np.float32((kind.full_scale - 1) / kind.full_scale) if kind.is_integer else None

    def add(self, samples: Array) -> None:
        self.count += samples.size
        parts = samples.view(np.float32).reshape(-1, 2)
        if self.high is not None:
            self.clipped += int(np.count_nonzero(((parts >= self.high) | (parts <= -1)).any(axis=1)))
        else:
            good = np.isfinite(parts).all(axis=1)
            if not good.all():
                self.bad += int(samples.size - np.count_nonzero(good))
                samples = samples[good]
        if samples.size:
            wide = samples.astype(np.complex128)
            power = wide.real**2 + wide.imag**2
            self.power += float(power.sum())
            self.peak = max(self.peak, float(np.sqrt(power.max())))
            self.dc += complex(wide.sum())

    def facts(self) -> dict[str, Any]:
        n = self.count - self.bad
        known = n > 0
        return {
            "looked_at": self.count / self.total if self.total else 1.0,
            "peak": self.peak if known else None,
            "rms": float(np.sqrt(self.power / n)) if known else None,
            "dc_i": self.dc.real / n if known else None,
            "dc_q": self.dc.imag / n if known else None,
            "clipping": self.clipped / self.count if known and self.high is not None else None,
            "not_finite": self.bad,
        }


def html(summary: Summary, thumbnail: bytes = b"") -> str:
    """A table for notebooks, under it the picture ``thumbnail`` (PNG)."""
    cells = (
        f"<tr><th style='text-align:left'>{escaping.escape(name)}</th>"
        f"<td style='text-align:left'>{escaping.escape(value)}</td></tr>"
        for name, value in summary.rows()
    )
    data = base64.b64encode(thumbnail).decode()
    picture = f'<img alt="spectrogram" src="data:image/png;base64,{data}">' if thumbnail else ""
    return f"<table>{''.join(cells)}</table>{picture}"


def _dbfs(level: float) -> str:
    return f"{20 * np.log10(level):.1f} dBFS" if level > 0 else "-inf dBFS"


def _si(value: float, unit: str) -> str:
    """``20 MS/s``, ``5.18 GHz``, ``1.07 ms``."""
    for factor, prefix in ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "µ")):
        if abs(value) >= factor and not (unit == "s" and factor > 1):
            return f"{value / factor:.9g} {prefix}{unit}"
    return f"{value:.9g} {unit}"
