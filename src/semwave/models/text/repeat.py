"""A prompt that is sent only when it changed: what the transmitter leaves out and what the receiver keeps.

Each new prompt of a run has a generation, counted modulo 8, which travels in the scene header as the layer's codec
number, FIRST_CODEC + generation. A receiver that is told the generation of a scene without a prompt knows whether what
it keeps is still right; one that is not told keeps it until the next refresh.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from semwave.models.prompt_grammar import Prompt

FIRST_CODEC = 8
GENERATIONS = 8


def differences(one: Prompt, other: Prompt) -> int:
    """Number of fields in which two prompts differ."""
    return sum(getattr(one, field.name) != getattr(other, field.name) for field in fields(Prompt))


class PromptSender:
    """Which prompts to send: those that changed, and each again after ``refresh`` pictures.

    A caption or objects that differ are a change; of the measured fields, more than ``tolerance`` must differ.
    """

    def __init__(self, refresh: int = 30, tolerance: int = 3) -> None:
        if refresh < 1:
            raise ValueError(f"refresh must be at least 1 picture, not {refresh}")
        self._refresh, self._tolerance = refresh, tolerance
        self._last: Prompt | None = None
        self._generation, self._age = -1, 0

    def choose(self, prompt: Prompt) -> tuple[Prompt | None, int]:
        """The prompt to send with this picture, None where the last one still holds, and the codec number."""
        self._age += 1
        if self._last is None or self._changed(prompt):
            self._last, self._generation, self._age = prompt, (self._generation + 1) % GENERATIONS, 0
            return prompt, FIRST_CODEC + self._generation
        if self._age >= self._refresh:
            self._age = 0
            return self._last, FIRST_CODEC + self._generation
        return None, FIRST_CODEC + self._generation

    def _changed(self, prompt: Prompt) -> bool:
        last = self._last or Prompt()
        said = prompt.caption != last.caption or prompt.objects != last.objects
        return said or differences(prompt, last) > self._tolerance


class PromptMemory:
    """The receiver's side: the prompt of each scene, in order, from what arrived and what is kept."""

    def __init__(self) -> None:
        self._text: str | None = None
        self._codec = -1

    def recall(self, text: str | None, entry: Mapping[str, Any] | None) -> str | None:
        """The prompt that holds for a scene.

        ``text`` is the decoded prompt, None where none arrived; ``entry`` is the layer's entry of the scene packet's
        ``meta["layers"]`` (codec, ok), None where the layer was not sent. Prompts of pictures that have nothing to
        do with each other (another codec number) are not kept.
        """
        codec = -1 if entry is None else int(entry.get("codec", -1))
        if entry is not None and not FIRST_CODEC <= codec < FIRST_CODEC + GENERATIONS:
            self._text = None
            return text or None
        if text:
            self._text, self._codec = text, codec
        elif entry is not None and codec != self._codec:
            self._text = None  # a new prompt was lost: the old one is known to be wrong
        return self._text
