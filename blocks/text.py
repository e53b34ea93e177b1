"""Encoders of the rest: a structured prompt, and a sketch of a few dozen bytes."""

from collections.abc import Iterator
from typing import Annotated

import numpy as np

from semwave.runtime import Array, Context, FrameBlock, Frames, In, Out, Packet, Param

PICTURE = Frames(np.uint8, ("row", "column", 3))


def key_region(image: Packet, mask: Packet) -> Array:
    """The mask's blocks as pixels: bool [row, column]."""
    from semwave.models.maskcode import block_size
    from semwave.models.segment import expand

    height, width = image.data.shape[:2]
    region: Array = expand(mask.data.astype(bool), block_size(height, width), (height, width))
    return region


class TextEncoder(FrameBlock):
    """Describe what lies outside the key region as a structured prompt, coded in at most ``limit_bytes``."""

    heavy = True
    limit_bytes: Annotated[int, Param("longest prompt layer", unit="bytes", low=0, high=1024)] = 64
    caption: Annotated[str, Param("words to add to every prompt")] = ""

    image = In(PICTURE)
    mask = In(Frames(np.uint8, ("row", "column")))
    layer = Out(Frames(np.uint8, ("byte",)))
    text = Out(Frames(np.uint8, ("byte",)), optional=True, doc="the prompt as people read it")

    def start(self, ctx: Context) -> None:
        """Nothing to build."""

    def work(self, image: Packet, mask: Packet) -> Iterator[tuple[str, Packet]]:
        """The prompt layer of one picture."""
        from semwave.models.prompt import decode_prompt, describe, encode_prompt

        prompt = describe(image.data, key_region(image, mask), caption=self.caption)
        data = encode_prompt(prompt, self.limit_bytes)
        height, width = image.data.shape[:2]
        meta = {**image.meta, "height": height, "width": width, "codec": 1}
        text = decode_prompt(data) if data else ""
        yield "layer", Packet(np.frombuffer(data, np.uint8), meta=meta)
        yield "text", Packet(np.frombuffer(text.encode(), np.uint8), meta=meta)


class SketchEncoder(FrameBlock):
    """Low-frequency colour and structure of the rest in at most ``size_bytes``; 0 sends no sketch."""

    heavy = True
    size_bytes: Annotated[int, Param("bytes of the sketch", unit="bytes", low=0, high=64)] = 48

    image = In(PICTURE)
    mask = In(Frames(np.uint8, ("row", "column")))
    layer = Out(Frames(np.uint8, ("byte",)))

    def work(self, image: Packet, mask: Packet) -> Iterator[Packet]:
        """The sketch layer of one picture."""
        from semwave.models.sketch import encode_sketch

        data = encode_sketch(image.data, key_region(image, mask), self.size_bytes)
        height, width = image.data.shape[:2]
        meta = {**image.meta, "height": height, "width": width, "codec": 1}
        yield Packet(np.frombuffer(data, np.uint8), meta=meta)
