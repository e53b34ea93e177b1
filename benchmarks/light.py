"""What fewer bits and adapters cost and save: file size, peak memory, time and quality of the generative decoder.

    python benchmarks/light.py [--quick] [--data DIR [--kind CATEGORY]] [--adapter NAME=PATH ...] [--model MODEL]
    python benchmarks/light.py --data DIR --kind Motorbikes --export FOLDER      100 pictures to fine-tune on
    python benchmarks/light.py --big      only: a network of Stable Diffusion's size, random weights, no quality

Cases are WAY/MEASURE, ways: fp32, bf16, int8, nf4, fp4, and nf4+NAME for each adapter (fp32+NAME too). Each runs in a
process of its own: `file` of the network (MB), `memory` peak of the process (MB) and `memory, added` what loading and
decoding put on top of the imports, `time` processor seconds for one picture of 256 x 256 at one step (best of all),
`psnr_rest` (dB, the rest of the picture), `lpips`, `psnr to fp32`. The peer is fp32.

Pictures: the shipped photographs; with --data, development pictures of COCO that were never trained on; with --kind
every 20th (by name) of a category of Caltech-101. Key: the segmenter's 35 %, received without error; prompt and
48-byte sketch as received.
"""

from __future__ import annotations

import argparse
import io
import json
import resource
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from _report import emit
from PIL import Image

WAYS = ("fp32", "bf16", "int8", "nf4", "fp4")
SIDE = 256
PHOTOGRAPHS = Path(__file__).resolve().parents[1] / "recordings" / "images"
STABLE_DIFFUSION: dict[str, Any] = {  # the U-Net of Stable Diffusion 1.5
    "sample_size": 64, "cross_attention_dim": 768, "attention_head_dim": 8,
    "block_out_channels": (320, 640, 1280, 1280),
}  # fmt: skip


def main() -> None:
    """All cases, or one in a process of its own."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--kind", help="a category of Caltech-101")
    parser.add_argument("--export", type=Path, help="write training pictures of the kind here, and nothing else")
    parser.add_argument("--adapter", action="append", default=[], metavar="NAME=PATH")
    parser.add_argument("--model", default="flow")
    parser.add_argument("--most", type=int, default=24, help="pictures at most")
    parser.add_argument("--big", action="store_true")
    parser.add_argument("--ways", nargs="+", default=list(WAYS))
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        print(json.dumps(CHILDREN[args.child[0]](args.child[1], Path(args.child[2]), args)))
    elif args.export:
        export(args.data, args.kind, args.export)
    elif args.big:
        big(args)
    else:
        shipped(args)


def child(kind: str, way: str, folder: Path, args: argparse.Namespace) -> dict[str, Any]:
    """What a process of its own says of one case."""
    more = [f"--adapter={a}" for a in args.adapter] + ["--model", args.model]
    command = [sys.executable, __file__, *more, "--child", kind, way, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{kind} {way}: {done.stderr.strip().splitlines()[-1:]}")
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def report(way: str, found: dict[str, Any], base: dict[str, Any], case: str = "") -> None:
    """A line a measure."""
    units = {"time": "s", "psnr_rest": "dB", "lpips": "", "psnr to fp32": "dB"}
    for name, value in found.items():
        peer = base.get(name)
        emit("light", f"{case}{way}/{name}", value, units.get(name, "MB"), None if peer is None else "fp32", peer)


# ---- the shipped decoder ---------------------------------------------------------------------------------------------


def shipped(args: argparse.Namespace) -> None:
    """Table of the ways, on the same received scenes."""
    ways = [*args.ways, *(f"{base}+{a.partition('=')[0]}" for base in ("fp32", "nf4") for a in args.adapter)]
    with TemporaryDirectory() as kept:
        folder = Path(kept)
        save_scenes(pictures(args)[: 2 if args.quick else args.most], folder)
        base: dict[str, Any] = {}
        for way in ways:
            found = child("shipped", way, folder, args)
            made = np.load(folder / f"{way}.npy", allow_pickle=False).astype(np.float64)
            first = np.load(folder / "fp32.npy", allow_pickle=False).astype(np.float64)
            error = np.mean((made - first) ** 2)
            if error > 0:
                found["psnr to fp32"] = 10 * np.log10(255**2 / error)
            base = base or found
            report(way, found, base)


def pictures(args: argparse.Namespace) -> list[tuple[Any, str]]:
    """(picture of 256 x 256, caption)."""
    out: list[tuple[Any, str]] = []
    if args.data and args.kind:
        names = category(args.data, args.kind)
        out = [(open_member(*entry), "") for n, entry in names if n % 20 == 0]
    elif args.data:
        from semwave.training.decoder_data import photos

        found = [p for p in photos(args.data, held_out=True) if "flickr" not in p.member]
        out = [(p.open(), p.captions[0] if p.captions else "") for p in found[:: max(1, len(found) // args.most)]]
    else:
        files = sorted(f for f in PHOTOGRAPHS.iterdir() if f.suffix in (".jpg", ".png", ".webp"))
        out = [(Image.open(f).convert("RGB"), "") for f in files]
    return [(np.asarray(crop(image)), caption) for image, caption in out]


def crop(image: Image.Image) -> Image.Image:
    """The middle square, 256 x 256."""
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side)).resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def category(data: Path, kind: str) -> list[tuple[int, tuple[Path, str]]]:
    """Place in the list of all pictures by name, archive and member of a category's pictures."""
    archives = [data / "clean" / f"caltech101_128_part{part}.zip" for part in (0, 1)]
    listed = []
    for archive in archives:
        with zipfile.ZipFile(archive) as kept:
            listed += [(name, archive) for name in kept.namelist() if name.endswith(".jpg")]
    chosen = [(n, (a, name)) for n, (name, a) in enumerate(sorted(listed)) if name.split("/")[1] == kind]
    if not chosen:
        raise SystemExit(f"kind must be a category of Caltech-101, not {kind!r}")
    return chosen


