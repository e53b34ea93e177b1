"""Small charts as SVG text, to stand in a page without any script or network."""

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

WIDTH, HEIGHT = 560, 210
LEFT, RIGHT, TOP, BOTTOM = 72, 12, 12, 36


@dataclass
class Series:
    """Points of one colour: x, y, and for each a text that shows under the pointer and the frame that it is."""

    name: str
    colour: str
    x: list[float] = field(default_factory=list)
    y: list[float] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    frames: list[int] = field(default_factory=list)


def scatter(series: Sequence[Series], x_label: str, y_label: str) -> str:
    """A chart of points; series without any are left out, and a chart without any says so."""
    shown = [s for s in series if s.x]
    head = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{html.escape(y_label)} over {x_label}">'
    if not shown:
        return f'{head}<text x="{WIDTH / 2}" y="{HEIGHT / 2}" text-anchor="middle">not known for any frame</text></svg>'
    x_low, x_high = _range([v for s in shown for v in s.x])
    y_low, y_high = _range([v for s in shown for v in s.y])

    def at_x(v: float) -> float:
        return LEFT + (v - x_low) / (x_high - x_low) * (WIDTH - LEFT - RIGHT)

    def at_y(v: float) -> float:
        return HEIGHT - BOTTOM - (v - y_low) / (y_high - y_low) * (HEIGHT - TOP - BOTTOM)

    parts = [head]
    for tick in ticks(y_low, y_high):
        y = at_y(tick)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{number(tick)}</text>')
    for tick in ticks(x_low, x_high):
        x = at_x(tick)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>')
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 15}" text-anchor="middle">{number(tick)}</text>')
    middle = (TOP + HEIGHT - BOTTOM) / 2
    parts.append(f'<text x="{WIDTH / 2}" y="{HEIGHT - 4}" text-anchor="middle">{html.escape(x_label)}</text>')
    parts.append(f'<text transform="translate(11 {middle}) rotate(-90)" text-anchor="middle">'
                 f"{html.escape(y_label)}</text>")  # fmt: skip
    for s in shown:
        for x, y, text, frame in zip(s.x, s.y, s.texts, s.frames, strict=True):
            parts.append(
                f'<circle data-frame="{frame}" cx="{at_x(x):.1f}" cy="{at_y(y):.1f}" r="3.2" fill="{s.colour}">'
                f"<title>{html.escape(text)}</title></circle>"
            )
    return "".join(parts) + "</svg>"


def _range(values: list[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    room = 0.06 * (high - low) or max(1e-9, 0.05 * abs(high), 0.5)
    return low - room, high + room


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers from low to high: 1, 2 or 5 times a power of ten apart."""
    rough = (high - low) / most
    power = 10 ** math.floor(math.log10(rough))
    step = next(f * power for f in (1, 2, 5, 10) if f * power >= rough)
    first = math.ceil(low / step)
    return [i * step for i in range(first, math.floor(high / step) + 1)]


def number(value: float) -> str:
    """Short, without an exponent where that is readable."""
    text = f"{value:.10g}" if abs(value) < 1e6 else f"{value:.4g}"
    return "0" if text in ("-0", "0") or abs(value) < 1e-12 else text
