"""Text as tokens of the prompt codec and back, without loss: words in lower case, marks, what is unusual about them.

A word is taken to follow a space (the first one follows none), a mark to follow none; SWITCH says that it is the other
way round. Words outside the list, and all other characters, are SPELL and their characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

END, SPELL, CAPITAL, CAPITALS, SWITCH = range(5)  # the end comes first
MARKS = ".,'!?-\":()/&%#+"
FIRST_MARK, FIRST_WORD = 5, 5 + len(MARKS)
MAX_CHARACTERS = 4000
_ITEM = re.compile(r" ?[^\W_]+| ?[" + re.escape(MARKS) + r"]|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Piece:
    """One token; ``spelt`` holds the characters where it is SPELL."""

    token: int
    spelt: str = ""


def pieces(text: str, numbers: Mapping[str, int]) -> list[Piece]:
    """Tokens of ``text``, without the end; ``numbers`` gives the token of each known word."""
    out: list[Piece] = []
    for index, item in enumerate(_ITEM.findall(text)):
        spaced = item.startswith(" ") and len(item) > 1
        core = item[1:] if spaced else item
        if core in MARKS:
            out += [Piece(SWITCH)] * spaced + [Piece(FIRST_MARK + MARKS.index(core))]
            continue
        out += [Piece(SWITCH)] * (spaced == (index == 0))
        out += _word(core, numbers)
    return out


def _word(core: str, numbers: Mapping[str, int]) -> list[Piece]:
    lower = core.lower()
    for case, restored in ((None, lower), (CAPITAL, _capital(lower)), (CAPITALS, lower.upper())):
        if restored == core:
            told = [] if case is None else [Piece(case)]
            return [*told, Piece(numbers[lower]) if lower in numbers else Piece(SPELL, lower)]
    return [Piece(SPELL, core)]


def _capital(word: str) -> str:
    return word[:1].upper() + word[1:]


class Writer:
    """Puts tokens together to a text. Raises ValueError above MAX_CHARACTERS."""

    def __init__(self, words: Mapping[int, str]) -> None:
        self._words, self._out, self._length = words, [""], 0
        self._case, self._switch = 0, False

    def push(self, piece: Piece) -> None:
        """Add a token."""
        if piece.token in (CAPITAL, CAPITALS):
            self._case = piece.token
        elif piece.token == SWITCH:
            self._switch = True
        else:
            self._add(piece)

    def _add(self, piece: Piece) -> None:
        if FIRST_MARK <= piece.token < FIRST_WORD:
            added = " " * self._switch + MARKS[piece.token - FIRST_MARK]
        else:
            word = piece.spelt if piece.token == SPELL else self._words[piece.token]
            word = {CAPITAL: _capital, CAPITALS: str.upper}.get(self._case, str)(word)
            added = " " * (self._switch == (self._length == 0)) + word
        self._case, self._switch = 0, False
        self._out.append(added)
        self._length += len(added)
        if self._length > MAX_CHARACTERS:
            raise ValueError(f"text must have at most {MAX_CHARACTERS} characters")

    @property
    def text(self) -> str:
        """What was written."""
        return "".join(self._out)


def joined(words: Iterable[str]) -> str:
    """A caption from its words; a possessive joins the word before it."""
    return " ".join(words).replace(" 's", "'s")
