"""Examples of the text encoder's other ways for the jig; that of its defaults is in examples_link.py."""

import numpy as np
from jig import Example, frames

from semwave.runtime import Packet


def picture(number: int, mirrored: bool) -> Packet:
    """A slope beside a wall, one way or the other round."""
    rows, columns = np.mgrid[:48, :64]
    image = np.stack([rows * 3, columns * 2, 255 * (columns > 40)], axis=2).clip(0, 255).astype(np.uint8)
    image = np.ascontiguousarray(image[:, ::-1]) if mirrored else image
    return Packet(image, meta={"number": number, "name": f"{number}.png"})


def mask(number: int) -> Packet:
    """A few blocks of the middle."""
    from semwave.models.maskcode import block_size

    block = block_size(48, 64)
    grid = np.zeros((-(-48 // block), -(-64 // block)), np.uint8)
    grid[grid.shape[0] // 3 : 2 * grid.shape[0] // 3, grid.shape[1] // 3 : 2 * grid.shape[1] // 3] = 1
    return Packet(grid, meta={"number": number, "height": 48, "width": 64})


FEEDS = {
    "image": frames(*(picture(i, i > 2) for i in range(5))),
    "mask": frames(*(mask(i) for i in range(5))),
}
EXAMPLES = [
    Example("TextEncoder", {"caption": "off"}, FEEDS),
    Example(
        "TextEncoder",
        {"caption": "text:a grey wall", "repeat": "changed", "refresh": 2, "limit_bytes": 40},
        FEEDS,
    ),
]
