"""The lines of a drawing's links: right-angled, lanes apart, from row to row through the gutter between them."""

import math
from dataclasses import dataclass

from semwave.commands._diagram import Diagram
from semwave.commands._layout import FRAME, GUTTER, LANE, Box, Hop, Point, Work, place, wraps
from semwave.commands._ranks import Slot

STUB = 0.72  # of the gap is what is drawn of a far link
ARROW = 0.15  # what is left free in front of a box
NEAR = 0.05  # ports that differ by less are drawn at one height


@dataclass
class Layout:
    """Boxes by block, lines by link, the size of it all; of ``far`` links there is only the last stretch.

    ``stubs`` are ports that have nothing but far links: where they are and, in words, what they feed.
    """

    boxes: dict[str, Box]
    lines: list[list[Point]]
    far: set[int]
    stubs: list[tuple[Point, str]]
    width: float
    height: float


def arrange(diagram: Diagram, heights: dict[str, float], width: float, gap: float) -> Layout:
    """Boxes of the given heights, all ``width`` wide and ``gap`` apart, and lines between them."""
    work = place(diagram, heights, width, gap)
    edge = work.x(work.columns - 1) + width + FRAME * max((len(n.groups) for n in diagram.nodes), default=0)
    most = max((len(wraps(work, row)) for row in range(len(work.bottoms))), default=0)
    right = edge + LANE * (1.5 + most) if most else edge
    corners = _lines(work, edge + LANE * 1.5)
    for i in work.layers.far:
        x, y = _arrival(work, i)
        corners[i] = [(x - gap * STUB, y), (x, y)]
    stubs = _stubs(work)
    right = max([right, *(x + gap for (x, _), _ in stubs)])
    return Layout(work.boxes, corners, work.layers.far, stubs, right, work.bottoms[-1])


def _arrival(work: Work, link: int) -> Point:
    slot = work.layers.slot(work.diagram.links[link].target)
    return work.x(slot.rank), slot.y + work.arrives[link, slot.rank]


def _stubs(work: Work) -> list[tuple[Point, str]]:
    links = work.diagram.links
    drawn = {(k.source, k.out) for i, k in enumerate(links) if i not in work.layers.far}
    feeds: dict[tuple[str, str], list[str]] = {}
    where: dict[tuple[str, str], Point] = {}
    for i in sorted(work.layers.far):
        port = (links[i].source, links[i].out)
        if port not in drawn:
            slot = work.layers.slot(links[i].source)
            feeds.setdefault(port, []).append(links[i].target)
            where[port] = (work.x(slot.rank) + work.width, slot.y + work.leaves[i, slot.rank])
    return [(where[p], f"{p[1]}, to {', '.join(dict.fromkeys(targets))}") for p, targets in feeds.items()]


def _lines(work: Work, out: float) -> list[list[Point]]:
    """The corners of every link's line; those to the next row go down from ``out`` on."""
    starts, ends = _ports(work)
    bends = _bends(work, starts, ends)
    found: list[list[Point]] = [[] for _ in work.diagram.links]
    seats = {(hop[0], hop[1].rank): k for r in range(len(work.bottoms)) for k, hop in enumerate(_in_order(work, r))}
    for i, a, b in work.layers.hops():
        (x1, y1), (x2, y2) = starts[i, a.rank], ends[i, b.rank]
        level = _level(a, b, y1, y2)
        if (i, a.rank) in seats:
            row = work.row(a.rank)
            count = len(wraps(work, row))
            seat = count - 1 - seats[i, a.rank]
            right, down = out + LANE * seat, work.bottoms[row] + GUTTER / 2 + LANE * seat
            back = work.left - work.gap + _lane(work, count) * seat
            found[i] += [(x1, y1), (right, y1), (right, down), (back, down), (back, y2), (x2, y2)]
        elif level is not None:
            found[i] += [(x1, level), (x2, level)]
        else:
            bend = bends[i, a.rank]
            found[i] += [(x1, y1), (bend, y1), (bend, y2), (x2, y2)]
    return [_straight(line) for line in found]


def _lane(work: Work, count: int) -> float:
    """Distance of parallel lines in the gap between two columns: closer together where there are many."""
    return min(LANE, (work.gap - ARROW) / (count + 1.2))


def _level(a: Slot, b: Slot, y1: float, y2: float) -> float | None:
    """The height of a hop that is drawn straight; a box's port may give way a little, a passing link may not."""
    if abs(y1 - y2) < 1e-6 or (abs(y1 - y2) < NEAR and (a.name or b.name)):
        return y1 if a.name is None else y2
    return None


def _in_order(work: Work, row: int) -> list[tuple[int, Slot, Slot]]:
    """The hops to the next row, those from the top first: nested like this, they do not cross."""
    return sorted(wraps(work, row), key=lambda hop: (hop[1].y, hop[2].y))


def _ports(work: Work) -> tuple[dict[Hop, Point], dict[Hop, Point]]:
    """Where each hop leaves and arrives."""
    starts = {
        (i, a.rank): (work.x(a.rank) + work.width, a.y + work.leaves[i, a.rank]) for i, a, _ in work.layers.hops()
    }
    ends = {(i, b.rank): (work.x(b.rank), b.y + work.arrives[i, b.rank]) for i, _, b in work.layers.hops()}
    return starts, ends


def _bends(work: Work, starts: dict[Hop, Point], ends: dict[Hop, Point]) -> dict[Hop, float]:
    """Where each hop turns: those that leave one port share a bend, others keep a lane apart and do not cross."""
    bends: dict[Hop, float] = {}
    for rank in range(len(work.layers.layers) - 1):
        hops = [(i, a, b) for i, a, b in work.layers.hops() if a.rank == rank and work.row(b.rank) == work.row(rank)]
        turning = [i for i, a, b in hops if _level(a, b, starts[i, rank][1], ends[i, b.rank][1]) is None]

        def key(i: int, rank: int = rank) -> tuple[bool, float]:
            y1, y2 = starts[i, rank][1], ends[i, rank + 1][1]
            return (y2 > y1, -y1 if y2 > y1 else y1)

        lanes = list(dict.fromkeys(key(i) for i in sorted(turning, key=key)))
        for i in turning:
            bends[i, rank] = starts[i, rank][0] + _lane(work, len(lanes)) * (1.2 + lanes.index(key(i)))
    return bends


def _straight(line: list[Point]) -> list[Point]:
    """The line without the points that lie on the way."""
    kept: list[Point] = []
    for p in line:
        if kept and math.dist(kept[-1], p) < 1e-6:
            continue
        if len(kept) > 1 and any(abs(kept[-2][a] - kept[-1][a]) + abs(kept[-1][a] - p[a]) < 1e-6 for a in (0, 1)):
            kept.pop()
        kept.append(p)
    return kept
