"""Random nets of light and heavy blocks: whatever the schedule, the same comes out, and nothing hangs."""

import jig
import numpy as np
import pytest
from parts import Dice, Every, HeavyCopy, HeavyHoard, HeavyPass, Hoard, Numbers, Pass, Repeat, Sum, left_threads

from semwave.blocks.basic import Copy, Head, VectorSink
from semwave.runtime import Flowgraph

ONE_TO_ONE = [Copy, Pass, HeavyCopy, HeavyPass, Hoard, HeavyHoard, Dice]


def net(seed: int) -> tuple[Flowgraph, dict[str, VectorSink]]:
    """One to three sources, up to twelve blocks on any open end, a sink on every end that is left."""
    rng = np.random.default_rng(seed)
    fg = Flowgraph(seed=seed, chunk=int(rng.integers(1, 40)))
    ends: list[str] = []
    for i in range(int(rng.integers(1, 4))):
        fg.add({f"s{i}": Numbers(count=int(rng.integers(0, 200)), tag_every=int(rng.integers(0, 9)))})
        ends.append(f"s{i}.items")
    for i in range(int(rng.integers(1, 12))):
        name, kind, end = f"b{i}", rng.random(), str(rng.choice(ends))
        if kind < 0.3:
            fg.add({name: Sum()}).connect(f"{end} > {name}.a", f"{rng.choice(ends)} > {name}.b")
            ends.append(f"{name}.total")
            continue
        if kind < 0.4:
            fg.add({name: Repeat(times=int(rng.integers(1, 4)))})
        elif kind < 0.5:
            fg.add({name: Every(up=int(rng.integers(1, 3)), down=int(rng.integers(2, 6)))})
        elif kind < 0.6:
            fg.add({name: Head(count=int(rng.integers(0, 150)))})
        else:
            fg.add({name: ONE_TO_ONE[int(rng.integers(len(ONE_TO_ONE)))]()})
        fg.connect(f"{end} > {name}")
        ends.append(f"{name}.{next(iter(fg.blocks[name].outputs))}")
    used = {f"{e.source}.{e.out}" for e in fg.edges}
    sinks = {f"k{i}": VectorSink() for i, end in enumerate(ends) if end not in used or rng.random() < 0.2}
    fg.add(sinks).connect(*(f"{ends[int(name[1:])]} > {name}" for name in sinks))
    return fg, sinks


def outcome(sinks: dict[str, VectorSink]) -> dict[str, object]:
    return {
        name: (
            [int(i) for p in sink.packets for i in p.data],
            sorted((t.at, t.value) for p in sink.packets for t in p.tags),
        )
        for name, sink in sinks.items()
    }


@pytest.mark.parametrize("seed", range(60))
def test_a_random_net(seed: int) -> None:
    fg, sinks = net(seed)
    fg.run(timeout_s=20, threads=False)
    expected = outcome(sinks)
    for options in (
        {"queue_depth": 1},
        {"queue_depth": 3, "recut": jig.at_random(seed)},
        {"chunk": 1000},
        {"threads": False, "recut": jig.one_by_one},
    ):
        fg.run(timeout_s=20, **options)
        assert outcome(sinks) == expected, options
    assert not left_threads()
