"""The generative decoder: from the layers that arrived to a picture, and what in it was received, inferred,
invented.
"""

from collections.abc import Iterator
from typing import Annotated, Any

import numpy as np

from semwave.blocks.framing import layer_bytes
from semwave.runtime import BatchBlock, Context, Frames, In, Out, Packet, Param


class GenerativeDecoder(BatchBlock):
    """Rebuild each picture from what arrived of its key region, mask, prompt and sketch, up to ``max_batch`` at a time.

    ``provenance`` says for each pixel: 0 received, 1 inferred, 2 invented. A lost mask means that everything counts as
    key; a lost prompt, an unconditional fill; a lost key layer, a picture from sketch and prompt. Scenes without a
    header give nothing here: the score reports them as lost pictures.

    ``tiny`` is a small diffusion model on top of ``texture`` (patterns by the prompt's words, no network);
    ``classical``
    is a smooth fill. Their held-out scores are in the model card of decoder-tiny.
    """

    model: Annotated[str, Param("generator", choices=("tiny", "texture", "classical"))] = "tiny"
    steps: Annotated[int, Param("sampling steps of tiny", low=1, high=100)] = 1
    device: Annotated[str, Param("torch device: cpu, cuda")] = "cpu"

    scene = In(Frames(np.uint8, ("byte",)))
    image = Out(Frames(np.uint8, ("row", "column", 3)))
    provenance = Out(Frames(np.uint8, ("row", "column")), optional=True)
    confidence = Out(Frames(np.float32, ("row", "column")), optional=True)

    def start(self, ctx: Context) -> None:
        """Load the model: torch comes in here, not with the package."""
        from semwave.models.generate import load_decoder

        self._ctx, self._model = ctx, load_decoder(self.model, self.device)

    def work(self, batch: list[Packet], /) -> Iterator[tuple[str, Packet]]:
        """Pictures of the scenes that have a header."""
        scenes = [p for p in batch if p.meta["status"] != "header"]
        self._ctx.count("scenes without a header", len(batch) - len(scenes))
        if not scenes:
            return
        received = [self._received(p) for p in scenes]
        seeds = [p.meta["seed"] for p in scenes]
        for packet, built in zip(scenes, self._model.decode(received, seeds, steps=self.steps), strict=True):
            meta = {k: v for k, v in packet.meta.items() if k not in ("layers",)}
            layers = packet.meta["layers"]
            meta["lost"] = [name for name, entry in layers.items() if not entry["ok"]]
            meta["prompt"] = received[scenes.index(packet)].prompt
            yield "image", Packet(built.image, meta=meta)
            yield "provenance", Packet(built.provenance, meta=meta)
            yield "confidence", Packet(built.confidence, meta=meta)

    def _received(self, packet: Packet) -> Any:
        from semwave.models.generate import Received
        from semwave.models.receive import decode_layers

        shape = (packet.meta["height"], packet.meta["width"])
        layers = {name: layer_bytes(packet, name) for name in ("mask", "prompt", "sketch", "key")}
        parts, problems = decode_layers(layers, shape)
        for problem in problems:
            self._ctx.count("layers that passed their CRC and did not decode")
            self._ctx.warn(problem)
        return Received(shape=shape, **parts)
