"""How a scene's key layer is written: the numbers of its codecs in the header."""

KEY_IMAGE, KEY_WHOLE = 1, 15
"""An image codec's code of the key region; of the whole picture (conventional transmission)."""
KEY_JSCC: dict[str | int, int] = {"free": 2, 16: 3, 64: 4, 256: 5, 1024: 6}
"""Joint source-channel coded symbols, by constellation: "free", or the size of the QAM that they are projected on."""


def jscc_constellation(codec: int) -> str | int | None:
    """What the symbols of a key codec lie on; None for a codec without raw symbols."""
    return next((constellation for constellation, number in KEY_JSCC.items() if number == codec), None)
