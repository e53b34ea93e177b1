"""What each fill of the rest of a picture is worth, layer by layer, on held-out photographs.

    python benchmarks/decoder_fill.py --data DIR [--parts fills,layers,sketch,whole,sets,time] [--quick]
                                      [--sheet FILE.jpg] [--gallery FILE.jpg] [--fills A,B] [--every N]

Pictures: every 20th by name of the COCO sets, long side 320. Key: the annotated objects (or an ellipse) grown to
16-pixel blocks, received without error, so that only the rest differs. Cases are part/fill/layers/measure; parts:

* fills: every fill and the generator at 1, 2 and 4 steps, with prompt and 48-byte sketch
* layers: without prompt, with the prompt's attributes alone, with the caption, with another picture's prompt
* sketch: what each size of it buys
* whole: key region, prompt and sketch, or prompt and sketch, in the bytes of a conventional code; no channel errors
* sets: distances of the sets of reconstructions and originals (FD, KD; EfficientNet-Lite0; windows of 128 pixels)
* time: seconds for one 256 x 256 picture
* gallery: ten best and ten worst of fifty windows of the shipped photographs by LPIPS (not in the default parts)

Measures: psnr_rest over the rest of the picture; lpips, dists over the whole picture (DISTS needs
`semwave models fetch metrics`, else it is left out). The peer is the smooth fill of the same layers, in ``whole``
the conventional code.
"""

from __future__ import annotations

import argparse
import io
import json
import zipfile
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from _report import best_seconds, emit
from PIL import Image, ImageDraw

from semwave.bench.metrics import dists, lpips, psnr
from semwave.models import fill
from semwave.models.generate import Received, gather, load_decoder
from semwave.models.keycodec import KeyCodecError, decode_key, decode_whole, encode_key, encode_whole
from semwave.models.prompt import decode_prompt, describe, encode_prompt
from semwave.models.sketch import MAX_WAVES_BYTES, decode_sketch, encode_sketch

PARTS = ("fills", "layers", "sketch", "whole", "sets", "time")
FILLS = ("classical", "grey", "mean", "texture", "flow-1", "flow-2", "flow-4")
SKETCHES = (0, 16, 32, 48, 64, 128, 256, 512)
CBRS = (96, 48, 24)  # samples a channel use
RATE = 0.44  # of the code that carries the bytes in ``whole``, QPSK
SHARE = 0.5  # of those bytes that the key region gets; the rest is sketch


def pictures(data: Path, side: int = 320) -> list[tuple[Any, Any, str]]:
    """(picture, key mask, caption) of the development pictures."""
    out = []
    for archive, folder in (("research/coco_nc_320.zip", "coco_nc"), ("clean/coco_cc.zip", "coco_cc")):
        with zipfile.ZipFile(data / archive) as kept:
            notes = {note["file"]: note for note in json.loads(kept.read(f"{folder}/annotations.json"))}
            for name in sorted(n for n in kept.namelist() if n.startswith(f"{folder}/images/"))[::20]:
                image = Image.open(io.BytesIO(kept.read(name))).convert("RGB")
                note = notes.get(Path(name).name, {})
                mask = key_mask(image.size, note)
                image.thumbnail((side, side), Image.Resampling.LANCZOS)
                small = np.asarray(mask.resize(image.size, Image.Resampling.NEAREST), bool)
                caption = (note.get("captions") or [""])[0].lower().rstrip(" .")
                out.append((np.asarray(image), blocks(small), caption))
    return out


def key_mask(size: tuple[int, int], note: dict[str, Any]) -> Image.Image:
    """Union of the objects' polygons, or an ellipse in the middle where that is below 5 or above 60 %."""
    mask, scale = Image.new("1", size), size[0] / note.get("width", size[0])
    for item in note.get("objects", []):
        for polygon in item.get("polygons") or []:
            if len(polygon) >= 6:
                ImageDraw.Draw(mask).polygon([scale * v for v in polygon], fill=1)
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


def told(image: Any, mask: Any, caption: str) -> str:
    """The prompt as it arrives."""
    return decode_prompt(encode_prompt(describe(image, mask, caption)))


