"""The generative decoder: from the layers that arrived to a picture, and what in it was received, inferred,
invented.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from semwave.blocks.framing import layer_bytes
from semwave.runtime import BatchBlock, Context, Frames, In, Out, Packet, Param


class GenerativeDecoder(BatchBlock):
    """Rebuild each picture from what arrived of its key region, mask, prompt and sketch, up to ``max_batch`` at a time.

    ``provenance`` says for each pixel: 0 received, 1 inferred, 2 invented. A lost mask means that everything counts as
    key; a lost prompt, an unconditional fill; a lost key layer, a picture from sketch and prompt. Scenes without a
    header give nothing here: the score reports them as lost pictures. Where the key layer came as joint source-channel
    coded symbols, ``confidence`` follows from the error that their decoder expects, and pixels of a large one count as
    inferred, of a very large one as not received; ``key_model`` names its weights.

    ``model`` is ``flow`` (the trained generator), ``texture`` (patterns by the prompt's words, no network),
    ``classical`` (a smooth fill), the folder of a decoder like the shipped one, or ``hub:ID`` or ``hub:FOLDER``: an
    inpainting pipeline of diffusers. Held-out scores: docs/generation.md.
    """

    model: Annotated[str, Param("flow, texture, classical, FOLDER, hub:ID or hub:FOLDER")] = "flow"
    steps: Annotated[int, Param("sampling steps of the generator", low=1, high=100)] = 1
    device: Annotated[str, Param("torch device: cpu, cuda")] = "cpu"
    key_model: Annotated[str, Param("weights of jscc: the encoder's; for default, perceptual does as well")] = "default"
    bits: Annotated[int, Param("quantise the network to 8 or 4 bits; 0 does not", choices=(0, 4, 8))] = 0
    adapter: Annotated[str, Param("LoRA weights: a safetensors file or its folder; empty for none")] = ""

    scene = In(Frames(np.uint8, ("byte",)))
    image = Out(Frames(np.uint8, ("row", "column", 3)))
    provenance = Out(Frames(np.uint8, ("row", "column")), optional=True)
    confidence = Out(Frames(np.float32, ("row", "column")), optional=True)

    def check(self) -> None:
        """A decoder by name, a folder that is there, or hub:."""
        known = ("flow", "texture", "classical", "tiny")
        if self.model not in known and not self.model.startswith("hub:") and not Path(self.model).is_dir():
            raise ValueError(f"model must be {', '.join(known[:3])}, a folder or hub:ID, not {self.model!r}")

    def start(self, ctx: Context) -> None:
        """Load the model: torch comes in here, not with the package."""
        from semwave.models.generate import load_decoder
        from semwave.models.jscc import NAMES

        if self.key_model not in NAMES and not Path(self.key_model).is_dir():
            raise ValueError(f"key_model must be {', '.join(NAMES)} or a folder, not {self.key_model!r}")
        self._ctx = ctx
        self._model = load_decoder(self.model, self.device, bits=self.bits or None, adapter=self.adapter or None)
        self._jscc: Any = None  # loaded when the first symbols come

    def work(self, batch: list[Packet], /) -> Iterator[tuple[str, Packet]]:
        """Pictures of the scenes that have a header."""
        scenes = [p for p in batch if p.meta["status"] != "header"]
        self._ctx.count("scenes without a header", len(batch) - len(scenes))
        if not scenes:
            return
        received, keys = zip(*(self._received(p) for p in scenes), strict=True)
        seeds = [p.meta["seed"] for p in scenes]
        built = self._model.decode(received, seeds, steps=self.steps)
        for packet, layers, key, picture in zip(scenes, received, keys, built, strict=True):
            meta = {k: v for k, v in packet.meta.items() if k not in ("layers", "raw")}
            meta["lost"] = lost_layers(packet)
            meta["prompt"] = layers.prompt
            provenance, confidence = picture.provenance, picture.confidence
            if key is not None:
                from semwave.models.jscckey import judge

                provenance, confidence = judge(key, provenance, confidence)
            yield "image", Packet(picture.image, meta=meta)
            yield "provenance", Packet(provenance, meta=meta)
            yield "confidence", Packet(confidence, meta=meta)

    def _received(self, packet: Packet) -> tuple[Any, Any]:
        """The layers as the decoder takes them, and the key region where it came as symbols."""
        from semwave.models.generate import Received
        from semwave.models.receive import decode_layers

        shape = (packet.meta["height"], packet.meta["width"])
        layers = {name: layer_bytes(packet, name) for name in ("mask", "prompt", "sketch", "key")}
        raw = packet.meta.get("raw", {}).get("key")
        side = layers.pop("key") if raw else None
        codecs = {name: entry["codec"] for name, entry in packet.meta["layers"].items()}
        parts, problems = decode_layers(layers, shape, codecs)
        for problem in problems:
            self._ctx.count("layers that passed their CRC and did not decode")
            self._ctx.warn(problem)
        key = self._symbols(packet, raw, side, parts["mask"]) if raw else None
        if key is not None:
            parts.update(key=key.picture, key_ok=key.usable, key_error=key.sigma)
        return Received(shape=shape, **parts), key

    def _symbols(self, packet: Packet, raw: Any, side: bytes | None, mask: Any) -> Any:
        """The key region out of its symbols; None where it cannot be told what they stand for."""
        from semwave.models.jscc import Jscc
        from semwave.models.jscckey import decode_jscc_key

        if mask is None and "mask" in packet.meta["layers"]:
            self._ctx.count("key regions whose place was lost with the mask")
            return None
        self._jscc = self._jscc or Jscc.load(self.key_model)
        shape = (packet.meta["height"], packet.meta["width"])
        try:
            return decode_jscc_key(self._jscc, side, raw, packet.meta["layers"]["key"]["codec"], mask, shape)
        except ValueError as error:
            self._ctx.count("layers that passed their CRC and did not decode")
            self._ctx.warn(f"key symbols: {error}")
            return None


def lost_layers(packet: Packet) -> list[str]:
    """The layers of a scene packet that did not arrive, and what is gone of one that did in part."""
    lost = [name for name, entry in packet.meta["layers"].items() if not entry["ok"]]
    for name, raw in packet.meta.get("raw", {}).items():
        gone = float(np.isinf(raw["noise_variance"]).mean())
        if gone and name not in lost:
            lost.append(f"{100 * gone:.0f} % of {name}")
    return lost
