"""Where everything in a drawing goes: rows of columns from left to right, links as right-angled lines (in inches, y
down).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from semwave.commands._diagram import Diagram
from semwave.commands._ranks import Layers, Slot, layered

Point = tuple[float, float]
Hop = tuple[int, int]  # number of the link, rank of the slot at the end that is meant
COLUMNS = 5  # at most; longer chains go on in another row
LANE = 0.09  # between parallel lines
SPACE = 0.26  # between boxes of a column
PASS = 0.30  # height of a link that passes a column
PORT = 0.42  # between the ports of a box, so that their labels have room
FRAME, FRAME_TOP = 0.12, 0.24  # from a block, or an inner frame, to the frame of a composite; above there is a title
GUTTER = 0.30  # between rows, besides the lines in it


@dataclass
class Box:
    """A block's rectangle: ``x, y`` of its upper left corner."""

    x: float
    y: float
    width: float
    height: float
    row: int = 0


@dataclass
class Work:
    """A layout being made."""

    diagram: Diagram
    layers: Layers
    width: float
    gap: float
    columns: int
    boxes: dict[str, Box] = field(default_factory=dict)
    left: float = 0.0
    bottoms: list[float] = field(default_factory=list)  # lower ends of the rows
    leaves: dict[Hop, float] = field(default_factory=dict)  # height of a port against its slot's middle
    arrives: dict[Hop, float] = field(default_factory=dict)

    def x(self, rank: int) -> float:
        """Left edge of a column."""
        return self.left + (rank % self.columns) * (self.width + self.gap)

    def out(self, link: int) -> str:
        """The port that a link leaves from."""
        return self.diagram.links[link].out

    def row(self, rank: int) -> int:
        """Which row a rank stands in."""
        return rank // self.columns


def place(diagram: Diagram, heights: dict[str, float], width: float, gap: float) -> Work:
    """Place boxes of the given heights, all ``width`` wide, ``gap`` apart."""
    layers = layered(diagram, COLUMNS)
    rows = math.ceil(len(layers.layers) / layers.columns)
    work = Work(diagram, layers, width, gap, layers.columns)
    work.left = gap if rows > 1 else 0.0
    slots = [slot for layer in layers.layers for slot in layer]
    for slot in slots:
        slot.height = PASS if slot.name is None else max(heights[slot.name], PORT * _sides(diagram, slot.name))
    _offsets(work)
    work.bottoms = _rows(work, rows)
    for slot in slots:
        if slot.name is not None:
            y = slot.y - slot.height / 2
            work.boxes[slot.name] = Box(work.x(slot.rank), y, width, slot.height, work.row(slot.rank))
    return work


def _sides(diagram: Diagram, name: str) -> int:
    """How many ports the busier side of a block has."""
    return max(
        sum(link.target == name for link in diagram.links),
        len({link.out for link in diagram.links if link.source == name}),
        1,
    )


def _offsets(work: Work) -> None:
    """Where on a box each hop leaves and arrives: in the order of the other ends, hops of one port together."""
    place = {s: k for layer in work.layers.layers for k, s in enumerate(layer)}
    hops = work.layers.hops()
    for slot in place:
        leaving = [(work.out(i), i, place[b]) for i, a, b in hops if a is slot]
        leaving += [(work.out(i), i, len(place)) for i in work.layers.far if work.diagram.links[i].source == slot.name]
        seats: dict[str, list[int]] = {}
        for out, _, seat in leaving:
            seats.setdefault(out, []).append(seat)
        for out in seats:
            seats[out] = [seat for seat in seats[out] if seat < len(place)] or seats[out]  # far ones come last
        outs = sorted(seats, key=lambda out: sum(seats[out]) / len(seats[out]))
        for out, i, _ in leaving:
            work.leaves[i, slot.rank] = _port(slot, outs.index(out), len(outs))
    for slot in place:
        arriving = sorted((place[a], work.leaves[i, a.rank], i) for i, a, b in hops if b is slot)
        arriving += [(0, 0.0, i) for i in sorted(work.layers.far) if work.diagram.links[i].target == slot.name]
        for k, (_, _, i) in enumerate(arriving):
            work.arrives[i, slot.rank] = _port(slot, k, len(arriving))


def _port(slot: Slot, k: int, count: int) -> float:
    step = min(max(PORT, slot.height / (count + 1)), slot.height / count)
    return (k - (count - 1) / 2) * step


# ---- heights ---------------------------------------------------------------------------------------------------------


def _rows(work: Work, rows: int) -> list[float]:
    """Set ``y`` of every slot; gives back the lower end of every row."""
    bottoms: list[float] = []
    top = 0.0
    for row in range(rows):
        mine = [layer for layer in work.layers.layers if layer and work.row(layer[0].rank) == row]
        _settle(work, mine)
        slots = [s for layer in mine for s in layer]
        shift = top - min(s.y - s.height / 2 - FRAME_TOP * len(s.groups) for s in slots)
        for slot in slots:
            slot.y += shift
        bottoms.append(max(s.y + s.height / 2 + FRAME * len(s.groups) for s in slots))
        top = bottoms[-1] + GUTTER + LANE * len(wraps(work, row))
    return bottoms


