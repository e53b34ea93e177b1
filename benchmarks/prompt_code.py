"""Mean bytes of prompts and captions, and what each byte of sketch buys, on held-out photographs.

    python benchmarks/prompt_code.py --data DIR [--quick]

Flickr8k's development pictures, each with its first caption and an elliptic key region; sizes of ours include the
check sum (2 bytes) and the version. Peers, of which none has a check sum: the same text as ASCII, as zlib (level 9), as
raw deflate with 32 KB of training captions as preset dictionary, by zstd (level 22, no magic number, no content size)
with the best of some dictionaries trained on the training captions (where the package zstandard is installed), and by
the first version of this code. ``payload`` is without check sum and version: the information by the language model.
Sketch cases: PSNR of the rest in dB for so many bytes, beside the mean colour of the rest.
"""

import argparse
import importlib
import io
import re
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from _report import emit
from PIL import Image

from semwave.models import prompt_v1
from semwave.models.prompt import decode_prompt, describe, encode_prompt
from semwave.models.sketch import decode_sketch, encode_sketch
from semwave.models.text import textcode
from semwave.models.text.captioner import load_own

Examples = list[tuple[Any, str]]


def captions(data: Path) -> tuple[dict[str, str], list[str]]:
    """First caption of each development picture, and all training captions."""
    with zipfile.ZipFile(data / "research/captions_text.zip") as kept:
        held = set(kept.read("text/Flickr_8k.devImages.txt").decode().split())
        train = set(kept.read("text/Flickr_8k.trainImages.txt").decode().split())
        lines = [line.split("\t") for line in kept.read("text/Flickr8k.token.txt").decode().splitlines()]
    tidy = [(name.split("#"), re.sub(r"\s+([.,!?])", r"\1", text.strip())) for name, text in lines]
    found = {name[0]: text for name, text in tidy if name[0] in held and name[1] == "0"}
    return found, [text for name, text in tidy if name[0] in train]


def examples(data: Path, texts: dict[str, str], count: int) -> Examples:
    """Pictures with their captions."""
    out: Examples = []
    for part in (0, 1):
        with zipfile.ZipFile(data / f"research/flickr8k_192_part{part}.zip") as kept:
            for name in sorted(kept.namelist()):
                text = texts.get(Path(name).stem + ".jpg")
                if text is not None and len(out) < count * (part + 1) // 2:
                    out.append((np.asarray(Image.open(io.BytesIO(kept.read(name))).convert("RGB")), text))
    return out


def ellipse(shape: tuple[int, ...]) -> Any:
    """The key region: a fifth of the picture, in its middle."""
    y, x = np.mgrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j]
    return x**2 + y**2 < 0.25


def deflated(text: str, preset: bytes) -> int:
    """Bytes of raw deflate with a preset dictionary."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zlib.Z_DEFAULT_STRATEGY, preset)
    return len(packer.compress(text.encode()) + packer.flush())


def zstd_sizes(texts: list[str], train: list[str]) -> list[int] | None:
    """Bytes of zstd frames with the best of four trained dictionaries and plain text; None without the package."""
    try:
        zstandard: Any = importlib.import_module("zstandard")
    except ImportError:
        return None
    kind = zstandard.FORMAT_ZSTD1_MAGICLESS
    parameters = zstandard.ZstdCompressionParameters.from_level(
        22, format=kind, write_content_size=False, write_dict_id=False, write_checksum=False
    )
    samples = [text.encode() for text in train]
    trained = [zstandard.train_dictionary(size, samples, d=8, k=k) for size in (16384, 112640) for k in (32, 128)]
    plain = zstandard.ZstdCompressionDict(" ".join(train).encode()[-112640:])
    best: list[int] = []
    for known in (*trained, plain):
        packer = zstandard.ZstdCompressor(dict_data=known, compression_params=parameters)
        sizes = [len(packer.compress(text.encode())) for text in texts]
        best = sizes if not best or sum(sizes) < sum(best) else best
    return best


def report_texts(case: str, texts: list[str], train: list[str]) -> None:
    """One line per peer for a kind of text."""
    coded = [encode_prompt(text) for text in texts]
    if [decode_prompt(data) for data in coded] != texts:
        raise RuntimeError(f"{case}: a prompt came back changed")
    value = float(np.mean([len(data) for data in coded]))
    peers = {"ascii": [len(text.encode()) for text in texts]}
    peers["zlib"] = [len(zlib.compress(text.encode(), 9)) for text in texts]
    peers["first version"] = [len(prompt_v1.encode(text)) for text in texts]
    if train:
        preset = " ".join(train)[-32768:].encode()
        peers["deflate with preset dictionary"] = [deflated(text, preset) for text in texts]
        peers["zstd with trained dictionary"] = zstd_sizes(texts, train) or [0]
        payload = float(np.mean([textcode.bits(text) for text in texts])) / 8
        emit("prompt_code", f"{case}, payload", payload, "byte", "ascii", float(np.mean(peers["ascii"])))
        emit(
            "prompt_code", f"{case}, longest", float(max(map(len, coded))), "byte", "ascii", float(max(peers["ascii"]))
        )
    for peer, sizes in peers.items():
        emit("prompt_code", case, value, "byte", peer if any(sizes) else None, float(np.mean(sizes)) or None)


def report_sketch(chosen: Examples) -> None:
    """PSNR of the rest for each size."""
    masks = [ellipse(image.shape) for image, _ in chosen]
    flat = []
    for (image, _), mask in zip(chosen, masks, strict=True):
        rest = image[~mask] / 255.0
        flat.append(-10 * np.log10(np.mean((rest - rest.mean(axis=0)) ** 2)))
    for size in (8, 16, 32, 48, 64):
        found, used = [], []
        for (image, _), mask in zip(chosen, masks, strict=True):
            data = encode_sketch(image, mask, size)
            drawn = decode_sketch(data, image.shape, mask)
            error = 0.25 if drawn is None else np.mean((drawn - image / 255.0)[~mask] ** 2)
            found.append(-10 * np.log10(error))
            used.append(len(data))
        emit("sketch", f"{size} bytes", float(np.mean(found)), "dB", "mean colour", float(np.mean(flat)))
        emit("sketch", f"{size} bytes, used", float(np.mean(used)), "byte")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with clean/ and research/")
    parser.add_argument("--quick", action="store_true")
    args = parser.parse_args()
    texts, train = captions(args.data)
    chosen = examples(args.data, texts, 40 if args.quick else 400)
    report_texts("human caption", [text for _, text in chosen], train)
    regions = [ellipse(image.shape) for image, _ in chosen]
    said = load_own()([image for image, _ in chosen], regions)
    report_texts("own caption", [one.caption for one in said], train)
    triples = list(zip((image for image, _ in chosen), regions, said, strict=True))
    report_texts("measured fields", [str(describe(image, region)) for image, region, _ in triples], [])
    whole = [str(describe(image, region, one.caption, one.things)) for image, region, one in triples]
    report_texts("whole prompt", whole, [])
    report_sketch(chosen[: 20 if args.quick else 100])


if __name__ == "__main__":
    main()
