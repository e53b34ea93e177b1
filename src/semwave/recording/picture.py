"""Spectrograms as pictures: dB relative to full scale, absolute frequency, time, annotations, captures, clipping."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from semwave.recording.layout import Annotation
from semwave.recording.reader import Recording
from semwave.recording.spectrum import Spectrogram, spectrogram

Array = npt.NDArray[Any]
MOST_LABELS, TALLEST_DB = 400, 90.0
FRAME_COLOUR, BORDER_COLOUR, CLIP_COLOUR = "white", "#ff9f1c", "#ff2d55"


def save_spectrogram(
    recording: Recording, seen: Spectrogram, target: Path | io.BytesIO, *, show: str = "peak", title: str | None = None,
    width_in: float = 13.0, height_in: float = 6.5, dpi: int = 130, annotations: bool = True,
    notes: list[Annotation] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Draw a spectrogram as PNG; ``show`` is ``peak`` or ``mean``. Gives what was drawn: labels left out, dB range.

    ``notes`` are drawn instead of the recording's annotations.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_in, height_in), dpi=dpi, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    page = _Page(recording, seen, figure)
    page.spectra(show)
    page.sides()
    drawn = page.borders()
    wanted = (recording.annotations if notes is None else notes) if annotations else []
    left_out = page.annotations(canvas, wanted) if wanted else 0
    page.title(recording.name if title is None else title, left_out)
    canvas.print_png(target)
    return {"low_db": page.low_db, "high_db": page.high_db, "labels_left_out": left_out, "borders": drawn}


def thumbnail_png(recording: Recording) -> bytes:
    """A small overview for notebooks, as PNG."""
    target = io.BytesIO()
    seen = spectrogram(recording, columns=420, full=False, threads=1)
    save_spectrogram(recording, seen, target, width_in=6.4, height_in=3.2, dpi=90, annotations=False)
    return target.getvalue()


def decibels(power: Array) -> Array:
    """10 log10 of powers, -200 for nothing."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.maximum(10 * np.log10(power), -200.0))


