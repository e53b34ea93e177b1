"""The first version of the prompt code, so that old recordings still replay: a static vocabulary, no check sum.

Its bytes never begin with a number below 12, except those of the empty prompt, which are none; later versions do.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from semwave.models import prompt_fields, shortcode, words
from semwave.models import prompt_grammar as grammar
from semwave.models.prompt_grammar import Prompt, PromptError

FIRST_BYTES = 12  # smallest first byte of this version
_FREE = shortcode.Table((3, 1))  # grammar or free text; grammar first, so that no bytes are the empty prompt
_ANY = shortcode.Table((1, 15))


def encode(text: str) -> bytes:
    """Bytes of a text: field by field where it is a prompt in canonical form, else as free text."""
    encoder = shortcode.Encoder()
    prompt = canonical(text)
    _FREE.put(encoder, int(prompt is None))
    if prompt is None:
        words.put(encoder, text)
        return encoder.finish()
    _ANY.put(encoder, int(bool(text)))
    for name, frequencies in prompt_fields.THERE.items() if text else ():
        value = getattr(prompt, name)
        there = value is not None and value not in ((), "")
        shortcode.Table(frequencies).put(encoder, int(there))
        if there:
            prompt_fields.CODERS[name](_Put(encoder), value, prompt)
    return encoder.finish()


def decode(data: bytes) -> str:
    """The text of a coded prompt. Raises PromptError for bytes that encode does not write."""
    decoder = shortcode.Decoder(data)
    if _FREE.get(decoder):
        text = words.get(decoder)
    else:
        prompt = Prompt()
        if _ANY.get(decoder):
            for name, frequencies in prompt_fields.THERE.items():
                if shortcode.Table(frequencies).get(decoder):
                    value: Any = prompt_fields.CODERS[name](_Get(decoder), None, prompt)
                    prompt = replace(prompt, **{name: value})
        text = str(prompt)
    if encode(text) != data:
        raise PromptError(f"they are not the code of {text[:40]!r}")
    return text


def canonical(text: str) -> Prompt | None:
    """The prompt whose canonical form ``text`` is, if it is one that this version knows."""
    try:
        prompt = grammar.parse(text)
    except PromptError:
        return None
    return prompt if str(prompt) == text and not prompt.objects else None


class _Put:
    def __init__(self, encoder: shortcode.Encoder) -> None:
        self._encoder = encoder

    def __call__(self, table: shortcode.Table, symbol: int, /) -> int:
        table.put(self._encoder, symbol)
        return symbol

    def text(self, text: str, /) -> str:
        words.put(self._encoder, text)
        return text


class _Get:
    def __init__(self, decoder: shortcode.Decoder) -> None:
        self._decoder = decoder

    def __call__(self, table: shortcode.Table, symbol: int, /) -> int:
        return table.get(self._decoder)

    def text(self, text: str, /) -> str:
        return words.get(self._decoder)