def received(image: Any, mask: Any, text: str | None, sketch: int) -> Received:
    """What arrives of a picture: its layers as coded and decoded."""
    code = encode_sketch(image, mask, sketch)
    still = len(code) if len(code) > MAX_WAVES_BYTES else 0
    return Received(image.shape, image, mask, text, decode_sketch(code, image.shape), still_bytes=still)


class Bench:
    """The pictures, the decoders, and what was measured first in each case: the peer."""

    def __init__(self, data: Path, every: int, fills: tuple[str, ...]) -> None:
        self.pictures = pictures(data)[::every]
        self.prompts = [told(*picture) for picture in self.pictures]
        models = {name.rpartition("-")[0] if name[-1].isdigit() else name for name in fills} - {"grey", "mean"}
        self.decoders = {name: load_decoder(name) for name in models}
        self.names, self.peers = fills, dict[str, float]()
        self.dists = _has_dists()

    def scenes(self, texts: list[str | None], sketch: int) -> list[Received]:
        """Every picture with the layers given."""
        return [received(i, m, text, sketch) for (i, m, _), text in zip(self.pictures, texts, strict=True)]

    def decode(self, fill_name: str, scene: Received, seed: int) -> Any:
        """The picture that a fill, or a generator and its steps, makes of a scene."""
        if fill_name in ("grey", "mean"):
            key = scene.key.astype(np.float32) / 255.0
            made = fill.one_colour(key, gather(scene).mask, (0.5, 0.5, 0.5) if fill_name == "grey" else None)
            return np.rint(made * 255.0).astype(np.uint8)
        model, _, steps = fill_name.rpartition("-") if fill_name[-1].isdigit() else (fill_name, "", "1")
        return self.decoders[model].decode([scene], [seed], steps=int(steps))[0].image

    def run(self, case: str, fill_name: str, scenes: list[Received], peer: str) -> list[Any]:
        """Decode and measure all scenes; the first fill measured under the name ``peer`` is the one to beat."""
        made = [self.decode(fill_name, scene, n) for n, scene in enumerate(scenes)]
        self.measure(f"{case}", made, peer)
        return made

    def measure(self, case: str, made: list[Any], peer: str) -> dict[str, list[float]]:
        """Means over the pictures, emitted; and the values."""
        textured = self.dists and case.startswith(("fills", "whole"))  # it is slow
        found: dict[str, list[float]] = {"psnr_rest": [], "lpips": []} | ({"dists": []} if textured else {})
        for (image, mask, _), picture in zip(self.pictures, made, strict=True):
            found["psnr_rest"].append(float(psnr(image, picture, ~mask)))
            found["lpips"].append(float(lpips(image, picture)))
            if textured:
                found["dists"].append(float(dists(image, picture)))
        for name, values in found.items():
            value = float(np.mean(values))
            first = self.peers.setdefault(f"{peer}/{name}", value)
            emit("decoder_fill", f"{case}/{name}", value, "dB" if name == "psnr_rest" else "1", peer, first)
        return found

    def fills(self) -> list[list[Any]]:
        """Every fill with prompt and 48-byte sketch; for the contact sheet: originals and reconstructions."""
        scenes, shown = self.scenes(list(self.prompts), 48), []
        for name in self.names:
            made = self.run(f"fills/{name}/prompt+sketch48", name, scenes, "classical/prompt+sketch48")
            if name in ("classical", "texture", "flow-1"):
                shown.append(made)
        return shown

    def few(self) -> list[str]:
        """Those that need no second look."""
        return [name for name in self.names if name in ("classical", "texture", "flow-1")]

    def layers(self) -> None:
        """What the prompt is worth: none, attributes, attributes and caption, those of another picture."""
        bare = [decode_prompt(encode_prompt(describe(i, m))) for i, m, _ in self.pictures]
        wrong = [*self.prompts[1:], self.prompts[0]]
        apart = [text.split("; caption ")[0] for text in self.prompts]
        swapped = [f"{a}; caption {w.partition('caption ')[2]}" if "caption " in w else a
                   for a, w in zip(apart, wrong, strict=True)]  # fmt: skip
        cases = {"none": [None] * len(bare), "attributes": bare, "prompt": self.prompts, "wrong": wrong}
        cases["wrong_caption"] = swapped
        for sketch in (0, 48):
            for name, texts in cases.items():
                self.run(f"layers/flow-1/{name}+sketch{sketch}", "flow-1", self.scenes(list(texts), sketch),
                         f"flow-1/none+sketch{sketch}")  # fmt: skip

    def sketch(self) -> None:
        """What each size of sketch buys, with the prompt."""
        for size in SKETCHES:
            scenes = self.scenes(list(self.prompts), size)
            for name in self.few():
                self.run(f"sketch/{name}/{size}", name, scenes, f"classical/{size}")

    def whole(self) -> None:
        """The whole picture in the bytes of a conventional code: with a key region, and as a sketch alone."""
        for cbr in CBRS:
            made: dict[str, list[Any]] = {"conventional": []}
            for number, ((image, mask, _), text) in enumerate(zip(self.pictures, self.prompts, strict=True)):
                budget = round(image.size / cbr * 2 * RATE / 8)
                made["conventional"].append(_conventional(image, budget))
                if "flow-1" in self.names:
                    made.setdefault("key+sketch", []).append(self._ours(image, mask, text, budget, number))
                    made.setdefault("sketch", []).append(self._ours(image, mask & False, text, budget, number))
            peer = f"conventional/{cbr}"
            found = {name: self.measure(f"whole/{name}/{cbr}", pictures, peer) for name, pictures in made.items()}
            for name in [n for n in found if n != "conventional"]:
                for measure in [m for m in found[name] if m != "psnr_rest"]:
                    won = float(np.mean(np.array(found[name][measure]) < np.array(found["conventional"][measure])))
                    emit("decoder_fill", f"whole/{name}/{cbr}/{measure}_better_on", won, "1")

    def _ours(self, image: Any, mask: Any, text: str, budget: int, number: int) -> Any:
        """``budget`` bytes of prompt, mask, key and sketch, decoded; without a key region all goes to the sketch."""
        prompt = encode_prompt(describe(image, mask, ""), 32)
        left = budget - len(prompt) - (12 if mask.any() else 0)  # of the mask
        key, key_bytes = np.zeros_like(image), max(int(SHARE * left), 48) if mask.any() else 0
        try:
            key = decode_key(encode_key(image, mask, key_bytes), mask, image.shape)[0] if key_bytes else key
        except KeyCodecError:
            mask = np.zeros_like(mask)
        scene = received(image, mask, decode_prompt(prompt) if prompt else None, max(left - key_bytes, 0))
        return self.decode("flow-1", replace(scene, key=key), number)

    def sets(self) -> None:
        """Distances of the sets of 128-pixel windows of reconstructions and originals."""
        from semwave.bench.metrics.sets import features, frechet_distance, kernel_distance

        real = features(w for image, _, _ in self.pictures for w in windows(image))
        scenes = self.scenes(list(self.prompts), 48)
        for name in self.few():
            made = [self.decode(name, scene, n) for n, scene in enumerate(scenes)]
            rows = features(w for picture in made for w in windows(picture))
            for measure, distance in (("fd", frechet_distance), ("kd", kernel_distance)):
                value = distance(real, rows)
                first = self.peers.setdefault(f"sets/{measure}", value)
                emit("decoder_fill", f"sets/{name}/{measure}_{len(rows)}_windows", value, "1", "classical", first)

    def gallery(self, path: Path) -> None:
        """Original, key region and reconstruction (64-byte sketch): ten best left, ten worst right."""
        rows = []
        for number, (image, mask, _) in enumerate(shipped()):
            made = self.decode("flow-1", received(image, mask, told(image, mask, ""), 64), number)
            region = np.where(mask[..., None], image, 128).astype(np.uint8)
            rows.append((float(lpips(image, made)), image, region, made))
        rows.sort(key=lambda row: row[0])
        emit("decoder_fill", f"gallery/flow-1/lpips_of_{len(rows)}", float(np.mean([r[0] for r in rows])), "1")
        pairs = zip(rows[:10], rows[:-11:-1], strict=False)
        sheet(path, [[*best[1:], *worst[1:]] for best, worst in pairs], 180)

    def time(self) -> None:
        """One 256 x 256 picture with all layers."""
        image, mask, _ = max(self.pictures, key=lambda p: min(p[0].shape[:2]))
        image, mask = (np.ascontiguousarray(np.resize(a, (256, 256, *a.shape[2:]))) for a in (image, mask))
        scene = received(image, mask, self.prompts[0], 48)
        for name in self.names:
            if name not in ("grey", "mean"):
                emit("decoder_fill", f"time/{name}/256x256", best_seconds(partial(self.decode, name, scene, 0)), "s")


