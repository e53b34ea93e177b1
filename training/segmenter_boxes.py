"""Boxes of objects that a detector finds in the training pictures, so that a teacher's "no" is not believed in them.

    python training/segmenter_boxes.py --data DIR [--count 4000] [--out FILE]

The detector is NanoDet-m (Apache-2.0, 80 COCO classes), in ``weights/`` of the data; needs ncnn. Boxes are
[left, top, right, bottom] as shares of the picture. Low confidence is enough: a box too many only costs a label.
"""

import argparse
import io
import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent))
import segmenter_data as sd
import segmenter_teacher

SIDE, BINS, CLASSES = 320, 8, 80
THRESHOLD = 0.25
MEAN, STD = np.float32([103.53, 116.28, 123.675]), np.float32([57.375, 57.12, 58.395])  # BGR


def load(folder: Path) -> Any:
    import ncnn

    net = ncnn.Net()
    net.opt.num_threads = 1
    net.load_param(str(folder / "nanodet_m.param"))
    net.load_model(str(folder / "nanodet_m.bin"))
    return net


def detect(net: Any, image: Image.Image) -> list[list[float]]:
    """All boxes above `THRESHOLD`, overlapping ones too: their union is what is wanted."""
    import ncnn

    x = (np.asarray(image.resize((SIDE, SIDE)), np.float32)[..., ::-1] - MEAN) / STD
    run = net.create_extractor()
    run.input("input.1", ncnn.Mat(np.ascontiguousarray(x.transpose(2, 0, 1))))
    outputs = [np.array(run.extract(name)[1]) for name in net.output_names()]
    scores = {len(o): o for o in outputs if o.shape[-1] == CLASSES}
    distances = {len(o): o for o in outputs if o.shape[-1] == 4 * BINS}
    boxes: list[list[float]] = []
    for stride in (8, 16, 32):
        side = SIDE // stride
        at = np.flatnonzero(scores[side * side].max(1) > THRESHOLD)
        if not at.size:
            continue
        odds = np.exp(distances[side * side][at].reshape(-1, 4, BINS).clip(-60, 60))
        reach = stride * (odds / odds.sum(2, keepdims=True)) @ np.arange(BINS)
        x0, y0 = (at % side + 0.5) * stride, (at // side + 0.5) * stride
        found = np.stack([x0 - reach[:, 0], y0 - reach[:, 1], x0 + reach[:, 2], y0 + reach[:, 3]], 1) / SIDE
        boxes += np.round(found.clip(0, 1), 3).tolist()
    return boxes


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--count", type=int, default=4000)
    parser.add_argument("--out", type=Path, default=segmenter_teacher.ROOT / "checkpoints/segmenter/boxes.json")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    net, found = load(args.data / "weights"), {}
    archives = {a: zipfile.ZipFile(args.data / a) for a in sd.CALTECH + sd.FLICKR}
    for archive, name in segmenter_teacher.wanted(args.data, args.seed)[: args.count]:
        if archive in sd.FLICKR:  # Caltech-101 shows one thing a picture, often none of the detector's
            found[f"{archive}|{name}"] = detect(
                net, Image.open(io.BytesIO(archives[archive].read(name))).convert("RGB")
            )
    args.out.write_text(json.dumps(found), encoding="utf-8")
    print(len(found), "pictures,", sum(map(len, found.values())), "boxes")


if __name__ == "__main__":
    main()
