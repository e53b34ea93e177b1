"""The key layer's bytes: where the key region's box lies, then the region's code.

The box stands in front so that a key layer can be shown even when the mask was lost: then all of the box counts as key.
"""

import numpy as np
from numpy.typing import NDArray

from semwave.models.keycodec import KeyCodecError, decode_key, encode_key
from semwave.models.maskcode import block_size
from semwave.models.segment import expand

Picture = NDArray[np.uint8]
Mask = NDArray[np.bool_]
BOX_BYTES = 5  # top, left, height - 1, width - 1 in blocks, 10 bits each


def encode_key_layer(image: Picture, grid: Mask, budget_bytes: int, codec: str) -> bytes | None:
    """The blocks of ``grid`` bool [rows, columns] of a picture in at most ``budget_bytes``; None where nothing fits."""
    height, width = image.shape[:2]
    if budget_bytes <= BOX_BYTES or not grid.any():
        return None
    region = expand(grid, block_size(height, width), (height, width))
    try:
        return _box(grid) + encode_key(image, region, budget_bytes - BOX_BYTES, codec=codec)
    except KeyCodecError:
        return None


def decode_key_layer(data: bytes, mask: Mask | None, shape: tuple[int, int]) -> tuple[Picture, Mask]:
    """The key picture (zero elsewhere) and where it is known; ``mask`` is per pixel, None when its layer was lost.

    Raises KeyCodecError on bytes that no encoder writes.
    """
    if len(data) <= BOX_BYTES:
        raise KeyCodecError(f"a key layer has more than {BOX_BYTES} bytes, not {len(data)}")
    if mask is None:
        block = block_size(*shape)
        grid = _grid(data[:BOX_BYTES], -(-shape[0] // block), -(-shape[1] // block))
        mask = expand(grid, block, shape)
    return decode_key(data[BOX_BYTES:], mask, shape)


def _box(grid: Mask) -> bytes:
    rows, columns = np.flatnonzero(grid.any(1)), np.flatnonzero(grid.any(0))
    value = 0
    for part in (rows[0], columns[0], rows[-1] - rows[0], columns[-1] - columns[0]):
        value = value << 10 | int(part)
    return value.to_bytes(BOX_BYTES)


def _grid(box: bytes, rows: int, columns: int) -> Mask:
    value = int.from_bytes(box)
    top, left, height, width = (value >> shift & 1023 for shift in (30, 20, 10, 0))
    if top + height >= rows or left + width >= columns:
        raise KeyCodecError(f"the key region's box lies outside the grid of {rows} x {columns} blocks")
    grid = np.zeros((rows, columns), bool)
    grid[top : top + height + 1, left : left + width + 1] = True
    return grid