def open_member(archive: Path, name: str) -> Image.Image:
    """A picture of an archive."""
    with zipfile.ZipFile(archive) as kept:
        return Image.open(io.BytesIO(kept.read(name))).convert("RGB")


def export(data: Path, kind: str, folder: Path) -> None:
    """The first hundred pictures of a category that are not development pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    for _, (archive, name) in [entry for entry in category(data, kind) if entry[0] % 20][:100]:
        with zipfile.ZipFile(archive) as kept:
            (folder / Path(name).name).write_bytes(kept.read(name))


def save_scenes(found: list[tuple[Any, str]], folder: Path) -> None:
    """What is received of each picture, once for all ways."""
    from semwave.models.describe import describe
    from semwave.models.maskcode import block_size
    from semwave.models.segment import expand, key_mask, load_segmenter
    from semwave.models.sketch import decode_sketch, encode_sketch

    segmenter, masks, sketches, prompts = load_segmenter(), [], [], []
    for image, caption in found:
        block = block_size(SIDE, SIDE)
        mask = expand(key_mask(segmenter.importance([image])[0], 0.35, block), block, (SIDE, SIDE))
        masks.append(mask)
        sketches.append(decode_sketch(encode_sketch(image, mask, 48), image.shape).astype(np.float32))
        prompts.append(str(describe(image, mask, caption)))
    images = np.stack([image for image, _ in found])
    np.savez(folder / "scenes.npz", images=images, masks=np.stack(masks), sketches=np.stack(sketches))
    (folder / "prompts.json").write_text(json.dumps(prompts))


def shipped_case(way: str, folder: Path, args: argparse.Namespace) -> dict[str, Any]:
    """One way of the shipped decoder."""
    import torch

    from semwave.bench.metrics import lpips, psnr
    from semwave.models.generate import GenerativeDecoder, Received
    from semwave.models.generator.network import FlowInventor
    from semwave.models.light import folders

    base, _, name = way.partition("+")
    adapters = dict(a.split("=", 1) for a in args.adapter)
    inner = quantised = folders.find(args.model)
    if base not in ("fp32", "bf16"):
        quantised = folder / f"model-{base}"
        if not quantised.is_dir():
            done = child("quantise", base, quantised, args)
            assert done["bytes_after"]
    before = memory()
    inventor = FlowInventor(quantised, adapter=Path(adapters[name]) if name else None)
    if base == "bf16":
        inventor.unet.to(torch.bfloat16)
    decoder = GenerativeDecoder("flow", inventor)
    with np.load(folder / "scenes.npz", allow_pickle=False) as kept:
        images, masks, sketches = (kept[n] for n in ("images", "masks", "sketches"))
    prompts = json.loads((folder / "prompts.json").read_text())
    made, times = [], []
    for n, (image, mask, sketch, prompt) in enumerate(zip(images, masks, sketches, prompts, strict=True)):
        for _ in range(4 if n == 0 else 1):
            begun = time.process_time()
            scene = Received(image.shape, image, mask, prompt, sketch)
            out = decoder.decode([scene], [n], steps=1)[0].image
            times.append(time.process_time() - begun)
        made.append(out)
    peak = memory()
    np.save(folder / f"{way}.npy", np.stack(made))
    size = {"fp32": 2.0, "bf16": 1.0}.get(base, 1.0) * folders.size(quantised / "unet")
    rest = [psnr(i, o, ~m) for i, o, m in zip(images, made, masks, strict=True)]
    return {
        "file": (size + (folders.size(Path(adapters[name])) if name else 0)) / 1e6,
        "memory": peak / 1e6, "memory, added": (peak - before) / 1e6, "time": min(times[1:]),
        "psnr_rest": float(np.mean(rest)),
        "lpips": float(np.mean([lpips(i, o) for i, o in zip(images, made, strict=True)])),
    } if inner else {}  # fmt: skip


def quantise_case(way: str, folder: Path, args: argparse.Namespace) -> dict[str, Any]:
    """The model quantised, as a folder."""
    from semwave.models.light.folders import quantise_model

    model = args.model
    return quantise_model(model, folder, 8 if way == "int8" else 4, way if way != "int8" else "nf4")


def memory() -> float:
    """Most bytes that this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0


