"""How well the segmenters find objects, beside a spectral residual and a guess at the centre.

    python benchmarks/segmenter.py --data DIR [--quick] [--points] [--frames]

On the development pictures (every 20th by name) of the COCO sets at 512 x 384 or so, against the union of all objects:

* iou: intersection over union, mean over the pictures, at the threshold that is best for the method
* iou_half: the same at importance 0.5
* weighted_f: the weighted F-measure of Margolin, Zelnik-Manor and Tal (CVPR 2014), beta = 1, of the map as it is
* mae: mean absolute error of the map
* key_recall: share of the object pixels that the key mask covers (budget 0.35)
* key_precision: share of the key mask that is object
* point_iou: a point in the middle of each object of at least 1 % of the picture, grown; IoU with that object
* flicker: share of the key mask's cells that change from frame to frame of a still camera with noise (sigma 12) and
  shake (up to 2 pixels), ten frames a picture; peer: the same with temporal = 0
* seconds_512x768: for one picture, importance map only

The peers are the best of the two references for the scores, ``spectral`` for the time, and for points a disc of the
mean object's size.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
from _report import best_seconds, emit
from PIL import Image, ImageDraw

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "training"))
import segmenter_data as sd

from semwave.models.segment import BACKENDS, expand, key_mask, load_segmenter
from semwave.models.segment.ask import Key
from semwave.models.segment.track import Tracker

OWN = tuple(name for name in ("lite", "tiny") if name in BACKENDS)
SCORES = ("iou", "iou_half", "weighted_f", "mae", "key_recall", "key_precision")
THRESHOLDS = np.arange(0.05, 1.0, 0.05)


def weighted_f(importance: Any, truth: Any) -> float:
    """The weighted F-measure: float [h, w], bool [h, w]; 1 where both are empty."""
    from scipy.ndimage import convolve, distance_transform_edt

    if not truth.any():
        return float(importance.max() < 0.5)
    error = np.abs(importance - truth)
    distance, (rows, columns) = distance_transform_edt(~truth, return_indices=True)
    nearest = np.where(truth, error, error[rows, columns])
    x = np.arange(-3, 4)
    window = np.exp(-(x[:, None] ** 2 + x**2) / (2 * 5.0**2))
    spread = convolve(nearest, window / window.sum(), mode="constant")
    least = np.where(truth & (spread < error), spread, error)
    weight = np.where(truth, 1.0, 2.0 - np.exp(np.log(0.5) / 5 * distance))
    wrong = least * weight
    hits = truth.sum() - wrong[truth].sum()
    recall = 1 - wrong[truth].mean()
    precision = hits / (1e-12 + hits + wrong[~truth].sum())
    return float(2 * recall * precision / (1e-12 + recall + precision))


def row(image: Any, importance: Any, truth: Any, known: Any) -> Any:
    """IoU at each threshold, then weighted F, MAE, recall and precision of the key mask."""
    true = truth[known]
    ious = [
        ((importance[known] >= level) & true).sum() / max(1, ((importance[known] >= level) | true).sum())
        for level in THRESHOLDS
    ]
    key = expand(key_mask(importance, 0.35, 16, image), 16, importance.shape)[known]
    hits = (key & true).sum()
    filled = np.where(known, importance, truth).astype(np.float64)
    mae = np.abs(importance[known] - true).mean()
    return np.array([*ious, weighted_f(filled, truth), mae, hits / max(1, true.sum()), hits / max(1, key.sum())])


def views(examples: list[sd.Example]) -> list[tuple[Any, Any, Any]]:
    """Pictures, truth and where it is known, brought to the area of 512 x 384."""
    result = []
    for example in examples:
        scale = (512 * 384 / (example.image.width * example.image.height)) ** 0.5
        size = (round(example.image.width * scale), round(example.image.height * scale))
        image, mask, known = (np.asarray(part.resize(size)) for part in (example.image, example.mask, example.known))
        result.append((image, mask >= 128, known >= 128))
    return result


def scores(segmenter: Any, pictures: list[tuple[Any, Any, Any]]) -> Any:
    """`SCORES`, and their standard errors."""
    rows = np.array([row(image, segmenter.importance([image])[0], truth, known) for image, truth, known in pictures])
    best = int(rows[:, : len(THRESHOLDS)].mean(0).argmax())
    half = int(np.argmin(np.abs(THRESHOLDS - 0.5)))
    kept = np.concatenate([rows[:, [best, half]], rows[:, len(THRESHOLDS) :]], axis=1)
    return kept.mean(0), kept.std(0, ddof=1) / np.sqrt(len(kept))


def points(name: str, data: Path, quick: bool) -> tuple[float, float]:
    """Mean IoU of grown points, and of a disc around them."""
    from scipy.ndimage import distance_transform_edt

    segmenter, found, disc = load_segmenter(name), [], []
    for image, objects in sd.coco_objects(data, development=True)[:: 4 if quick else 1]:
        for polygons in objects:
            drawn = Image.new("1", image.size)
            for polygon in polygons:
                ImageDraw.Draw(drawn).polygon(polygon, fill=1)
            thing = np.pad(np.asarray(drawn), 1)
            if thing.mean() < 0.01:
                continue
            inside = distance_transform_edt(thing)[1:-1, 1:-1]
            y, x = np.unravel_index(inside.argmax(), inside.shape)
            key, thing = Key("point", (float(x), float(y)), pixels=True), thing[1:-1, 1:-1]
            grown = segmenter.find(np.asarray(image), key) >= 0.5
            found.append((grown & thing).sum() / (grown | thing).sum())
            rows, columns = np.mgrid[: thing.shape[0], : thing.shape[1]]
            round_ = np.hypot(rows - y, columns - x) < (0.12 / np.pi * thing.size) ** 0.5
            disc.append((round_ & thing).sum() / (round_ | thing).sum())
    return float(np.mean(found)), float(np.mean(disc))


def flicker(name: str, pictures: list[tuple[Any, Any, Any]], temporal: float) -> float:
    """Mean share of cells that change between frames."""
    segmenter, changes = load_segmenter(name), []
    for image, _, _ in pictures:
        rng, tracker, last = np.random.default_rng(7), Tracker(temporal), None
        for _ in range(10):
            top, left = rng.integers(0, 5, 2)
            frame = image[top : image.shape[0] - 4 + top, left : image.shape[1] - 4 + left]
            frame = np.clip(frame + rng.normal(0, 12, frame.shape), 0, 255).astype(np.uint8)
            tracker.see(frame)
            mask = key_mask(tracker.smooth(segmenter.importance([frame])[0]), 0.35, 16, frame)
            if last is not None:
                changes.append((mask != last).mean())
            last = mask
    return float(np.mean(changes))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with clean/ and research/ zip files")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--points", action="store_true", help="grown points as well")
    parser.add_argument("--frames", action="store_true", help="masks over frames as well")
    args = parser.parse_args()
    pictures = views(sd.coco_examples(args.data, development=True)[:: 4 if args.quick else 1])
    result = {name: scores(load_segmenter(name), pictures) for name in BACKENDS}
    for column, score in enumerate(SCORES):
        values = {name: float(mean[column]) for name, (mean, _) in result.items()}
        better = min if score == "mae" else max
        peer = better((name for name in BACKENDS if name not in OWN), key=lambda name: values[name])
        for name in BACKENDS:
            best = (peer, values[peer]) if name in OWN else (None, None)
            emit("segmenter", f"{name} {score}", values[name], "1", *best)
            emit("segmenter", f"{name} {score} standard error", float(result[name][1][column]), "1", None, None)
    if args.points:
        for name in BACKENDS:
            found, disc = points(name, args.data, args.quick)
            emit("segmenter", f"{name} point_iou", found, "1", "disc", disc)
    if args.frames:
        for name in OWN:
            still, rough = (flicker(name, pictures[:: 1 if args.quick else 3], t) for t in (0.7, 0.0))
            emit("segmenter", f"{name} flicker", still, "1", "temporal=0", rough)
    picture = np.random.default_rng(0).integers(0, 256, (512, 768, 3), dtype=np.uint8)
    seconds = {}
    for name in BACKENDS:
        segmenter = load_segmenter(name)
        seconds[name] = best_seconds(lambda s=segmenter: s.importance([picture]), 0.2 if args.quick else 2.0)
    for name in BACKENDS:
        peer_value = ("spectral", seconds["spectral"]) if name in OWN else (None, None)
        emit("segmenter", f"{name} seconds_512x768", seconds[name], "s", *peer_value)


if __name__ == "__main__":
    main()
