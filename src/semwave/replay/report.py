"""One HTML file about a replayed recording: overview, frames, constellation, offset and quality over time.

All that it needs is in it: no network, no other files.
"""

import base64
import html
import io
import json
import math
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from semwave.recording import Annotation, Recording
from semwave.replay.charts import Series, scatter
from semwave.replay.frame import Frame, statuses
from semwave.replay.report_page import PAGE
from semwave.replay.zoom import zoom_json

MOST_PICTURES, MOST_ROWS, MOST_CLOUDS, CLOUD = 24, 5000, 400, 160  # frames listed; constellations kept, points of each
COLOURS = ("#2f7ed8", "#d9730d", "#2a9d60", "#b5338a", "#7a5cd0", "#8c6d31", "#c7372f", "#4a7a8c")
HEADS = ("#", "time, ms", "sample", "kind", "rate", "bytes", "CFO, Hz", "SNR, dB", "EVM, dB", "status", "sha256", "")


def write_report(
    file: Path, recording: Recording, frames: list[Frame], *, receiver: str, title: str = "",
    pictures: Iterable[Path] = (),
) -> None:  # fmt: skip
    """Write the report; ``pictures`` are folders that a PictureWriter made. Raises OSError."""
    name = title or recording.name
    groups = {kind: _colour(i) for i, kind in enumerate(_kinds(frames))}
    facts = [*recording.summary().rows(), ("receiver", receiver), ("frames", _counts(frames))]
    values = {
        "title": html.escape(name),
        "facts": "".join(f"<dt>{html.escape(k)}</dt><dd>{html.escape(v)}</dd>" for k, v in facts),
        "overview": _overview(recording, frames),
        "pictures": _pictures(pictures),
        "legend": "".join(f'<span><i style="background:{c}"></i>{html.escape(k)}</span>' for k, c in groups.items()),
        "cfo": scatter(_series(frames, groups, "cfo_hz"), "time, ms", "CFO, Hz"),
        "evm": scatter(_series(frames, groups, "evm_db"), "time, ms", "EVM, dB"),
        "snr": scatter(_series(frames, groups, "snr_db"), "time, ms", "SNR, dB"),
        "heads": "".join(f'<th tabindex="0">{h}</th>' for h in HEADS),
        "rows": "".join(_row(frame) for frame in frames[:MOST_ROWS]),
        "more": f"<p>{len(frames) - MOST_ROWS} more frames are not listed.</p>" if len(frames) > MOST_ROWS else "",
        "zoom": zoom_json(recording, frames),
        "clouds": json.dumps(_clouds(frames)).replace("<", "\\u003c"),
    }
    text = PAGE
    for key, value in values.items():
        text = text.replace(f"@@{key}@@", value)
    file.write_text(text, encoding="utf-8")


def _colour(number: int) -> str:
    """A colour of its own for each kind: the palette, then hues that keep apart by the golden angle."""
    if number < len(COLOURS):
        return COLOURS[number]
    return f"hsl({round(20 + 137.508 * (number - len(COLOURS))) % 360}, 65%, 38%)"


def _kinds(frames: list[Frame]) -> list[str]:
    """In natural order: "6 Mbit/s" before "54 Mbit/s"."""
    return sorted({_kind(f) for f in frames}, key=_natural)


def _natural(text: str) -> list[tuple[int, float, str]]:
    parts = re.split(r"(\d+(?:\.\d+)?)", text)
    return [(0, float(part), "") if i % 2 else (1, 0.0, part) for i, part in enumerate(parts)]


def _kind(frame: Frame) -> str:
    return f"{frame.kind} {frame.rate}".strip() or "unknown"


def _counts(frames: list[Frame]) -> str:
    return ", ".join(f"{n} {status}" for status, n in statuses(frames).items()) or "none found"


def _overview(recording: Recording, frames: list[Frame]) -> str:
    """The spectrogram with the frames drawn in."""
    from semwave.recording.picture import save_spectrogram
    from semwave.recording.spectrum import spectrogram

    if not recording.sample_count:
        return "<p>The recording has no samples.</p>"
    seen = spectrogram(recording)
    target = io.BytesIO()
    save_spectrogram(recording, seen, target, notes=[_note(f) for f in frames], title="Overview", dpi=110)
    data = base64.b64encode(target.getvalue()).decode()
    share = "" if seen.covered >= 1 else f"<p>{100 * seen.covered:.3g} % of the samples were looked at.</p>"
    return f'<img alt="Spectrogram of the recording" src="data:image/png;base64,{data}">{share}'


