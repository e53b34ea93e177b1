"""How parts find out together that no bound can be right."""

from typing import Any

import pytest

from semwave.runtime.gossip import CONFIRM_S, Gossip
from semwave.runtime.wirecode import WireError

PARTS = ["a", "b", "c"]


def three() -> list[Gossip]:
    return [Gossip(part, PARTS) for part in PARTS]


def spread_news(all_of_them: list[Gossip]) -> None:
    """Along the chain a - b - c, there and back."""
    a, b, c = all_of_them
    for one, other in ((a, b), (b, c), (c, b), (b, a)):
        other.hear({k: list(v) for k, v in one.table.items()})


def test_all_wait_and_one_is_hungry_and_nothing_is_on_its_way() -> None:
    parts = three()
    for part, (hungry, sent, received) in zip(parts, ((True, 9, 0), (False, 0, 4), (False, 0, 5)), strict=True):
        part.note(True, hungry, sent, received)
    spread_news(parts)
    for part in parts:
        assert not part.stuck(0.0)
        assert not part.stuck(CONFIRM_S / 2)
        assert part.stuck(CONFIRM_S)
        assert not part.stuck(CONFIRM_S)  # once


@pytest.mark.parametrize(
    "last",
    [
        (False, False, 0, 5),  # one is at work
        (True, False, 0, 4),  # a message is on its way
        None,  # nothing is known of one
    ],
)
def test_what_is_no_deadlock(last: Any) -> None:
    parts = three()
    parts[0].note(True, True, 9, 0)
    parts[1].note(True, False, 0, 4)
    if last:
        parts[2].note(*last)
    spread_news(parts)
    for now in (0.0, 1.0, 2.0):
        assert not any(part.stuck(now) for part in parts)


def test_nobody_is_hungry() -> None:
    parts = three()
    for part in parts:
        part.note(True, False, 0, 0)
    spread_news(parts)
    assert not any(part.stuck(now) for now in (0.0, 1.0) for part in parts)


def test_a_change_begins_the_wait_anew() -> None:
    lone = Gossip("a", ["a"])
    lone.note(True, True, 0, 0)
    assert not lone.stuck(0.0)
    lone.note(True, True, 1, 1)
    assert not lone.stuck(1.0)
    assert lone.stuck(1.0 + CONFIRM_S)


def test_older_news_and_news_of_oneself_are_not_taken() -> None:
    a = Gossip("a", PARTS)
    a.note(True, True, 1, 2)
    mine = a.table["a"]
    a.hear({"a": [99, False, False, 0, 0], "b": [5, True, False, 1, 1]})
    a.hear({"b": [4, False, False, 0, 0]})
    assert a.table == {"a": mine, "b": (5, True, False, 1, 1)}


@pytest.mark.parametrize(
    "told",
    [3, [], {"z": [1, True, True, 0, 0]}, {"b": 1}, {"b": [1, 1, True, 0, 0]}, {"b": [-1, True, True, 0, 0]},
     {"b": [1 << 80, True, True, 0, 0]}, {"b": [1, True, True, 0]}, {key: [1, True, True, 0, 0] for key in "abcd"}],
    ids=str,
)  # fmt: skip
def test_what_is_no_table(told: Any) -> None:
    with pytest.raises(WireError):
        Gossip("a", PARTS).hear(told)
