"""Which column every block of a drawing stands in, and in what order from the top: a layered layout's first half.

Layers by longest path, dummy slots for links that pass a layer, order by barycentres (Sugiyama, Tagawa and Toda 1981).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from semwave.commands._diagram import Diagram, groups_of

SWEEPS = 12


@dataclass(eq=False)
class Slot:
    """A place in a layer: a block, or a link on its way past (``name`` None)."""

    rank: int
    name: str | None
    link: int | None
    group: str = ""
    height: float = 0.0
    y: float = 0.0  # its middle

    @property
    def groups(self) -> list[str]:
        """The composites around it, outermost first."""
        return groups_of(self.group)


@dataclass
class Layers:
    """Slots by rank, top to bottom, and every link's way through them; ``far`` links go no way, they are only named."""

    layers: list[list[Slot]]
    ways: list[list[Slot]]
    columns: int
    far: set[int]

    def slot(self, name: str) -> Slot:
        """The slot of a block."""
        return next(s for layer in self.layers for s in layer if s.name == name)

    def hops(self) -> list[tuple[int, Slot, Slot]]:
        """Every step of every link from one layer to the next, with the link's number."""
        return [(i, a, b) for i, way in enumerate(self.ways) for a, b in pairwise(way)]


def layered(diagram: Diagram, columns: int = 5) -> Layers:
    """Layers with few crossings, in rows of at most ``columns``; the links must have no loop.

    Links to another row are far, unless they go from the end of one to the beginning of the next.
    """
    rank = ranks(diagram)
    count = max(rank.values()) + 1
    columns = math.ceil(count / math.ceil(count / columns))
    spans = [(rank[link.source], rank[link.target]) for link in diagram.links]
    far = {i for i, (a, b) in enumerate(spans) if a // columns != b // columns and b - a > 1}
    layers: list[list[Slot]] = [[] for _ in range(count)]
    slots = {n.name: Slot(rank[n.name], n.name, None, n.name.rpartition("/")[0]) for n in diagram.nodes}
    for slot in slots.values():
        layers[slot.rank].append(slot)
    ways: list[list[Slot]] = []
    for i, link in enumerate(diagram.links):
        if i in far:
            ways.append([])
            continue
        a, b = slots[link.source], slots[link.target]
        shared = [g for g in a.groups if g in b.groups]
        passing = [Slot(r, None, i, shared[-1] if shared else "") for r in range(a.rank + 1, b.rank)]
        for slot in passing:
            layers[slot.rank].append(slot)
        ways.append([a, *passing, b])
    found = Layers(layers, ways, columns, far)
    _order(found)
    return found


def ranks(diagram: Diagram) -> dict[str, int]:
    """Longest path from a source; sources stand right before the first block that they feed."""
    before: dict[str, list[str]] = {n.name: [] for n in diagram.nodes}
    after: dict[str, list[str]] = {n.name: [] for n in diagram.nodes}
    for link in diagram.links:
        before[link.target].append(link.source)
        after[link.source].append(link.target)
    rank = dict.fromkeys(before, 0)
    for _ in rank:  # no path is longer than the number of blocks
        for name, feeders in before.items():
            rank[name] = max((rank[f] + 1 for f in feeders), default=0)
    for name, feeders in before.items():
        if not feeders and after[name]:
            rank[name] = min(rank[t] for t in after[name]) - 1
    return rank


def _order(found: Layers) -> None:
    """Sort every layer by the mean place of its neighbours, back and forth; keep the order with fewest crossings."""
    best, fewest = [list(layer) for layer in found.layers], crossings(found)
    for sweep in range(SWEEPS):
        forth = sweep % 2 == 0
        for layer in found.layers if forth else found.layers[::-1]:
            _sort_layer(found, layer, forth)
        count = crossings(found)
        if count < fewest:
            best, fewest = [list(layer) for layer in found.layers], count
    for layer, kept in zip(found.layers, best, strict=True):
        layer[:] = kept


def _sort_layer(found: Layers, layer: list[Slot], forth: bool) -> None:
    place = {s: i - (len(row) - 1) / 2 for row in found.layers for i, s in enumerate(row)}
    near: dict[Slot, list[float]] = {s: [] for s in layer}
    for _, a, b in found.hops():
        mine, other = (b, a) if forth else (a, b)
        if mine in near:
            near[mine].append(place[other])
    middle = {s: _mean(near[s], place[s]) for s in layer}
    groups = {s.group for s in layer}
    whole = {g: _mean([middle[s] for s in layer if s.group == g], 0.0) for g in groups if g}
    layer.sort(key=lambda s: (whole.get(s.group, middle[s]), s.group, middle[s]))


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def crossings(found: Layers) -> int:
    """How many pairs of hops between the same two layers cross."""
    place = {s: i for layer in found.layers for i, s in enumerate(layer)}
    hops = [(a.rank, place[a], place[b]) for _, a, b in found.hops()]
    return sum(
        (a1 - a2) * (b1 - b2) < 0
        for i, (rank1, a1, b1) in enumerate(hops)
        for rank2, a2, b2 in hops[i + 1 :]
        if rank1 == rank2
    )