# ---- a network of Stable Diffusion's size ----------------------------------------------------------------------------


def big(args: argparse.Namespace) -> None:
    """Memory and time of one denoising step on 32 x 32 latents (256 x 256 pixels), text of 77 tokens."""
    with TemporaryDirectory() as kept:
        folder = Path(kept) / "model"
        child("make", "fp16", folder, args)
        args.model = str(folder)
        base: dict[str, Any] = {}
        for way in args.ways:
            small = folder
            if way not in ("fp32", "bf16"):
                small = Path(kept) / way
                child("quantise", way, small, args)
            found = child("big", way, small, args)
            base = base or found
            report(way, found, base, "SD-sized/")


def make_case(way: str, folder: Path, args: argparse.Namespace) -> dict[str, Any]:
    """Random weights in a diffusers folder."""
    import torch
    from diffusers import UNet2DConditionModel

    torch.manual_seed(0)
    with torch.device("meta"):
        network = UNet2DConditionModel(**STABLE_DIFFUSION)
    network = network.to_empty(device="cpu").to(torch.float16)
    for name, p in network.named_parameters():
        p.data.fill_(float(name.endswith("weight"))) if p.ndim < 2 else p.data.normal_(0.0, p[0].numel() ** -0.5)
    network.save_pretrained(folder / "unet", variant="fp16")
    return {"weights": sum(p.numel() for p in network.parameters())}


def big_case(way: str, folder: Path, args: argparse.Namespace) -> dict[str, Any]:
    """Load and run one step."""
    import torch
    from diffusers import UNet2DConditionModel

    from semwave.models.light import folders, store

    before = memory()
    if way in ("fp32", "bf16"):
        kind = torch.float32 if way == "fp32" else torch.bfloat16
        network: Any = UNet2DConditionModel.from_pretrained(folder / "unet", variant="fp16", dtype=kind)
    else:
        network = store.load(folder / "unet", dtype=torch.bfloat16)
    state, words = torch.zeros(1, 4, 32, 32, dtype=network.dtype), torch.zeros(1, 77, 768, dtype=network.dtype)
    times = []
    with torch.inference_mode():
        for _ in range(2):
            begun = time.process_time()
            network.eval()(state, torch.tensor([500.0]), words)
            times.append(time.process_time() - begun)
    scale = 2.0 if way == "fp32" else 1.0
    peak = memory()
    return {
        "file": scale * folders.size(folder / "unet") / 1e6, "memory": peak / 1e6,
        "memory, added": (peak - before) / 1e6, "time": min(times),
    }  # fmt: skip


CHILDREN = {"shipped": shipped_case, "quantise": quantise_case, "make": make_case, "big": big_case}

if __name__ == "__main__":
    main()
