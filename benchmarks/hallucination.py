"""Whether the hallucination measure says what people would say, on development pictures.

    python benchmarks/hallucination.py --data DIR [--quick]

Pictures: every 20th by name of the COCO sets. Against each original, with the shipped tagger:

* score/WHAT: mean score, WHAT being JPEG at quality 90, 50, 20 and 5, or another of the pictures
* lost/WHAT, added/WHAT: objects reported a picture
* objects: seen a picture
* removed/reported: share of the annotated objects that the tagger saw (box shared by half, middle inside), each filled
  in from its border, of which the loss is reported
"""

import argparse
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from _report import emit
from PIL import Image, ImageDraw, ImageFilter

from semwave.bench.metrics.objects import Seen, compare_objects, default_detector, distinct, shared
from semwave.models import fill

SETS = (("clean/coco_cc.zip", "coco_cc"), ("research/coco_nc_320.zip", "coco_nc"))
AREA = (0.03, 0.5)  # of the picture: the objects that are removed
GROWN = 15  # pixels: a removed object takes its rim with it


def pictures(data: Path) -> Iterator[tuple[Any, list[dict[str, Any]]]]:
    """Pictures with their annotated objects."""
    for archive, folder in SETS:
        with zipfile.ZipFile(data / archive) as kept:
            notes = {note["file"]: note for note in json.loads(kept.read(f"{folder}/annotations.json"))}
            for name in sorted(n for n in kept.namelist() if n.startswith(f"{folder}/images/"))[::20]:
                picture = np.asarray(Image.open(io.BytesIO(kept.read(name))).convert("RGB"))
                yield picture, notes.get(Path(name).name, {}).get("objects", [])


class Once:
    """A detector that looks at each picture once."""

    def __init__(self) -> None:
        self._detector = default_detector()
        self.least, self.name = self._detector.least, self._detector.name
        self._seen: dict[int, list[Seen]] = {}

    def look(self, picture: Any) -> list[Seen]:
        """What the tagger sees."""
        key = hash(picture.tobytes())
        if key not in self._seen:
            self._seen[key] = list(self._detector.look(picture))
        return self._seen[key]


def jpeg(picture: Any, quality: int) -> Any:
    """The picture through JPEG."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file).convert("RGB"))


def without(picture: Any, polygons: list[list[float]]) -> Any:
    """The picture with an object filled in from its border."""
    mask = Image.new("L", picture.shape[1::-1])
    for polygon in polygons:
        ImageDraw.Draw(mask).polygon(polygon, fill=255)
    gone = np.asarray(mask.filter(ImageFilter.MaxFilter(GROWN))) > 0
    return np.rint(fill.membrane(picture.astype(np.float32) / 255, ~gone) * 255).astype(np.uint8)


def sighted(seen: list[Seen], item: dict[str, Any]) -> list[Seen]:
    """What the tagger saw where an object is annotated."""
    left, top, width, height = item["bbox"]
    box = (left, top, left + width, top + height)

    def inside(one: Seen) -> bool:
        across, down = (one.box[0] + one.box[2]) / 2, (one.box[1] + one.box[3]) / 2
        return shared(one.box, box) > 0.5 and box[0] <= across <= box[2] and box[1] <= down <= box[3]

    return [one for one in seen if inside(one)]


def removals(some: list[tuple[Any, list[dict[str, Any]]]], detector: Once) -> list[bool]:
    """For each removed object whether its loss is reported."""
    reported = []
    for picture, items in some:
        seen = distinct(detector.look(picture), detector.least)
        for item in items:
            polygons = [p for p in item.get("polygons", []) if isinstance(p, list) and len(p) >= 6]
            share = item["bbox"][2] * item["bbox"][3] / picture[..., 0].size
            hits = sighted(seen, item)
            if polygons and hits and AREA[0] < share < AREA[1]:
                lost = compare_objects(picture, without(picture, polygons), detector).lost
                reported.append(any(hit in lost for hit in hits))
    return reported


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="the data folder; without it there is nothing to measure")
    parser.add_argument("--quick", action="store_true", help="four pictures")
    args = parser.parse_args()
    if args.data is None:
        return
    some = list(pictures(args.data))[: 4 if args.quick else None]
    detector = Once()
    originals = [picture for picture, _ in some]
    made = {f"JPEG {q}": [jpeg(p, q) for p in originals] for q in (90, 50, 20, 5)}
    made["another"] = [
        np.asarray(Image.fromarray(originals[(i + 7) % len(some)]).resize(p.shape[1::-1]))
        for i, p in enumerate(originals)
    ]
    for what, tests in made.items():
        found = [compare_objects(p, q, detector) for p, q in zip(originals, tests, strict=True)]
        emit("hallucination", f"score/{what}", float(np.mean([f.score for f in found])), "1")
        for kind in ("lost", "added"):
            emit("hallucination", f"{kind}/{what}", float(np.mean([len(getattr(f, kind)) for f in found])), "a picture")
    emit("hallucination", "objects", float(np.mean([len(f.lost) + len(f.kept) for f in found])), "a picture")
    reported = removals(some, detector)
    if reported:
        emit("hallucination", f"removed/reported of {len(reported)}", float(np.mean(reported)), "1")


if __name__ == "__main__":
    main()
