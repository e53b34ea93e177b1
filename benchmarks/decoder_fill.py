"""What each fill of the rest of a picture is worth, with and without sketch and prompt, on held-out photographs.

    python benchmarks/decoder_fill.py --data DIR [--lpips FILE.npz] [--quick] [--sheet FILE.png]

Pictures: every 20th by name of the COCO sets, long side 320. Key: the annotated objects (or an ellipse) grown to
16-pixel blocks, received without error, so that only the rest differs. Cases are fill/layers/measure:

* psnr_rest, ssim_rest: over the rest of the picture
* lpips: AlexNet, whole picture; needs weights (see _lpips.py), left out without them
* texture: mean gradient magnitude of the rest over that of the original; 1 is right, 0 is blur
* seconds_256: one 256 x 256 picture, both layers

The peer is the membrane without any layer, the fill that needs nothing but the key pixels.
"""

import argparse
import io
import json
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from _lpips import Lpips
from _report import best_seconds, emit
from PIL import Image, ImageDraw

from semwave.bench.metrics import psnr, ssim
from semwave.models import fill
from semwave.models.generate import Received, gather, load_decoder
from semwave.models.prompt import decode_prompt, describe, encode_prompt
from semwave.models.sketch import decode_sketch, encode_sketch

LAYERS = {"nothing": (False, 0), "prompt": (True, 0), "sketch16": (False, 16), "sketch48": (False, 48)}
LAYERS |= {"prompt+sketch16": (True, 16), "prompt+sketch32": (True, 32), "prompt+sketch48": (True, 48)}
LAYERS |= {"prompt+sketch64": (True, 64)}
FILLS = ("mean", "classical", "texture", "tiny-1", "tiny-4", "tiny-8")


def pictures(data: Path, side: int = 320) -> list[tuple[Any, Any]]:
    """(picture, key mask) of the development pictures."""
    out = []
    for archive, folder in (("research/coco_nc_320.zip", "coco_nc"), ("clean/coco_cc.zip", "coco_cc")):
        with zipfile.ZipFile(data / archive) as kept:
            notes = {note["file"]: note for note in json.loads(kept.read(f"{folder}/annotations.json"))}
            for name in sorted(n for n in kept.namelist() if n.startswith(f"{folder}/images/"))[::20]:
                image = Image.open(io.BytesIO(kept.read(name))).convert("RGB")
                objects = notes.get(Path(name).name, {}).get("objects", [])
                mask = key_mask(image.size, objects)
                image.thumbnail((side, side), Image.Resampling.LANCZOS)
                array = np.asarray(image)
                out.append((array, blocks(np.asarray(mask.resize(image.size, Image.Resampling.NEAREST), bool))))
    return out


def key_mask(size: tuple[int, int], objects: list[dict[str, Any]]) -> Image.Image:
    """Union of the objects' polygons, or an ellipse in the middle where that is below 5 or above 60 %."""
    mask = Image.new("1", size)
    for item in objects:
        for polygon in item.get("polygons", []):
            if len(polygon) >= 6:
                ImageDraw.Draw(mask).polygon(polygon, fill=1)
    if not 0.05 < np.asarray(mask).mean() < 0.6:
        mask = Image.new("1", size)
        ImageDraw.Draw(mask).ellipse([0.25 * size[0], 0.25 * size[1], 0.75 * size[0], 0.75 * size[1]], fill=1)
    return mask


