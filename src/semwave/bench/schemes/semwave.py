"""Key region, prompt and sketch, rebuilt by the generative decoder; and the same with one part taken away."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from semwave.bench.air import Air, Arrival
from semwave.bench.schemes import Delivery, Picture, Scheme, _options, lost, remembered
from semwave.modulation import scene

Array = NDArray[Any]
CODEC = 1  # of the small layers
ORDER = ("mask", "prompt", "sketch")
PROMPT_SHARE = 1 / 12  # of the budget: a prompt that takes more is worth less than the sketch in its place


@dataclass(frozen=True)
class Semwave(Scheme):
    """What ``image_link`` does, in a given number of channel uses: mask, prompt and sketch first, the key region in
    what they leave. A budget too small for all loses the sketch first, then the prompt.

    ``codec``: avif, webp, jpeg, best, or ``jscc`` (symbols as they are; ``told``: the encoder knows the mean SNR), or
    ``none``: all that mask and prompt leave goes to one sketch of everything, the key region sharper than the rest,
    by the encoder's slow search where ``slow``.
    """

    name: ClassVar[str] = "semwave"
    version: ClassVar[str] = "3"
    segmenter: str = "lite"
    key_share: float = 0.35
    codec: str = "avif"
    generator: str = ""
    steps: int = 1
    told: bool = True
    caption: str = "own"
    prompt_bytes: int = 64
    sketch_bytes: int = 64
    mask_mcs: int = 1
    prompt_mcs: int = 1
    sketch_mcs: int = 2
    key_mcs: int = 3
    slow: bool = False

    def __post_init__(self) -> None:
        _options.still_codec("codec", self.codec, "all", "jscc", "none")
        _options.number("key_share", self.key_share, 0, 1)
        _options.whole("steps", self.steps, 1)
        _options.one_of("slow", self.slow, (True, False))
        for layer in (*ORDER, "key"):
            _options.mcs_index(f"{layer}_mcs", self._mcs(layer))
        for layer in ("prompt", "sketch"):
            _options.whole(f"{layer}_bytes", getattr(self, f"{layer}_bytes"), 0, 65535)

    @cached_property
    def _decoder(self) -> Any:
        from semwave.models.generate import load_decoder

        return load_decoder(self.generator) if self.generator else load_decoder()

    @cached_property
    def _captioner(self) -> Any:
        from semwave.models.text.choose import load_captioner

        return load_captioner(self.caption)

    @cached_property
    def _jscc(self) -> Any:
        from semwave.models.jscc import Jscc

        return Jscc.load()

    def transmit(self, picture: Picture, air: Air, budget: int, rng: np.random.Generator) -> Delivery:
        """Encode, send, rebuild."""
        snr_db = air.channel.snr_db if self.told and self.codec == "jscc" else None
        made = remembered((self, picture.sha256, budget, snr_db), lambda: self._layers(picture, budget, snr_db))
        if made is None:
            return Delivery(lost(picture), "does not fit", 0, 0)
        layers, raw = made
        height, width = picture.image.shape[:2]
        entries = {n: scene.LayerEntry(self._number(n), self._mcs(n), len(d)) for n, d in layers.items()}
        if raw is not None:
            entries["key"] = scene.LayerEntry(scene.KEY_JSCC["free"], self.key_mcs, len(layers["key"]), raw.size)
        header = scene.SceneHeader(0, height, width, int(rng.integers(1 << 16)), **entries)
        arrival = air.send(header, layers, raw)
        extras = {f"{n}_bytes": len(d) for n, d in layers.items()}
        extras |= {f"received_{k}": v for k, v in arrival.report.items()}
        if arrival.header is None:
            return Delivery(lost(picture), "lost", arrival.payload, arrival.total, extras)
        return self._rebuilt(arrival, extras)

    def _mcs(self, layer: str) -> int:
        found: int = getattr(self, f"{layer}_mcs")
        return found

    def _layers(
        self, picture: Picture, budget: int, snr_db: float | None
    ) -> tuple[dict[str, bytes], Array | None] | None:
        """The layers that fit in ``budget`` channel uses, and raw symbols; None where not even the mask fits."""
        grid = key_grid(picture, self.segmenter, self.key_share)
        data = self._small_layers(picture, grid)
        while data and self._uses(data) > budget:
            data.popitem()
        if not data:
            return None
        left = budget - self._uses(data)
        if self.codec == "none":
            if "prompt" in data and scene.coded_symbols(len(data["prompt"]), self.prompt_mcs) > PROMPT_SHARE * budget:
                del data["prompt"]
                left = budget - self._uses(data)
            return {**data, "sketch": self._sketch(picture, grid, left)}, None
        if self.codec == "jscc":
            from semwave.models.jscckey import encode_jscc_key

            found = encode_jscc_key(self._jscc, picture.image, grid, left, self.key_mcs, snr_db, "free")
            return ({**data, "key": b""}, None) if found is None else ({**data, "key": found[0]}, found[1])
        from semwave.models.keylayer import encode_key_layer

        key = encode_key_layer(picture.image, grid, scene.capacity(left, self.key_mcs), self.codec)
        return {**data, "key": key or b""}, None

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
            said = self._captioner([picture.image], [region])[0]
            told = describe(picture.image, region, said.caption, said.things)
            made["prompt"] = encode_prompt(told, self.prompt_bytes)
        if self.sketch_bytes and self.codec != "none":
            made["sketch"] = encode_sketch(picture.image, region, self.sketch_bytes)
        return {n: made[n] for n in ORDER if n in made}

    def _sketch(self, picture: Picture, grid: Array, left: int) -> bytes:
        """All of the picture in ``left`` channel uses."""
        from semwave.models.maskcode import block_size
        from semwave.models.segment import expand
        from semwave.models.sketch import MAX_SKETCH_BYTES, encode_sketch

        height, width = picture.image.shape[:2]
        size = min(scene.capacity(left, self.sketch_mcs), MAX_SKETCH_BYTES)
        region = expand(grid, block_size(height, width), (height, width))
        return encode_sketch(picture.image, region, size, True, self.slow)

    def _number(self, layer: str) -> int:
        """Of a layer's codec, in the header."""
        from semwave.models.sketch import WITH_KEY

        return WITH_KEY if layer == "sketch" and self.codec == "none" else _codec(layer)

    def _rebuilt(self, arrival: Arrival, extras: dict[str, Any]) -> Delivery:
        from semwave.models.generate import Received
        from semwave.models.receive import decode_layers

        header = arrival.header
        assert header is not None
        shape, layers = (header.height, header.width), dict(arrival.layers)
        side = layers.pop("key", None) if header.key.raw else None
        codecs = {n: header.layer(n).codec for n in scene.LAYERS}
        parts, problems = decode_layers(layers, shape, codecs)
        key = self._key(arrival, side, parts["mask"]) if header.key.raw else None
        if key is not None:
            parts.update(key=key.picture, key_ok=key.usable, key_error=key.sigma)
        built = self._decoder.decode([Received(shape=shape, **parts)], [header.seed], steps=self.steps)[0]
        provenance = built.provenance
        if key is not None:
            from semwave.models.jscckey import judge

            provenance, _ = judge(key, provenance, built.confidence)
        missing = [n for n, d in arrival.layers.items() if d is None]
        shares = np.bincount(provenance.reshape(-1), minlength=3) / provenance.size
        extras |= dict(zip(("received", "inferred", "invented"), map(float, shares), strict=False))
        extras |= {"prompt": parts.get("prompt") or "", **({"problems": "; ".join(problems)} if problems else {})}
        status = f"{', '.join(missing)} lost" if missing else "ok"
        return Delivery(built.image, status, arrival.payload, arrival.total, extras, {"provenance": provenance})

    def _key(self, arrival: Arrival, side: bytes | None, mask: Array | None) -> Any:
        """The key region out of its symbols; None where its place was lost with the mask."""
        from semwave.models.jscckey import decode_jscc_key

        header = arrival.header
        if header is None or mask is None:
            return None
        raw = {"symbols": arrival.raw, "noise_variance": arrival.raw_noise}
        return decode_jscc_key(self._jscc, side, raw, header.key.codec, mask, (header.height, header.width))


