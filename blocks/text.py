"""Encoders of the rest: a structured prompt, and a sketch of a few dozen bytes or more."""

from collections.abc import Iterator
from typing import Annotated

import numpy as np

from semwave.modulation import scene
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
    """Describe what lies outside the key region as a structured prompt, coded in at most ``limit_bytes``.

    ``caption`` says who writes the caption and names the objects: ``own`` is the shipped captioner, ``off`` leaves
    both out, ``text:WORDS`` are the user's own, ``hub:ID-OR-FOLDER`` is a captioner of transformers (BLIP, GIT,
    Florence-2). Colours, light, layout and texture are always measured. With ``repeat = "changed"``, for video, the
    layer is empty while the prompt stays the same, up to ``refresh`` pictures.
    """

    heavy = True
    limit_bytes: Annotated[int, Param("longest prompt layer", unit="bytes", low=0, high=1024)] = 64
    caption: Annotated[str, Param("own, off, text:WORDS or hub:ID-OR-FOLDER")] = "own"
    repeat: Annotated[str, Param("when the prompt is sent", choices=("always", "changed"))] = "always"
    refresh: Annotated[int, Param("pictures after which an unchanged prompt is sent again", low=1)] = 30
    device: Annotated[str, Param("torch device of the captioner: cpu, cuda")] = "cpu"

    image = In(PICTURE)
    mask = In(Frames(np.uint8, ("row", "column")))
    layer = Out(Frames(np.uint8, ("byte",)))
    text = Out(Frames(np.uint8, ("byte",)), optional=True, doc="the prompt as people read it")

    def check(self) -> None:
        """The caption must be one of the four kinds."""
        from semwave.models.text import choose

        choose.check(self.caption)

    def start(self, ctx: Context) -> None:
        """Load the captioner: torch comes in here, not with the package."""
        from semwave.models.text.choose import load_captioner
        from semwave.models.text.repeat import PromptSender

        self._said = load_captioner(self.caption, self.device)
        self._sender = PromptSender(self.refresh) if self.repeat == "changed" else None

    def work(self, image: Packet, mask: Packet) -> Iterator[tuple[str, Packet]]:
        """The prompt layer of one picture."""
        from semwave.models.prompt import CODEC, decode_prompt, describe, encode_prompt, parse

        region = key_region(image, mask)
        said = self._said([image.data], [region])[0]
        data = encode_prompt(describe(image.data, region, said.caption, said.things), self.limit_bytes)
        text, codec = decode_prompt(data), CODEC
        if self._sender is not None:
            sent, codec = self._sender.choose(parse(text))
            text = str(sent or "")
            data = encode_prompt(text, self.limit_bytes)
        height, width = image.data.shape[:2]
        meta = {**image.meta, "height": height, "width": width, "codec": codec}
        yield "layer", Packet(np.frombuffer(data, np.uint8), meta=meta)
        yield "text", Packet(np.frombuffer(text.encode(), np.uint8), meta=meta)


class SketchEncoder(FrameBlock):
    """Low-frequency colour and structure of the rest in at most ``size_bytes``; 0 sends no sketch.

    With ``cbr`` the sketch may take so many channel uses per 3 x height x width instead; with ``mcs`` (the framer's
    sketch MCS) that gives the bytes. ``with_key`` puts the key region into it as well, sharper than the rest: at few
    bytes one code is worth more than two. The key layer is then empty (``codec = "none"`` of SemanticEncoder).
    """

    heavy = True
    size_bytes: Annotated[int, Param("bytes of the sketch", unit="bytes", low=0, high=65535)] = 48
    cbr: Annotated[
        float | None, Param("channel uses of the sketch per sample of the picture; none: size_bytes", low=0, high=4)
    ] = None
    mcs: Annotated[int, Param("index in TS 38.214, table 5.1.3.1-2", low=0, high=27)] = 2
    with_key: Annotated[bool, Param("the key region is in the sketch, and there is no key layer")] = False

    image = In(PICTURE)
    mask = In(Frames(np.uint8, ("row", "column")))
    layer = Out(Frames(np.uint8, ("byte",)))

    def start(self, ctx: Context) -> None:
        """Count what does not fit."""
        self._ctx = ctx

    def work(self, image: Packet, mask: Packet) -> Iterator[Packet]:
        """The sketch layer of one picture."""
        from semwave.models.sketch import MAX_SKETCH_BYTES, REST, WITH_KEY, encode_sketch

        height, width = image.data.shape[:2]
        size = self.size_bytes
        if self.cbr is not None:
            size = min(scene.capacity(int(self.cbr * 3 * height * width), self.mcs), MAX_SKETCH_BYTES)
        data = encode_sketch(image.data, key_region(image, mask), size, self.with_key)
        if self.with_key and not data:
            self._ctx.count("sketches that did not fit")
        meta = {**image.meta, "height": height, "width": width, "codec": WITH_KEY if self.with_key else REST}
        yield Packet(np.frombuffer(data, np.uint8), meta=meta)
