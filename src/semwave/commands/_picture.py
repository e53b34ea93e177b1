"""A diagram as an SVG or PNG picture, drawn with Matplotlib."""

import io
from dataclasses import dataclass
from functools import cache
from typing import Any

from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Circle, FancyBboxPatch, PathPatch, Polygon
from matplotlib.path import Path
from matplotlib.textpath import TextPath

from semwave.commands._diagram import Diagram, Link, Node
from semwave.commands._layout import COLUMNS, FRAME, FRAME_TOP, LANE, Box, Point
from semwave.commands._ranks import ranks
from semwave.commands._terminal import shorten
from semwave.commands._wires import STUB, Layout, arrange

FILL = {"source": "#dff0e0", "sink": "#e1ebf7", "heavy": "#fdebd3", "plain": "#f6f6f6", "outside": "#ffffff"}
LINE = {"source": "#3b7d46", "sink": "#3a6ea5", "heavy": "#c0761a", "plain": "#707070", "outside": "#b0b0b0"}
MEANING = {"source": "source", "sink": "sink", "heavy": "heavy: a thread of its own", "plain": "block"}
WIRE, INK, GREY = "#4d4d4d", "#1b1b1b", "#6b6b6b"
MARGIN, TITLE, LEGEND = 0.25, 0.42, 0.35  # inches
ROUND = 0.07
MOST_PARAMS = 6
DPI = 200


@dataclass(frozen=True)
class Font:
    """Size in points, and how it is written."""

    size: float
    weight: str = "normal"
    colour: str = INK

    @property
    def line(self) -> float:
        """Distance between lines, inches."""
        return self.size * 1.3 / 72


NAME, CLASS, PARAM, PORT, TYPE = (
    Font(9.5, "bold"),
    Font(7.5, colour=GREY),
    Font(6.5),
    Font(6.5),
    Font(6.0, colour=GREY),
)
AWAY = Font(6.5, colour="#6a4c93")  # links that are named, not drawn
HEAD, SUBTITLE, GROUP = Font(12, "bold"), Font(8, colour=GREY), Font(7.5, "bold", GREY)


def draw(diagram: Diagram, kind: str) -> bytes:
    """The picture as a file of ``kind`` svg or png; the same diagram gives the same bytes."""
    texts = {n.name: _texts(n) for n in diagram.nodes}
    width = min(max([1.15, *(_width(t, f) + 0.26 for rows in texts.values() for t, f in rows)]), 2.4)
    gap = _gap(diagram)
    heights = {name: sum(f.line for _, f in rows) + 0.2 for name, rows in texts.items()}
    layout = arrange(diagram, heights, width, gap)
    figure, axes = _canvas(layout, diagram)
    _groups(axes, diagram, layout)
    for i, (link, line) in enumerate(zip(diagram.links, layout.lines, strict=True)):
        _wire(axes, line, dashed=link.optional, colour=AWAY.colour if i in layout.far else WIRE)
    for i, (link, line) in enumerate(zip(diagram.links, layout.lines, strict=True)):
        if i in layout.far:
            _label(axes, line, _origin(link), link.carries, gap, AWAY)
            _ring(axes, line[0])
        else:
            _label(axes, line, link.ports, link.carries, gap)
    for at, text in layout.stubs:
        _stub(axes, at, text, gap)
    for node in diagram.nodes:
        _box(axes, node, layout.boxes[node.name], texts[node.name])
    return _saved(figure, kind)


def _gap(diagram: Diagram) -> float:
    """Room between columns: for the labels and for the lines that turn there."""
    rank = ranks(diagram)
    texts = [(text, font) for k in diagram.links for text, font in ((k.ports, PORT), (k.carries, TYPE))]
    label = max([0.4, *(_width(text, font) for text, font in texts)])
    far = [_width(_origin(k), AWAY) for k in diagram.links if rank[k.target] - rank[k.source] >= COLUMNS - 1]
    busiest = max((sum(link.target == n.name for link in diagram.links) for n in diagram.nodes), default=0)
    return min(max([label + 0.4 + LANE * min(busiest, 5), 0.8, *((w + 0.2) / STUB for w in far)]), 2.6)


def _origin(link: Link) -> str:
    """What stands at the end of a far link."""
    return f"{link.source} · {link.ports}"


def _saved(figure: Figure, kind: str) -> bytes:
    import matplotlib

    out = io.BytesIO()
    metadata: dict[str, Any] = {"Date": None} if kind == "svg" else {}
    with matplotlib.rc_context({"svg.hashsalt": "semwave"}):
        figure.savefig(out, format=kind, dpi=DPI, metadata=metadata)
    return out.getvalue()


