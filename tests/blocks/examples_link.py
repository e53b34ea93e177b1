"""Examples of the image link's blocks for the jig: inputs are made by the blocks before them, from small pictures."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from jig import Example, Tag, frames, stream

from semwave.modulation import scene
from semwave.runtime import Array, Packet, text_packet

RNG = np.random.default_rng(5)
HERE = Path(__file__).resolve().parents[2]
PHOTOS = str(HERE / "recordings" / "images")
BITS = RNG.integers(0, 2, 4000).astype(np.uint8)
SAMPLES = (RNG.normal(size=5000) + 1j * RNG.normal(size=5000)).astype(np.complex64)


def picture(height: int, width: int, number: int) -> Packet:
    """A smooth picture with an edge."""
    rows, columns = np.mgrid[:height, :width]
    image = np.stack([rows * 3, columns * 2, 255 * (columns > width // 2)], axis=2).clip(0, 255).astype(np.uint8)
    return Packet(image, meta={"number": number, "name": f"{number}.png"})


def grid(height: int, width: int, number: int) -> Packet:
    """A mask of the middle."""
    from semwave.models.maskcode import block_size

    block = block_size(height, width)
    mask = np.zeros((-(-height // block), -(-width // block)), np.uint8)
    mask[mask.shape[0] // 3 : -(-2 * mask.shape[0] // 3), mask.shape[1] // 3 : -(-2 * mask.shape[1] // 3)] = 1
    return Packet(mask, meta={"number": number, "height": height, "width": width})


PICTURES = (picture(48, 64, 0), picture(33, 17, 1), picture(1, 1, 2))
MASKS = (grid(48, 64, 0), grid(33, 17, 1), grid(1, 1, 2))


def layers(size: int, codec: int) -> Any:
    """Bytes of one layer of three pictures."""
    facts = [{**p.meta, "height": p.data.shape[0], "width": p.data.shape[1], "codec": codec} for p in PICTURES]
    return frames(*(Packet(RNG.integers(0, 256, size + i).astype(np.uint8), meta=m) for i, m in enumerate(facts)))


@cache
def burst_chain() -> tuple[Array, tuple[Tag, ...], Array]:
    """Symbols with their tags, and samples, of three scenes."""
    from semwave.blocks.framing import Framer
    from semwave.blocks.modem import OfdmModulator, QamMapper
    from semwave.runtime import Flowgraph
    from semwave.runtime.block import Out, Source
    from semwave.runtime.packet import Frames

    class Keys(Source):
        """Key layers."""

        layer = Out(Frames(np.uint8, ("byte",)))

        def packets(self) -> Any:
            """Three."""
            for i, p in enumerate(PICTURES):
                meta = {"number": i, "height": p.data.shape[0], "width": p.data.shape[1], "codec": 1}
                yield Packet(np.arange(40 + i, dtype=np.uint8), meta=meta)

    from semwave.blocks.basic import VectorSink

    graph = Flowgraph(seed=2).add(
        keys=Keys(), framer=Framer(key_mcs=7), mapper=QamMapper(), ofdm=OfdmModulator(), a=VectorSink(), b=VectorSink()
    )
    graph.connect("keys > framer > mapper > ofdm.samples > b", "mapper > a").run(timeout_s=60)
    sinks: Any = graph.blocks
    tags = tuple(t for p in sinks["a"].packets for t in p.tags)
    noise = np.random.default_rng(1).standard_normal((sinks["b"].data.size, 2), np.float32).view(np.complex64)[:, 0]
    return sinks["a"].data, tags, sinks["b"].data + 0.1 * noise


def soft_bits() -> Any:
    """Soft bits of one good scene, and a burst without a header."""
    entry = scene.LayerEntry(1, 3, 40)
    header = scene.SceneHeader(0, 48, 64, 9, key=entry)
    coded = scene.encode_layer(bytes(range(40)), 3)
    from dataclasses import asdict

    good = {"status": "ok", "report": {"snr_db": 9.0}, "header": asdict(header)}
    return frames(
        Packet((coded * 8.0 - 4.0).astype(np.float32), meta=good),
        Packet(np.empty(0, np.float32), meta={"status": "header", "report": {}}),
        Packet(np.zeros(coded.size, np.float32), meta=good),
    )


def scenes() -> Any:
    """A scene with a mask and a prompt, one without anything, one without a header."""
    from semwave.models.maskcode import encode_mask

    mask = encode_mask(MASKS[0].data.astype(bool))
    facts = {"status": "ok", "number": 0, "height": 48, "width": 64, "seed": 3, "report": {}}
    entry = {"codec": 1, "ok": True, "at": 0, "length": len(mask)}
    return frames(
        Packet(np.frombuffer(mask, np.uint8), meta={**facts, "layers": {"mask": entry}}),
        Packet(np.empty(0, np.uint8), meta={**facts, "number": 1, "layers": {}}),
        Packet(np.empty(0, np.uint8), meta={"status": "header", "report": {}}),
    )


def whole_pictures() -> Any:
    """One coded picture, one lost."""
    from semwave.models.keycodec import encode_whole

    found = encode_whole(PICTURES[0].data, 900, codec="jpeg")
    assert found is not None
    facts = {"status": "ok", "number": 0, "height": 48, "width": 64, "seed": 3, "report": {}}
    layer = {"codec": 15, "ok": True, "at": 0, "length": len(found[0])}
    return frames(
        Packet(np.frombuffer(found[0], np.uint8), meta={**facts, "layers": {"key": layer}}),
        Packet(np.empty(0, np.uint8), meta={**facts, "layers": {"key": {**layer, "ok": False, "length": 0}}}),
    )


def account(number: int) -> Packet:
    """What a modulator says of a burst."""
    told = {"number": number, "layers": {"key": {"bytes": 9, "coded_bits": 300, "symbols": 150}}}
    return text_packet(json.dumps({**told, "payload": 1500, "channel_uses": 2200, "samples": 3100}))


def table(block: Any) -> str:
    """What a sink said, without times and places."""
    return block.summary().split("seconds")[0]


ACCOUNTS = frames(*(account(p.meta["number"]) for p in PICTURES))
ROW = {"result": "ok", "height": 1, "width": 1, "psnr": 20.0}
ROWS = frames(*(text_packet(json.dumps({"number": i, "name": f"{i}.png", **ROW})) for i in range(3)))

EXAMPLES = [
    Example("ImageSource", {"path": PHOTOS, "limit": 2, "max_side": 90}),
    Example("Segmenter", {"model": "spectral"}, {"image": frames(*PICTURES)}),
    Example("Segmenter", {"model": "tiny"}, {"image": frames(*PICTURES)}, slow=True),
    Example("SemanticEncoder", {"cbr": 0.5}, {"image": frames(*PICTURES), "mask": frames(*MASKS)}, slow=True),
    Example("TextEncoder", {}, {"image": frames(*PICTURES), "mask": frames(*MASKS)}, slow=True),
    Example("SemanticEncoder", {"codec": "none"}, {"image": frames(*PICTURES), "mask": frames(*MASKS)}),
    Example("SketchEncoder", {}, {"image": frames(*PICTURES), "mask": frames(*MASKS)}, slow=True),
    Example(
        "SketchEncoder",
        {"cbr": 0.1, "with_key": True},
        {"image": frames(*PICTURES), "mask": frames(*MASKS)},
        slow=True,
    ),
    Example("Framer", {}, {"key": layers(50, 1)}),
    Example(
        "Framer",
        {"key_mcs": 12},
        {"mask": layers(9, 1), "prompt": layers(20, 1), "sketch": layers(30, 1), "key": layers(700, 1)},
    ),
    Example("QamMapper", {"order": 16}, {"bits": stream(BITS, [Tag(0, "label", "a"), Tag(403, "label", "b")])}),
    Example(
        "QamMapper",
        {"order": 4},
        {"bits": stream(BITS, [Tag(0, "frame", 9), Tag(600, "modulation", 64), Tag(1200, "modulation", 16)])},
    ),
    Example("OfdmModulator", {}, lambda: {"symbols": stream(burst_chain()[0], list(burst_chain()[1]))}),
    Example("OfdmDemodulator", {}, lambda: {"samples": stream(burst_chain()[2], sample_rate=3.84e6)}, slow=True),
    Example("OfdmLink", {"snr_db": 12.0}, {"layer": layers(50, 15)}, slow=True),
    Example("Deframer", {}, lambda: {"llr": soft_bits()}),
    Example("AwgnChannel", {"snr_db": 3.0}, {"samples": stream(SAMPLES, [Tag(77, "label", "x")])}),
    Example("FadingChannel", {"cfo_hz": 123.0}, {"samples": stream(SAMPLES, [Tag(77, "label", "x")], sample_rate=1e6)}),
    Example("FadingChannel", {"profile": "awgn", "sample_rate": 1e6}, {"samples": stream(SAMPLES)}),
    Example("GenerativeDecoder", {"model": "classical"}, lambda: {"scene": scenes()}, slow=True),
    Example(
        "Score",
        {},
        {"sent": frames(*PICTURES), "image": frames(*PICTURES[:2]), "accounting": ACCOUNTS, "mask": frames(*MASKS)},
    ),
    Example("ConventionalEncoder", {"codec": "jpeg"}, {"image": frames(*PICTURES), "accounting": ACCOUNTS}, slow=True),
    Example("ConventionalDecoder", {}, lambda: {"scene": whole_pictures()}, slow=True),
    Example(
        "ImageSink",
        lambda folder: {"path": str(folder)},
        {"sent": frames(*PICTURES), "image": frames(*PICTURES), "row": ROWS},
        state=table,
        slow=True,
    ),
]