@dataclass(frozen=True)
class JsccKeyed(Semwave):
    """The key region as joint source-channel coded symbols instead of an image codec's bytes."""

    name: ClassVar[str] = "semwave-jscc"
    codec: str = "jscc"
    key_mcs: int = 1


@dataclass(frozen=True)
class Sketched(Semwave):
    """No key layer: one sketch carries everything, the key region sharper than the rest. What serves few bytes best."""

    name: ClassVar[str] = "semwave-sketch"
    codec: str = "none"
    caption: str = "off"
    prompt_bytes: int = 32


def _codec(layer: str) -> int:
    """The number of a layer's codec in the header."""
    from semwave.models.prompt import CODEC as PROMPT

    return PROMPT if layer == "prompt" else CODEC


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


def key_grid(picture: Picture, segmenter: str = "lite", share: float = 0.35) -> Array:
    """The key region as the transmitter marks it: bool [rows, columns] of blocks."""
    from semwave.models.maskcode import block_size
    from semwave.models.segment import key_mask, load_segmenter

    def build() -> Array:
        model = remembered(("segmenter", segmenter), lambda: load_segmenter(segmenter))
        height, width = picture.image.shape[:2]
        return key_mask(model.importance([picture.image])[0], share, block_size(height, width)).astype(bool)

    grid: Array = remembered(("grid", picture.sha256, segmenter, share), build)
    return grid
