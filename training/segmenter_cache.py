"""Backbone features of random views of the training pictures, computed once: the ``lite`` segmenter learns from them.

A shard is five memory-mapped arrays: features at 1/4, 1/8 and 1/16 (fp16), what is object (uint8, at 1/4) and how much
that is to be believed (uint8). Truth comes from COCO's polygons, and on Flickr8k and Caltech-101 from a teacher
(`segmenter_teacher.py`), whose "no" counts less inside the box of a detected object, where it may have missed one.
"""

import io
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import segmenter_data as sd
import torch
from PIL import Image

from semwave.models import efficientnet
from semwave.models.segment import lite_net

SIDE = 256
WIDTHS = (24, 40, 112)
STRIDES = (4, 8, 16)


class Shard(NamedTuple):
    """Views: features [n, c, h, w] at three scales, truth and its weight [n, 64, 64]."""

    features: tuple[Any, ...]
    truth: Any
    weight: Any


def open_shard(folder: Path, count: int = 0) -> Shard:
    """A shard; with ``count`` a new one with place for so many views."""
    folder.mkdir(parents=True, exist_ok=True)
    mode = "w+" if count else "r"

    def array(name: str, shape: tuple[int, ...], dtype: Any) -> Any:
        path = folder / f"{name}.npy"
        return np.lib.format.open_memmap(path, mode, dtype, shape) if count else np.load(path, mmap_mode="r")

    features = tuple(
        array(f"at{s}", (count, c, SIDE // s, SIDE // s), np.float16) for c, s in zip(WIDTHS, STRIDES, strict=True)
    )
    small = (count, SIDE // 4, SIDE // 4)
    return Shard(features, array("truth", small, np.uint8), array("weight", small, np.uint8))


def teacher_examples(data: Path, file: Path, boxes: dict[str, Any]) -> list[sd.Example]:
    """Teacher's masks as examples; masks that cover next to nothing or all but everything are left out."""
    archives = {name: zipfile.ZipFile(data / name) for name in sd.CALTECH + sd.FLICKR}
    examples = []
    with np.load(file) as cached:
        names, masks = cached["names"].tolist(), cached["masks"]
    for name, mask in zip(names, masks, strict=True):
        share = (mask >= 128).mean()
        if not 0.02 <= share <= 0.85:
            continue
        archive, inner = name.split("|")
        image = Image.open(io.BytesIO(archives[archive].read(inner))).convert("RGB")
        sure = np.where((mask < 40) | (mask > 215), 255, 90).astype(np.uint8)
        if name in boxes:
            sure = np.where((mask < 128) & (inside(boxes[name], mask.shape) > 0), 0, sure).astype(np.uint8)
        parts = (Image.fromarray(part).resize(image.size, Image.Resampling.BILINEAR) for part in (mask, sure))
        examples.append(sd.Example(name, image, *parts))
    return examples


def inside(found: Any, shape: tuple[int, int]) -> Any:
    """Which pixels lie in a box [left, top, right, bottom] (shares of the picture)."""
    area = np.zeros(shape, np.uint8)
    for left, top, right, bottom in np.clip(np.asarray(found, float).reshape(-1, 4), 0, 1):
        rows = slice(int(top * shape[0]), int(np.ceil(bottom * shape[0])))
        area[rows, int(left * shape[1]) : int(np.ceil(right * shape[1]))] = 1
    return area


def fill(folder: Path, examples: list[sd.Example], views: int, seed: int) -> None:
    """Write ``views`` random views of each example."""
    backbone = efficientnet.load()
    shard = open_shard(folder.with_suffix(".part"), len(examples) * views)
    rng = np.random.default_rng(seed)
    pending: list[Any] = []
    for number in range(len(examples) * views):
        pending.append(sd.augmented(rng, examples[number % len(examples)], (SIDE, SIDE)))
        if len(pending) == 8 or number == len(examples) * views - 1:
            place = slice(number + 1 - len(pending), number + 1)
            pictures = torch.from_numpy(np.stack([v[0] for v in pending])).permute(0, 3, 1, 2).float() / 255
            with torch.inference_mode():
                stages = backbone.stages(pictures)
            for array, tap in zip(shard.features, lite_net.TAPS, strict=True):
                array[place] = stages[tap].half().numpy()
            shard.truth[place] = np.stack([v[1] for v in pending])
            shard.weight[place] = np.stack([v[2] for v in pending])
            pending.clear()
    folder.with_suffix(".part").rename(folder)
