"""Pictures for training the generative decoder: zip files in, one uint8 array [n, size, size, 3] out."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Array = NDArray[Any]

# Folder of the pictures, zips that hold it, short side in pixels, take every n-th. Caltech-101 is mostly one object
# on a plain ground, so a third of it is enough; benchmark pictures (BSDS500, Set5, Set14) are never trained on.
SOURCES = (
    ("flickr8k/", ("research/flickr8k_192_part0.zip", "research/flickr8k_192_part1.zip"), 192, 1),
    ("visual7w/", ("research/visual7w_128.zip",), 128, 1),
    ("coco_nc/images/", ("research/coco_nc_320.zip",), 200, 1),
    ("coco_cc/images/", ("clean/coco_cc.zip",), 400, 1),
    ("caltech101/", ("clean/caltech101_128_part0.zip", "clean/caltech101_128_part1.zip"), 128, 3),
)


def flickr_held_out(data: Path) -> set[str]:
    """Names (without suffix) in Flickr8k's official development and test lists."""
    with zipfile.ZipFile(data / "research/captions_text.zip") as archive:
        lists = [archive.read(f"text/Flickr_8k.{part}Images.txt").decode() for part in ("dev", "test")]
    return {Path(line.strip()).stem for text in lists for line in text.splitlines() if line.strip()}


def names(data: Path, size: int, held_out: bool) -> Iterator[tuple[Path, str]]:
    """Zip and member of each training (or held-out) picture: official Flickr8k lists, else every 20th by name."""
    flickr = flickr_held_out(data)
    for folder, zips, native, step in SOURCES:
        if native < size:
            continue
        found = []
        for path in (data / name for name in zips):
            with zipfile.ZipFile(path) as archive:
                found += [(name, path) for name in archive.namelist() if name.startswith(folder)]
        found = sorted(f for f in found if f[0].lower().endswith((".jpg", ".png", ".webp")))
        chosen = []
        for index, (name, path) in enumerate(found):
            official = folder == "flickr8k/"
            held = Path(name).stem in flickr if official else index % 20 == 0
            if held == held_out and (held_out or index % step == step - 1):
                chosen.append((path, name))
        yield from sorted(chosen)


def square(image: Image.Image, size: int) -> Array:
    """Centre square of ``image``, resized to [size, size, 3] uint8."""
    image = image.convert("RGB")
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    box = (left, top, left + side, top + side)
    return np.asarray(image.resize((size, size), Image.Resampling.LANCZOS, box=box, reducing_gap=3.0))


def load(data: Path, cache: Path, size: int, held_out: bool = False) -> Array:
    """All training (or held-out) pictures as uint8 [n, size, size, 3]; the resized copy is kept in ``cache``."""
    kept = cache / f"decoder-{size}-{'held' if held_out else 'train'}.npy"
    if not kept.is_file():
        pictures = []
        for path, members in groupby(names(data, size, held_out), key=itemgetter(0)):
            with zipfile.ZipFile(path) as archive:
                for _, name in members:
                    with Image.open(io.BytesIO(archive.read(name))) as image:
                        pictures.append(square(image, size))
        cache.mkdir(parents=True, exist_ok=True)
        np.save(kept, np.stack(pictures))
    return np.load(kept, mmap_mode="r")
