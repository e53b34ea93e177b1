"""What matters in a picture, and what does not."""

from collections.abc import Iterator
from typing import Annotated

import numpy as np

from semwave.runtime import BatchBlock, Context, Frames, In, Out, Packet, Param

MASK = Frames(np.uint8, ("row", "column"))


class Segmenter(BatchBlock):
    """Mark the key region of each picture on a grid of blocks, at most ``budget`` of its area.

    ``mask`` carries the grid (1: key), ``layer`` the same as entropy-coded bytes for the framer.
    """

    model: Annotated[str, Param("what judges importance", choices=("tiny", "spectral", "centre"))] = "tiny"
    budget: Annotated[float, Param("share of the picture that may be key", low=0, high=1)] = 0.35
    device: Annotated[str, Param("torch device: cpu, cuda")] = "cpu"

    image = In(Frames(np.uint8, ("row", "column", 3)))
    mask = Out(MASK)
    layer = Out(Frames(np.uint8, ("byte",)))

    def check(self) -> None:
        """Some of the picture must be key."""
        if self.budget <= 0:
            raise ValueError("budget must be above 0: some of the picture has to be key")

    def start(self, ctx: Context) -> None:
        """Load the model."""
        from semwave.models.segment import load_segmenter

        self._model = load_segmenter(self.model, self.device)

    def work(self, batch: list[Packet], /) -> Iterator[tuple[str, Packet]]:
        """Masks and their code."""
        from semwave.models.maskcode import block_size, encode_mask
        from semwave.models.segment import key_mask

        for packet, importance in zip(batch, self._model.importance([p.data for p in batch]), strict=True):
            height, width = packet.data.shape[:2]
            mask = key_mask(importance, self.budget, block_size(height, width))
            meta = {**packet.meta, "height": height, "width": width}
            yield "mask", Packet(mask.astype(np.uint8), meta=meta)
            code = np.frombuffer(encode_mask(mask), np.uint8)
            yield "layer", Packet(code, meta={**meta, "codec": 1})