def _settle(work: Work, layers: list[list[Slot]]) -> None:
    """Move the slots of one row to where their links are straight, as far as they do not touch each other."""
    for layer in layers:
        _spread(layer, [0.0] * len(layer))
    ranks = {layer[0].rank for layer in layers}
    near = _neighbours(work, ranks)
    for sweep in range(60):
        for layer in layers if sweep % 2 == 0 else layers[::-1]:
            _spread(layer, [_wish(s, near.get(s, ())) for s in layer])
    for way in work.layers.ways:
        _straighten(work, [s for s in way if s.rank in ranks], layers)


def _neighbours(work: Work, ranks: set[int]) -> dict[Slot, list[tuple[float, Slot, float]]]:
    """How much each slot of a row wants to stand level with others, with whom, and how much lower than they.

    Blocks that have each other to themselves want it most, so that a chain stays straight beside one that feeds many.
    """
    hops = [(i, a, b) for i, a, b in work.layers.hops() if a.rank in ranks and b.rank in ranks]
    pairs = {(a, b) for _, a, b in hops}
    near: dict[Slot, list[tuple[float, Slot, float]]] = {}
    for i, a, b in hops:
        step = work.leaves[i, a.rank] - work.arrives[i, b.rank]
        weight = (sum(x is a for x, _ in pairs) * sum(x is b for _, x in pairs)) ** -2.0
        near.setdefault(a, []).append((weight, b, -step))
        near.setdefault(b, []).append((weight, a, step))
    return near


def _wish(slot: Slot, near: Sequence[tuple[float, Slot, float]]) -> float:
    """Where a slot would like to stand."""
    if not near:
        return slot.y
    return sum(w * (other.y + step) for w, other, step in near) / sum(w for w, _, _ in near)


def _mean(values: list[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _apart(a: Slot, b: Slot) -> float:
    """The least distance between the middles of two slots, ``a`` above ``b``."""
    ended, begun = (len([g for g in one.groups if g not in other.groups]) for one, other in ((a, b), (b, a)))
    space = SPACE if a.name or b.name else 0.0
    return (a.height + b.height) / 2 + max(space, FRAME * ended + FRAME_TOP * begun + 0.1 * bool(ended or begun))


def _straighten(work: Work, way: list[Slot], layers: list[list[Slot]]) -> None:
    """Put a link's way past other blocks on one height: that of a port of its own, or the row's middle, as near as
    there is room.
    """
    low, high = -math.inf, math.inf
    passing = [s for s in way if s.name is None]
    for slot in passing:
        layer = next(row for row in layers if slot in row)
        k = layer.index(slot)
        if k > 0:
            low = max(low, layer[k - 1].y + _apart(layer[k - 1], slot))
        if k + 1 < len(layer):
            high = min(high, layer[k + 1].y - _apart(slot, layer[k + 1]))
    if passing and low <= high:
        link = passing[0].link or 0
        ports = [s.y + work.arrives[link, s.rank] for s in way[-1:] if s.name]
        ports += [s.y + work.leaves[link, s.rank] for s in way[:1] if s.name]
        ports += [_mean([s.y for layer in layers for s in layer if s.name], 0.0)]
        for slot in passing:
            slot.y = min(max(ports[0], low), high)


def _spread(layer: list[Slot], wanted: list[float]) -> None:
    """The least squares way to stand near ``wanted`` and keep the distance: pool adjacent violators."""
    offsets = [0.0]
    for a, b in pairwise(layer):
        offsets.append(offsets[-1] + _apart(a, b))
    pools: list[tuple[float, float, int]] = []  # mean, weight, how many
    for slot, want, offset in zip(layer, wanted, offsets, strict=True):
        weight = 1.0 if slot.name else 2.0
        pools.append((want - offset, weight, 1))
        while len(pools) > 1 and pools[-2][0] >= pools[-1][0]:
            (m2, w2, n2), (m1, w1, n1) = pools.pop(), pools.pop()
            pools.append(((m1 * w1 + m2 * w2) / (w1 + w2), w1 + w2, n1 + n2))
    means = [m for m, _, n in pools for _ in range(n)]
    for slot, mean, offset in zip(layer, means, offsets, strict=True):
        slot.y = mean + offset


def wraps(work: Work, row: int) -> list[tuple[int, Slot, Slot]]:
    """The hops that go from the end of ``row`` to the next."""
    return [hop for hop in work.layers.hops() if work.row(hop[1].rank) == row != work.row(hop[2].rank)]
