"""The part of the report that can be zoomed: one wide spectrogram, and a fine tile around each of the first frames.

Everything is drawn beforehand as palette PNGs and put into the page; the script only places them.
"""

import base64
import io
import json
from typing import Any

import numpy as np
import numpy.typing as npt

from semwave.recording import Recording
from semwave.replay.frame import Frame

Array = npt.NDArray[Any]
WIDE, MOST_TILES, TILE_COLUMNS, MOST_BOXES = 3000, 60, 320, 5000
LEVELS = 64  # of brightness: more would only make noise larger


def zoom_data(recording: Recording, frames: list[Frame]) -> dict[str, Any]:
    """What the script needs: axes, pictures as data addresses, one box a frame. Times in ms, frequencies in MHz."""
    from semwave.recording.spectrum import spectrogram

    rate = recording.sample_rate or 1.0
    centres = {c.frequency for c in recording.captures}
    centre = next(iter(centres)) if len(centres) == 1 else None
    low = -rate / 2 if recording.datatype.is_complex else 0.0
    seen = spectrogram(recording, columns=WIDE)
    scale = _Scale(seen.peak, seen.fft_size)
    span = (seen.start, seen.stop)
    return {
        "unit": "ms" if recording.sample_rate else "thousand samples",
        "funit": "MHz" if recording.sample_rate else "cycles/sample",
        "ftitle": "frequency" if centre is not None else "offset from the centre",
        "time": [_time(i, rate, recording) for i in span],
        "freq": [_freq(low + (centre or 0.0), recording), _freq(rate / 2 + (centre or 0.0), recording)],
        "wide": scale.png(seen.peak),
        "tiles": [t for f in frames[:MOST_TILES] if (t := _tile(recording, f, span, scale, rate)) is not None],
        "boxes": [_box(f, recording, rate, centre) for f in frames[:MOST_BOXES]],
    }


def zoom_json(recording: Recording, frames: list[Frame]) -> str:
    """:func:`zoom_data` as JSON that can stand in a page; ``null`` where there is nothing to look at."""
    if not recording.sample_count:
        return "null"
    return json.dumps(zoom_data(recording, frames)).replace("<", "\\u003c")


class _Scale:
    """From power to the same 64 colours in every picture."""

    def __init__(self, power: Array, fft_size: int) -> None:
        self.fft_size = fft_size
        values = _decibels(power)
        self.high = float(values.max())
        self.low = min(float(np.percentile(values, 10)) - 3, self.high - 10)

    def png(self, power: Array) -> str:
        """Power `[columns, bins]` as a data address of a PNG with the lowest frequency at the bottom."""
        from matplotlib import colormaps
        from PIL import Image

        level = (_decibels(power) - self.low) / (self.high - self.low)
        pixels = np.clip(level * (LEVELS - 1), 0, LEVELS - 1).astype(np.uint8).T[::-1]
        picture = Image.fromarray(np.ascontiguousarray(pixels), "L")
        picture.putpalette((colormaps["viridis"](np.linspace(0, 1, LEVELS))[:, :3] * 255).astype(np.uint8).tobytes())
        target = io.BytesIO()
        picture.save(target, "PNG", optimize=True, bits=6)
        return "data:image/png;base64," + base64.b64encode(target.getvalue()).decode()


def _decibels(power: Array) -> Array:
    from semwave.recording.picture import decibels

    return np.asarray(decibels(np.nan_to_num(power)))


def _tile(
    recording: Recording, frame: Frame, span: tuple[int, int], scale: _Scale, rate: float
) -> dict[str, Any] | None:
    """The surroundings of one frame, finely; None where the wide picture is as fine."""
    from semwave.recording.spectrum import spectrogram

    margin = max(frame.count // 8, 64)
    start, stop = max(span[0], frame.start - margin), min(span[1], frame.start + frame.count + margin)
    if frame.count < 1 or (stop - start) * WIDE > (span[1] - span[0]) * TILE_COLUMNS:
        return None
    size = max(64, min(256, 2 << round(np.log2(max(stop - start, 16)) / 2)))
    seen = spectrogram(recording, start, stop, columns=TILE_COLUMNS, fft_size=size, threads=1)
    times = [_time(i, rate, recording) for i in (start, stop)]
    return {"frame": frame.number, "time": times, "png": scale.png(seen.peak * (size / scale.fft_size))}


def _box(frame: Frame, recording: Recording, rate: float, centre: float | None) -> list[Any]:
    middle = frame.frequency if centre is not None and frame.frequency is not None else 0.0
    half = (frame.bandwidth_hz or rate) / 2
    times = [_time(i, rate, recording) for i in (frame.start, frame.start + frame.count)]
    tone = "ok" if frame.status == "ok" else "other" if frame.check is None else "bad"
    return [frame.number, *times, _freq(middle - half, recording), _freq(middle + half, recording), frame.label, tone]


def _time(index: int, rate: float, recording: Recording) -> float:
    return index / rate * 1e3 if recording.sample_rate else index / 1e3


def _freq(hertz: float, recording: Recording) -> float:
    return hertz / 1e6 if recording.sample_rate else hertz
