"""What the segmenter learns from: COCO object masks, and categories and caption words to warm up on.

Everything is read from the zip files in place; nothing is unpacked. Every 20th file by sorted name is held out.
"""

import argparse
import collections
import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

Array = NDArray[Any]

COCO = ("clean/coco_cc.zip", "research/coco_nc_320.zip")
CALTECH = ("clean/caltech101_128_part0.zip", "clean/caltech101_128_part1.zip")
FLICKR = ("research/flickr8k_192_part0.zip", "research/flickr8k_192_part1.zip")
CAPTIONS = "research/captions_text.zip"
LONG_SIDE = 320  # masks are learned at 256 and below
WORDS = 256


class Example(NamedTuple):
    """A picture, the share of each pixel that objects cover (0 or 255), and where that is known (0 or 255)."""

    name: str
    image: Image.Image
    mask: Image.Image
    known: Image.Image


class Labelled(NamedTuple):
    """A picture in a zip file with a category (or -1) and caption words (or none)."""

    archive: str
    file: str
    category: int
    words: tuple[int, ...]


def parser(description: str | None) -> argparse.ArgumentParser:
    """The options that the training scripts of all segmenters have."""
    made = argparse.ArgumentParser(description=(description or "").partition("\n")[0])
    made.add_argument("--data", type=Path, required=True, help="folder with clean/ and research/ zip files")
    made.add_argument("--minutes", type=float, default=1e9, help="stop, resumable, after this long")
    made.add_argument("--resume", type=Path, help="checkpoint to go on from")
    made.add_argument("--seed", type=int, default=1)
    made.add_argument("--threads", type=int, default=1)
    return made


def is_development(index: int) -> bool:
    """Every 20th file by sorted name is development, the rest training."""
    return index % 20 == 0


def _coco(data: Path, development: bool) -> Iterator[tuple[dict[str, Any], Image.Image]]:
    """Annotations and pictures with objects, of one side of the split."""
    for name in COCO:
        with zipfile.ZipFile(data / name) as archive:
            root = archive.namelist()[0].split("/")[0]
            records = sorted(json.loads(archive.read(f"{root}/annotations.json")), key=lambda r: r["file"])
            for index, record in enumerate(records):
                if record["objects"] and is_development(index) == development:
                    image = Image.open(io.BytesIO(archive.read(f"{root}/images/{record['file']}")))
                    yield record, image.convert("RGB")


def coco_examples(data: Path, development: bool) -> list[Example]:
    """The pictures with object polygons, of one side of the split."""
    return [_example(record, image) for record, image in _coco(data, development)]


def coco_objects(data: Path, development: bool) -> list[tuple[Image.Image, list[list[list[float]]]]]:
    """The same pictures at their own size, each with the polygons of each of its objects (no crowds)."""
    return [
        (image, [thing["polygons"] for thing in record["objects"] if thing["polygons"]])
        for record, image in _coco(data, development)
    ]


def _example(record: dict[str, Any], image: Image.Image) -> Example:
    mask, known = Image.new("L", image.size, 0), Image.new("L", image.size, 255)
    for thing in record["objects"]:
        if thing["polygons"] is None:  # a crowd: only its box is known
            left, top, width, height = thing["bbox"]
            ImageDraw.Draw(known).rectangle([left, top, left + width, top + height], fill=0)
        for polygon in thing["polygons"] or []:
            ImageDraw.Draw(mask).polygon(polygon, fill=255)
    known.paste(255, mask=mask)
    scale = min(1.0, LONG_SIDE / max(image.size))
    size = (round(image.width * scale), round(image.height * scale))
    box = Image.Resampling.BOX
    return Example(record["file"], image.resize(size, box), mask.resize(size, box), known.resize(size, box))


