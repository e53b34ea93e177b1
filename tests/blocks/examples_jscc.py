"""Examples for the jig of blocks that carry joint source-channel coded symbols."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from jig import Example, Tag, frames, stream

from semwave.modulation import scene
from semwave.runtime import Packet

sys.path.insert(0, str(Path(__file__).parent))
import examples_link as link

RNG = np.random.default_rng(8)
SYMBOLS = [RNG.standard_normal((n, 2)).astype(np.float32).view(np.complex64)[:, 0] for n in (7, 300, 1)]
for s in SYMBOLS:
    s.setflags(write=False)


def layers() -> Any:
    """Side information and symbols of three pictures, the last without any bytes."""
    facts = [{**p.meta, "height": p.data.shape[0], "width": p.data.shape[1], "codec": 2} for p in link.PICTURES]
    sizes = (40, 3, 0)
    packets = [
        Packet(RNG.integers(0, 256, size).astype(np.uint8), meta={**meta, "raw": raw})
        for size, meta, raw in zip(sizes, facts, SYMBOLS, strict=True)
    ]
    return frames(*packets)


def received() -> Any:
    """Soft bits of side information with symbols beside them, some of those lost; then all bits wiped."""
    header = scene.SceneHeader(0, 48, 64, 9, key=scene.LayerEntry(2, 3, 40, raw=300))
    coded = scene.encode_layer(bytes(range(40)), 3)
    noise = np.full(300, 0.1, np.float32)
    noise[250:] = np.inf
    facts = {"status": "ok", "report": {}, "header": asdict(header)}
    raw = {"key": {"symbols": SYMBOLS[1], "noise_variance": noise}}
    soft = (coded * 8.0 - 4.0).astype(np.float32)
    return frames(Packet(soft, meta={**facts, "raw": raw}), Packet(0 * soft, meta={**facts, "raw": raw}))


def scenes() -> Any:
    """A key region in symbols: with its mask, with the mask lost, with the side information lost, without a mask."""
    from semwave.models.jscc import Jscc
    from semwave.models.maskcode import encode_mask

    image = link.PICTURES[0].data.astype(np.float32) / 255
    code = Jscc.load("linear").encode(image, None, 500, 10.0)
    mask, side = encode_mask(np.ones_like(link.MASKS[0].data, bool)), code.side
    raw = {"key": {"symbols": code.symbols, "noise_variance": np.full(500, 0.1, np.float32)}}
    facts = {"status": "ok", "number": 0, "height": 48, "width": 64, "seed": 3, "report": {}, "raw": raw}
    places = {
        "mask": {"codec": 1, "ok": True, "at": 0, "length": len(mask)},
        "key": {"codec": 2, "ok": True, "at": len(mask), "length": len(side)},
    }
    lost = {"ok": False, "length": 0}
    data = np.frombuffer(mask + side, np.uint8)
    cases = [
        places,
        {**places, "mask": {**places["mask"], **lost}},
        {**places, "key": {**places["key"], **lost}},
        {"key": places["key"]},
    ]
    return frames(*(Packet(data, meta={**facts, "number": i, "layers": case}) for i, case in enumerate(cases)))


PLACES = [Tag(0, "frame", 9), Tag(5, "raw", SYMBOLS[0]), Tag(7, "label", "a"), Tag(8, "label", "b")]
CHANGES = [Tag(599, "raw", SYMBOLS[1]), Tag(600, "modulation", 64), Tag(1199, "raw", SYMBOLS[2])]

EXAMPLES = [
    Example("Framer", {"key_mcs": 1}, {"key": layers()}),
    Example("QamMapper", {"order": 4}, {"bits": stream(link.BITS[:3000], [*PLACES, *CHANGES])}),
    Example("Deframer", {}, lambda: {"llr": received()}),
    Example(
        "SemanticEncoder",
        {"codec": "jscc", "model": "linear", "cbr": 3.0, "mcs": 12, "constellation": 64},
        {"image": frames(*link.PICTURES), "mask": frames(*link.MASKS)},
        slow=True,
    ),
    Example("GenerativeDecoder", {"model": "classical", "key_model": "linear"}, lambda: {"scene": scenes()}, slow=True),
]
