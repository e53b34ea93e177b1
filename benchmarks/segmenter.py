"""How well the tiny segmenter finds objects, beside a spectral residual and a guess at the centre.

    python benchmarks/segmenter.py --data DIR [--quick]

On the development pictures (every 20th by name) of the COCO sets, against the union of all object masks:

* iou: intersection over union at importance 0.5, mean over the pictures
* f_beta: F-measure with beta^2 = 0.3 at the adaptive threshold of Achanta et al. (CVPR 2009), twice the mean
  importance (at most 0.95), mean over the pictures
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

SCORES = ("iou", "f_beta", "key_recall", "key_precision")


def scores(importance: Any, truth: Any, known: Any) -> tuple[float, ...]:
    """The four scores of one picture; pixels whose truth is not known do not count."""
    found = importance[known] >= 0.5
    true = truth[known]
    iou = (found & true).sum() / max(1, (found | true).sum())
    strong = importance[known] >= min(0.95, 2 * float(importance[known].mean()))
    hits = (strong & true).sum()
    precision, recall = hits / max(1, strong.sum()), hits / max(1, true.sum())
    f_beta = 1.3 * precision * recall / max(1e-9, 0.3 * precision + recall)
    key = expand(key_mask(importance, 0.35, 16), 16, importance.shape)[known]
    return iou, f_beta, (key & true).sum() / max(1, true.sum()), (key & true).sum() / max(1, key.sum())


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
            rows.append(scores(segmenter.importance([image])[0], mask >= 128, known >= 128))
        result[name] = np.mean(rows, axis=0)
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