class _Page:
    """One figure: the spectrogram, the spectrum beside it, the level below."""

    def __init__(self, recording: Recording, seen: Spectrogram, figure: Any) -> None:
        self._recording, self._seen = recording, seen
        rate = recording.sample_rate
        self._seconds = 1.0 if rate is None else 1 / rate
        grid = figure.add_gridspec(2, 3, width_ratios=(40, 7, 1), height_ratios=(6, 1))
        self.main = figure.add_subplot(grid[0, 0])
        self.side = figure.add_subplot(grid[0, 1], sharey=self.main)
        self.bar = figure.add_subplot(grid[0, 2])
        self.level = figure.add_subplot(grid[1, 0], sharex=self.main)
        self._figure = figure
        self._time_scale, self._time_unit = self._scale(seen.stop * self._seconds, rate is None)
        self._centres = self._capture_centres()
        top = max((abs(f) + (rate or 1.0) for f in self._centres), default=1.0)
        self._freq_scale, self._freq_unit = _prefix(top if rate is not None else 0.0)
        self.low_db = self.high_db = 0.0

    @staticmethod
    def _scale(longest: float, samples: bool) -> tuple[float, str]:
        if samples:
            return 1.0, "samples"
        for factor, unit in ((1.0, "s"), (1e3, "ms"), (1e6, "µs")):
            if longest * factor >= 2:
                return factor, unit
        return 1e9, "ns"

    def _capture_centres(self) -> list[float]:
        """Centre of each capture on the axis: absolute where all are known and near each other, else 0."""
        known = [c.frequency for c in self._captures()]
        rate = self._recording.sample_rate
        self.absolute = rate is not None and all(f is not None for f in known)
        values = [f or 0.0 for f in known]
        if self.absolute and rate is not None and max(values) - min(values) > 6 * rate:
            self.absolute = False
        return values if self.absolute else [0.0] * len(values)

    def _captures(self) -> list[Any]:
        seen = self._seen
        return [c for c in self._recording.captures if c.start < seen.stop and c.stop > seen.start] or [
            self._recording.captures[0]
        ]

    # ---- the spectrogram -----------------------------------------------------------------------------------

    def spectra(self, show: str) -> None:
        """The picture, a piece for each capture, each at its frequency."""
        seen = self._seen
        values = decibels(seen.peak if show == "peak" else seen.mean)
        real = values[np.isfinite(values)]
        floor = float(np.percentile(real, 10)) if real.size else -100.0
        self.high_db = float(np.ceil(real.max())) if real.size else 0.0
        self.low_db = max(floor - 3, self.high_db - TALLEST_DB)
        if self.high_db - self.low_db < 10:
            self.low_db = self.high_db - 10
        image = None
        for capture, centre in zip(self._captures(), self._centres, strict=True):
            first = int(np.searchsorted(seen.edges, max(capture.start, seen.start), side="right")) - 1
            last = int(np.searchsorted(seen.edges, min(capture.stop, seen.stop), side="left"))
            first, last = max(first, 0), max(last, first + 1)
            low, high = self._edges_hz(centre)
            left, right = (self._time(int(seen.edges[i])) for i in (first, min(last, seen.edges.size - 1)))
            image = self.main.imshow(
                values[first:last].T, origin="lower", aspect="auto", interpolation="nearest", cmap="viridis",
                extent=(left, right, low * self._freq_scale, high * self._freq_scale),
                vmin=self.low_db, vmax=self.high_db, rasterized=True,
            )  # fmt: skip
        self.main.set_facecolor("#e8e8e8")
        self._figure.colorbar(image, cax=self.bar, label=f"{show} power per bin, dBFS")
        self.main.set_xlim(self._time(seen.start), self._time(seen.stop))
        lows, highs = zip(*(self._edges_hz(c) for c in self._centres), strict=True)
        self.main.set_ylim(min(lows) * self._freq_scale, max(highs) * self._freq_scale)
        kind = "frequency" if self.absolute else "offset from the centre"
        self.main.set_ylabel(f"{kind}, {self._freq_unit}")
        self.main.tick_params(labelbottom=False)
        for axis in (self.main.xaxis, self.main.yaxis):
            axis.get_major_formatter().set_useOffset(False)

    def _edges_hz(self, centre: float) -> tuple[float, float]:
        rate = self._recording.sample_rate or 1.0
        return (centre - rate / 2 if self._recording.datatype.is_complex else centre), centre + rate / 2

    def _time(self, index: int) -> float:
        return index * self._seconds * self._time_scale

    # ---- beside and below ----------------------------------------------------------------------------------

    def sides(self) -> None:
        """Spectrum over all time, and level over time with clipping."""
        seen = self._seen
        good = np.isfinite(seen.mean[:, 0])
        rows = []
        for capture, centre in zip(self._captures(), self._centres, strict=True):
            low, high = self._edges_hz(centre)
            inside = good & (seen.edges[1:] > capture.start) & (seen.edges[:-1] < capture.stop)
            if inside.any():
                step = (high - low) / seen.bins
                frequencies = (low + step * (np.arange(seen.bins) + 0.5)) * self._freq_scale
                rows.append((frequencies, seen.peak[inside].max(axis=0), seen.mean[inside].mean(axis=0)))
        for i, (frequencies, peak, mean) in enumerate(rows):
            self.side.plot(decibels(peak), frequencies, color="#9ecae1", lw=0.8, label=None if i else "peak")
            self.side.plot(decibels(mean), frequencies, color="#08519c", lw=0.9, label=None if i else "mean")
        if rows:
            self.side.legend(fontsize=7, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False)
        self.side.tick_params(labelleft=False, labelsize=7)
        self.side.set_xlabel("dBFS", fontsize=8)
        self.side.grid(alpha=0.3)
        self._level(good)

    def _level(self, good: Array) -> None:
        seen = self._seen
        middle = (seen.edges[:-1] + seen.edges[1:]) / 2 * self._seconds * self._time_scale
        gain = 1.5  # power of a sum over a Hann window's bins
        with np.errstate(invalid="ignore"):
            power = decibels(np.where(good, seen.mean.sum(axis=1) / gain, np.nan))
        self.level.plot(middle, power, color="#08519c", lw=0.8)
        clipped = seen.clipped > 0
        if clipped.any():
            at = np.full(int(clipped.sum()), 1.0)
            self.level.plot(
                middle[clipped], at, "|", color=CLIP_COLOUR, ms=9, mew=1.2, clip_on=False,
                transform=self.level.get_xaxis_transform(),
            )  # fmt: skip
            self.level.text(
                1.005, 1.0, "clipped", color=CLIP_COLOUR, fontsize=8, va="center", transform=self.level.transAxes
            )
        self.level.set_ylabel("level, dBFS", fontsize=8)
        self.level.set_xlabel(f"time, {self._time_unit}" if self._time_unit != "samples" else "sample")
        self.level.tick_params(axis="y", labelsize=7)
        self.level.grid(alpha=0.3)
        self.level.xaxis.get_major_formatter().set_useOffset(False)

    # ---- what the metadata say -----------------------------------------------------------------------------

    def borders(self) -> int:
        """A line at every capture border that is in view, with its frequency and what was lost."""
        inside = [c for c in self._recording.captures[1:] if self._seen.start < c.start < self._seen.stop]
        for i, capture in enumerate(inside):
            x = self._time(capture.start)
            for axes in (self.main, self.level):
                axes.axvline(x, color=BORDER_COLOUR, lw=1.2, ls="--")
            if i < 20:
                self.main.annotate(
                    self._border_text(capture), (x, 1), (3, -3), xycoords=("data", "axes fraction"),
                    textcoords="offset points", rotation=90, va="top", ha="left", fontsize=7, color="black",
                    bbox={"fc": BORDER_COLOUR, "ec": "none", "pad": 1, "alpha": 0.85},
                )  # fmt: skip
        return len(inside)

    def _border_text(self, capture: Any) -> str:
        parts = []
        if capture.frequency is not None:
            scale, unit = _prefix(capture.frequency)
            parts.append(f"{capture.frequency * scale:.9g} {unit}")
        if capture.gap:
            lost = capture.gap * self._seconds
            scale, unit = self._scale(lost, self._recording.sample_rate is None)
            parts.append(f"{lost * scale:.6g} {unit} lost")
        return ", ".join(parts) or "capture"

    def annotations(self, canvas: Any, notes: list[Annotation]) -> int:
        """Boxes, and labels where they have room; gives how many labels have not."""
        from matplotlib.patches import Rectangle

        canvas.draw()  # so that sizes in pixels are known
        low, high = self.main.get_ylim()
        inside = [a for a in notes if a.start < self._seen.stop and a.stop > self._seen.start]
        hidden = 0
        used: list[tuple[float, float]] = []
        for i, note in enumerate(inside):
            x0, x1 = self._time(note.start), self._time(note.stop)
            y0, y1 = self._band(note, low, high)
            self.main.add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, ec=FRAME_COLOUR, lw=0.9, alpha=0.9))
            if note.label:
                hidden += not (i < MOST_LABELS and self._label(note.label, (x0, y0, x1, y1), used))
        return hidden

    def _band(self, note: Annotation, low: float, high: float) -> tuple[float, float]:
        if note.freq_lower_edge is None or note.freq_upper_edge is None:
            return low + 0.01 * (high - low), high - 0.01 * (high - low)
        shift = 0.0
        if not self.absolute:
            shift = self._recording.capture_at(note.start).frequency or 0.0
        y0, y1 = ((f - shift) * self._freq_scale for f in (note.freq_lower_edge, note.freq_upper_edge))
        if y1 < low or y0 > high:  # edges that are not where the axis is: all of the band
            return self._band(Annotation(0, 0, 0), low, high)
        return max(y0, low), min(y1, high)

    def _label(self, text: str, box: tuple[float, float, float, float], used: list[tuple[float, float]]) -> bool:
        """Across the box if it is wide, along it if it is tall; False where neither fits."""
        x0, y0, x1, y1 = box
        (left, bottom), (right, top) = self.main.transData.transform(((x0, y0), (x1, y1)))
        pixel = self._figure.dpi / 72
        size = 7.0
        length, height = 0.6 * size * pixel * len(text), 1.5 * size * pixel
        style = {"fontsize": size, "color": "white", "clip_on": True}
        back = {"fc": "black", "ec": "none", "alpha": 0.55, "pad": 1.0}
        if right - left >= length + 4 and top - bottom >= height:
            self.main.annotate(
                text, (x0, y1), (3, -3), textcoords="offset points", va="top", ha="left", bbox=back, **style
            )
            return True
        place = (max(left, 0.0), max(left, 0.0) + height)
        if top - bottom < length or any(a < place[1] and place[0] < b for a, b in used):
            return False
        used.append(place)
        self.main.annotate(
            text, (x0, y1), (2, -3), textcoords="offset points", rotation=90, va="top", ha="left", bbox=back, **style
        )
        return True

    def title(self, text: str, left_out: int) -> None:
        """What it is, and how it was made."""
        rec, seen = self._recording, self._seen
        facts = [rec.datatype.name]
        if rec.sample_rate is not None:
            scale, unit = _prefix(rec.sample_rate)
            facts.append(f"{rec.sample_rate * scale:.9g} {unit.replace('Hz', 'S/s')}")
            facts.append(f"resolution {_si(1.5 * rec.sample_rate / seen.fft_size)}")
        if rec.captures[0].datetime:
            facts.append(f"starts {rec.captures[0].datetime}")
        if rec.num_channels > 1:
            facts.append(f"channel {seen.channel} of {rec.num_channels}")
        facts.append(
            "all samples" if seen.covered >= 0.9995 else f"{100 * seen.covered:.3g} % of the samples looked at"
        )
        if left_out:
            facts.append(f"{left_out} labels left out")
        self.main.set_title(f"{text}\n", loc="left", fontsize=11, fontweight="bold")
        self.main.text(0, 1.015, "  ·  ".join(facts), transform=self.main.transAxes, fontsize=8, color="#444444")


def _prefix(value: float) -> tuple[float, str]:
    """Factor and unit for frequencies up to ``value`` Hz; cycles per sample for 0."""
    if value == 0:
        return 1.0, "cycles/sample"
    for factor, unit in ((1e-9, "GHz"), (1e-6, "MHz"), (1e-3, "kHz")):
        if abs(value) * factor >= 1 and not (unit == "GHz" and abs(value) < 10e9):
            return factor, unit
    return 1.0, "Hz"


def _si(hertz: float) -> str:
    scale, unit = _prefix(hertz)
    return f"{hertz * scale:.3g} {unit}"
