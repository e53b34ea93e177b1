"""Every registered block goes through the jig; see ``tests/jig.py`` for how to add an example."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import jig
import pytest

from semwave.runtime import Block, Composite, ConnectError, Frames, In, Out, Source, Stream, SyncBlock
from semwave.runtime.params import param_specs
from semwave.runtime.registry import block_class, names

EXAMPLES = jig.load_examples(Path(__file__).parent)
ALL = [example for name in names() for example in EXAMPLES.get(name, [])]


def case(example: jig.Example, *more: Any) -> Any:
    number = EXAMPLES[example.block].index(example)
    label = "-".join([example.block + (f"-{number}" if number else ""), *map(str, more)])
    return pytest.param(example, *more, id=label, marks=[pytest.mark.slow] * example.slow)


CASES = [case(example) for example in ALL]


@cache
def reference(example: jig.Example, folder: Path) -> jig.Outcome:
    """The run that sees every stream whole."""
    return jig.run(example, folder)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("jig")


@pytest.mark.parametrize("name", names())
def test_every_block_has_an_example(name: str) -> None:
    try:
        block_class(name)
    except ConnectError as error:
        pytest.fail(f"registered, but: {error}")
    assert name in EXAMPLES, f"add an Example({name!r}, ...) to tests/blocks/examples.py; tests/jig.py says how"


def test_every_example_is_of_a_registered_block() -> None:
    assert set(EXAMPLES) <= set(names())


@pytest.mark.parametrize("example", CASES)
def test_gives_what_is_expected_in_one_thread_and_again(example: jig.Example, folder: Path) -> None:
    outcome = reference(example, folder)
    jig.check_expected(example, outcome)
    block = example.make(folder)
    jig.agree(jig.run(example, folder, block=block, threads=False), outcome, example.atol, "in one thread")
    jig.agree(jig.run(example, folder, block=block), outcome, example.atol, "second run")


@pytest.mark.parametrize("example", CASES)
def test_shows_something(example: jig.Example, folder: Path) -> None:
    outcome = reference(example, folder)
    sent = sum(len(packets) for packets in outcome.packets.values())
    assert sent or outcome.state is not None or not outcome.packets, "the example makes the block send nothing"


WAYS: dict[str, Callable[[], dict[str, Any]]] = {
    "one item at a time": lambda: {"recut": jig.one_by_one},
    "random cuts 1, one thread": lambda: {"recut": jig.at_random(1), "threads": False},
    "random cuts 2": lambda: {"recut": jig.at_random(2)},
    "random cuts 3, shallow queues": lambda: {"recut": jig.at_random(3), "queue_depth": 1},
    "empty packets": lambda: {"empties": True},
    "chunk 1": lambda: {"chunk": 1},
    "chunk 997": lambda: {"chunk": 997},
    "sources in reverse": lambda: {"reverse": True},
    "optional outputs open": lambda: {"required_only": True},
}


def applies(example: jig.Example, way: str) -> bool:
    """Whether a way of running says anything about an example (asked of the class: nothing is built here)."""
    cls = _class(example)
    if cls is None or example.slow:
        return False
    ports = cls.class_ports.values()
    ins = [p for p in ports if isinstance(p, In)]
    if way.startswith("chunk"):
        return issubclass(cls, Source)
    if way.startswith("optional"):
        return any(isinstance(p, Out) and p.optional for p in ports)
    if way.startswith("sources"):
        return len(ins) > 1 and example.order
    if callable(example.feeds) or issubclass(cls, Composite):
        return any(not isinstance(p.spec, Frames) for p in ports) or issubclass(cls, Composite)
    return any(isinstance(feed.spec, Stream) for feed in example.feeds.values())


def _class(example: jig.Example) -> type[Block] | None:
    try:
        return block_class(example.block)
    except ConnectError:
        return None  # test_every_block_has_an_example says why


@pytest.mark.parametrize(
    ("example", "way"), [case(example, way) for example in ALL for way in WAYS if applies(example, way)]
)
def test_does_not_depend_on(example: jig.Example, way: str, folder: Path) -> None:
    jig.agree(jig.run(example, folder, **WAYS[way]()), reference(example, folder), example.atol, way)


BATCHED = [e for e in ALL if (cls := _class(e)) and "max_batch" in param_specs(cls)]


@pytest.mark.parametrize(("example", "max_batch"), [case(e, n) for e in BATCHED for n in (1, 3)])
def test_does_not_depend_on_batches(example: jig.Example, max_batch: int, folder: Path) -> None:
    changes = {"max_batch": max_batch, "max_wait_s": 0.05}
    jig.agree(jig.run(example, folder, changes=changes), reference(example, folder), example.atol, "other batches")


SYNC = [e for e in ALL if (cls := _class(e)) and issubclass(cls, SyncBlock) and not e.slow]


@pytest.mark.parametrize("example", [case(e) for e in SYNC])
def test_keeps_tags_in_place(example: jig.Example, folder: Path) -> None:
    jig.check_sync_tags(example, folder)


@pytest.mark.parametrize("example", CASES)
def test_repr_round_trips(example: jig.Example, folder: Path) -> None:
    jig.check_repr(example, folder)


@pytest.mark.parametrize("example", CASES)
def test_parameters_survive_a_flowgraph_file(example: jig.Example, folder: Path) -> None:
    jig.check_toml(example, folder)
