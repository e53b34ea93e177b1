"""Coding of free text: tokens by the language model's frequencies, words outside its list letter by letter."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from semwave.models import shortcode
from semwave.models.text import language, tokens
from semwave.models.text.rangecoder import RangeReader, RangeWriter, model
from semwave.models.text.tokens import Piece

# Whether the text begins with a capital and ends with a full stop: neither, capital, stop, both.
_STYLE = shortcode.Table((12, 2, 1, 12))
_BYTES = shortcode.uniform(256)
_STOP, _OTHER = 0, 27


class Model:
    """The language model with what it said lately."""

    def __init__(self, known: language.PromptModel) -> None:
        self.known = known
        self._after = lru_cache(maxsize=4096)(self._after_uncached)
        self.letters = [model(language.fitted(row << 20)) for row in known.letters]

    def next(self, said: tuple[int, ...]) -> Any:
        """The range coder's model of what follows the tokens ``said``."""
        return self._after(said)[1]

    def _after_uncached(self, said: tuple[int, ...]) -> tuple[Any, Any]:
        state = self.known.push(self._after(said[:-1])[0], said[-1]) if said else self.known.begin()
        return state, model(self.known.frequencies(state))


@lru_cache(maxsize=1)
def shipped() -> Model:
    """The shipped language model."""
    return Model(language.load())


def put(writer: RangeWriter, text: str) -> None:
    """Encode ``text`` and its end."""
    known = shipped()
    style, inner = _plain(text)
    writer.table(_STYLE, style)
    said: tuple[int, ...] = ()
    for piece in [*tokens.pieces(inner, known.known.numbers), Piece(tokens.END)]:
        writer.put(known.next(said), piece.token)
        if piece.token == tokens.SPELL:
            _spell(writer, known, piece.spelt)
        said = (*said, piece.token)


def get(reader: RangeReader) -> str:
    """Decode a text. Raises ValueError where the bytes are those of no text."""
    known = shipped()
    style = reader.table(_STYLE)
    writer = tokens.Writer(known.known.words)
    said: tuple[int, ...] = ()
    while (token := reader.get(known.next(said))) != tokens.END:
        writer.push(Piece(token, _spelt(reader, known) if token == tokens.SPELL else ""))
        said = (*said, token)
        if len(said) > 2 * tokens.MAX_CHARACTERS:
            raise ValueError(f"text must have at most {tokens.MAX_CHARACTERS} characters")
    return _styled(style, writer.text)


def _plain(text: str) -> tuple[int, str]:
    """Style and text without its first capital and last full stop, where that can be undone."""
    for style in (3, 2, 1):
        inner = text[:-1] if style & 2 and text.endswith(".") else text
        inner = inner[:1].lower() + inner[1:] if style & 1 else inner
        if inner != text and _styled(style, inner) == text and (style != 3 or _both(text, inner)):
            return style, inner
    return 0, text


def _both(text: str, inner: str) -> bool:
    return len(inner) == len(text) - 1 and inner[:1] != text[:1]


def _styled(style: int, inner: str) -> str:
    inner = inner[:1].upper() + inner[1:] if style & 1 else inner
    return inner + "." if style & 2 else inner


def _spell(writer: RangeWriter, known: Model, word: str) -> None:
    before = _STOP
    for byte in word.encode("utf-8", "surrogatepass"):
        code = byte - 96 if 97 <= byte <= 122 else _OTHER
        writer.put(known.letters[before], code)
        if code == _OTHER:
            writer.table(_BYTES, byte)
        before = code
    writer.put(known.letters[before], _STOP)


def _spelt(reader: RangeReader, known: Model) -> str:
    data, before = bytearray(), _STOP
    while (code := reader.get(known.letters[before])) != _STOP:
        data.append(code + 96 if code != _OTHER else reader.table(_BYTES))
        before = code
        if len(data) > 4 * tokens.MAX_CHARACTERS:
            raise ValueError(f"text must have at most {tokens.MAX_CHARACTERS} characters")
    return data.decode("utf-8", "surrogatepass")  # UnicodeDecodeError is a ValueError


def bits(text: str) -> float:
    """Information of a text in bits, by the model and the tables, without version and check sum."""
    known = shipped().known
    said, total, state = tokens.pieces(_plain(text)[1], known.numbers), 0.0, known.begin()
    for piece in [*said, Piece(tokens.END)]:
        total -= float(np.log2(known.frequencies(state)[piece.token] / language.TOTAL))
        state = known.push(state, piece.token)
    return total
