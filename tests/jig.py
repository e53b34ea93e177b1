"""The jig: one bench through which every registered block goes.

To add a block, put an :class:`Example` in a file ``tests/blocks/examples*.py``; every such file has a list called
``EXAMPLES``. A block may have several examples. ::

    Example("QamMapper", {"order": 16}, {"bits": stream(bits, tags=[Tag(8, "label", "here")])})
    Example("TextEncoder", {}, {"image": frames(photo), "mask": frames(mask)}, slow=True)
    Example("ImageSink", lambda folder: {"path": str(folder)}, {...}, state=lambda block: saved(block.path))

The block then runs inside real flowgraphs: a source for every feed, the block, a sink for every output. The run that
sees the streams whole is the reference; every other way to run it must give the same: one item at a time, random cuts,
empty packets first, between and last, one thread or several, sources in another order, other batches, a second run of
the same object, optional outputs left open. What crosses an edge must not change afterwards, inputs must come out of
the run as they went in, outputs must be numbered without a gap, and tags of sync blocks must sit at ``index * rate``.
"""

import copy
import importlib.util
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from semwave.blocks.basic import Head
from semwave.runtime import (
    ANY,
    Array,
    Block,
    Context,
    Flowgraph,
    FrameBlock,
    Frames,
    In,
    Out,
    Packet,
    Source,
    Stream,
    SyncBlock,
    Tag,
)
from semwave.runtime.packet import Spec
from semwave.runtime.registry import block_class

TIMEOUT_S = 100.0
ONE_BY_ONE = 1500  # items of a stream that go one at a time; the rest goes in small odd chunks


# ---- what people write --------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Feed:
    """What one input gets: a spec and packets."""

    spec: Spec
    packets: tuple[Packet, ...]


def stream(data: Any, tags: Iterable[Tag] = (), sample_rate: float | None = None, **meta: Any) -> Feed:
    """A stream whose items are ``data`` (a numpy array), tags at absolute indices."""
    array = np.array(data)
    return Feed(Stream(array.dtype, array.shape[1:], sample_rate), (Packet(array, 0, tuple(tags), meta),))


def frames(*items: Any, sample_rate: float | None = None, **meta: Any) -> Feed:
    """Frames in a row: arrays (numbered, all with ``meta`` and ``number``), or packets as they are."""
    packets = tuple(
        item if isinstance(item, Packet) else Packet(np.array(item), i, (), {"number": i, **meta})
        for i, item in enumerate(items)
    )
    axes = tuple(f"axis{i}" for i in range(packets[0].data.ndim))
    return Feed(Frames(packets[0].data.dtype, axes, sample_rate), packets)


@dataclass(frozen=True, eq=False)
class Example:
    """One block with parameters and inputs that show it at work.

    ``parameters`` and ``feeds`` may be functions: of a scratch folder the one, of nothing the other (for inputs that
    are costly to make). ``items`` cuts an endless source. ``state`` gives what a block without outputs has to show,
    such as ``lambda sink: sink.data``. ``expect`` gives the right answer per output port (all items of a stream in one
    array, a list of arrays for frames). ``atol``: how far floats may differ between runs (0: not at all). ``slow``:
    whole, twice, no other cut. ``order``: whether frames on different inputs may overtake each other.
    """

    block: str
    parameters: Mapping[str, Any] | Callable[[Path], Mapping[str, Any]] = field(default_factory=dict)
    feeds: Mapping[str, Feed] | Callable[[], Mapping[str, Feed]] = field(default_factory=dict)
    items: int | None = None
    state: Callable[[Any], Any] | None = None
    expect: Callable[[], Mapping[str, Any]] | None = None
    atol: float = 0.0
    slow: bool = False
    order: bool = True
    note: str = ""

    def make(self, folder: Path, **changes: Any) -> Block:
        """A new block."""
        given = self.parameters(folder) if callable(self.parameters) else self.parameters
        return block_class(self.block)(**{**given, **changes})

    def feed(self) -> Mapping[str, Feed]:
        """The inputs."""
        return self.feeds() if callable(self.feeds) else self.feeds


