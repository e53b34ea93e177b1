"""The structured prompt: the rest of a picture in words that people can read and edit.

    scene outdoor; light bright warm; contrast high; top pale blue smooth, white smooth, pale blue soft;
    middle green rough, -, dark green rough; bottom grey soft; edges horizontal; sky 30%; vegetation 40%;
    colours #7ac 40% #352 30%; objects tree (top left), grass (bottom), fence; caption two dogs run on a meadow

Fields are separated by ``;`` and may all be left out, in any order. They stand for the *rest*, what lies outside the
key mask.

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
objects    up to eight things, each with a rough place of ``PLACES`` in brackets or, all over the picture, none
caption    free text to the end of the field, without ``;``
========== ======================================================================================

A colour is a hue of ``HUES``, alone or after a tone of ``TONES``; a texture is one of ``TEXTURES``. What cannot be
understood raises PromptError, which names the character where it is, counted from 1.
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
PLACES = ("", "top left", "top", "top right", "left", "centre", "right", "bottom left", "bottom", "bottom right")
MAX_COLOURS = 3
MAX_OBJECTS = 8
MAX_NAME = 40  # characters of an object's name
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


@dataclass(frozen=True, slots=True)
class Thing:
    """Something in the picture and roughly where, a word of PLACES; "" is all over it."""

    name: str
    place: str = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.place})" if self.place else self.name


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
    objects: tuple[Thing, ...] = ()
    caption: str = ""

    def __str__(self) -> str:
        parts = []
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None and value not in ((), ""):
                parts.append(f"{field.name} {_write(field.name, value)}")
        return "; ".join(parts)

    def sentence(self) -> str:
        """What a sentence encoder makes most of: the caption, else the objects, else the scene."""
        if self.caption:
            return self.caption
        return ", ".join(thing.name for thing in self.objects) or self.scene or ""


def parse(text: str) -> Prompt:
    """The prompt that ``text`` writes; parse(str(p)) == p. Raises PromptError: position, field, value, expected."""
    found: dict[str, object] = {}
    for part in re.finditer(r"[^;]+", text):
        named = re.match(r"\s*(\S+)\s*", part[0])
        if not named:
            continue
        name, at = named[1].lower(), part.start() + named.start(1)
        if name not in _READERS:
            raise _wrong(at, f"field must be one of {', '.join(_READERS)}, not {name!r}")
        if name in found:
            raise _wrong(at, f"field {name} must come once")
        found[name] = _READERS[name](name, _Span(text, part.start() + named.end(), part.end()))
    return replace(Prompt(), **found)  # type: ignore[arg-type]


def _wrong(at: int, message: str) -> PromptError:
    return PromptError(f"at character {at + 1}: {message}")


class _Span:
    """A piece of the text that knows where it is: ``words`` with single spaces, in lower case unless ``exact``."""

    def __init__(self, text: str, start: int, end: int) -> None:
        self._text, self._start, self._end = text, start, end

    @property
    def at(self) -> int:
        """Where the first word is."""
        piece = self._text[self._start : self._end]
        return self._start + len(piece) - len(piece.lstrip())

    @property
    def exact(self) -> str:
        return " ".join(self._text[self._start : self._end].split())

    def __str__(self) -> str:
        return self.exact.lower()

    def split(self, pattern: str) -> list[_Span]:
        """The pieces that match ``pattern``."""
        found = re.compile(pattern).finditer(self._text, self._start, self._end)
        return [_Span(self._text, m.start(), m.end()) for m in found]

    def wrong(self, message: str) -> PromptError:
        return _wrong(self.at, message)


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
    if name == "objects":
        return ", ".join(str(thing) for thing in value)  # type: ignore[attr-defined]
    return str(value)


def _word(name: str, value: _Span, allowed: tuple[str, ...]) -> str:
    if str(value) not in allowed:
        raise value.wrong(f"{name} must be one of {', '.join(filter(None, allowed))}, not {str(value)!r}")
    return str(value)


def _one_of(*allowed: str) -> Callable[[str, _Span], object]:
    return lambda name, value: _word(name, value, allowed)


def _light(name: str, value: _Span) -> object:
    words = value.split(r"\S+")
    if len(words) != 2:
        raise value.wrong(f"{name} must be two words like bright warm, not {str(value)!r}")
    return _word(name, words[0], LIGHTS), _word(f"{name} colour", words[1], WARMTHS)


def _cell(name: str, value: _Span) -> Cell | None:
    if str(value) == "-":
        return None
    colour, _, texture = str(value).rpartition(" ")
    for kind, word, allowed in (("colour", colour, COLOURS), ("texture", texture, TEXTURES)):
        if word not in allowed:
            raise value.wrong(f"{name} {kind} must be one of {', '.join(allowed)}, not {word!r}")
    return Cell(colour, texture)


def _row(name: str, value: _Span) -> object:
    cells = [_cell(name, cell) for cell in value.split("[^,]+")]
    if len(cells) not in (1, 3):
        raise value.wrong(f"{name} must have one cell or three, not {len(cells)}")
    return tuple(cells * 3 if len(cells) == 1 else cells)


def _share(name: str, value: _Span) -> int:
    if not re.fullmatch(r"([1-9]0|100|0)%", str(value)):
        raise value.wrong(f"{name} must be 0%, 10%, ..., 100%, not {str(value)!r}")
    return int(str(value)[:-1])


def _colours(name: str, value: _Span) -> object:
    words = value.split(r"\S+")
    pairs = list(zip(words[0::2], words[1::2], strict=False))
    if len(words) % 2 or not 1 <= len(pairs) <= MAX_COLOURS:
        raise value.wrong(f"{name} must be 1 to {MAX_COLOURS} pairs like #7ac 40%, not {str(value)!r}")
    for colour, _ in pairs:
        if not re.fullmatch("#[0-9a-f]{3}", str(colour)):
            raise colour.wrong(f"{name} must be written #rgb in hexadecimal, not {str(colour)!r}")
    return tuple((str(colour), _share(name, share)) for colour, share in pairs)


def _objects(name: str, value: _Span) -> object:
    things = [_thing(name, thing) for thing in value.split("[^,]+")]
    if not 1 <= len(things) <= MAX_OBJECTS:
        raise value.wrong(f"{name} must be 1 to {MAX_OBJECTS} things, not {len(things)}")
    return tuple(things)


def _thing(name: str, value: _Span) -> Thing:
    found = re.fullmatch(r"([^()]+?)(?: ?\(([^()]*)\))?", str(value))
    if not found or not found[1].strip() or len(found[1]) > MAX_NAME:
        wanted = f"things like tree (top left) of at most {MAX_NAME} characters"
        raise value.wrong(f"{name} must be {wanted}, not {str(value)!r}")
    place = (found[2] or "").strip()
    if place not in PLACES or (found[2] is not None and not place):
        raise value.wrong(f"{name} place must be one of {', '.join(PLACES[1:])}, not {place!r}")
    return Thing(found[1], place)


def _caption(name: str, value: _Span) -> object:
    if not 1 <= len(value.exact) <= MAX_CAPTION:
        raise value.wrong(f"{name} must have 1 to {MAX_CAPTION} characters, not {len(value.exact)}")
    return value.exact


_READERS: dict[str, Callable[[str, _Span], object]] = {
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
    "objects": _objects,
    "caption": _caption,
}
