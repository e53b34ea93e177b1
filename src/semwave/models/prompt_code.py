"""Compact coding of prompts: the measured fields with static tables, text with a trained language model, a check sum.

    one message of the range coder: version, kind, then the fields or a free text; then CRC-16 of it

A prompt in canonical form (``str(parse(text)) == text``) is coded field by field; any other text as text. The code is
strict: bytes whose check sum is wrong, or that no encoder would have written, raise PromptError. To fit a limit, parts
are dropped in this order: colours, edges, contrast, scene, vegetation, sky, objects (the last first), the caption's end
down to four words, light, middle, bottom, top, the rest of the caption.

Bytes of the first version (see prompt_v1) are still read: they begin with 12 or more, those of this one with less.
"""

from __future__ import annotations

from binascii import crc_hqx
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from semwave.models import prompt_fields, prompt_v1, shortcode
from semwave.models import prompt_grammar as grammar
from semwave.models.prompt_grammar import Prompt, PromptError, Thing
from semwave.models.text import textcode
from semwave.models.text.rangecoder import RangeReader, RangeWriter
from semwave.models.text.things import NAMES, thing
from semwave.models.text.tokens import MAX_CHARACTERS

MAX_PROMPT_BYTES = 1024
CODEC = 2
_CRC_BYTES = 2
_VERSION = shortcode.Table((2, 9, 245))  # the middle one is this version: the first byte is 1 ... 10
_FREE = shortcode.Table((15, 1))  # grammar or free text
_OBJECTS = shortcode.Table((40, 60))
_COUNT = shortcode.Table((30, 25, 20, 20, 2, 1, 1, 1))
_TOLD, _LISTED, _SPELT = 24, 20, 1  # how likely each thing that the caption names, a name of the list, any other
_PLACES = shortcode.Table((30, 4, 12, 4, 8, 16, 8, 4, 12, 4))
_NAMES = shortcode.uniform(len(NAMES))


def encode_prompt(prompt: Prompt | str, limit_bytes: int = MAX_PROMPT_BYTES) -> bytes:
    """Bytes of a prompt (or of any text), at most ``limit_bytes``: the least useful parts are dropped to fit.

    Raises ValueError for a limit outside 0 ... MAX_PROMPT_BYTES, PromptError for text above its longest length.
    """
    if not 0 <= limit_bytes <= MAX_PROMPT_BYTES:
        raise ValueError(f"limit_bytes must be 0 ... {MAX_PROMPT_BYTES}, not {limit_bytes}")
    text = str(prompt)
    if len(text) > MAX_CHARACTERS:
        raise PromptError(f"prompt must have at most {MAX_CHARACTERS} characters, not {len(text)}")
    known = _canonical(text)
    for shorter in [text] if known is None else map(str, _shorter(known)):
        data = _encode(shorter)
        if len(data) <= limit_bytes:
            return data
    return _fit_text(text, limit_bytes) if known is None else b""


def decode_prompt(data: bytes) -> str:
    """The text of a coded prompt. Raises PromptError for bytes that encode_prompt does not write."""
    if len(data) > MAX_PROMPT_BYTES:
        raise PromptError(f"data must have at most {MAX_PROMPT_BYTES} bytes, not {len(data)}")
    if not data:
        return ""
    try:
        if data[0] >= prompt_v1.FIRST_BYTES:
            return prompt_v1.decode(data)
        body, check = data[:-_CRC_BYTES], data[-_CRC_BYTES:]
        if _check(body) != check:
            raise PromptError("its check sum is wrong")
        text = _decode(body)
        if _encode(text) != data:
            raise PromptError(f"they are not the code of {text[:40]!r}")
    except ValueError as error:
        raise PromptError(f"these {len(data)} bytes are not a prompt: {error}") from error
    return text


def _check(body: bytes) -> bytes:
    """CRC-16 (CCITT, start 0xFFFF)."""
    return crc_hqx(body, 0xFFFF).to_bytes(_CRC_BYTES, "big")


def _canonical(text: str) -> Prompt | None:
    try:
        prompt = grammar.parse(text)
    except PromptError:
        return None
    return prompt if str(prompt) == text else None


