"""The structured prompt: the rest of a picture in words that people can read and edit.

    scene outdoor; light bright warm; contrast high; top pale blue smooth, white smooth, pale blue soft;
    middle green rough, -, dark green rough; bottom grey soft; edges horizontal; sky 30%; vegetation 40%;
    colours #7ac 40% #352 30%; caption two dogs run on a meadow

Fields are separated by ``;`` and may all be left out. They stand for the *rest*, what lies outside the key mask.

========== ======================================================================================
field      value
========== ======================================================================================
scene      ``outdoor`` or ``indoor``
light      ``dark``, ``dim``, ``medium`` or ``bright``, then ``cool``, ``neutral`` or ``warm``
contrast   ``flat``, ``low``, ``medium`` or ``high``
top        cells of the upper third from left to right, ``colour texture`` each, ``-`` where all is key;
           one cell alone stands for three equal ones. ``middle`` and ``bottom`` likewise
edges      ``none``, ``horizontal``, ``vertical``, ``diagonal`` or ``mixed``: the main direction of edges
sky        share of sky-like pixels in steps of 10 %; ``vegetation`` likewise
colours    up to three main colours, ``#rgb`` and share in steps of 10 %
caption    free text to the end of the prompt, without ``;``
========== ======================================================================================

A colour is a hue of ``HUES``, alone or after a tone of ``TONES``; a texture is one of ``TEXTURES``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, fields, replace

HUES = ("grey", "taupe", "slate", "brown", "red", "orange", "yellow", "green", "teal", "blue", "purple", "pink")
TONES = ("deep", "dark", "", "light", "pale")
TEXTURES = ("smooth", "soft", "grainy", "textured", "rough")
SCENES = ("outdoor", "indoor")
LIGHTS = ("dark", "dim", "medium", "bright")
WARMTHS = ("cool", "neutral", "warm")
CONTRASTS = ("flat", "low", "medium", "high")
EDGES = ("none", "horizontal", "vertical", "diagonal", "mixed")
COLOURS = tuple(f"{tone} {hue}".strip() for hue in HUES for tone in TONES)
ROWS = ("top", "middle", "bottom")
MAX_COLOURS = 3
MAX_CAPTION = 1000  # characters


class PromptError(ValueError):
    """A prompt, or the bytes of one, that cannot be understood."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One ninth of the picture: a colour of COLOURS and a texture of TEXTURES."""

    colour: str
    texture: str

    def __str__(self) -> str:
        return f"{self.colour} {self.texture}"


Row = tuple[Cell | None, Cell | None, Cell | None]


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is said about the rest of a picture; None or empty where nothing is said."""

    scene: str | None = None
    light: tuple[str, str] | None = None
    contrast: str | None = None
    top: Row | None = None
    middle: Row | None = None
    bottom: Row | None = None
    edges: str | None = None
    sky: int | None = None
    vegetation: int | None = None
    colours: tuple[tuple[str, int], ...] = ()
    caption: str = ""

    def __str__(self) -> str:
        parts = []
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None and value not in ((), ""):
                parts.append(f"{field.name} {_write(field.name, value)}")
        return "; ".join(parts)


def parse(text: str) -> Prompt:
    """The prompt that ``text`` writes; parse(str(p)) == p. Raises PromptError: field, value, expected."""
    found: dict[str, object] = {}
    for part in re.split(r"\s*;\s*", text.strip()):
        if not part:
            continue
        name, _, value = part.partition(" ")
        name, value = name.lower(), " ".join(value.split())
        if name not in _READERS:
            raise PromptError(f"field must be one of {', '.join(_READERS)}, not {name!r}")
        if name in found:
            raise PromptError(f"field {name} must come once")
        found[name] = _READERS[name](name, value if name == "caption" else value.lower())
    return replace(Prompt(), **found)  # type: ignore[arg-type]


def _write(name: str, value: object) -> str:
    if name in ROWS:
        cells = ["-" if cell is None else str(cell) for cell in value]  # type: ignore[attr-defined]
        return cells[0] if len(set(cells)) == 1 else ", ".join(cells)
    if name == "light":
        return " ".join(value)  # type: ignore[arg-type]
    if name in ("sky", "vegetation"):
        return f"{value}%"
    if name == "colours":
        return " ".join(f"{colour} {share}%" for colour, share in value)  # type: ignore[attr-defined]
    return str(value)


def _word(name: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise PromptError(f"{name} must be one of {', '.join(allowed)}, not {value!r}")
    return value


def _one_of(*allowed: str) -> Callable[[str, str], object]:
    return lambda name, value: _word(name, value, allowed)


def _light(name: str, value: str) -> object:
    light, _, warmth = value.partition(" ")
    return _word(name, light, LIGHTS), _word(f"{name} colour", warmth, WARMTHS)


def _cell(name: str, value: str) -> Cell | None:
    if value == "-":
        return None
    colour, _, texture = value.rpartition(" ")
    return Cell(_word(f"{name} colour", colour, COLOURS), _word(f"{name} texture", texture, TEXTURES))


def _row(name: str, value: str) -> object:
    cells = [_cell(name, cell.strip()) for cell in value.split(",")]
    if len(cells) not in (1, 3):
        raise PromptError(f"{name} must have one cell or three, not {len(cells)}")
    return tuple(cells * 3 if len(cells) == 1 else cells)


def _share(name: str, value: str) -> int:
    if not re.fullmatch(r"(\d0|100|0)%", value):
        raise PromptError(f"{name} must be 0%, 10%, ..., 100%, not {value!r}")
    return int(value[:-1])


def _colours(name: str, value: str) -> object:
    words = value.split()
    pairs = list(zip(words[0::2], words[1::2], strict=False))
    if len(words) % 2 or not 1 <= len(pairs) <= MAX_COLOURS:
        raise PromptError(f"{name} must be 1 to {MAX_COLOURS} pairs like #7ac 40%, not {value!r}")
    for colour, _ in pairs:
        if not re.fullmatch("#[0-9a-f]{3}", colour):
            raise PromptError(f"{name} must be written #rgb in hexadecimal, not {colour!r}")
    return tuple((colour, _share(name, share)) for colour, share in pairs)


def _caption(name: str, value: str) -> object:
    if len(value) > MAX_CAPTION or not value:
        raise PromptError(f"{name} must have 1 to {MAX_CAPTION} characters, not {len(value)}")
    return value


_READERS: dict[str, Callable[[str, str], object]] = {
    "scene": _one_of(*SCENES),
    "light": _light,
    "contrast": _one_of(*CONTRASTS),
    "top": _row,
    "middle": _row,
    "bottom": _row,
    "edges": _one_of(*EDGES),
    "sky": _share,
    "vegetation": _share,
    "colours": _colours,
    "caption": _caption,
}
