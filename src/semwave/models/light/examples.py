"""A folder of the user's pictures as training examples of the decoder: what a receiver would have of each.

A text file of the same name beside a picture is its caption; else the shipped captioner writes one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from semwave.models.pictures import list_pictures, load_picture
from semwave.training import decoder_data

Array = NDArray[Any]

HELD = 8  # one picture in as many is not trained on
SHARD = 8  # examples a file of the cache


@dataclass(frozen=True)
class FolderPhoto(decoder_data.Photo):
    """One picture of a folder."""

    def open(self) -> Image.Image:
        """The picture, RGB, its short side at least a window."""
        picture = Image.fromarray(load_picture(self.archive))
        scale = decoder_data.WINDOW / min(picture.size)
        if scale > 1.0:
            picture = picture.resize([max(round(scale * s), decoder_data.WINDOW) for s in picture.size])
        return picture


def photos(folder: Path, captioner: str = "own") -> tuple[list[FolderPhoto], list[FolderPhoto]]:
    """Pictures to train on, and every eighth, held out; raises ValueError where there are fewer than two.

    ``captioner`` is own or off.
    """
    files = list(list_pictures(str(folder)).pictures)
    if len(files) < 2:
        raise ValueError(f"data must be a folder of two pictures or more, not {len(files)} in {folder}")
    said = _captions(files, captioner)
    made = [FolderPhoto(file, file.name, said[file], (), 0) for file in files]
    return [p for n, p in enumerate(made) if n % HELD], made[::HELD]


def _captions(files: Sequence[Path], captioner: str) -> dict[Path, tuple[str, ...]]:
    out: dict[Path, tuple[str, ...]] = {}
    for file in files:
        beside = file.with_suffix(".txt")
        text = beside.read_text(encoding="utf-8") if beside.is_file() else ""
        tidy = " ".join(text.replace(";", ",").lower().split()).rstrip(" .")
        out[file] = (tidy,) if tidy else ()
    without = [file for file in files if not out[file]]
    if captioner == "own" and without:
        from semwave.models.text.choose import load_captioner

        write = load_captioner("own", "cpu")
        for file in without:
            image = load_picture(file)
            caption = write([image], [np.zeros(image.shape[:2], bool)])[0].caption
            out[file] = (caption,) if caption else ()
    return out


class FolderExamples(decoder_data.Examples):
    """Makes example n of a folder's pictures."""

    def __init__(self, chosen: Sequence[FolderPhoto], seed: int) -> None:
        super().__init__(list(chosen), seed)
        self._coco = self._rest = list(range(len(chosen)))  # no sources to balance


def prepare(chosen: Sequence[FolderPhoto], cache: Path, count: int, seed: int, part: str) -> Iterator[int]:
    """Write what is missing of ``count`` examples into ``cache``; gives how many are there after each file."""
    maker = None
    for start in range(0, count, SHARD):
        path = cache / f"{part}-{seed}-{start:05d}.npz"
        if not path.is_file():
            maker = maker or FolderExamples(chosen, seed)
            made = [maker.make(n) for n in range(start, min(start + SHARD, count))]
            cache.mkdir(parents=True, exist_ok=True)
            fields = decoder_data.FIELDS.items()
            stacked: dict[str, Any] = {k: np.stack([np.asarray(m[k], t) for m in made]) for k, (_, t) in fields}
            with path.with_suffix(".tmp").open("wb") as file:
                np.savez(file, **stacked)
            path.with_suffix(".tmp").rename(path)
        yield min(start + SHARD, count)


def load(cache: Path, count: int, seed: int, part: str) -> dict[str, Array]:
    """The examples that ``prepare`` wrote, stacked."""
    parts = []
    for start in range(0, count, SHARD):
        with np.load(cache / f"{part}-{seed}-{start:05d}.npz", allow_pickle=False) as kept:
            parts.append({name: kept[name] for name in decoder_data.FIELDS})
    return {name: np.concatenate([p[name] for p in parts]) for name in decoder_data.FIELDS}
