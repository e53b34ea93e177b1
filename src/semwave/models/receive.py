"""From the bytes of a scene's layers to what a decoder works with; a layer that does not decode counts as lost."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def decode_layers(
    layers: Mapping[str, bytes | None], shape: tuple[int, int], codecs: Mapping[str, int] | None = None
) -> tuple[dict[str, Any], list[str]]:
    """Mask (bool [row, column]), prompt (text), sketch (float32 [row, column, 3]) and key picture (uint8) of a scene,
    and the length of a sketch that is a still picture.

    ``layers`` holds bytes, or None for a layer that was lost or not sent; the parts of the result are None alike.
    ``codecs`` are the layers' numbers in the header: a sketch WITH_KEY gives the key picture, too. The second result
    says what passed its CRC and did not decode all the same.
    """
    from semwave.models.sketch import MAX_WAVES_BYTES, WITH_KEY

    problems: list[str] = []

    def attempt(name: str, decode: Any) -> Any:
        data = layers.get(name)
        if not data:
            return None
        try:
            return decode(data)
        except ValueError as error:
            problems.append(f"{name} layer of {len(data)} bytes: {error}")
            return None

    mask = attempt("mask", lambda data: _mask(data, shape))
    sketch = attempt("sketch", lambda data: _sketch(data, shape, mask))
    key = attempt("key", lambda data: _key(data, mask, shape))
    parts = {"mask": mask, "prompt": attempt("prompt", _prompt), "sketch": sketch}
    if key is not None and mask is None:
        parts["mask"] = key[1]  # without the mask layer, all of the key layer's box is key
    parts["key"] = None if key is None else key[0]
    if key is None and mask is not None and sketch is not None and (codecs or {}).get("sketch") == WITH_KEY:
        parts["key"] = np.rint(255.0 * sketch).astype(np.uint8)
    size = 0 if sketch is None else len(layers["sketch"] or b"")
    parts["still_bytes"] = size if size > MAX_WAVES_BYTES else 0
    return parts, problems


def _mask(data: bytes, shape: tuple[int, int]) -> Array:
    from semwave.models.maskcode import block_size, decode_mask
    from semwave.models.segment import expand

    block = block_size(*shape)
    return expand(decode_mask(data, -(-shape[0] // block), -(-shape[1] // block)), block, shape)


def _prompt(data: bytes) -> str:
    from semwave.models.prompt import decode_prompt

    return decode_prompt(data)


def _sketch(data: bytes, shape: tuple[int, int], mask: Array | None) -> Array | None:
    from semwave.models.sketch import decode_sketch

    return decode_sketch(data, (*shape, 3), mask)


def _key(data: bytes, mask: Array | None, shape: tuple[int, int]) -> tuple[Array, Array]:
    from semwave.models.keylayer import decode_key_layer

    return decode_key_layer(data, mask, shape)
