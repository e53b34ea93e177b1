"""How well the tiny segmenter finds objects, beside a spectral residual and a guess at the centre.

    python benchmarks/segmenter.py --data DIR [--quick]

On the development pictures (every 20th by name) of the COCO sets, against the union of all object masks:

* iou: intersection over union, mean over the pictures, at the threshold that is best for the method
* iou_half: the same at importance 0.5
* f_beta: the F-measure with beta^2 = 0.3 of the mean precision and the mean recall, at the best threshold
* key_recall: share of the object pixels that the key mask covers (budget 0.35, blocks of 16 on 512 x 384)
* key_precision: share of the key mask that is object
* seconds_512: for one 512 x 512 picture, importance map only

The peers are the best of the two references for the scores, and ``spectral`` for the time.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
from _report import best_seconds, emit

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "training"))
import segmenter_data as sd

from semwave.models.segment import BACKENDS, expand, key_mask, load_segmenter

SCORES = ("iou", "iou_half", "f_beta", "key_recall", "key_precision")
THRESHOLDS = np.arange(0.05, 1.0, 0.05)


def counts(importance: Any, truth: Any, known: Any) -> Any:
    """Per threshold, then for the key mask: IoU, precision, recall; pixels of unknown truth do not count."""
    true = truth[known]
    key = expand(key_mask(importance, 0.35, 16), 16, importance.shape)
    rows = []
    for found in [*(importance[known] >= level for level in THRESHOLDS), key[known]]:
        hits = (found & true).sum()
        rows.append((hits / max(1, (found | true).sum()), hits / max(1, found.sum()), hits / max(1, true.sum())))
    return np.array(rows, np.float64)


def scores(pictures: list[Any]) -> tuple[float, ...]:
    """`SCORES` from the counts of all pictures."""
    mean = np.mean(pictures, axis=0)
    iou, precision, recall = mean[:-1].T
    f_beta = 1.3 * precision * recall / np.maximum(1e-9, 0.3 * precision + recall)
    half = int(np.argmin(np.abs(THRESHOLDS - 0.5)))
    return iou.max(), iou[half], f_beta.max(), mean[-1, 2], mean[-1, 1]


def measure(data: Path, quick: bool) -> dict[str, Any]:
    examples = sd.coco_examples(data, development=True)[:: 4 if quick else 1]
    result = {}
    for name in BACKENDS:
        segmenter, rows = load_segmenter(name), []
        for example in examples:
            scale = (512 * 384 / (example.image.width * example.image.height)) ** 0.5
            size = (round(example.image.width * scale), round(example.image.height * scale))
            image, mask, known = (
                np.asarray(part.resize(size)) for part in (example.image, example.mask, example.known)
            )
            rows.append(counts(segmenter.importance([image])[0], mask >= 128, known >= 128))
        result[name] = np.array(scores(rows))
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with clean/ and research/ zip files")
    parser.add_argument("--quick", action="store_true")
    args = parser.parse_args()
    result = measure(args.data, args.quick)
    for column, score in enumerate(SCORES):
        values = {name: float(row[column]) for name, row in result.items()}
        peer = max((name for name in BACKENDS if name != "tiny"), key=lambda name: values[name])
        for name in BACKENDS:
            best = (peer, values[peer]) if name == "tiny" else (None, None)
            emit("segmenter", f"{name} {score}", values[name], "1", *best)
    picture = np.random.default_rng(0).integers(0, 256, (512, 512, 3), dtype=np.uint8)
    seconds = {}
    for name in BACKENDS:
        segmenter = load_segmenter(name)
        seconds[name] = best_seconds(lambda s=segmenter: s.importance([picture]), 0.2 if args.quick else 2.0)
    for name in BACKENDS:
        peer_value = ("spectral", seconds["spectral"]) if name == "tiny" else (None, None)
        emit("segmenter", f"{name} seconds_512", seconds[name], "s", *peer_value)


if __name__ == "__main__":
    main()