def shipped(count: int = 10) -> list[tuple[Any, Any, str]]:
    """``count`` windows, 320 x 240 after shrinking, of each shipped photograph, with the segmenter's key region."""
    from semwave.models.maskcode import block_size
    from semwave.models.segment import expand, key_mask, load_segmenter

    segmenter, rng, out = load_segmenter(), np.random.default_rng(11), []
    for file in sorted((Path(__file__).parents[1] / "recordings" / "images").glob("*.jpg")):
        picture = Image.open(file).convert("RGB")
        for _ in range(count):
            scale = rng.uniform(0.55, 1.0) * min(picture.width / 320, picture.height / 240)
            width, height = int(320 * scale), int(240 * scale)
            left, top = int(rng.integers(picture.width - width + 1)), int(rng.integers(picture.height - height + 1))
            cut = picture.crop((left, top, left + width, top + height)).resize((320, 240), Image.Resampling.LANCZOS)
            image = np.asarray(cut)
            grid = key_mask(segmenter.importance([image])[0], 0.3, block_size(240, 320))
            out.append((image, expand(grid, block_size(240, 320), (240, 320)), ""))
    return out


def windows(picture: Any, size: int = 128) -> list[Any]:
    """Whole windows of a picture, side by side."""
    rows, columns = picture.shape[0] // size, picture.shape[1] // size
    return [picture[size * y : size * (y + 1), size * x : size * (x + 1)] for y in range(rows) for x in range(columns)]


