"""Which part of a run each block belongs to, and how the edges between parts are linked."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from semwave.runtime.address import check_address
from semwave.runtime.errors import ConnectError
from semwave.runtime.packet import Spec
from semwave.runtime.params import unknown
from semwave.runtime.plan import Edge, Plan


@dataclass(frozen=True)
class LinkEntry:
    """How one edge is linked; the receiver listens at ``address``.

    ``allow_remote``: it may be one that other machines reach. ``server_key`` is a key file of the receiving part,
    ``client_key`` one of the sending part.
    """

    address: str
    allow_remote: bool = False
    server_key: str = ""
    client_key: str = ""


@dataclass
class Layout:
    """A plan cut into parts: the part of every block, and the edges that cross, by their names ``a.x > b.y``."""

    parts: list[str] = field(default_factory=list)
    where: dict[str, str] = field(default_factory=dict)
    crossing: dict[str, Edge] = field(default_factory=dict)
    links: dict[str, LinkEntry] = field(default_factory=dict)
    specs: dict[str, Spec] = field(default_factory=dict)

    def touching(self, part: str) -> dict[str, Edge]:
        """The crossing edges that begin or end in ``part``."""
        return {k: e for k, e in self.crossing.items() if part in (self.where[e.source], self.where[e.target])}

    def unlinked(self, part: str) -> list[str]:
        """Crossing edges of a part that have no address."""
        return [key for key in self.touching(part) if key not in self.links]


class Placement:
    """What a flowgraph says about its parts, as it was written; empty for one process."""

    def __init__(self) -> None:
        self.parts: dict[str, list[str]] = {}
        self.links: dict[str, LinkEntry] = {}
        self.keys: dict[str, Path] = {}
        self.probes: dict[str, str] = {}

    # ---- building ------------------------------------------------------------------------------------------

    def place(self, parts: Mapping[str, Iterable[str]]) -> None:
        """Add parts with the names of their blocks."""
        for part, blocks in parts.items():
            if not part.replace("_", "a").replace("-", "a").isalnum():
                raise ConnectError(f"a part cannot be called {part!r}: use letters, digits, _ and -")
            if isinstance(blocks, str):
                raise ConnectError(f"place: {part} must be a list of blocks, not {blocks!r}")
            self.parts.setdefault(part, []).extend(blocks)

    def link(self, edge: str, entry: str | Mapping[str, Any]) -> None:
        """Give an edge its address; raises ConnectError."""
        table = {"address": entry} if isinstance(entry, str) else dict(entry)
        known = {f.name: f for f in fields(LinkEntry)}
        for key, value in table.items():
            if key not in known:
                raise ConnectError(f"link {edge}: {unknown(key, known, 'option')}")
            if isinstance(value, Path):
                table[key] = value = str(value)
            if not isinstance(value, bool if key == "allow_remote" else str):
                raise ConnectError(f"link {edge}: {key} = {value!r} is not {known[key].type}")
        check_address(table.get("address"), f"link {edge}")
        if bool(table.get("server_key")) != bool(table.get("client_key")):
            raise ConnectError(f"link {edge}: give server_key (of the receiving part) and client_key (of the sending)")
        self.links[edge] = LinkEntry(**table)

    def secure(self, keys: Mapping[str, str | Path]) -> None:
        """Add key files by part."""
        self.keys.update({part: Path(file) for part, file in keys.items()})

    def probe(self, port: str, address: str) -> None:
        """Publish what leaves a port."""
        self.probes[port] = check_address(address, f"probe {port}")

    # ---- checking ------------------------------------------------------------------------------------------

    def layout(self, plan: Plan) -> Layout:
        """The plan cut into parts; raises ConnectError where blocks are missing or placed twice, or a link is none."""
        for port in self.probes:
            probed(plan, port)
        if not self.parts:
            if self.links or self.keys:
                raise ConnectError("links and keys are for edges between parts: say in [place] which blocks run where")
            return Layout()
        where = _where(self.parts, list(plan.blocks))
        crossing = {str(e): e for e in plan.edges if where[e.source] != where[e.target]}
        layout = Layout(list(self.parts), where, crossing)
        layout.specs = {key: plan.inputs[e.target][e.into] for key, e in crossing.items()}
        for written, entry in self.links.items():
            key = _linked(written, layout, plan)
            if key in layout.links:
                raise ConnectError(f"link {written}: {key} has an address already")
            twin = next((k for k, other in layout.links.items() if other.address == entry.address), None)
            if twin:
                raise ConnectError(f"links {twin} and {key} have one address, {entry.address}; each needs its own")
            layout.links[key] = entry
        for part in self.keys:
            if part not in self.parts:
                raise ConnectError(f"security: {unknown(part, self.parts, 'part')}".replace("it takes", "there are"))
        return layout


def _where(parts: Mapping[str, list[str]], blocks: list[str]) -> dict[str, str]:
    """The part of every block; a composite's name stands for all that is in it."""
    where: dict[str, str] = {}
    for part, names in parts.items():
        for name in names:
            found = [b for b in blocks if b == name or b.startswith(f"{name}/")]
            if not found:
                hint = unknown(name, dict.fromkeys(blocks), "block").replace("it takes", "there are")
                raise ConnectError(f"place: part {part}: {hint}")
            for block in found:
                if block in where:
                    both = f"{where[block]} and {part}" if where[block] != part else f"{part}, twice"
                    raise ConnectError(f"place: {block} is in {both}")
                where[block] = part
    missing = [b for b in blocks if b not in where]
    if missing:
        raise ConnectError(f"place: {', '.join(missing)} in no part; every block must be in one")
    return where


def _linked(written: str, layout: Layout, plan: Plan) -> str:
    """The crossing edge that ``a > b`` or ``a.port > b.port`` means."""
    left, _, right = (end.strip() for end in written.partition(">"))
    fits = [e for e in plan.edges if _is(left, e.source, e.out) and _is(right, e.target, e.into)]
    crossing = [str(e) for e in fits if str(e) in layout.crossing]
    if len(crossing) == 1:
        return crossing[0]
    if crossing:
        raise ConnectError(f"link {written}: say which of {'; '.join(crossing)}")
    if fits:
        raise ConnectError(f"link {written}: both ends are in part {layout.where[fits[0].source]}")
    raise ConnectError(f"link {written}: no such edge between parts; there are {'; '.join(layout.crossing) or 'none'}")


def _is(end: str, block: str, port: str) -> bool:
    """Whether ``end`` (``block``, ``block.port``, or a composite around it) names this end of an edge."""
    name, _, asked = end.partition(".")
    return asked in ("", port) and (name == block or block.startswith(f"{name}/"))


def probed(plan: Plan, port: str) -> tuple[str, str]:
    """Block and output that ``block.port`` (or ``block``, where it has one output) means; raises ConnectError."""
    block, _, out = port.partition(".")
    if block not in plan.blocks:
        hint = unknown(block, plan.blocks, "block").replace("it takes", "there are")
        raise ConnectError(f"probe {port}: {hint}")
    outputs = plan.outputs[block]
    if not out and len(outputs) == 1:
        out = next(iter(outputs))
    if out not in outputs:
        raise ConnectError(f"probe {port}: {block} has outputs {', '.join(outputs) or 'none'}; write {block}.PORT")
    if not any((e.source, e.out) == (block, out) for e in plan.edges):
        raise ConnectError(f"probe {port}: nothing is connected to that output")
    return block, out
