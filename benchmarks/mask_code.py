"""What key masks cost and how true they are, at several grids, beside plain codes of the same masks.

    python benchmarks/mask_code.py --data DIR [--quick]

On the development pictures of the COCO sets (512 x 384 or so), masks of the default segmenter at budget 0.35, on grids
of about 192 to 3072 cells (a link uses 768):

* bits: mean length of the code; bits_90: what nine of ten masks stay below; over_150: share of masks above 150 bits
* zlib_bits, rle_bits, png_bits: packed bits through deflate (level 9), run lengths through deflate, a 1-bit PNG
  without chunks around it
* untrained_bits: the same context coder, as JBIG would begin: knowing nothing
* iou: of the blocks, put back to pixels, with the same map cut at pixels (its own best threshold for that budget)
"""

import argparse
import io
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from _report import emit
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "training"))
import segmenter_data as sd

from semwave.models import maskcode
from semwave.models.segment import expand, key_mask, load_segmenter

BLOCKS = (32, 24, 16, 12, 8)
BUDGET = 0.35


def run_lengths(mask: Any) -> bytes:
    """Run lengths along rows, a byte each (255: more follows), first run is of zeros."""
    flat = mask.ravel().astype(np.int8)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flat])))
    out = bytearray()
    for length in np.diff(np.concatenate([[0], edges, [flat.size]])):
        out += b"\xff" * (int(length) // 255) + bytes([int(length) % 255])
    return bytes(out)


def plain_codes(mask: Any) -> dict[str, int]:
    """Bits of the mask in each plain code; raw deflate, without headers."""

    def deflate(data: bytes) -> int:
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        return 8 * len(packer.compress(data) + packer.flush())

    file = io.BytesIO()
    Image.fromarray(mask).save(file, "PNG", optimize=True)
    png = file.getvalue()
    at = png.index(b"IDAT")
    return {
        "zlib_bits": deflate(np.packbits(mask).tobytes()),
        "rle_bits": deflate(run_lengths(mask)),
        "png_bits": 8 * int.from_bytes(png[at - 4 : at]),
        "untrained_bits": untrained(mask),
    }


def untrained(mask: Any) -> int:
    """Bits of the coder with even odds for every context, quickly given up."""
    kept = maskcode._INITIAL, maskcode._STRENGTH
    maskcode._INITIAL, maskcode._STRENGTH = bytes([128] * 256), 1
    try:
        return 8 * len(maskcode.encode_mask(mask))
    finally:
        maskcode._INITIAL, maskcode._STRENGTH = kept


def cut(importance: Any) -> Any:
    """The most important pixels within the budget, above the floor that the blocks have."""
    level = max(float(np.quantile(importance, 1 - BUDGET)), min(0.3, 0.5 * float(importance.max())))
    return importance >= level


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with clean/ and research/ zip files")
    parser.add_argument("--quick", action="store_true")
    args = parser.parse_args()
    segmenter = load_segmenter()
    maps = []
    for example in sd.coco_examples(args.data, development=True)[:: 4 if args.quick else 1]:
        scale = (512 * 384 / (example.image.width * example.image.height)) ** 0.5
        size = (round(example.image.width * scale), round(example.image.height * scale))
        image = np.asarray(example.image.resize(size))
        maps.append((image, segmenter.importance([image])[0]))
    for block in BLOCKS:
        masks = [key_mask(importance, BUDGET, block, image) for image, importance in maps]
        bits = np.array([8 * len(maskcode.encode_mask(mask)) for mask in masks])
        plain = [plain_codes(mask) for mask in masks]
        best = min(plain[0], key=lambda name: np.mean([p[name] for p in plain]))
        where, other = f"block {block}", float(np.mean([p[best] for p in plain]))
        emit("mask_code", f"{where} bits", float(bits.mean()), "bit", best, other)
        emit("mask_code", f"{where} bits_50", float(np.median(bits)), "bit", None, None)
        emit("mask_code", f"{where} bits_90", float(np.quantile(bits, 0.9)), "bit", None, None)
        emit("mask_code", f"{where} over_150", float((bits > 150).mean()), "1", None, None)
        for name in plain[0]:
            emit("mask_code", f"{where} {name}", float(np.mean([p[name] for p in plain])), "bit", None, None)
        pairs = [(expand(m, block, i.shape), cut(i)) for m, (_, i) in zip(masks, maps, strict=True)]
        iou = float(np.mean([(a & b).sum() / max(1, (a | b).sum()) for a, b in pairs]))
        emit("mask_code", f"{where} iou", iou, "1", None, None)


if __name__ == "__main__":
    main()
