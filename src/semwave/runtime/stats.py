"""What a run tells about itself."""

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class BlockStats:
    """What one block did: calls of ``work``, items, seconds in its hooks, most packets queued before it, its own
    counts.
    """

    name: str
    block: str
    calls: int
    items_in: int
    items_out: int
    busy_s: float
    queue_high: int
    counts: dict[str, int] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(repr=False)
class Result:
    """What a run came to."""

    seconds: float
    blocks: list[BlockStats]
    warnings: list[str]
    summaries: dict[str, str] = field(default_factory=dict)
    interrupted: bool = False
    threads: int = 0
    queue_growth: int = 0

    def __getitem__(self, name: str) -> BlockStats:
        """Statistics of one block."""
        for block in self.blocks:
            if block.name == name:
                return block
        raise KeyError(f"no block {name!r}; there are {', '.join(b.name for b in self.blocks)}")

    def __repr__(self) -> str:
        """One line about the run, then its warnings and what its blocks found."""
        ended = ", interrupted" if self.interrupted else ""
        lines = [f"<Result: {self.seconds:.3g} s, {len(self.blocks)} blocks{ended}>"]
        lines += [f"warning: {text}" for text in self.warnings]
        for name, text in self.summaries.items():
            lines += [name, *(f"  {line}".rstrip() for line in text.splitlines())]
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)
