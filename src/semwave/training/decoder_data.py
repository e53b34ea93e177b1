"""What the generative decoder is trained on: pictures with the layers that a receiver would have, made once and kept.

Every example is a 192 x 192 window of a photograph with a key mask (polygons of the annotations, the segmenter's
choice or random shapes), key pixels as a codec or a noisy channel leaves them, a sketch of 0 to 512 bytes coded and
decoded, and a prompt; and the smooth and textured fills that follow. Example n depends on the seed and n alone.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Array = NDArray[Any]

WINDOW, GRID, SHARD, HELD_SHARD = 192, 48, 250, 50
FIELDS = {
    "image": ((WINDOW, WINDOW, 3), np.uint8),
    "composite": ((WINDOW, WINDOW, 3), np.uint8),
    "mask": ((WINDOW, WINDOW), np.bool_),
    "detail": ((WINDOW, WINDOW), np.float16),
    "hints": ((14, GRID, GRID), np.float16),
    "tokens": ((24, 384), np.float16),
    "key_error": ((), np.float32),
}
WAVES = (0, 0, 16, 32, 48, 48, 64, 64)  # bytes of the sketches below 65
STILLS, WITH_KEY = 0.2, 0.45  # shares of still pictures: of the rest beside a key region, of everything
COCO = 0.55  # share of the larger photographs
VERSION = 2  # of what an example is, in the names of the cache


@dataclass(frozen=True)
class Photo:
    """One photograph of the sources: where it lies, what is said of it, what was annotated."""

    archive: Path
    member: str
    captions: tuple[str, ...]
    polygons: tuple[tuple[float, ...], ...]
    width: int
    """To which the polygons refer; 0 without polygons."""

    def open(self) -> Image.Image:
        """The photograph, RGB."""
        return Image.open(io.BytesIO(_archive(self.archive).read(self.member))).convert("RGB")


@lru_cache(maxsize=8)
def _archive(path: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(path)  # its table of contents takes longer to read than a photograph


def photos(data: Path, held_out: bool = False) -> list[Photo]:
    """Training (or held-out) photographs: Flickr8k by its official lists, COCO without every 20th by name."""
    return list(_flickr(data, held_out)) + list(_coco(data, held_out))


def _flickr(data: Path, held_out: bool) -> Iterator[Photo]:
    with zipfile.ZipFile(data / "research/captions_text.zip") as kept:
        lists = {part: kept.read(f"text/Flickr_8k.{part}Images.txt").decode().split() for part in ("train", "dev")}
        said: dict[str, list[str]] = {}
        for line in kept.read("text/Flickr8k.token.txt").decode().splitlines():
            name, _, text = line.partition("\t")
            said.setdefault(name.split("#")[0], []).append(_tidy(text))
    wanted = {Path(name).stem: tuple(said[name]) for name in lists["dev" if held_out else "train"]}
    for part in (0, 1):
        archive = data / f"research/flickr8k_192_part{part}.zip"
        with zipfile.ZipFile(archive) as kept:
            for name in sorted(kept.namelist()):
                if Path(name).stem in wanted:
                    yield Photo(archive, name, wanted[Path(name).stem], (), 0)


def _coco(data: Path, held_out: bool) -> Iterator[Photo]:
    for file, folder in (("research/coco_nc_320.zip", "coco_nc"), ("clean/coco_cc.zip", "coco_cc")):
        with zipfile.ZipFile(data / file) as kept:
            notes = {note["file"]: note for note in json.loads(kept.read(f"{folder}/annotations.json"))}
            names = sorted(n for n in kept.namelist() if n.startswith(f"{folder}/images/") and n.endswith(".jpg"))
        for index, name in enumerate(names):
            if (index % 20 == 0) == held_out:
                note = notes.get(Path(name).name, {})
                shapes = [p for o in note.get("objects", []) for p in o.get("polygons") or [] if len(p) >= 6]
                captions = tuple(_tidy(text) for text in note.get("captions", []))
                yield Photo(data / file, name, captions, tuple(map(tuple, shapes)), note.get("width", 0))


def _tidy(text: str) -> str:
    return " ".join(text.replace(";", ",").lower().split()).rstrip(" .")


def random_mask(rng: np.random.Generator, height: int, width: int) -> Array:
    """Key mask of blocks, a blob or a polygon over 10 to 50 % of the picture: bool [height, width]."""
    share, block = rng.uniform(0.1, 0.5), int(rng.choice([6, 8, 12, 16]))
    if rng.random() < 0.4:
        centre = rng.uniform(0.2, 0.8, 2) * (width, height)
        angles = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(5, 12))))
        radius = np.sqrt(height * width * share / np.pi) * rng.uniform(0.7, 1.4, len(angles))
        points = centre + radius[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
        drawn = Image.new("1", (width, height))
        ImageDraw.Draw(drawn).polygon([tuple(p) for p in points], fill=1)
        return np.asarray(drawn, bool)
    rows, columns = -(-height // block), -(-width // block)
    field = rng.standard_normal((rows, columns))
    if rng.random() < 0.8:  # connected blobs rather than scattered blocks
        down = np.arange(rows) / rows - rng.uniform(0.25, 0.75)
        across = np.arange(columns) / columns - rng.uniform(0.25, 0.75)
        field = 0.4 * field - 6.0 * (down[:, None] ** 2 + across**2)
    key = field > np.quantile(field, 1.0 - share)
    return np.kron(key, np.ones((block, block), bool))[:height, :width]


def polygon_mask(photo: Photo, size: tuple[int, int]) -> Array | None:
    """Union of the annotated objects in blocks of 16 pixels, bool [height, width]; None if below 5 or above 60 %."""
    if not photo.polygons or not photo.width:
        return None
    drawn, scale = Image.new("1", size), size[0] / photo.width
    for shape in photo.polygons:
        ImageDraw.Draw(drawn).polygon([scale * x for x in shape], fill=1)
    mask = np.asarray(drawn, bool)
    height, width = mask.shape
    padded = np.pad(mask, ((0, -height % 16), (0, -width % 16)))
    share = padded.reshape(padded.shape[0] // 16, 16, -1, 16).mean(axis=(1, 3))
    grown = np.kron(share > 0.25, np.ones((16, 16), bool))[:height, :width]
    return grown if 0.05 < grown.mean() < 0.6 else None


def degraded(rng: np.random.Generator, image: Array) -> Array:
    """``image`` as a low-rate codec (blocks, blur) or a noisy analogue channel (smooth noise) leaves it."""
    if rng.random() < 0.6:
        kind, file = str(rng.choice(["JPEG", "WEBP"])), io.BytesIO()
        Image.fromarray(image).save(file, kind, quality=int(rng.integers(10, 70)))
        with Image.open(file) as opened:
            return np.asarray(opened.convert("RGB"))
    from scipy.ndimage import gaussian_filter

    width = rng.uniform(0.5, 1.5)
    noise = gaussian_filter(rng.standard_normal(image.shape), (width, width, 0))
    soft = gaussian_filter(image.astype(np.float32), (0.5 * width, 0.5 * width, 0))
    return np.clip(soft + rng.uniform(2, 16) * noise / noise.std(), 0, 255).astype(np.uint8)


def still(rng: np.random.Generator, image: Array) -> tuple[Array, int]:
    """What a still picture of ``image`` shows, without the search for the scale and quality that fit, and its bytes."""
    from semwave.models import av1still, fill

    height, width = image.shape[:2]
    scale = float(rng.choice([1.0, 0.75, 0.5, 0.5, 0.375, 0.25, 0.1875]))
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    file = io.BytesIO()
    Image.fromarray(image).resize(size, Image.Resampling.LANCZOS).save(
        file, "AVIF", quality=int(rng.integers(0, 40) * max(0.4, 1.0 - 0.6 * scale)), speed=8, max_threads=1
    )
    with Image.open(file) as opened:
        back = np.asarray(opened.convert("RGB"), np.float32) / np.float32(255.0)
    shown = np.clip(fill.resize(back, (height, width), Image.Resampling.LANCZOS), 0.0, 1.0)
    return shown, 1 + len(av1still.strip(file.getvalue())[0])


def softened(rng: np.random.Generator, image: Array, mask: Array) -> Array:
    """``image`` with all but the key region ``mask`` blurred, or not, as the encoder of a whole scene does."""
    from semwave.models import sketchstill

    blur = float(rng.choice([0.0, 0.5, 1.0, 1.5, 2.5]))
    if not blur or not mask.any() or mask.all():
        return image
    scale = float(rng.choice([1.0, 0.75, 0.5, 0.375]))
    return sketchstill.blurred(image, mask, blur / scale, 0.5 / scale)


class Examples:
    """Makes example n of a list of photographs."""

    def __init__(self, chosen: list[Photo], seed: int) -> None:
        from semwave.models.segment import load_segmenter

        self._photos, self._seed, self._segmenter = chosen, seed, load_segmenter()
        coco = [n for n, photo in enumerate(chosen) if "flickr" not in photo.member]
        self._coco, self._rest = coco, [n for n in range(len(chosen)) if n not in set(coco)]

    def make(self, number: int) -> dict[str, Any]:
        """FIELDS of example ``number``: a window of its scene, with the fills that the receiver makes."""
        from semwave.models import texture
        from semwave.models.generate import gather
        from semwave.models.generator import conditions

        image, scene, rng = self.scene(number)
        known = gather(scene)
        seed = int(rng.integers(1 << 31))
        detail = texture.synthesise(known.mask.shape, known.textures, known.prompt.edges, seed, known.picture)
        rows, columns = (side // 4 for side in known.mask.shape)
        error = float(known.key_error)
        level = conditions.sketch_level(known.sketch, known.still_bytes, known.mask.size)
        maps = conditions.hints((rows, columns), known.prompt, known.textures, level, error)
        top, left = (4 * int(rng.integers(0, n - GRID + 1)) for n in (rows, columns))
        window = (slice(top, top + WINDOW), slice(left, left + WINDOW))
        coarse = (slice(top // 4, top // 4 + GRID), slice(left // 4, left // 4 + GRID))
        return {
            "image": image[window],
            "composite": np.rint(255.0 * known.picture[window]).astype(np.uint8),
            "mask": known.mask[window],
            "detail": detail[window],
            "hints": maps[:, *coarse],
            "tokens": conditions.caption_tokens(conditions.told(known.prompt)),
            "key_error": error,
        }

    def scene(self, number: int) -> tuple[Array, Any, np.random.Generator]:
        """Photograph ``number``, what is received of it, and the generator that goes on from there.

        More than half are from COCO, whose photographs are larger.
        """
        rng = np.random.default_rng([self._seed, number])
        pool = self._coco if rng.random() < COCO else self._rest
        photo = self._photos[pool[int(rng.integers(len(pool)))]]
        picture = photo.open()
        if max(picture.size) > 400:
            side = int(rng.choice([320, 480, max(picture.size)]))
            picture.thumbnail((side, side), Image.Resampling.LANCZOS)
        picture = picture.resize([max(s, WINDOW) for s in picture.size])
        image = np.asarray(picture)
        if rng.random() < 0.5:
            image = np.ascontiguousarray(image[:, ::-1])
            photo = Photo(photo.archive, photo.member, photo.captions, (), 0)
        return image, self._received(rng, image, photo), rng

    def _mask(self, rng: np.random.Generator, image: Array, photo: Photo) -> Array:
        from semwave.models.maskcode import block_size
        from semwave.models.segment import expand, key_mask

        height, width = image.shape[:2]
        kind = rng.random()
        if kind < 0.06:
            return np.zeros((height, width), bool)
        drawn = polygon_mask(photo, (width, height)) if kind < 0.6 else None
        if drawn is not None:
            return drawn
        if kind < 0.5:
            block = block_size(height, width)
            grid = key_mask(self._segmenter.importance([image])[0], float(rng.uniform(0.15, 0.45)), block)
            return expand(grid, block, (height, width))
        return random_mask(rng, height, width)

    def _received(self, rng: np.random.Generator, image: Array, photo: Photo) -> Any:
        from semwave.models import describe, keycodec
        from semwave.models.generate import Received
        from semwave.models.prompt_grammar import Prompt

        mask = self._mask(rng, image, photo)
        said = str(rng.choice(photo.captions)) if photo.captions and rng.random() < 0.85 else ""
        prompt = str(describe.describe(image, mask, said) if rng.random() < 0.8 else Prompt(caption=said))
        kind, size = rng.random(), 0
        if kind < WITH_KEY:
            drawn, size = still(rng, softened(rng, image, mask))
            key = np.rint(255.0 * drawn).astype(np.uint8)
            error = float(rng.choice([0.0, 0.5, 1.0])) * _rms(key, image, mask)
            return Received(image.shape, key, mask, prompt, drawn, key_error=error, still_bytes=size)
        key = image if rng.random() < 0.4 or not mask.any() else degraded(rng, image)
        error = _rms(key, image, mask)
        if kind < WITH_KEY + STILLS:
            drawn, size = still(rng, keycodec.fill_smoothly(image, ~mask) if mask.any() else image)
        else:
            drawn = _waves(rng, image, mask)
        return Received(image.shape, key, mask, prompt, drawn, key_error=error, still_bytes=size)


def _rms(first: Array, second: Array, mask: Array) -> float:
    """Root mean square difference inside ``mask``, of full scale."""
    return float(np.sqrt(np.mean((first[mask] / 255.0 - second[mask] / 255.0) ** 2))) if mask.any() else 0.0


def _waves(rng: np.random.Generator, image: Array, mask: Array) -> Any:
    """A sketch of 0 to 64 bytes."""
    from semwave.models import sketch

    return sketch.decode_sketch(sketch.encode_sketch(image, mask, int(rng.choice(WAVES))), image.shape)


def prepare(data: Path | None, cache: Path, count: int, seed: int, held_out: bool = False) -> Iterator[int]:
    """Write what is missing of the first ``count`` examples into ``cache``, a shard of SHARD at a time."""
    maker, size = None, HELD_SHARD if held_out else SHARD
    for shard in range(-(-count // size)):
        path = _shard(cache, seed, shard, held_out)
        if path.is_file():
            continue
        if data is None:
            raise FileNotFoundError(f"no {path}: run with --data first")
        maker = maker or Examples(photos(data, held_out), seed + int(held_out))
        made = [maker.make(n) for n in range(shard * size, (shard + 1) * size)]
        cache.mkdir(parents=True, exist_ok=True)
        stacked: dict[str, Any] = {}
        for name, (_, dtype) in FIELDS.items():
            stacked[name] = np.stack([np.asarray(m[name], dtype) for m in made])
        with path.with_suffix(".tmp").open("wb") as file:
            np.savez(file, **stacked)
        path.with_suffix(".tmp").rename(path)
        yield shard


def missing(cache: Path, count: int, seed: int, held_out: bool = False) -> bool:
    """Whether `prepare` would have something to make."""
    shards = range(-(-count // (HELD_SHARD if held_out else SHARD)))
    return not all(_shard(cache, seed, shard, held_out).is_file() for shard in shards)


def load(cache: Path, seed: int, count: int, held_out: bool = False) -> dict[str, Array]:
    """The first ``count`` examples, rounded up to whole shards, stacked; fewer where fewer were made."""
    parts = []
    for shard in range(-(-count // (HELD_SHARD if held_out else SHARD))):
        path = _shard(cache, seed, shard, held_out)
        if not path.is_file():
            break
        with np.load(path, allow_pickle=False) as kept:
            parts.append({name: kept[name] for name in FIELDS})
    if not parts:
        raise FileNotFoundError(f"no examples in {cache}: run with --data first")
    return {name: np.concatenate([part[name] for part in parts]) for name in FIELDS}


def _shard(cache: Path, seed: int, shard: int, held_out: bool) -> Path:
    return cache / f"decoder{VERSION}-{seed}-{'held' if held_out else 'train'}-{shard:03d}.npz"
