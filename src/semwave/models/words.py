"""Coding of free text: a static vocabulary of caption words and phrases, anything else letter by letter.

The text is split where the sum of the entries' costs is least. A word is taken to follow a space and to be in lower
case, a mark to follow none; other cases are announced. What the vocabulary lacks is spelt as UTF-8 bytes.
"""

from __future__ import annotations

import re
from functools import cache

from semwave.models import shortcode, vocabulary

MAX_CHARACTERS = 4000
_MARKS = ".,'!?-\":()/&%#+;"
_END, _CAPITAL, _ALL_CAPITALS, _SWITCH, _SPELL = range(5)  # the end comes first: missing bytes decode to it
_FIRST_MARK, _FIRST_WORD = 5, 5 + len(_MARKS)
# About how often each is seen beside 2^18 words: the end of a text, capitals, unusual spacing, spelling, marks.
_SPECIAL = (16000, 9000, 60, 300, 7000)
_MARK_COUNTS = (13000, 5000, 900, 100, 100, 1200, 300, 40, 30, 30, 20, 20, 20, 20, 10, 10)
_LETTERS = "etaoinshrdlcumwfgypbvkjxqz"  # by how common they are in English
_STOP = 256
_LONGEST = 4  # words in a phrase
_ITEM = re.compile(r" ?[A-Za-z]+| ?[.,'!?\-\":()/&%#+;]|.", re.DOTALL)


@cache
def _model() -> tuple[tuple[str, ...], dict[str, int], shortcode.Table, shortcode.Table]:
    """Entries, their symbols, the table over symbols and the table over spelt bytes."""
    entries, counts, count = [], [], 1
    for token in vocabulary.ENTRIES.split():
        if token.endswith(":"):
            count = int(token[:-1])
        else:
            entries.append(token.replace("_", " "))
            counts.append(count)
    symbols = {entry: _FIRST_WORD + index for index, entry in enumerate(entries)}
    letters = [1] * 256 + [700]
    for rank, letter in enumerate(_LETTERS):
        letters[ord(letter)] = 2 + 900 // (rank + 2)
        letters[ord(letter.upper())] = 8
    for other, frequency in ((" ", 60), *((digit, 30) for digit in "0123456789")):
        letters[ord(other)] = frequency
    return tuple(entries), symbols, shortcode.Table([*_SPECIAL, *_MARK_COUNTS, *counts]), shortcode.Table(letters)


def put(encoder: shortcode.Encoder, text: str) -> None:
    """Encode ``text`` and its end. Raises ValueError above MAX_CHARACTERS."""
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"text must have at most {MAX_CHARACTERS} characters, not {len(text)}")
    _, _, table, letters = _model()
    for symbols, spelt in _cheapest(_ITEM.findall(text)):
        for symbol in symbols:
            table.put(encoder, symbol)
        if spelt is not None:
            for byte in spelt.encode("utf-8", "surrogatepass"):
                letters.put(encoder, byte)
            letters.put(encoder, _STOP)
    table.put(encoder, _END)


def get(decoder: shortcode.Decoder) -> str:
    """Decode a text. Raises ValueError where the bytes are those of no text."""
    entries, _, table, letters = _model()
    out, length, capital, switch = [], 0, 0, False
    while (symbol := table.get(decoder)) != _END:
        if symbol in (_CAPITAL, _ALL_CAPITALS):
            capital = symbol
            continue
        if symbol == _SWITCH:
            switch = True
            continue
        if symbol == _SPELL:
            piece = _spelt(decoder, letters)
        elif symbol < _FIRST_WORD:
            piece = " " * switch + _MARKS[symbol - _FIRST_MARK]
        else:
            word = entries[symbol - _FIRST_WORD]
            word = word.upper() if capital == _ALL_CAPITALS else word[:1].upper() + word[1:] if capital else word
            piece = " " * (switch == (not length)) + word
        capital, switch = 0, False
        out.append(piece)
        length += len(piece)
        if length > MAX_CHARACTERS:
            raise ValueError(f"text must have at most {MAX_CHARACTERS} characters")
    return "".join(out)


def _spelt(decoder: shortcode.Decoder, letters: shortcode.Table) -> str:
    data = bytearray()
    while (byte := letters.get(decoder)) != _STOP:
        data.append(byte)
        if len(data) > 4 * MAX_CHARACTERS:
            raise ValueError(f"text must have at most {MAX_CHARACTERS} characters")
    return data.decode("utf-8", "surrogatepass")  # UnicodeDecodeError is a ValueError


def _cheapest(items: list[str]) -> list[tuple[list[int], str | None]]:
    """The split of ``items`` into entries, marks and spelt pieces that costs least: symbols and spelling of each."""
    _, _, table, letters = _model()
    best: list[tuple[float, int, list[int], str | None]] = [(0.0, 0, [], None)]
    for end in range(1, len(items) + 1):
        options = []
        for start in range(max(0, end - _LONGEST), end):
            symbols = _symbols(items[start:end], start == 0)
            spelt = None
            if not symbols:
                if start < end - 1:
                    continue
                symbols, spelt = [_SPELL], items[start]
            price = best[start][0] + sum(table.cost(symbol) for symbol in symbols)
            if spelt is not None:
                price += sum(letters.cost(byte) for byte in spelt.encode("utf-8", "surrogatepass")) + 2.0
            options.append((price, start, symbols, spelt))
        best.append(min(options, key=lambda option: option[0]))
    pieces, end = [], len(items)
    while end:
        _, end, symbols, spelt = best[end]
        pieces.append((symbols, spelt))
    return pieces[::-1]


def _symbols(items: list[str], first: bool) -> list[int]:
    """Symbols of ``items`` as one entry of the vocabulary or one mark; none if they are not."""
    spaced, core = items[0].startswith(" "), items[0].lstrip(" ")
    if len(items) == 1 and core and core in _MARKS:
        return [_SWITCH] * spaced + [_FIRST_MARK + _MARKS.index(core)]
    text = "".join([core, *items[1:]])
    lower = text.lower()
    symbol = _model()[1].get(lower)
    if symbol is None:
        return []
    switch = [_SWITCH] if spaced == first else []
    if text == lower:
        return [*switch, symbol]
    if text == lower[0].upper() + lower[1:]:
        return [*switch, _CAPITAL, symbol]
    return [*switch, _ALL_CAPITALS, symbol] if text == lower.upper() else []
