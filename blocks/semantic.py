"""Encoders of the key region."""

from collections.abc import Iterator
from typing import Annotated

import numpy as np

from semwave.modulation import scene
from semwave.runtime import Context, FrameBlock, Frames, In, Out, Packet, Param

IMAGE_CODEC, WHOLE_PICTURE = 1, 15  # numbers of the key layer's codecs in the scene header


class SemanticEncoder(FrameBlock):
    """Code the key region of each picture into bytes that fill its share of the channel.

    ``cbr`` is what the key layer may take, in complex channel uses per 3 x height x width; with ``mcs`` (the framer's
    key
    MCS) it gives the bytes. First version: an image codec on the key region, the rest smoothed away.
    """

    heavy = True
    codec: Annotated[str, Param("image codec", choices=("avif", "webp", "jpeg"))] = "avif"
    cbr: Annotated[float, Param("channel uses of the key layer per sample of the picture", low=0, high=4)] = 0.02
    min_bytes: Annotated[int, Param("budget of small pictures", unit="bytes", low=0, high=4096)] = 64
    mcs: Annotated[int, Param("index in TS 38.214, table 5.1.3.1-2", low=0, high=27)] = 3

    image = In(Frames(np.uint8, ("row", "column", 3)))
    mask = In(Frames(np.uint8, ("row", "column")))
    layer = Out(Frames(np.uint8, ("byte",)))

    def start(self, ctx: Context) -> None:
        """Count what does not fit."""
        self._ctx = ctx

    def work(self, image: Packet, mask: Packet) -> Iterator[Packet]:
        """The key layer of one picture."""
        from semwave.models.keylayer import encode_key_layer

        height, width = image.data.shape[:2]
        budget = max(self.min_bytes, scene.capacity(int(self.cbr * 3 * height * width), self.mcs))
        data = encode_key_layer(image.data, mask.data.astype(bool), budget, self.codec)
        if data is None:
            self._ctx.count("key layers that did not fit")
            data = b""
        meta = {**image.meta, "height": height, "width": width, "codec": IMAGE_CODEC}
        yield Packet(np.frombuffer(data, np.uint8), meta=meta)
