"""Random nets cut at random edges: what comes out is what one process gives."""

import sys
from pathlib import Path

import numpy as np
import pytest
from parts import left_threads

sys.path.insert(0, str(Path(__file__).parent))
from linked import Part, spread
from test_random_graphs import net, outcome


@pytest.mark.parametrize("seed", range(12))
def test_a_random_net_in_random_parts(seed: int) -> None:
    whole, sinks = net(seed)
    whole.run(timeout_s=20)
    rng = np.random.default_rng(1000 + seed)
    names = ["p0", "p1", "p2"][: int(rng.integers(2, 4))]
    where = {block: str(rng.choice(names)) for block in whole.plan().blocks}
    found = {}

    def build() -> object:
        fg, ours = net(seed)
        found[id(fg)] = ours
        used = [n for n in names if n in where.values()]
        return fg.place(**{n: [b for b, p in where.items() if p == n] for n in used})

    parts: dict[str, Part] = spread(build, queue_depth=int(rng.integers(1, 9)))
    for part in parts.values():
        part.check()
    got = {name: sink for n, p in parts.items() for name, sink in found[id(p.graph)].items() if where[name] == n}
    assert outcome({name: got[name] for name in sinks}) == outcome(sinks)
    assert not left_threads()
