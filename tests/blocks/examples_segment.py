"""Examples of the segmenter for the jig: regions that the user names, and regions followed over frames."""

from pathlib import Path
from typing import Any

import numpy as np
from jig import Example, frames
from PIL import Image

from semwave.runtime import Packet

SCENE = np.random.default_rng(3).integers(0, 256, (14, 20, 3), dtype=np.uint8)


def shot(shift: int, number: int, sides: tuple[int, int] = (48, 64)) -> Packet:
    """A view of a blotchy scene that moves to the right from picture to picture."""
    scene = np.asarray(Image.fromarray(SCENE).resize((100, 70), Image.Resampling.BICUBIC))
    view = np.ascontiguousarray(scene[4 : 4 + sides[0], shift : shift + sides[1]])
    return Packet(view, meta={"number": number, "name": f"shot{number}.png"})


SHOTS = (*(shot(2 * n, n) for n in range(4)), shot(3, 4, (33, 40)), shot(4, 5, (33, 40)))


def masks(folder: Path) -> dict[str, Any]:
    """A folder of masks named like the pictures."""
    place = folder / "masks"
    place.mkdir(exist_ok=True)
    for packet in SHOTS:
        grey = np.zeros(packet.data.shape[:2], np.uint8)
        grey[8:24, 8 + packet.meta["number"] : 30] = 255
        Image.fromarray(grey).save(place / f"shot{packet.meta['number']}.png")
    return {"model": "centre", "key": f"mask:{place}"}


EXAMPLES = [
    Example("Segmenter", {}, {"image": frames(*SHOTS[:2])}, slow=True),
    Example("Segmenter", {"model": "spectral", "temporal": 0.7}, {"image": frames(*SHOTS)}),
    Example("Segmenter", {"model": "spectral", "temporal": 0.5, "key": "point:0.6,0.5"}, {"image": frames(*SHOTS)}),
    Example("Segmenter", {"model": "centre", "key": "box:8,8,30,28 px"}, {"image": frames(*SHOTS)}),
    Example("Segmenter", masks, {"image": frames(*SHOTS)}),
]
