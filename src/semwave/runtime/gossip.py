"""When every part of a run waits for another one, no bound can be right: how the parts find that out together.

Each part tells its neighbours whether all its groups wait, whether one of them waits for room only, and how many
numbered messages it has sent and received; they pass on what they have heard. When all parts wait, as many messages
have come as were sent, and nothing has changed since the last look, the run as a whole cannot go on (Mattern's
four counters, 1987), and every part raises its bound, as one part does alone (Parks, 1995).
"""

from typing import Any

from semwave.runtime.wirecode import WireError

CONFIRM_S = 0.1
Entry = tuple[int, bool, bool, int, int]  # version, waiting, only for room, sent, received


class Gossip:
    """What one part knows of all."""

    def __init__(self, here: str, parts: list[str]) -> None:
        self.here, self.parts = here, parts
        self.table: dict[str, Entry] = {}
        self._seen: dict[str, Entry] = {}
        self._since = 0.0

    def note(self, waiting: bool, hungry: bool, sent: int, received: int) -> None:
        """What is true here now."""
        old = self.table.get(self.here, (0, False, False, 0, 0))
        if old[1:] != (waiting, hungry, sent, received):
            self.table[self.here] = (old[0] + 1, waiting, hungry, sent, received)

    def hear(self, told: Any) -> None:
        """Take over what a neighbour knows better; raises WireError."""
        if not isinstance(told, dict) or len(told) > len(self.parts):
            raise WireError("not a table of parts")
        for part, entry in told.items():
            if part not in self.parts or not _is_entry(entry):
                raise WireError("not a table of parts")
            if part != self.here and entry[0] > self.table.get(part, (0,))[0]:
                self.table[part] = tuple(entry)

    def stuck(self, now: float) -> bool:
        """Whether the run as a whole waits for room; true once for each time that it does."""
        table = self.table
        entries = list(table.values())
        waits = len(entries) == len(self.parts) and all(e[1] for e in entries) and any(e[2] for e in entries)
        if not waits or sum(e[3] for e in entries) != sum(e[4] for e in entries):
            self._seen = {}
            return False
        if table != self._seen:
            self._seen, self._since = dict(table), now
            return False
        if now - self._since < CONFIRM_S:
            return False
        self._seen = {}
        return True


def _is_entry(entry: Any) -> bool:
    return (
        isinstance(entry, list)
        and [type(x) for x in entry] == [int, bool, bool, int, int]
        and all(0 <= entry[i] < 1 << 62 for i in (0, 3, 4))
    )
