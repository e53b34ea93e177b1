"""How a scene's key layer is written: the numbers of its codecs in the header."""

KEY_IMAGE, KEY_WHOLE = 1, 15
"""An image codec's code of the key region; of the whole picture (conventional transmission)."""
KEY_JSCC: dict[str | int, int] = {"free": 2, 16: 3, 64: 4, 256: 5, 1024: 6}
"""Joint source-channel coded symbols, by constellation: "free", or the size of the QAM that they are projected on."""
_COARSE = 5
"""Added where the first symbols are a coarse picture that needs no side information."""


def jscc_codec(constellation: str | int, coarse: bool = False) -> int:
    """The number for symbols on this constellation."""
    return KEY_JSCC[constellation] + (_COARSE if coarse else 0)


def jscc_coarse(codec: int) -> bool:
    """Whether a codec's first symbols are a coarse picture."""
    return codec - _COARSE in KEY_JSCC.values()


def jscc_constellation(codec: int) -> str | int | None:
    """What the symbols of a key codec lie on; None for a codec without raw symbols."""
    plain = codec - _COARSE if jscc_coarse(codec) else codec
    return next((constellation for constellation, number in KEY_JSCC.items() if number == plain), None)
