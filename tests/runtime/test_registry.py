from importlib.metadata import EntryPoint

import pytest

from semwave.blocks.basic import Copy
from semwave.runtime import ConnectError, registry


def test_names_are_sorted_and_known() -> None:
    names = registry.names()
    assert names == sorted(names)
    assert {"Copy", "Head", "VectorSink"} <= set(names)
    assert registry.block_class("Copy") is Copy


def test_every_name_is_its_class() -> None:
    wrong = {n: where for n, where in registry.BLOCKS.items() if where.rpartition(":")[2] != n}
    assert not wrong, "a block is called by its class, so that repr, files and messages agree"


def test_an_unknown_name_gets_a_hint() -> None:
    with pytest.raises(ConnectError, match=r"no block class 'Cpoy'; there are .*Copy.* \(did you mean Copy\?\)"):
        registry.block_class("Cpoy")


@pytest.mark.parametrize(
    ("where", "text"),
    [
        ("semwave.nowhere:X", r"block class Odd cannot be imported from semwave.nowhere: No module named"),
        ("semwave.blocks.basic:Nothing", r"block class Odd: semwave.blocks.basic has no Nothing"),
        ("semwave.blocks.basic:np", r"block class Odd: semwave.blocks.basic:np is not a Block"),
        ("semwave.runtime.packet:Packet", r"block class Odd: semwave.runtime.packet:Packet is not a Block"),
    ],
)
def test_a_bad_entry_is_explained(where: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.BLOCKS, "Odd", where)
    with pytest.raises(ConnectError, match=text):
        registry.block_class("Odd")


def test_other_packages_announce_theirs_and_cannot_replace_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [
        EntryPoint("Theirs", "semwave.blocks.basic:Copy", "semwave.blocks"),
        EntryPoint("Head", "semwave.blocks.basic:Copy", "semwave.blocks"),
    ]
    monkeypatch.setattr(registry, "entry_points", lambda group: entries if group == "semwave.blocks" else [])
    registry.outside.cache_clear()
    try:
        assert registry.block_class("Theirs") is Copy
        assert "Theirs" in registry.names()
        assert registry.block_class("Head").__name__ == "Head"
    finally:
        registry.outside.cache_clear()
