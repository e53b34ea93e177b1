"""Pictures, captions and cached features for the captioner.

Every picture goes through the frozen EfficientNet-Lite0 once, as it is and mirrored; its 7 x 7 x 320 grid is kept as
16-bit floats, so that an epoch of the decoder takes a minute rather than an hour.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Array = NDArray[Any]

CELLS, CHANNELS = 49, 320
_ARCHIVES = {
    "flickr8k": ("research/flickr8k_192_part0.zip", "research/flickr8k_192_part1.zip"),
    "coco": ("clean/coco_cc.zip", "research/coco_nc_320.zip"),
    "visual7w": ("research/visual7w_128.zip",),
}
_BATCH = 8


@dataclass(frozen=True)
class Picture:
    """One photograph: where it lies, its split and what people said about it."""

    archive: str
    file: str
    split: str
    captions: tuple[str, ...] = ()
    answers: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        """File name without its ending."""
        return Path(self.file).stem


def pictures(data: Path, source: str) -> list[Picture]:
    """Photographs of flickr8k, coco or visual7w, sorted by name, with split (train, dev, test), captions or answers."""
    found = {}
    for archive in _ARCHIVES[source]:
        with zipfile.ZipFile(data / archive) as kept:
            for file in kept.namelist():
                if file.endswith((".jpg", ".webp")):
                    found[Path(file).stem] = (archive, file)
    names = sorted(found)
    texts, splits = _told(data, source, names)
    return [
        Picture(*found[name], splits[name], tuple(texts[name]))
        if source != "visual7w"
        else Picture(*found[name], splits[name], (), tuple(texts[name]))
        for name in names
        if name in splits
    ]


def _told(data: Path, source: str, names: list[str]) -> tuple[dict[str, list[Any]], dict[str, str]]:
    """Captions (or question and answer) and the split of each picture."""
    texts: dict[str, list[Any]] = defaultdict(list)
    if source == "coco":
        for archive in _ARCHIVES["coco"]:
            with zipfile.ZipFile(data / archive) as kept:
                notes = next(file for file in kept.namelist() if file.endswith("annotations.json"))
                for entry in json.loads(kept.read(notes)):
                    texts[Path(entry["file"]).stem] += entry["captions"]
        return texts, every_twentieth(names)
    with zipfile.ZipFile(data / "research/captions_text.zip") as kept:
        if source == "flickr8k":
            for line in kept.read("text/Flickr8k.token.txt").decode().splitlines():
                name, text = line.split("\t")
                texts[name.split(".")[0]].append(text)
            splits = {
                line.split(".")[0]: split
                for split in ("train", "dev", "test")
                for line in kept.read(f"text/Flickr_8k.{split}Images.txt").decode().split()
            }
            return texts, splits
        for line in kept.read("text/v7w.TrainImages.txt").decode().splitlines():
            if line.count("\t") >= 2:
                name, question, answers = line.split("\t")[:3]
                texts[Path(name).stem].append((question, answers.split("|")[0].strip()))
    return texts, every_twentieth(names)


def coco_boxes(data: Path) -> dict[str, list[tuple[str, tuple[float, float]]]]:
    """Category and centre (x, y) in [0, 1] of every annotated thing and stuff of COCO's pictures, by name."""
    out: dict[str, list[tuple[str, tuple[float, float]]]] = defaultdict(list)
    for archive in _ARCHIVES["coco"]:
        with zipfile.ZipFile(data / archive) as kept:
            notes = next(file for file in kept.namelist() if file.endswith("annotations.json"))
            for entry in json.loads(kept.read(notes)):
                for found in [*entry["objects"], *entry.get("segments", [])]:
                    x, y, width, height = found["bbox"]
                    centre = ((x + width / 2) / entry["width"], (y + height / 2) / entry["height"])
                    out[Path(entry["file"]).stem].append((found["category"], centre))
    return out


def every_twentieth(names: list[str]) -> dict[str, str]:
    """Every 20th by sorted name is development, the rest training."""
    return {name: "dev" if index % 20 == 0 else "train" for index, name in enumerate(sorted(names))}


def load_image(content: bytes) -> Image.Image:
    """A picture as RGB."""
    return Image.open(io.BytesIO(content)).convert("RGB")


def images(data: Path, listed: list[Picture]) -> Iterator[Image.Image]:
    """The pictures of a list, in its order."""
    archives = {archive: zipfile.ZipFile(data / archive) for archive in {p.archive for p in listed}}
    for picture in listed:
        yield load_image(archives[picture.archive].read(picture.file))


def features(
    data: Path, folder: Path, source: str, mirrored: bool = False, log: Any = print
) -> tuple[list[Picture], Array]:
    """Pictures of a source and their grids [n, 49, 320] float16, made where ``folder`` lacks them."""
    listed = pictures(data, source)
    file = folder / f"{source}{'-mirrored' * mirrored}.npy"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(".part.npy")
        kept = np.lib.format.open_memmap(partial, "w+", np.float16, (len(listed), CELLS, CHANNELS))
        for start in range(0, len(listed), _BATCH):
            batch = listed[start : start + _BATCH]
            kept[start : start + len(batch)] = _grids(list(images(data, batch)), mirrored)
            if start % (_BATCH * 50) == 0:
                log({"source": source, "mirrored": mirrored, "pictures": start, "of": len(listed)})
        kept.flush()
        del kept
        partial.replace(file)
    return listed, np.load(file, mmap_mode="r")


def _grids(batch: list[Image.Image], mirrored: bool) -> Array:
    """[b, 49, 320] float16."""
    import torch

    from semwave.models import efficientnet
    from semwave.models.text.captioner import prepared

    device = "cuda" if torch.cuda.is_available() else "cpu"
    tensor = torch.stack([prepared(image) for image in batch]).to(device)
    tensor = (tensor.flip(3) if mirrored else tensor).contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        last = efficientnet.load(device).stages(tensor)[-1]
    out: Array = last.flatten(2).transpose(1, 2).half().cpu().numpy()
    return out


def words(text: str) -> list[str]:
    """Lower-case words of a caption; a possessive is a word of its own, other marks are left out."""
    return re.findall(r"'s\b|[a-z0-9]+", re.sub(r"\s+('s)\b", r"\1", text.lower()))
