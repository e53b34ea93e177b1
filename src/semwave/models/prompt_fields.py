"""Coding of the prompt's measured fields with static tables: what to code, not how.

A coder is called with a table and a symbol and gives the symbol back: a writer writes what it is shown, a reader reads,
whatever it is shown. Reading and writing a field are then one function.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Protocol

from semwave.models import describe, shortcode
from semwave.models import prompt_grammar as grammar
from semwave.models.prompt_grammar import Cell, Prompt, PromptError, Row


class Coder(Protocol):
    """Writes or reads one symbol of a table, or a text."""

    def __call__(self, table: shortcode.Table, symbol: int, /) -> int:
        """The symbol that was written or read."""

    def text(self, text: str, /) -> str:
        """The text that was written or read."""


# Is a field there? (no, yes) for each.
THERE = {
    "scene": (55, 45), "light": (5, 95), "contrast": (5, 95), "top": (5, 95), "middle": (5, 95), "bottom": (5, 95),
    "edges": (5, 95), "sky": (50, 50), "vegetation": (45, 55), "colours": (10, 90), "caption": (30, 70),
}  # fmt: skip
_SCENE, _LIGHT, _WARMTH = shortcode.Table((95, 5)), shortcode.Table((9, 29, 40, 22)), shortcode.uniform(3)
_CONTRAST, _EDGES = shortcode.Table((5, 17, 39, 39)), shortcode.Table((8, 47, 25, 5, 15))
_TENTHS = shortcode.Table((4, 30, 22, 16, 12, 9, 7, 5, 4, 3, 2))
_COUNT, _DIGIT, _NO_CELL = shortcode.Table((1, 30, 1)), shortcode.uniform(16), shortcode.Table((95, 5))
# Share of each colour of the palette among cells of training photographs, per 1024 (at least 2).
_COMMON = (
    22, 64, 116, 70, 17, 25, 62, 91, 52, 18, 14, 25, 28, 28, 16, 15, 25, 25, 23, 5, 3, 5, 2, 2, 2, 4, 5, 3, 3, 2,
    9, 11, 2, 3, 2, 16, 37, 29, 22, 4, 6, 18, 8, 5, 3, 2, 7, 9, 11, 5, 2, 3, 2, 2, 2, 7, 16, 5, 6, 2,
)  # fmt: skip
# Texture of a cell after that of the cell before; the last row is for the first cell.
_TEXTURE = (
    (60, 25, 9, 4, 2),
    (18, 42, 25, 11, 4),
    (6, 22, 36, 26, 10),
    (3, 9, 25, 38, 25),
    (2, 4, 11, 29, 54),
    (20, 22, 21, 20, 17),
)
_NEAR = 1500  # squared RGB distance at which a neighbour's colour counts a quarter
_LIKENESS = 16  # how much more likely a neighbour's own colour is, per neighbour


def _choice(table: shortcode.Table, allowed: tuple[str, ...]) -> Callable[[Coder, str | None, Prompt], object]:
    def code(coder: Coder, value: str | None, prompt: Prompt) -> str:
        return allowed[coder(table, allowed.index(value) if value else 0)]

    return code


def _light(coder: Coder, value: tuple[str, str] | None, prompt: Prompt) -> tuple[str, str]:
    light, warmth = value or (grammar.LIGHTS[0], grammar.WARMTHS[0])
    return (
        grammar.LIGHTS[coder(_LIGHT, grammar.LIGHTS.index(light))],
        grammar.WARMTHS[coder(_WARMTH, grammar.WARMTHS.index(warmth))],
    )


def _share(coder: Coder, value: int | None, prompt: Prompt) -> int:
    return 10 * coder(_TENTHS, (value or 0) // 10)


def _colours(coder: Coder, value: tuple[tuple[str, int], ...] | None, prompt: Prompt) -> tuple[tuple[str, int], ...]:
    """The second share is coded as what it lacks of the rest, which is mostly nothing."""
    value, out, left = value or (), [], 100
    for index in range(1 + coder(_COUNT, len(value) - 1 if value else 0)):
        colour, share = value[index] if index < len(value) else ("#000", 0)
        digits = [coder(_DIGIT, int(digit, 16)) for digit in colour[1:]]
        if index == 0:
            share = 10 * coder(_FIRST_SHARE, share // 10)
        else:
            share = left - 10 * (coder(_LACK, (left - share) // 10 + 10) - 10)
        left = max(left - share, 0)
        if not 0 <= share <= 100:
            raise PromptError(f"colours must have shares of 0 to 100 %, not {share}")
        out.append(("#" + "".join("0123456789abcdef"[digit] for digit in digits), share))
    return tuple(out)


def _row(name: str) -> Callable[[Coder, Row | None, Prompt], Row]:
    above_name = dict(zip(grammar.ROWS[1:], grammar.ROWS, strict=False)).get(name)

    def code(coder: Coder, value: Row | None, prompt: Prompt) -> Row:
        above: Row = (getattr(prompt, above_name) if above_name else None) or (None, None, None)
        cells: list[Cell | None] = []
        for column in range(3):
            left = cells[-1] if cells else None
            cells.append(_cell(coder, value[column] if value else None, left, above[column]))
        return (cells[0], cells[1], cells[2])

    return code


def _cell(coder: Coder, cell: Cell | None, left: Cell | None, above: Cell | None) -> Cell | None:
    if coder(_NO_CELL, int(cell is None)):
        return None
    near = tuple(grammar.COLOURS.index(other.colour) for other in (left, above) if other)
    colour = coder(_colour_table(near), grammar.COLOURS.index(cell.colour) if cell else 0)
    before = left or above
    table = _TEXTURES[grammar.TEXTURES.index(before.texture) if before else -1]
    return Cell(
        grammar.COLOURS[colour], grammar.TEXTURES[coder(table, grammar.TEXTURES.index(cell.texture) if cell else 0)]
    )


@lru_cache(maxsize=1024)
def _colour_table(near: tuple[int, ...]) -> shortcode.Table:
    """Common colours and those like the neighbours' are likely; integers only, so that all machines agree."""
    frequencies = list(_COMMON)
    for other in near:
        apart = ((describe.PALETTE - describe.PALETTE[other]) ** 2).sum(axis=1)
        for index, squared in enumerate(apart):
            frequencies[index] += _LIKENESS * _COMMON[index] * _NEAR**2 // (_NEAR + int(squared)) ** 2
    return shortcode.Table(frequencies)


_FIRST_SHARE = shortcode.Table((1, 1, 1, 1, 1, 30, 28, 20, 12, 6, 1))
_LACK = shortcode.Table((1,) * 10 + (200,) + (2,) * 10)
_TEXTURES = tuple(shortcode.Table(row) for row in _TEXTURE)

CODERS: dict[str, Callable[..., object]] = {
    "scene": _choice(_SCENE, grammar.SCENES),
    "light": _light,
    "contrast": _choice(_CONTRAST, grammar.CONTRASTS),
    "top": _row("top"),
    "middle": _row("middle"),
    "bottom": _row("bottom"),
    "edges": _choice(_EDGES, grammar.EDGES),
    "sky": _share,
    "vegetation": _share,
    "colours": _colours,
    "caption": lambda coder, value, prompt: coder.text(value or ""),
}
