"""Prompts sent only when they changed, and what the receiver makes of what arrives."""

from dataclasses import replace

import pytest

from semwave.models.prompt import Prompt, parse
from semwave.models.text.repeat import FIRST_CODEC, GENERATIONS, PromptMemory, PromptSender, differences

ONE = parse("light dim cool; contrast low; edges none; sky 10%; caption a dog on a beach")
OTHER = replace(ONE, caption="a cat on a chair")


def test_sent_when_new_changed_or_old() -> None:
    sender = PromptSender(refresh=3)
    sent = [sender.choose(p) for p in (ONE, ONE, ONE, ONE, ONE, OTHER, OTHER, ONE)]
    assert [p is not None for p, _ in sent] == [True, False, False, True, False, True, False, True]
    assert [codec - FIRST_CODEC for _, codec in sent] == [0, 0, 0, 0, 0, 1, 1, 2]


def test_small_changes_of_measured_fields_are_not_sent() -> None:
    sender = PromptSender(tolerance=2)
    sender.choose(ONE)
    assert sender.choose(replace(ONE, sky=20, contrast="high"))[0] is None
    assert sender.choose(replace(ONE, sky=20, contrast="high", edges="mixed"))[0] is not None
    assert differences(ONE, OTHER) == 1


def test_generations_wrap() -> None:
    sender = PromptSender()
    codecs = [sender.choose(Prompt(caption=f"picture {i}"))[1] for i in range(GENERATIONS + 1)]
    assert codecs == [*range(FIRST_CODEC, FIRST_CODEC + GENERATIONS), FIRST_CODEC]


def entry(generation: int, ok: bool = True) -> dict[str, object]:
    return {"codec": FIRST_CODEC + generation, "ok": ok}


def test_receiver_keeps_what_still_holds() -> None:
    memory = PromptMemory()
    assert memory.recall(None, None) is None  # nothing came yet
    assert memory.recall("one", entry(0)) == "one"
    assert memory.recall(None, None) == "one"  # not sent
    assert memory.recall(None, entry(0)) == "one"  # not sent, and told so
    assert memory.recall(None, entry(0, ok=False)) == "one"  # a refresh was lost
    assert memory.recall(None, entry(1, ok=False)) is None  # a new one was lost: the old one is wrong
    assert memory.recall(None, None) is None
    assert memory.recall("one", entry(1)) == "one"


def test_receiver_keeps_nothing_of_separate_pictures() -> None:
    memory = PromptMemory()
    assert memory.recall("one", {"codec": 2, "ok": True}) == "one"
    assert memory.recall(None, {"codec": 2, "ok": False}) is None
    assert memory.recall(None, None) is None


def test_refresh_must_be_positive() -> None:
    with pytest.raises(ValueError, match="refresh must be at least 1 picture, not 0"):
        PromptSender(refresh=0)