def _shorter(prompt: Prompt) -> Iterator[Prompt]:
    """``prompt`` and ever shorter ones, in the order that the module states."""
    yield prompt
    for field in ("colours", "edges", "contrast", "scene", "vegetation", "sky"):
        prompt = _with(prompt, field, () if field == "colours" else None)
        yield prompt
    for count in range(len(prompt.objects) - 1, -1, -1):
        prompt = replace(prompt, objects=prompt.objects[:count])
        yield prompt
    said = prompt.caption.split()
    for count in range(len(said) - 1, 3, -1):
        prompt = replace(prompt, caption=" ".join(said[:count]))
        yield prompt
    for field in ("light", "middle", "bottom", "top"):
        prompt = _with(prompt, field, None)
        yield prompt
    for count in range(len(prompt.caption.split()) - 1, -1, -1):
        yield replace(prompt, caption=" ".join(said[:count]))


def _with(prompt: Prompt, name: str, value: Any) -> Prompt:
    return replace(prompt, **{name: value})


def _fit_text(text: str, limit_bytes: int) -> bytes:
    """The longest beginning of ``text``, to whole words if there are any, that fits."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if len(_encode(text[:middle])) <= limit_bytes else (low, middle - 1)
    for cut in (text[: max(text.rfind(" ", 0, low + 1), 0)], *(text[:n] for n in range(low, 0, -1))):
        if cut and len(data := _encode(cut)) <= limit_bytes:
            return data
    return b""


def _encode(text: str) -> bytes:
    if not text:
        return b""
    writer = RangeWriter()
    writer.table(_VERSION, 1)
    prompt = _canonical(text)
    writer.table(_FREE, int(prompt is None))
    coder = _Put(writer)
    if prompt is None:
        coder.text(text)
    else:
        _fields(coder, prompt)
    body = writer.finish()
    return body + _check(body)


def _decode(body: bytes) -> str:
    reader = RangeReader(body)
    if reader.table(_VERSION) != 1:
        raise PromptError("their version is unknown")
    free = reader.table(_FREE)
    return _Get(reader).text("") if free else str(_fields(_Get(reader), Prompt()))


class _Put:
    """Writes what it is shown."""

    def __init__(self, writer: RangeWriter) -> None:
        self._writer = writer

    def __call__(self, table: shortcode.Table, symbol: int, /) -> int:
        self._writer.table(table, symbol)
        return symbol

    def text(self, text: str, /) -> str:
        textcode.put(self._writer, text)
        return text


class _Get:
    """Reads, whatever it is shown."""

    def __init__(self, reader: RangeReader) -> None:
        self._reader = reader

    def __call__(self, table: shortcode.Table, symbol: int, /) -> int:
        return self._reader.table(table)

    def text(self, text: str, /) -> str:
        return textcode.get(self._reader)


def _fields(coder: prompt_fields.Coder, prompt: Prompt) -> Prompt:
    """All fields, each after whether it is there; what was written or read."""
    out = Prompt()
    for name, frequencies in prompt_fields.THERE.items():
        value = getattr(prompt, name)
        if coder(shortcode.Table(frequencies), int(value is not None and value not in ((), ""))):
            out = _with(out, name, prompt_fields.CODERS[name](coder, value, out))
    if coder(_OBJECTS, int(bool(prompt.objects))):
        out = replace(out, objects=_things(coder, prompt.objects, out.caption))
    return out


def _things(coder: prompt_fields.Coder, things: tuple[Thing, ...], caption: str) -> tuple[Thing, ...]:
    """Objects; those that the caption names are likely."""
    told = _told(caption)
    out = []
    for index in range(1 + coder(_COUNT, max(len(things) - 1, 0))):
        given = things[index] if index < len(things) else Thing("")
        kinds = shortcode.Table((_LISTED, _SPELT, *[_TOLD] * len(told)))
        kind = coder(kinds, _kind(given.name, told))
        if kind >= 2:
            name = told.pop(kind - 2)
        elif kind == 1:
            name = coder.text(given.name)
        else:
            name = NAMES[coder(_NAMES, NAMES.index(given.name) if given.name in NAMES else 0)]
        place = grammar.PLACES[coder(_PLACES, grammar.PLACES.index(given.place))]
        out.append(Thing(name, place))
    return tuple(out)


def _told(caption: str) -> list[str]:
    """Things that a caption names, and what a caption of at most three words is of ("an espresso")."""
    said = caption.lower().split()
    named = [name for word in said if (name := thing(word.strip(".,!?")))]
    bare = " ".join(said[1:] if said[:1] in (["a"], ["an"]) else said)
    return list(dict.fromkeys([*named, *([bare] if 1 <= len(said) <= 3 and bare else [])]))


def _kind(name: str, told: list[str]) -> int:
    if name in told:
        return 2 + told.index(name)
    return 0 if name in NAMES else 1