def load_examples(folder: Path) -> dict[str, list[Example]]:
    """All examples of the files ``examples*.py`` in ``folder``, by block name."""
    found: dict[str, list[Example]] = {}
    for file in sorted(folder.glob("examples*.py")):
        name = f"jig_{file.stem}"
        spec = importlib.util.spec_from_file_location(name, file)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        for example in module.EXAMPLES:
            found.setdefault(example.block, []).append(example)
    return found


# ---- the bench ----------------------------------------------------------------------------------------------


class Feeder(Source):
    """Give prepared packets, with empty ones around them if asked."""

    items = Out(ANY)

    def load(self, feed: Feed, empties: bool) -> "Feeder":
        """Take the packets."""
        self._feed, self._empties = feed, empties and isinstance(feed.spec, Stream)
        return self

    def negotiate(self, inputs: dict[str, Spec]) -> dict[str, Spec]:
        """As the feed says."""
        return {"items": self._feed.spec}

    def packets(self) -> Iterator[Packet]:
        """In order."""
        for packet in self._feed.packets:
            if not self._empties:
                yield Packet(packet.data, packet.start, packet.tags, packet.meta)
                continue
            half = len(packet.data) // 2
            for part in (slice(0, 0), slice(0, half), slice(half, half), slice(half, None), slice(0, 0)):
                piece = packet.data[part]
                at = packet.start + (part.start or 0)
                yield Packet(piece, at, _between(packet.tags, at, at + len(piece)), packet.meta)


class Keep(FrameBlock):
    """Keep what comes, and a copy of it as it was when it came."""

    items = In(ANY)

    def start(self, ctx: Context) -> None:
        """Forget the last run."""
        self.packets: list[Packet] = []
        self.copies: list[Array] = []

    def work(self, items: Packet) -> None:
        """Keep both."""
        self.packets.append(items)
        self.copies.append(items.data.copy())


def _between(tags: Iterable[Tag], low: int, high: int) -> tuple[Tag, ...]:
    return tuple(t for t in tags if low <= t.at < high)


def cut(packet: Packet, sizes: Iterable[int]) -> list[Packet]:
    """A stream packet in pieces of these sizes."""
    pieces, at = [], 0
    for size in sizes:
        if at >= len(packet.data):
            break
        data, start = packet.data[at : at + size], packet.start + at
        pieces.append(Packet(data, start, _between(packet.tags, start, start + len(data)), packet.meta))
        at += size
    return pieces


