"""What matters in a picture, and what does not."""

from collections.abc import Iterator
from typing import Annotated

import numpy as np

from semwave.runtime import Array, BatchBlock, Context, Frames, In, Out, Packet, Param

MASK = Frames(np.uint8, ("row", "column"))


class Segmenter(BatchBlock):
    """Mark the key region of each picture on a grid of blocks, at most ``budget`` of its area.

    ``mask`` carries the grid (1: key), ``layer`` the same as entropy-coded bytes for the framer. ``key`` says what is
    key: ``auto``, ``box:0.2,0.1,0.7,0.9``, ``point:0.5,0.4`` (shares of width and height; with ``px`` at the end,
    pixels), ``word:dog``, ``mask:FILE`` or ``mask:FOLDER`` (files named like the pictures). ``temporal`` above 0 is for
    frames of a video: regions follow the motion and settle.
    """

    model: Annotated[str, Param("what judges importance: lite, tiny, spectral, centre, hub:ID or hub:FOLDER")] = "lite"
    budget: Annotated[float, Param("share of the picture that may be key", low=0, high=1)] = 0.35
    key: Annotated[str, Param("what is key: auto, box:, point:, word:, mask: (see docs/segmentation.md)")] = "auto"
    temporal: Annotated[float, Param("how much of a frame's importance comes from the one before", low=0, high=1)] = 0.0
    device: Annotated[str, Param("torch device: cpu, cuda")] = "cpu"

    image = In(Frames(np.uint8, ("row", "column", 3)))
    mask = Out(MASK)
    layer = Out(Frames(np.uint8, ("byte",)))

    def check(self) -> None:
        """Some of the picture must be key, the key readable, the model known, and a word one that it knows."""
        from semwave.models.segment.ask import parse_key
        from semwave.models.segment.backends import BACKENDS

        if self.budget <= 0:
            raise ValueError("budget must be above 0: some of the picture has to be key")
        if self.model not in BACKENDS and not (self.model.startswith("hub:") and self.model[4:].strip()):
            raise ValueError(f"model must be {', '.join(BACKENDS)} or hub:ID, not {self.model!r}")
        key = parse_key(self.key)
        if key.kind == "word" and self.model == "lite":
            from semwave.models.segment.words import classes_of

            classes_of(key.text)
        elif key.kind == "word" and self.model in BACKENDS:
            raise ValueError(f"key word:{key.text}: the model {self.model!r} knows no words; lite does")

    def start(self, ctx: Context) -> None:
        """Load the model."""
        from semwave.models.segment import load_segmenter
        from semwave.models.segment.ask import check_there, parse_key
        from semwave.models.segment.track import Tracker

        self._ctx = ctx
        self._asked = self._key = parse_key(self.key)
        check_there(self._key)
        self._model = load_segmenter(self.model, self.device)
        self._tracker = Tracker(self.temporal)

    def work(self, batch: list[Packet], /) -> Iterator[tuple[str, Packet]]:
        """Masks and their code."""
        from semwave.models.maskcode import block_size, encode_mask
        from semwave.models.segment import key_mask

        for packet in batch:
            height, width = packet.data.shape[:2]
            importance = self._importance(packet.data, packet.meta.get("name", ""))
            mask = key_mask(importance, self.budget, block_size(height, width), packet.data)
            meta = {**packet.meta, "height": height, "width": width}
            yield "mask", Packet(mask.astype(np.uint8), meta=meta)
            code = np.frombuffer(encode_mask(mask), np.uint8)
            yield "layer", Packet(code, meta={**meta, "codec": 1})

    def _importance(self, image: Array, name: str) -> Array:
        from semwave.models.segment.ask import moved

        if self.temporal > 0:
            motion = self._tracker.see(image)
            self._key = moved(self._key, *motion, image.shape[:2]) if motion else self._asked
        found = self._model.find(image, self._key, name)
        if found is None:
            self._ctx.count("pictures without what the key names")
            self._ctx.warn(f"nothing found for key = {self.key!r} in {name or 'a picture'}: went by importance alone")
            found = self._model.importance([image])[0]
        if self._key.kind != "auto" and (found >= 0.5).mean() > self.budget:
            self._ctx.warn(f"key = {self.key!r} marks more than budget = {self.budget:g} of {name or 'a picture'}")
        return self._tracker.smooth(found) if self.temporal > 0 else found
