"""Structured prompts for the rest of a picture: measure, write, read, code.

>>> p = parse("light dim cool; top blue smooth; caption a dog on a beach")
>>> decode_prompt(encode_prompt(p)) == str(p)
True
"""

from semwave.models.describe import cell_colours, cell_textures, describe
from semwave.models.prompt_code import CODEC, MAX_PROMPT_BYTES, decode_prompt, encode_prompt
from semwave.models.prompt_grammar import Cell, Prompt, PromptError, Thing, parse

__all__ = [
    "CODEC",
    "MAX_PROMPT_BYTES",
    "Cell",
    "Prompt",
    "PromptError",
    "Thing",
    "cell_colours",
    "cell_textures",
    "decode_prompt",
    "describe",
    "encode_prompt",
    "parse",
]