def blocks(mask: Any, block: int = 16) -> Any:
    """Every block with a quarter of it in the mask is key."""
    height, width = mask.shape
    padded = np.pad(mask, ((0, -height % block), (0, -width % block)))
    share = padded.reshape(padded.shape[0] // block, block, -1, block).mean(axis=(1, 3))
    return np.kron(share > 0.25, np.ones((block, block), bool))[:height, :width]


def received(image: Any, mask: Any, prompt: bool, sketch: int) -> Received:
    """What arrives of a picture: its layers as coded and decoded."""
    text = decode_prompt(encode_prompt(describe(image, mask))) if prompt else None
    drawn = decode_sketch(encode_sketch(image, mask, sketch), image.shape, mask)
    return Received(image.shape, image, mask, text, drawn)


def decoded(name: str, decoders: dict[str, Any], scene: Received, seed: int) -> Any:
    """The picture that the fill ``name`` makes."""
    if name == "mean":
        known = gather(scene)
        colour = None if known.base is None else tuple(known.base[~known.mask].mean(axis=0))
        return np.rint(fill.one_colour(known.picture, known.mask, colour) * 255).astype(np.uint8)
    model, _, steps = name.partition("-")
    return decoders[model].decode([scene], [seed], int(steps or 1))[0].image


def texture(image: Any, mask: Any) -> float:
    """Mean gradient magnitude of luma over the rest."""
    down, across = np.gradient(image @ np.array([0.299, 0.587, 0.114]))
    return float(np.hypot(down, across)[~mask].mean())


def scores(image: Any, mask: Any, made: Any, lpips: Any) -> dict[str, float]:
    """All measures of one picture."""
    found = {
        "psnr_rest": psnr(image, made, ~mask),
        "ssim_rest": ssim(image, made, ~mask),
        "texture": texture(made, mask) / max(texture(image, mask), 1e-6),
    }
    return found | ({"lpips": lpips(image, made)} if lpips else {})


def sheet(path: Path, rows: list[list[Any]], cell: int = 320) -> None:
    """Contact sheet: one picture a row."""
    canvas = Image.new("RGB", (cell * len(rows[0]), cell * len(rows)), "white")
    for y, row in enumerate(rows):
        for x, picture in enumerate(row):
            canvas.paste(Image.fromarray(picture), (x * cell, y * cell))
    canvas.save(path)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with clean/ and research/")
    parser.add_argument("--lpips", type=Path)
    parser.add_argument("--quick", action="store_true", help="six pictures, fewer layers")
    parser.add_argument("--sheet", type=Path, help="write a contact sheet: original, classical, tiny, of both layers")
    args = parser.parse_args()
    lpips = Lpips(args.lpips) if args.lpips else None
    decoders = {name: load_decoder(name) for name in ("classical", "texture", "tiny")}
    chosen = pictures(args.data)[:: 4 if args.quick else 1]
    layers = {n: v for n, v in LAYERS.items() if not args.quick or n in ("nothing", "prompt", "prompt+sketch48")}
    peer: dict[str, float] = {}
    rows: list[list[Any]] = [[np.where(mask[..., None], image, 128).astype(np.uint8)] for image, mask in chosen]
    for kind, (prompt, size) in layers.items():
        scenes = [received(image, mask, prompt, size) for image, mask in chosen]
        for name in sorted(FILLS, key=lambda n: n != "classical"):
            made = [decoded(name, decoders, scene, n) for n, scene in enumerate(scenes)]
            found = [scores(*pair, picture, lpips) for pair, picture in zip(chosen, made, strict=True)]
            for measure in found[0]:
                value = float(np.mean([f[measure] for f in found]))
                first = peer.setdefault(measure, value)
                unit = {"psnr_rest": "dB"}.get(measure, "1")
                emit("decoder_fill", f"{name}/{kind}/{measure}", value, unit, "classical/nothing", first)
            if kind == "prompt+sketch48" and name in ("classical", "texture", "tiny-1", "tiny-4"):
                rows = [[*row, picture] for row, picture in zip(rows, made, strict=True)]
    if args.sheet:
        sheet(args.sheet, [[pair[0], *row] for pair, row in zip(chosen, rows, strict=True)])
    small = received(chosen[0][0][:256, :256], chosen[0][1][:256, :256], True, 48)
    for name, steps in (("classical", 1), ("texture", 1), ("tiny", 4), ("tiny", 8)):
        work = partial(decoders[name].decode, [small], [0], steps)
        seconds = best_seconds(work)
        emit("decoder_fill", f"{name}-{steps}/seconds_256", seconds, "s")


if __name__ == "__main__":
    main()
