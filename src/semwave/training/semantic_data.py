"""Examples for the semantic decoder's network: pictures, sent over random channels and linearly decoded."""

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from semwave.models.jscc import blocks, codebook, hybrid, pricing, transform
from semwave.training import channels

Array = NDArray[Any]

ARCHIVES = ("clean/coco_cc.zip", "research/coco_nc_320.zip")
SIDE = 192
DEVELOPMENT = 20  # every 20th picture by sorted name is never trained on


@dataclass(frozen=True)
class Example:
    """Truth uint8, linear estimate float16 [S, S, 3], its standard error float16 [S, S], and where blocks were sent."""

    truth: Array
    estimate: Array
    sigma: Array
    cover: Array


class Pictures:
    """Photographs of the archives, read as they are needed; other folders of pictures do as well."""

    def __init__(self, data: Path, development: bool = False) -> None:
        self._items: list[tuple[Path, str]] = []
        for archive in [data / a for a in ARCHIVES if (data / a).exists()]:
            with zipfile.ZipFile(archive) as file:
                names = sorted(n for n in file.namelist() if "/images/" in n)
            self._items += [(archive, n) for i, n in enumerate(names) if (i % DEVELOPMENT == 0) == development]
        loose = sorted(p for p in data.glob("*.*") if p.suffix.lower() in (".jpg", ".png", ".webp"))
        self._items += [(p, "") for i, p in enumerate(loose) if (i % DEVELOPMENT == 0) == development]
        if not self._items:
            raise FileNotFoundError(
                f"--data: no pictures in {data}: need {' or '.join(ARCHIVES)}, or *.jpg, *.png, *.webp"
            )

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, i: int) -> Array:
        path, name = self._items[i]
        if name:
            with zipfile.ZipFile(path) as file:
                source: Any = io.BytesIO(file.read(name))
        else:
            source = path
        with Image.open(source) as picture:
            return np.asarray(picture.convert("RGB"))


def example(book: codebook.Codebook, pictures: Pictures, rng: np.random.Generator) -> Example:
    """A crop of a picture, sent at a random rate over a random channel."""
    truth = crop(pictures[int(rng.integers(len(pictures)))], rng)
    image = truth.astype(np.float32) / 255
    cover = blocks.cover((SIDE, SIDE), _mask(rng) if rng.random() < 0.15 else None)
    snr_db, ratio = rng.uniform(-1, 14), np.exp(rng.uniform(np.log(1 / 64), np.log(1 / 6)))
    symbols = max(int(cover.sum() * blocks.LENGTH * ratio), 64)
    job = hybrid.Job(symbols, snr_db, pricing.bits_per_symbol(snr_db), whole=True)
    side, sent = hybrid.encode(book, image, cover, job)
    received, noise_var = _received(sent, snr_db, rng)
    cosines, variances = hybrid.decode(book, side, hybrid.Received(received, noise_var), cover)
    sigma = np.sqrt(transform.backward_variance(variances).mean(2))
    pixels = np.repeat(np.repeat(cover, blocks.SIDE, 0), blocks.SIDE, 1)
    estimate = np.clip(transform.backward(cosines), -0.2, 1.2)
    return Example(truth, estimate.astype(np.float16), sigma.astype(np.float16), pixels)


def _received(sent: Array, snr_db: float, rng: np.random.Generator) -> tuple[Array, Array]:
    import torch

    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    name = str(rng.choice(channels.NAMES, p=(0.7, 0.15, 0.15)))
    away = snr_db + (rng.normal(0, 3) if rng.random() < 0.2 else 0.0)  # the sender may have guessed wrongly
    received, noise = channels.pass_through(name, torch.from_numpy(sent), away, generator)
    noise_var = noise.numpy().copy()
    chance = rng.random()
    if chance < 0.1:  # a prefix only
        noise_var[int(noise_var.size * rng.uniform(0.2, 1)) :] = np.inf
    elif chance < 0.2:  # a burst
        start = int(noise_var.size * rng.uniform(0, 0.9))
        noise_var[start : start + noise_var.size // 10] = np.inf
    return received.numpy(), noise_var


def crop(picture: Array, rng: np.random.Generator) -> Array:
    """A random part of [SIDE, SIDE], of the picture scaled down at random."""
    height, width = picture.shape[:2]
    small = SIDE / min(height, width)
    if small > 1 or rng.random() < 0.35:
        scale = max(small, float(rng.uniform(max(small, 0.5), 1.0)) if small < 1 else small)
        size = (max(SIDE, round(width * scale)), max(SIDE, round(height * scale)))
        picture = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))
    top, left = (int(rng.integers(n - SIDE + 1)) for n in picture.shape[:2])
    return np.ascontiguousarray(picture[top : top + SIDE, left : left + SIDE])


def _mask(rng: np.random.Generator) -> Array:
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    centre, radii = rng.uniform(0.3, 0.7, 2), rng.uniform(0.2, 0.6, 2)
    return np.asarray(((y - centre[0]) / radii[0]) ** 2 + ((x - centre[1]) / radii[1]) ** 2 <= 1)