@cache
def _width(text: str, font: Font) -> float:
    """Width of a line of text, inches."""
    if not text.strip():
        return 0.0
    letters = text.replace("$", "S")  # not the start of a formula
    path = TextPath((0, 0), letters, size=font.size, prop=FontProperties(weight=font.weight), usetex=False)
    return float(path.get_extents().width) / 72


def _texts(node: Node) -> list[tuple[str, Font]]:
    rows = [(node.label, NAME)] + ([(node.cls, CLASS)] if node.cls else [])
    shown = node.params if len(node.params) <= MOST_PARAMS else node.params[: MOST_PARAMS - 1]
    rows += [(p, PARAM) for p in shown]
    return rows + ([(f"and {len(node.params) - len(shown)} more", CLASS)] if len(shown) < len(node.params) else [])


def _canvas(layout: Layout, diagram: Diagram) -> tuple[Figure, Any]:
    """The figure with its title and legend; the axes are in inches with the layout's origin."""
    counts = f"{len(diagram.nodes)} blocks, {len(diagram.links)} edges"
    roles = [r for r in MEANING if any(n.role == r for n in diagram.nodes)]
    title = _width(diagram.title, HEAD) + 0.2 + _width(counts, SUBTITLE)
    legend = 0.9 * len(roles) + 1.2 + 2.2 * bool(layout.far)
    width = max(layout.width, title, legend) + 2 * MARGIN
    lone = any(n.role == "outside" for n in diagram.nodes)  # one block and its ports: nothing to explain or count
    height = layout.height + TITLE + (0 if lone else LEGEND) + 2 * MARGIN
    figure = Figure(figsize=(width, height), facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    left = (width - layout.width) / 2
    axes.set_xlim(-left, width - left)
    axes.set_ylim(height - MARGIN - TITLE, -MARGIN - TITLE)
    x = MARGIN - left
    _write(axes, x, -TITLE + 0.1, diagram.title, HEAD, "left", "center")
    if not lone:
        _write(axes, x + _width(diagram.title, HEAD) + 0.15, -TITLE + 0.115, counts, SUBTITLE, "left", "center")
        _legend(axes, x, layout.height + LEGEND - 0.02, roles, away=bool(layout.far))
    return figure, axes


def _legend(axes: Any, x: float, y: float, roles: list[str], *, away: bool) -> None:
    for role in roles:
        axes.add_patch(_rounded(Box(x, y - 0.06, 0.18, 0.12), FILL[role], LINE[role], 0.03))
        _write(axes, x + 0.25, y, MEANING[role], SUBTITLE, "left", "center")
        x += 0.25 + _width(MEANING[role], SUBTITLE) + 0.25
    if away:
        _wire(axes, [(x + 0.03, y), (x + 0.3, y)], dashed=False, colour=AWAY.colour)
        _ring(axes, (x + 0.03, y))
        _write(axes, x + 0.37, y, "comes from the block named", SUBTITLE, "left", "center")


def _write(axes: Any, x: float, y: float, text: str, font: Font, ha: str, va: str, **more: Any) -> None:
    look: dict[str, Any] = {"size": font.size, "weight": font.weight, "color": font.colour, "ha": ha, "va": va}
    axes.text(x, y, text, parse_math=False, **look, **more)


def _rounded(box: Box, fill: str, line: str, radius: float = ROUND, **more: Any) -> FancyBboxPatch:
    style = f"round,pad=0,rounding_size={radius}"
    at = (box.x, box.y)
    return FancyBboxPatch(
        at, box.width, box.height, boxstyle=style, facecolor=fill, edgecolor=line, linewidth=1.0, **more
    )


def _box(axes: Any, node: Node, box: Box, rows: list[tuple[str, Font]]) -> None:
    style: dict[str, Any] = {"linestyle": (0, (4, 3))} if node.role == "outside" else {}
    axes.add_patch(_rounded(box, FILL[node.role], LINE[node.role], zorder=3, **style))
    y = box.y + (box.height - sum(f.line for _, f in rows)) / 2
    for text, font in rows:
        shown = _fit(text, font, box.width - 0.12)
        _write(axes, box.x + box.width / 2, y + font.line / 2, shown, font, "center", "center", zorder=4)
        y += font.line


# ---- links -----------------------------------------------------------------------------------------------------------


def _wire(axes: Any, line: list[Point], *, dashed: bool, colour: str = WIRE) -> None:
    """A line with rounded corners and an arrow head."""
    (x, y), head = line[-1], 0.085
    points = [*line[:-1], (x - head, y)]
    style: Any = (0, (4, 3)) if dashed else "solid"
    path = _rounded_path(points)
    axes.add_patch(PathPatch(path, facecolor="none", edgecolor=colour, linewidth=1.0, linestyle=style, zorder=2))
    corners = [(x, y), (x - head, y - head * 0.42), (x - head, y + head * 0.42)]
    axes.add_patch(Polygon(corners, closed=True, facecolor=colour, edgecolor="none", zorder=2))


def _rounded_path(points: list[Point]) -> Path:
    vertices, codes = [points[0]], [Path.MOVETO]
    for before, at, after in zip(points, points[1:], points[2:], strict=False):
        vertices += [_toward(at, before), at, _toward(at, after)]
        codes += [Path.LINETO, Path.CURVE3, Path.CURVE3]
    return Path([*vertices, points[-1]], [*codes, Path.LINETO])


def _toward(at: Point, other: Point) -> Point:
    """A point on the way from ``at`` to ``other``, at most half way."""
    dx, dy = other[0] - at[0], other[1] - at[1]
    part = min(ROUND / max(abs(dx) + abs(dy), 1e-9), 0.5)
    return at[0] + dx * part, at[1] + dy * part


def _stub(axes: Any, at: Point, text: str, gap: float) -> None:
    """The beginning of far links: a short line and where they go."""
    end = at[0] + 0.12, at[1]
    axes.add_patch(PathPatch(Path([at, end]), facecolor="none", edgecolor=AWAY.colour, linewidth=1.0, zorder=2))
    _ring(axes, end)
    _write(axes, end[0] + 0.07, end[1], _fit(text, AWAY, gap - 0.3), AWAY, "left", "center", zorder=2.5, bbox=HALO)


def _ring(axes: Any, at: Point) -> None:
    axes.add_patch(Circle(at, 0.035, facecolor="white", edgecolor=AWAY.colour, linewidth=1.0, zorder=2.2))


def _fit(text: str, font: Font, width: float) -> str:
    """The text, cut to what fits."""
    while _width(text, font) > width and len(text) > 4:
        text = shorten(text, len(text.rstrip("…")) - 1)
    return text


def _label(axes: Any, line: list[Point], ports: str, carries: str, gap: float, font: Font | None = None) -> None:
    """The ports above and what is carried below the last stretch of the line, where there is one link only."""
    (x0, _), (x, y) = line[-2], line[-1]
    left = max(x0 + 0.06, x - gap + 0.2)
    for text, f, va, dy in ((ports, font or PORT, "bottom", -0.025), (carries, TYPE, "top", 0.035)):
        if text:
            shown = _fit(text, f, x - left - 0.1)
            _write(axes, (left + x - 0.09) / 2, y + dy, shown, f, "center", va, zorder=2.5, bbox=HALO)


HALO = {"facecolor": "white", "edgecolor": "none", "pad": 0.4, "alpha": 0.85}


# ---- groups ----------------------------------------------------------------------------------------------------------


def _groups(axes: Any, diagram: Diagram, layout: Layout) -> None:
    """A frame around the blocks of every composite, row by row; left out where it would hold other blocks."""
    for row in sorted({box.row for box in layout.boxes.values()}):
        boxes = {name: box for name, box in layout.boxes.items() if box.row == row}
        frames: dict[str, Box] = {}
        for group in sorted(diagram.groups, key=lambda g: -g.count("/")):  # inner ones first
            inside = [boxes[n.name] for n in diagram.nodes if group in n.groups and n.name in boxes]
            inner = [f for g, f in frames.items() if g.rpartition("/")[0] == group]
            if not inside:
                continue
            frames[group] = _frame([*inside, *inner])
            if not any(_overlap(frames[group], box) for box in boxes.values() if box not in inside):
                _draw_frame(axes, frames[group], group.rpartition("/")[2], diagram.groups[group])


def _draw_frame(axes: Any, frame: Box, name: str, what: str) -> None:
    axes.add_patch(_rounded(frame, "#00000008", "#9a9a9a", 0.1, linestyle=(0, (3, 2)), zorder=0.5))
    text = name if what in ("", name) else f"{name}  ({what})"
    _write(axes, frame.x + 0.08, frame.y + FRAME_TOP / 2, text, GROUP, "left", "center", zorder=2.6)


def _frame(boxes: list[Box]) -> Box:
    x, y = min(b.x for b in boxes) - FRAME, min(b.y for b in boxes) - FRAME_TOP
    right, bottom = max(b.x + b.width for b in boxes) + FRAME, max(b.y + b.height for b in boxes) + FRAME
    return Box(x, y, right - x, bottom - y)


def _overlap(a: Box, b: Box) -> bool:
    return a.x < b.x + b.width and b.x < a.x + a.width and a.y < b.y + b.height and b.y < a.y + a.height
