"""Objects that a reconstruction adds or loses: what a detector sees in the one picture and not in the other."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Box = tuple[float, ...]

_SAME = 0.3  # of the smaller box: what two boxes of one object share at least
_GONE = 0.5  # an object is gone when less than this of its confidence is left
COLOURS = {"lost": (255, 64, 64), "added": (64, 160, 255), "kept": (64, 200, 96)}


@dataclass(frozen=True)
class Seen:
    """A label, its box (left, top, right, bottom in pixels) and the detector's confidence in it."""

    label: str
    box: Box
    score: float


class Detector(Protocol):
    """What `compare_objects` needs: all candidates down to a low confidence, and from where on one is an object."""

    least: float
    name: str

    def look(self, picture: Array) -> Sequence[Seen]:
        """Candidates in a picture uint8 [rows, columns, 3]."""


@dataclass(frozen=True)
class Objects:
    """Objects added, lost and kept; ``score`` in 0..1 is the share of confidence that was added or lost."""

    added: list[Seen] = field(default_factory=list)
    lost: list[Seen] = field(default_factory=list)
    kept: list[Seen] = field(default_factory=list)
    score: float = 0.0
    detector: str = ""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def compare_objects(
    ref: Array, test: Array, detector: Detector | None = None, mask: NDArray[np.bool_] | None = None
) -> Objects:
    """Which objects of ``ref`` are lost in ``test``, which are added: uint8 [rows, columns, 3] both.

    An object is what the detector is sure of (`least`) in one picture. Its confidence p is compared with q, the best of
    the same label in the other picture whose box shares 30 % of the smaller one; below half of p it is lost or added.
    score = sum max(p - q, 0) / sum p over the objects of both pictures: 0 for equal pictures, 1 where nothing is left;
    0 also where neither picture shows an object. With a mask, bool [rows, columns], only objects count whose box has
    its middle in it. The default detector is the shipped tagger.

    Raises:
        ValueError: not two pictures of one size.
    """
    if ref.shape != test.shape or ref.ndim != 3 or ref.shape[2] != 3 or ref.dtype != np.uint8 or test.dtype != np.uint8:
        raise ValueError(
            f"ref and test must be uint8 [rows, columns, 3] of one size, not {ref.dtype} {list(ref.shape)} and "
            f"{test.dtype} {list(test.shape)}"
        )
    detector = detector or default_detector()
    there, here = detector.look(ref), detector.look(test)
    originals, judged = (
        [seen for seen in distinct(candidates, detector.least) if mask is None or _inside(seen.box, mask)]
        for candidates in (there, here)
    )
    lost, kept, mass_lost, mass_ref = _missing_from(here, originals)
    added, _, mass_added, mass_test = _missing_from(there, judged)
    total = mass_ref + mass_test
    return Objects(added, lost, kept, (mass_lost + mass_added) / total if total else 0.0, detector.name)


def distinct(candidates: Iterable[Seen], least: float) -> list[Seen]:
    """The objects among the candidates: sure enough, and the surest of those of one label that overlap."""
    found: list[Seen] = []
    for seen in sorted(candidates, key=lambda s: -s.score):
        if seen.score < least:
            break
        if not any(seen.label == other.label and shared(seen.box, other.box) >= _SAME for other in found):
            found.append(seen)
    return found


def shared(a: Box, b: Box) -> float:
    """Area that two boxes share, over the area of the smaller one."""
    across, down = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    least = min((a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1]))
    return max(across, 0.0) * max(down, 0.0) / least if least > 0 else 0.0


def hallucination(x: Array, y: Array, mask: NDArray[np.bool_] | None = None) -> float:
    """The score of `compare_objects` with the shipped tagger: share of confidence in objects that was added or lost.

    NumPy pictures uint8 [rows, columns, 3] only; not differentiable. 0 for equal pictures, at most 1.
    """
    return compare_objects(x, y, mask=mask).score


def draw_objects(picture: Array, found: Objects) -> Array:
    """The picture with a frame around what was lost (red), added (blue) and kept (green)."""
    from PIL import Image, ImageDraw

    image = Image.fromarray(picture)
    pen = ImageDraw.Draw(image)
    width = max(1, round(min(image.size) / 200))
    for kind in ("kept", "added", "lost"):
        for seen in getattr(found, kind):
            left, top, right, bottom = seen.box
            frame = (left, top, max(right - 1, left), max(bottom - 1, top))
            pen.rectangle(frame, outline=COLOURS[kind], width=width)
            text = f"{kind} {seen.label} {seen.score:.2f}"
            around = pen.textbbox((left + width + 1, top + width), text)
            pen.rectangle(around, fill=(0, 0, 0))
            pen.text((left + width + 1, top + width), text, fill=COLOURS[kind])
    return np.asarray(image)


@cache
def default_detector(device: str = "cpu") -> Detector:
    """The shipped tagger, loaded once."""
    from semwave.bench.metrics.tagger import Tagger

    return Tagger(device)


def load_detector(name: str = "tagger", device: str = "cpu") -> Detector:
    """``tagger``, or ``hub:ID`` and ``hub:FOLDER`` for the DETR family of the hub."""
    if name == "tagger":
        return default_detector(device)
    if name.startswith("hub:") and name != "hub:":
        from semwave.bench.metrics.hub_detector import HubDetector

        return HubDetector(name, device)
    raise ValueError(f"detector must be 'tagger', 'hub:ID' or 'hub:FOLDER', not {name!r}")


def save_overlay(path: Path, picture: Array, found: Objects) -> None:
    """`draw_objects` into a PNG."""
    from semwave.models.pictures import save_png

    save_png(path, draw_objects(picture, found))


def _inside(box: Box, mask: NDArray[np.bool_]) -> bool:
    row, column = int((box[1] + box[3]) / 2), int((box[0] + box[2]) / 2)
    return bool(mask[min(row, mask.shape[0] - 1), min(column, mask.shape[1] - 1)])


def _missing_from(candidates: Sequence[Seen], objects: list[Seen]) -> tuple[list[Seen], list[Seen], float, float]:
    """Objects that the candidates do not show, those that they do, the confidence that went, all confidence."""
    gone: list[Seen] = []
    kept: list[Seen] = []
    mass = 0.0
    for seen in objects:
        same = [c.score for c in candidates if c.label == seen.label and shared(c.box, seen.box) >= _SAME]
        left = max(same, default=0.0)
        (gone if left < _GONE * seen.score else kept).append(seen)
        mass += max(seen.score - left, 0.0)
    return gone, kept, mass, sum(s.score for s in objects)