def one_by_one(packet: Packet) -> list[Packet]:
    """One item at a time, as long as that is bearable."""
    n = len(packet.data)
    few = min(n, ONE_BY_ONE)
    return cut(packet, [1] * few + [61] * ((n - few) // 61 + 1))


def at_random(seed: int) -> Callable[[Packet], list[Packet]]:
    """A cutter that draws its sizes; the same packet is always cut at the same places."""

    def recut(packet: Packet) -> list[Packet]:
        rng = np.random.default_rng([seed, packet.start, len(packet.data)])
        biggest = min(int(rng.choice([3, 40, 700, 9000])), max(1, len(packet.data) // 2))
        return cut(packet, iter(lambda: int(rng.integers(1, biggest + 1)), 0))

    return recut


@dataclass
class Outcome:
    """What came out of a run."""

    packets: dict[str, list[Packet]]
    is_stream: dict[str, bool]
    state: Any = None

    def data(self, port: str) -> Any:
        """One array of a stream, a list of arrays of frames."""
        arrays = [p.data for p in self.packets[port]]
        if not self.is_stream[port]:
            return arrays
        return np.concatenate(arrays) if arrays else np.empty(0)

    def tags(self, port: str) -> list[Tag]:
        """All tags, sorted."""
        return sorted((t for p in self.packets[port] for t in p.tags), key=lambda t: (t.at, t.key, repr(t.value)))


def run(
    example: Example,
    folder: Path,
    *,
    block: Block | None = None,
    empties: bool = False,
    reverse: bool = False,
    required_only: bool = False,
    changes: Mapping[str, Any] | None = None,
    **options: Any,
) -> Outcome:
    """Run an example once and check all that can be checked on a single run."""
    block = block or example.make(folder, **(changes or {}))
    feeds = example.feed()
    before = {port: [_backup(p) for p in feed.packets] for port, feed in feeds.items()}
    graph, sinks = _graph(example, block, feeds, empties, reverse, required_only)
    plan = graph.plan()
    graph.run(timeout_s=TIMEOUT_S, **options)
    for port, feed in feeds.items():
        for packet, backup in zip(feed.packets, before[port], strict=True):
            same(_backup(packet), backup, f"input {port}: the run changed {packet!r}")
    outcome = Outcome({}, {}, copy.deepcopy(example.state(block)) if example.state else None)
    for port, sink in sinks.items():
        outcome.is_stream[port] = isinstance(plan.inputs[f"out_{port}"]["items"], Stream)
        outcome.packets[port] = sink.packets
        for packet, was in zip(sink.packets, sink.copies, strict=True):
            same(packet.data, was, f"output {port}: {packet!r} was changed after it had been sent")
            assert not packet.data.flags.writeable, f"output {port}: {packet!r} can be written to"
        _contiguous(port, outcome)
    return outcome


def _graph(
    example: Example, block: Block, feeds: Mapping[str, Feed], empties: bool, reverse: bool, required_only: bool
) -> tuple[Flowgraph, dict[str, Keep]]:
    graph = Flowgraph(seed=7)
    for port in reversed(list(feeds)) if reverse else feeds:
        graph.add({f"in_{port}": Feeder().load(feeds[port], empties)})
    graph.add(block=block)
    for port in feeds:
        graph.connect(f"in_{port} > block.{port}")
    sinks: dict[str, Keep] = {}
    for port, out in block.outputs.items():
        if required_only and out.optional:
            continue
        sinks[port] = Keep()
        graph.add({f"out_{port}": sinks[port]})
        if example.items is None:
            graph.connect(f"block.{port} > out_{port}")
        else:
            graph.add({f"head_{port}": Head(count=example.items)}).connect(
                f"block.{port} > head_{port}", f"head_{port} > out_{port}"
            )
    return graph, sinks


def _backup(packet: Packet) -> Any:
    return packet.data.copy(), packet.start, packet.tags, copy.deepcopy(dict(packet.meta))


def _contiguous(port: str, outcome: Outcome) -> None:
    expected = 0
    for packet in outcome.packets[port]:
        assert packet.start == expected, f"output {port}: {packet!r} should start at {expected}"
        if outcome.is_stream[port]:
            assert all(expected <= t.at < expected + len(packet.data) for t in packet.tags), (
                f"output {port}: {packet!r} has tags outside itself: {packet.tags}"
            )
        expected += len(packet.data) if outcome.is_stream[port] else 1


def agree(found: Outcome, reference: Outcome, atol: float, what: str) -> None:
    """Two outcomes are the same; of streams, packet borders do not count."""
    for port in found.packets:
        where = f"{what}: output {port}"
        same(found.data(port), reference.data(port), where, atol)
        same(found.tags(port), reference.tags(port), f"{where}: tags", atol)
        if not found.is_stream[port]:
            for a, b in zip(found.packets[port], reference.packets[port], strict=True):
                same(dict(a.meta), dict(b.meta), f"{where}: meta of {a!r}", atol)
    same(found.state, reference.state, f"{what}: state", atol)


def same(a: Any, b: Any, where: str, atol: float = 0.0) -> None:
    """Deep equality that knows arrays and NaN; says where the difference is."""
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        assert a.shape == b.shape, f"{where}: shape {a.shape}, not {b.shape}"
        assert a.dtype == b.dtype or not a.size, f"{where}: {a.dtype}, not {b.dtype}"
        close = a.dtype.kind in "fc" and atol
        equal = np.allclose(a, b, 0, atol, True) if close else np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")
        assert equal, f"{where}: differs first at {_first_difference(a, b)}"
    elif isinstance(a, Mapping) and isinstance(b, Mapping):
        assert set(a) == set(b), f"{where}: keys {sorted(a)}, not {sorted(b)}"
        for key in a:
            same(a[key], b[key], f"{where}[{key!r}]", atol)
    elif isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        assert len(a) == len(b), f"{where}: {len(a)} of them, not {len(b)}"
        for i, (x, y) in enumerate(zip(a, b, strict=True)):
            same(x, y, f"{where}[{i}]", atol)
    elif isinstance(a, float) and isinstance(b, float):
        assert a == b or (a != a and b != b) or abs(a - b) <= atol, f"{where}: {a!r}, not {b!r}"
    else:
        assert a == b, f"{where}: {a!r}, not {b!r}"


def _first_difference(a: Array, b: Array) -> str:
    differs = ~((a == b) | ((a != a) & (b != b)))
    at = tuple(int(i) for i in np.argwhere(differs)[0]) if differs.any() else ()
    return f"{list(at)}: {a[at]!r}, not {b[at]!r}"


# ---- what is checked ----------------------------------------------------------------------------------------


def tagged(example: Example) -> tuple[Example, list[int]]:
    """The example with a tag at some items of its first stream input, and where they are."""
    feeds = dict(example.feed())
    port, feed = next(iter(feeds.items()))
    packet = feed.packets[0]
    places = sorted({0, len(packet.data) // 3, len(packet.data) // 2})
    tags = tuple(Tag(packet.start + at, "jig", at) for at in places)
    marked = Packet(packet.data, packet.start, (*packet.tags, *tags), packet.meta)
    feeds[port] = Feed(feed.spec, (marked, *feed.packets[1:]))
    return Example(example.block, example.parameters, feeds, atol=example.atol, state=example.state), places


def check_sync_tags(example: Example, folder: Path) -> None:
    """Tags of a sync block's input come out at ``index * rate``, however the stream is cut."""
    marked, places = tagged(example)
    block = example.make(folder)
    assert isinstance(block, SyncBlock)
    for recut in (one_by_one, at_random(5)):
        outcome = run(marked, folder, recut=recut)
        for port, is_stream in outcome.is_stream.items():
            if is_stream:
                rate = Fraction(block.rate())
                found = [(t.at, t.value) for t in outcome.tags(port) if t.key == "jig"]
                expected = [(int(at * rate), at) for at in places]
                made = len(outcome.data(port))
                assert found == [e for e in expected if e[0] < made], f"output {port}: tags at {found}"


def check_repr(example: Example, folder: Path) -> None:
    """``eval(repr(block))`` gives an equal block."""
    block = example.make(folder)
    cls = type(block)
    twin = eval(repr(block), {cls.__qualname__: cls, "inf": float("inf")})
    assert twin.parameters() == block.parameters()


def check_toml(example: Example, folder: Path) -> None:
    """A flowgraph file holds the parameters without loss."""
    from semwave.runtime import graphfile

    block = example.make(folder)
    file = folder / "graph.toml"
    file.write_text(graphfile.dumps(Flowgraph(seed=3).add(block=block)), encoding="utf-8")
    twin = graphfile.load(file).blocks["block"]
    assert type(twin) is type(block)
    assert twin.parameters() == block.parameters()


def check_expected(example: Example, outcome: Outcome) -> None:
    """The right answer, where the example knows it."""
    if example.expect:
        for port, expected in example.expect().items():
            same(outcome.data(port), expected, f"output {port}", example.atol)


__all__ = [
    "Example", "Feed", "Keep", "Outcome", "agree", "at_random", "check_expected", "check_repr", "check_sync_tags",
    "check_toml", "cut", "frames", "load_examples", "one_by_one", "run", "same", "stream",
]  # fmt: skip
