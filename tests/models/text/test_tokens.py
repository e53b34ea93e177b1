"""Tokens: any text comes back; what costs nothing is what captions do."""

from hypothesis import given, settings
from hypothesis import strategies as st

from semwave.models.text import tokens
from semwave.models.text.tokens import Piece

WORDS = ["a", "dog", "runs", "s", "usa", "paris"]
NUMBERS = {word: number for number, word in enumerate(WORDS, tokens.FIRST_WORD)}


def back(text: str) -> str:
    writer = tokens.Writer({number: word for word, number in NUMBERS.items()})
    for piece in tokens.pieces(text, NUMBERS):
        writer.push(piece)
    return writer.text


@settings(max_examples=300)
@given(st.text(max_size=40) | st.text(" aADdogS.,'-;éßİ\n", max_size=40))
def test_any_text_comes_back(text: str) -> None:
    assert back(text) == text


def test_plain_captions_have_a_token_a_word() -> None:
    assert tokens.pieces("a dog runs, a dog.", NUMBERS) == [
        Piece(NUMBERS[w]) if w in NUMBERS else Piece(tokens.FIRST_MARK + tokens.MARKS.index(w))
        for w in ("a", "dog", "runs", ",", "a", "dog", ".")
    ]


def test_case_spacing_and_spelling_are_told() -> None:
    found = [piece.token for piece in tokens.pieces("Paris USA dog's zebra", NUMBERS)]
    quote = tokens.FIRST_MARK + tokens.MARKS.index("'")
    assert found == [
        tokens.CAPITAL, NUMBERS["paris"], tokens.CAPITALS, NUMBERS["usa"], NUMBERS["dog"], quote, tokens.SWITCH,
        NUMBERS["s"], tokens.SPELL,
    ]  # fmt: skip
    assert tokens.pieces("zebra", NUMBERS) == [Piece(tokens.SPELL, "zebra")]


def test_possessives_join() -> None:
    assert tokens.joined(["a", "man", "'s", "hat"]) == "a man's hat"
