"""Encoders of the key region."""

from collections.abc import Iterator
from typing import Annotated, Any

import numpy as np

from semwave.modulation import scene
from semwave.runtime import Context, FrameBlock, Frames, In, Out, Packet, Param, frozen

IMAGE_CODEC, WHOLE_PICTURE = scene.KEY_IMAGE, scene.KEY_WHOLE
CONSTELLATIONS = tuple(scene.KEY_JSCC)


class SemanticEncoder(FrameBlock):
    """Code the key region of each picture into what fills its share of the channel.

    ``cbr`` is what the key layer may take, in complex channel uses per 3 x height x width; with ``mcs`` (the framer's
    key MCS) it gives the bytes. ``key_cbr`` bounds it per sample of the key region: a small one needs no more. An image
    codec makes bytes of the key region, the rest smoothed away. ``jscc`` (joint source-channel coding) makes bytes of
    side information and symbols of unit mean power that go on the air as they are (``meta["raw"]`` of the layer),
    ``free`` or each on the nearest point of a QAM ``constellation``; ``snr_db`` is what is known of the receiver's SNR.
    Where the side information is lost, nothing is left, or a ``coarse`` picture if there is one: that takes up to an
    eighth of the symbols, about 1 dB where all arrives.
    ``none`` sends an empty layer: the key region is in the sketch (``with_key`` of SketchEncoder).
    """

    heavy = True
    codec: Annotated[
        str, Param("image codec, jscc, or none: it is in the sketch", choices=("avif", "webp", "jpeg", "jscc", "none"))
    ] = "avif"
    cbr: Annotated[float, Param("channel uses of the key layer per sample of the picture", low=0, high=4)] = 0.02
    key_cbr: Annotated[float | None, Param("the same per sample of the key region at most; none: any", low=0)] = None
    min_bytes: Annotated[int, Param("budget of small pictures", unit="bytes", low=0, high=4096)] = 64
    mcs: Annotated[int, Param("index in TS 38.214, table 5.1.3.1-2", low=0, high=27)] = 3
    constellation: Annotated[str | int, Param("where symbols of jscc may lie", choices=CONSTELLATIONS)] = "free"
    snr_db: Annotated[float | None, Param("the receiver's Es/N0, where it is known", unit="dB", low=-60, high=200)] = (
        None
    )
    model: Annotated[str, Param("weights of jscc: a name or a folder")] = "default"
    coarse: Annotated[bool, Param("jscc: a coarse picture too, which needs no side information")] = False

    image = In(Frames(np.uint8, ("row", "column", 3)))
    mask = In(Frames(np.uint8, ("row", "column")))
    layer = Out(Frames(np.uint8, ("byte",)))

    def check(self) -> None:
        """A share of the channel above zero."""
        for name in ("cbr", "key_cbr"):
            if getattr(self, name) == 0:
                raise ValueError(
                    f"{name} must be above 0 channel uses per sample, not 0: codec none sends no key layer"
                )

    def start(self, ctx: Context) -> None:
        """Count what does not fit; load the weights of jscc."""
        self._ctx, self._jscc = ctx, None
        if self.codec == "jscc":
            from semwave.models.jscc import Jscc

            self._jscc = Jscc.load(self.model)

    def work(self, image: Packet, mask: Packet) -> Iterator[Packet]:
        """The key layer of one picture."""
        height, width = image.data.shape[:2]
        if self.codec == "none":
            meta = {**image.meta, "height": height, "width": width, "codec": IMAGE_CODEC}
            yield Packet(np.empty(0, np.uint8), meta=meta)
            return
        share = float(mask.data.astype(bool).mean())
        most = self.cbr if self.key_cbr is None else min(self.cbr, self.key_cbr * share)
        budget = int(most * 3 * height * width)
        data, meta = (self._symbols if self._jscc else self._bytes)(image, mask.data.astype(bool), budget)
        if data is None:
            self._ctx.count("key layers that did not fit")
        about = {**image.meta, "height": height, "width": width, **meta}
        yield Packet(np.frombuffer(data or b"", np.uint8), meta=about)

    def _bytes(self, image: Packet, grid: Any, budget: int) -> tuple[bytes | None, dict[str, Any]]:
        from semwave.models.keylayer import encode_key_layer

        size = max(self.min_bytes, scene.capacity(budget, self.mcs))
        return encode_key_layer(image.data, grid, size, self.codec), {"codec": IMAGE_CODEC}

    def _symbols(self, image: Packet, grid: Any, budget: int) -> tuple[bytes | None, dict[str, Any]]:
        from semwave.models.jscckey import affords_coarse, encode_jscc_key

        budget = max(budget, scene.coded_symbols(self.min_bytes, self.mcs))
        coarse = self.coarse and self.model != "linear" and affords_coarse(grid, image.data.shape[:2], budget)
        number, known = scene.jscc_codec(self.constellation, coarse), self.snr_db
        found = encode_jscc_key(
            self._jscc, image.data, grid, budget, self.mcs, known, self.constellation, coarse=coarse
        )
        if found is None:
            return None, {"codec": number}
        return found[0], {"codec": number, "raw": frozen(found[1])}
