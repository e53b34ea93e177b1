"""Conventional transmission, to compare with: the whole picture by an image codec, then the same modem and air."""

import json
from collections.abc import Iterator
from typing import Annotated

import numpy as np

from semwave.blocks.channel import FadingChannel
from semwave.blocks.framing import Deframer, Framer, layer_bytes
from semwave.blocks.modem import OfdmDemodulator, OfdmModulator, QamMapper
from semwave.blocks.semantic import WHOLE_PICTURE
from semwave.modulation import scene
from semwave.runtime import Composite, Context, Flowgraph, FrameBlock, Frames, In, Out, Packet, Param, Stream, text_of

IMAGE = Frames(np.uint8, ("row", "column", 3))
BYTES = Frames(np.uint8, ("byte",))
Mcs = Annotated[int, Param("index in TS 38.214, table 5.1.3.1-2", low=0, high=27)]
Codec = Annotated[str, Param("image codec; best: the one of highest PSNR", choices=("best", "avif", "webp", "jpeg"))]


class ConventionalEncoder(FrameBlock):
    """Code the whole picture so that it takes as many payload symbols as the other system's burst did."""

    heavy = True
    codec: Codec = "best"
    mcs: Mcs = 3

    image = In(IMAGE)
    accounting = In(BYTES, doc="of the other system's modulator")
    layer = Out(BYTES)

    def start(self, ctx: Context) -> None:
        """Count what does not fit."""
        self._ctx = ctx

    def work(self, image: Packet, accounting: Packet) -> Iterator[Packet]:
        """The one layer of the picture."""
        from semwave.models.keycodec import encode_whole

        budget = scene.capacity(json.loads(text_of(accounting))["payload"], self.mcs)
        found = encode_whole(image.data, budget, codec=self.codec)
        data, name = found if found is not None else (b"", "none")
        if not data:
            self._ctx.count("pictures that no codec makes small enough")
        height, width = image.data.shape[:2]
        meta = {**image.meta, "height": height, "width": width, "codec": WHOLE_PICTURE, "codec_name": name}
        yield Packet(np.frombuffer(data, np.uint8), meta=meta)


class ConventionalDecoder(FrameBlock):
    """Decode the whole picture; a lost one is concealed by mid-grey, and said to be lost."""

    scene = In(BYTES)
    image = Out(IMAGE)

    def start(self, ctx: Context) -> None:
        """Count what is lost."""
        self._ctx = ctx

    def work(self, scene: Packet) -> Iterator[Packet]:
        """One picture."""
        from semwave.models.keycodec import decode_whole

        if scene.meta["status"] == "header":
            return
        shape = (scene.meta["height"], scene.meta["width"])
        meta = {k: v for k, v in scene.meta.items() if k != "layers"}
        data = layer_bytes(scene, "key")
        try:
            image = decode_whole(data, shape) if data else None
        except ValueError as error:
            self._ctx.warn(f"a picture that passed its CRC did not decode: {error}")
            image = None
        if image is None:
            self._ctx.count("pictures lost")
            yield Packet(np.full((*shape, 3), 128, np.uint8), meta={**meta, "lost": ["key"]})
        else:
            yield Packet(image, meta=meta)


class OfdmLink(Composite):
    """Everything between layers and layers: framer, mapper, OFDM, channel, receiver, deframer, for one key layer."""

    key_mcs: Mcs = 3
    profile: str = "TDL-C"
    snr_db: float = 8.0
    doppler_hz: float = 30.0
    delay_spread_s: float = 300e-9
    cfo_hz: float = 0.0
    realization: str = ""

    layer = In(BYTES)
    scene = Out(BYTES)
    samples = Out(Stream(np.complex64), optional=True)
    accounting = Out(BYTES, optional=True)

    def build(self, inner: Flowgraph) -> None:
        """The chain."""
        air = {
            n: getattr(self, n) for n in ("profile", "snr_db", "doppler_hz", "delay_spread_s", "cfo_hz", "realization")
        }
        inner.add(framer=Framer(key_mcs=self.key_mcs), mapper=QamMapper(), ofdm=OfdmModulator())
        inner.add(channel=FadingChannel(**air), demod=OfdmDemodulator(), deframer=Deframer())
        inner.connect("framer > mapper > ofdm.samples > channel > demod.llr > deframer")
        inner.expose(layer="framer.key", scene="deframer.scene", samples="ofdm.samples", accounting="ofdm.accounting")