def _pictures(folders: Iterable[Path]) -> str:
    """Reconstruction, provenance and prompt of each picture."""
    shown = "".join(_figure(folder) for folder in list(folders)[:MOST_PICTURES])
    return f'<h2>Pictures</h2><div class="pictures">{shown}</div>' if shown else ""


def _figure(folder: Path) -> str:
    parts = []
    for name in ("reconstruction", "provenance"):
        data = base64.b64encode((folder / f"{name}.png").read_bytes()).decode()
        parts.append(f'<img alt="{name} of picture {html.escape(folder.name)}" src="data:image/png;base64,{data}">')
    prompt = (folder / "prompt.txt").read_text(encoding="utf-8").strip()
    text = f"<figcaption>{html.escape(folder.name)}</figcaption>{''.join(parts)}<p>{html.escape(prompt)}</p>"
    return f"<figure>{text}</figure>"


def _note(frame: Frame) -> Annotation:
    low = high = None
    if frame.bandwidth_hz:
        centre = frame.frequency or 0.0
        low, high = centre - frame.bandwidth_hz / 2, centre + frame.bandwidth_hz / 2
    return Annotation(frame.number, frame.start, frame.count, frame.label, freq_lower_edge=low, freq_upper_edge=high)


def _series(frames: list[Frame], groups: dict[str, str], what: str) -> list[Series]:
    found = {kind: Series(kind, colour) for kind, colour in groups.items()}
    for frame in frames[:MOST_ROWS]:
        value = getattr(frame, what)
        if frame.time_s is None or not math.isfinite(value):
            continue
        series = found[_kind(frame)]
        series.x.append(frame.time_s * 1e3)
        series.y.append(float(value))
        series.texts.append(f"frame {frame.number}, {_kind(frame)}, {frame.status}: {value:.1f}")
        series.frames.append(frame.number)
    return list(found.values())


def _row(frame: Frame) -> str:
    time_ms = "" if frame.time_s is None else f"{frame.time_s * 1e3:.4f}"
    cells: list[tuple[str, Any]] = [
        (str(frame.number), frame.number), (time_ms, frame.time_s), (str(frame.start), frame.start),
        (frame.kind or "?", None), (frame.rate, None), (str(frame.length), frame.length),
        (_shown(frame.cfo_hz, 0), _key(frame.cfo_hz)), (_shown(frame.snr_db, 1), _key(frame.snr_db)),
        (_shown(frame.evm_db, 1), _key(frame.evm_db)), (frame.status, None), (frame.sha256[:12], None),
        (frame.about, None),
    ]  # fmt: skip
    tone = "ok" if frame.status == "ok" else "other" if frame.check is None else "bad"
    inside = "".join(
        f"<td>{html.escape(text)}</td>" if key is None else f'<td class="n" data-v="{key}">{html.escape(text)}</td>'
        for text, key in cells
    )
    return f'<tr data-frame="{frame.number}" class="{tone}">{inside}</tr>'


def _shown(value: float, digits: int) -> str:
    return f"{value:.{digits}f}" if math.isfinite(value) else ""


def _key(value: float) -> float:
    return round(float(value), 4) if math.isfinite(value) else -1e99


def _clouds(frames: list[Frame]) -> dict[str, list[int]]:
    """Constellation points by frame, interleaved I and Q in thousandths."""
    found: dict[str, list[int]] = {}
    for frame in frames:
        if frame.points is None or len(found) >= MOST_CLOUDS:
            continue
        step = max(1, -(-frame.points.size // CLOUD))
        points = np.ascontiguousarray(frame.points[::step][:CLOUD], np.complex64).view(np.float32)
        finite = np.where(np.isfinite(points), points, 0.0)
        found[str(frame.number)] = np.clip(np.rint(1000 * finite), -4000, 4000).astype(int).tolist()
    return found
