"""Key region, prompt and sketch, rebuilt by the generative decoder; and the same with one part taken away."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from semwave.bench.air import Air, Arrival
from semwave.bench.schemes import Delivery, Picture, Scheme, lost, remembered
from semwave.modulation import scene

Array = NDArray[Any]
KEY_CODEC, CODEC = 1, 1
ORDER = ("mask", "prompt", "sketch")


@dataclass(frozen=True)
class Semwave(Scheme):
    """What ``image_link`` does, in a given number of channel uses: mask, prompt and sketch first, the key region in
    what they leave. A budget too small for all loses the sketch first, then the prompt.
    """

    name: ClassVar[str] = "semwave"
    version: ClassVar[str] = "1"
    segmenter: str = "tiny"
    key_share: float = 0.35
    codec: str = "avif"
    generator: str = "tiny"
    steps: int = 1
    prompt_bytes: int = 64
    sketch_bytes: int = 64
    mask_mcs: int = 1
    prompt_mcs: int = 1
    sketch_mcs: int = 2
    key_mcs: int = 3

    @cached_property
    def _decoder(self) -> Any:
        from semwave.models.generate import load_decoder

        return load_decoder(self.generator)

    def transmit(self, picture: Picture, air: Air, budget: int, rng: np.random.Generator) -> Delivery:
        """Encode, send, rebuild."""
        key = (self, picture.sha256, budget)
        layers = remembered(key, lambda: self._layers(picture, budget))
        if layers is None:
            return Delivery(lost(picture), "does not fit", 0, 0)
        height, width = picture.image.shape[:2]
        entries = {n: scene.LayerEntry(CODEC, self._mcs(n), len(d)) for n, d in layers.items()}
        header = scene.SceneHeader(0, height, width, int(rng.integers(1 << 16)), **entries)
        arrival = air.send(header, layers)
        extras = {f"{n}_bytes": len(d) for n, d in layers.items()}
        extras |= {f"received_{k}": v for k, v in arrival.report.items()}
        if arrival.header is None:
            return Delivery(lost(picture), "lost", arrival.payload, arrival.total, extras)
        return self._rebuilt(arrival, extras)

    def _mcs(self, layer: str) -> int:
        return int(getattr(self, f"{layer}_mcs"))

    def _layers(self, picture: Picture, budget: int) -> dict[str, bytes] | None:
        """The layers that fit in ``budget`` channel uses; None where not even the mask does."""
        from semwave.models.keylayer import encode_key_layer

        grid = key_grid(picture, self.segmenter, self.key_share)
        data = self._small_layers(picture, grid)
        while data and self._uses(data) > budget:
            data.popitem()
        if not data:
            return None
        room = scene.capacity(budget - self._uses(data), self.key_mcs)
        key = encode_key_layer(picture.image, grid, room, self.codec)
        return {**data, "key": key or b""}

    def _uses(self, data: dict[str, bytes]) -> int:
        return sum(scene.coded_symbols(len(d), self._mcs(n)) for n, d in data.items() if d)

    def _small_layers(self, picture: Picture, grid: Array) -> dict[str, bytes]:
        from semwave.models.maskcode import block_size, encode_mask
        from semwave.models.prompt import describe, encode_prompt
        from semwave.models.segment import expand
        from semwave.models.sketch import encode_sketch

        height, width = picture.image.shape[:2]
        region = expand(grid, block_size(height, width), (height, width))
        made = {"mask": encode_mask(grid)}
        if self.prompt_bytes:
            made["prompt"] = encode_prompt(describe(picture.image, region, caption=""), self.prompt_bytes)
        if self.sketch_bytes:
            made["sketch"] = encode_sketch(picture.image, region, self.sketch_bytes)
        return {n: made[n] for n in ORDER if n in made}

    def _rebuilt(self, arrival: Arrival, extras: dict[str, Any]) -> Delivery:
        from semwave.models.generate import Received
        from semwave.models.receive import decode_layers

        header = arrival.header
        assert header is not None
        shape = (header.height, header.width)
        parts, problems = decode_layers(dict(arrival.layers), shape)
        built = self._decoder.decode([Received(shape=shape, **parts)], [header.seed], steps=self.steps)[0]
        missing = [n for n, d in arrival.layers.items() if d is None]
        shares = np.bincount(built.provenance.reshape(-1), minlength=3) / built.provenance.size
        extras |= dict(zip(("received", "inferred", "invented"), map(float, shares), strict=False))
        extras |= {"prompt": parts.get("prompt") or "", **({"problems": "; ".join(problems)} if problems else {})}
        status = f"{', '.join(missing)} lost" if missing else "ok"
        shown = {"provenance": built.provenance}
        return Delivery(built.image, status, arrival.payload, arrival.total, extras, shown)


@dataclass(frozen=True)
class NoGeneration(Semwave):
    """The rest is filled smoothly from sketch and prompt colours; nothing is generated."""

    name: ClassVar[str] = "semwave-no-generation"
    generator: str = "classical"


@dataclass(frozen=True)
class NoPrompt(Semwave):
    """No prompt is sent; its symbols go to the key region."""

    name: ClassVar[str] = "semwave-no-prompt"
    prompt_bytes: int = 0


@dataclass(frozen=True)
class NoSketch(Semwave):
    """No sketch is sent; its symbols go to the key region."""

    name: ClassVar[str] = "semwave-no-sketch"
    sketch_bytes: int = 0


def key_grid(picture: Picture, segmenter: str = "tiny", share: float = 0.35) -> Array:
    """The key region as the transmitter marks it: bool [rows, columns] of blocks."""
    from semwave.models.maskcode import block_size
    from semwave.models.segment import key_mask, load_segmenter

    def build() -> Array:
        model = remembered(("segmenter", segmenter), lambda: load_segmenter(segmenter))
        height, width = picture.image.shape[:2]
        return key_mask(model.importance([picture.image])[0], share, block_size(height, width)).astype(bool)

    grid: Array = remembered(("grid", picture.sha256, segmenter, share), build)
    return grid