def labelled_pictures(data: Path) -> tuple[list[Labelled], list[str], list[str]]:
    """Training pictures with categories (Caltech-101) or caption words (Flickr8k), and both vocabularies."""
    items: list[Labelled] = []
    files = sorted((f, a) for a in CALTECH for f in _pictures(data / a))
    categories = sorted({f.split("/")[-2] for f, _ in files})
    for index, (file, archive) in enumerate(files):
        if not is_development(index):
            items.append(Labelled(archive, file, categories.index(file.split("/")[-2]), ()))
    words_of, vocabulary = _caption_words(data / CAPTIONS)
    for archive in FLICKR:
        for file in _pictures(data / archive):
            words = words_of.get(Path(file).stem)
            if words:
                items.append(Labelled(archive, file, -1, words))
    return items, categories, vocabulary


def _pictures(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        return sorted(n for n in archive.namelist() if n.endswith((".jpg", ".webp", ".png")))


def _caption_words(path: Path) -> tuple[dict[str, tuple[int, ...]], list[str]]:
    """Per training picture of Flickr8k the frequent words (not the commonest few) of its captions."""
    with zipfile.ZipFile(path) as archive:
        by_name = {Path(n).name: archive.read(n).decode() for n in archive.namelist()}
    training = {Path(line).stem for line in by_name["Flickr_8k.trainImages.txt"].split()}
    bags: dict[str, set[str]] = collections.defaultdict(set)
    for line in by_name["Flickr8k.token.txt"].splitlines():
        file, caption = line.split("\t")
        stem = file.split(".")[0]
        if stem in training:
            bags[stem] |= set(re.findall("[a-z]{3,}", caption.lower()))
    counts = collections.Counter(word for bag in bags.values() for word in bag)
    frequent = sorted(counts, key=lambda word: (-counts[word], word))
    vocabulary = [w for w in frequent if counts[w] < len(training) // 2][:WORDS]
    index = {word: i for i, word in enumerate(vocabulary)}
    return {s: tuple(sorted(index[w] for w in bag if w in index)) for s, bag in bags.items()}, vocabulary


def crop_box(rng: np.random.Generator, size: tuple[int, int], smallest: float) -> tuple[float, ...]:
    """A random box of ``smallest`` .. 1 of the area, its aspect ratio within 3/4 .. 4/3 of the picture's."""
    width, height = size
    area = rng.uniform(smallest, 1.0)
    stretch = np.exp(rng.uniform(-0.288, 0.288))
    w, h = min(1.0, np.sqrt(area * stretch)) * width, min(1.0, np.sqrt(area / stretch)) * height
    left, top = rng.uniform(0, width - w), rng.uniform(0, height - h)
    return (left, top, left + w, top + h)


def jitter(rng: np.random.Generator, image: Image.Image) -> Image.Image:
    """Brightness, contrast, saturation; now and then grey or blurred."""
    for kind in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        image = kind(image).enhance(float(rng.uniform(0.6, 1.4)))
    if rng.random() < 0.08:
        image = image.convert("L").convert("RGB")
    if rng.random() < 0.1:
        image = image.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.3, 1.5))))
    return image


def augmented(rng: np.random.Generator, example: Example, size: tuple[int, int]) -> tuple[Array, Array, Array]:
    """One random view: uint8 [rows, columns, 3], and mask and known uint8 at a quarter of the size."""
    box = crop_box(rng, example.image.size, 0.3)
    small = (size[0] // 4, size[1] // 4)
    image = jitter(rng, example.image.resize(size, Image.Resampling.BILINEAR, box))
    mask = example.mask.resize(small, Image.Resampling.BILINEAR, box)
    known = example.known.resize(small, Image.Resampling.BILINEAR, box)
    views = [np.asarray(part) for part in (image, mask, known)]
    if rng.random() < 0.5:
        views = [part[:, ::-1] for part in views]
    return views[0], views[1], views[2]


def labelled_view(rng: np.random.Generator, raw: bytes, side: int) -> Array:
    """A random view of a picture for the warm-up: uint8 [side, side, 3]."""
    image = Image.open(io.BytesIO(raw)).convert("RGB")
    box = crop_box(rng, image.size, 0.35)
    view = np.asarray(jitter(rng, image.resize((side, side), Image.Resampling.BILINEAR, box)))
    return view[:, ::-1] if rng.random() < 0.5 else view