def _conventional(image: Any, budget: int) -> Any:
    code = encode_whole(image, budget, "best")
    return np.full_like(image, 128) if code is None else decode_whole(code[0], image.shape)


def _has_dists() -> bool:
    try:
        dists(np.zeros((64, 64, 3), np.uint8), np.zeros((64, 64, 3), np.uint8))
    except Exception as error:  # weights that were not fetched: the error says how to
        print(f"# without DISTS: {error}")
        return False
    return True


def sheet(path: Path, rows: list[list[Any]], cell: int = 240) -> None:
    """Contact sheet: one picture a row, each fitted into a cell."""
    canvas = Image.new("RGB", (cell * len(rows[0]), cell * len(rows)), "white")
    for y, row in enumerate(rows):
        for x, picture in enumerate(row):
            small = Image.fromarray(picture)
            small.thumbnail((cell - 4, cell - 4), Image.Resampling.LANCZOS)
            canvas.paste(small, (x * cell, y * cell))
    canvas.save(path, quality=85)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with clean/ and research/")
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--fills", default=",".join(FILLS), help="fills; generators by name or folder, and -STEPS")
    parser.add_argument("--every", type=int, default=1, help="take every n-th of the 27 pictures")
    parser.add_argument("--quick", action="store_true", help="three pictures")
    parser.add_argument("--gallery", type=Path, default=Path("gallery.jpg"), help="file of the part gallery")
    parser.add_argument("--sheet", type=Path, help="contact sheet: original, classical, texture, flow")
    args = parser.parse_args()
    bench = Bench(args.data, 9 if args.quick else args.every, tuple(args.fills.split(",")))
    for part in args.parts.split(","):
        if part == "gallery":
            bench.gallery(args.gallery)
            continue
        shown = getattr(bench, part)()
        if part == "fills" and args.sheet:
            grey = [np.where(m[..., None], i, 128).astype(np.uint8) for i, m, _ in bench.pictures]
            columns = [[i for i, _, _ in bench.pictures], grey, *shown]
            sheet(args.sheet, [list(row) for row in zip(*columns, strict=True)])


if __name__ == "__main__":
    main()
