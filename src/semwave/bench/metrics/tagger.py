"""The detector that needs nothing but what ships: an ImageNet tagger over windows of three sizes.

EfficientNet-Lite0 runs over the whole picture at three scales; a window is 7 x 7 cells of its last features, which is
what the classifier was trained on. The 1000 classes are added up to some 400 names ("dog", not 121 breeds), and the box
is where inside the window the name's class activation is high (Zhou et al., CVPR 2016).
"""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semwave.bench.metrics.objects import Seen

Array = NDArray[Any]
Tensor = Any

FLOOR = 0.02  # less than this is not worth keeping
LEAST = 0.5  # from here on it counts as an object; chosen on development pictures, see docs/metrics.md
_WINDOW = 7  # cells of 32 pixels
_CELL = 32
_SIDES = (224, 320, 512)  # shorter side of the picture: windows of the whole, 0.7 and 0.44 of it
_STRIDE = 2  # cells between windows
_MAX_ASPECT = 4.0
_HIGH = 0.4  # of the greatest activation in a window: what belongs to the object
_BROAD = frozenset({"animal", "vehicle", "food", "instrument", "building", "vegetable", "fruit"})


class Tagger:
    """``look`` gives names, boxes and probabilities for a picture."""

    least = LEAST
    name = "EfficientNet-Lite0 tagger"

    def __init__(self, device: str = "cpu") -> None:
        from semwave.models import efficientnet

        self._net, self._device = efficientnet.load(device), device

    def look(self, picture: Array) -> list[Seen]:
        """What windows of uint8 [rows, columns, 3] show, most probable first; one entry a name and window."""
        import torch

        found: list[Seen] = []
        with torch.inference_mode():
            for side in _SIDES:
                found += self._look(picture, side)
        return sorted(found, key=lambda s: -s.score)

    def _look(self, picture: Array, side: int) -> list[Seen]:
        import torch
        from torch.nn.functional import avg_pool2d

        pixels, (wider, higher) = scaled(picture, side)
        cells = self._net.head(self._net.stages(pixels.to(self._device))[-1])
        down, across = (_starts(n) for n in cells.shape[2:])
        means = avg_pool2d(cells, _WINDOW, 1)[0][:, down][:, :, across]  # [1280, windows down, windows across]
        weight, bias = self._net.classifier
        odds = torch.einsum("kc,cij->kij", weight, means) + bias[:, None, None]
        names, of = _names()
        of = of.to(odds.device)
        likely = odds.new_zeros(len(names), *odds.shape[1:]).index_add_(0, of, odds.softmax(0))
        limits = (picture.shape[1], picture.shape[0]) * 2
        found = []
        for k, i, j in (likely >= FLOOR).nonzero().tolist():
            top, left = down[i], across[j]
            classes = (of == k).nonzero()[:, 0]
            kernel = odds[classes, i, j].softmax(0) @ (weight[classes] - weight.mean(0))
            window = cells[0, :, top : top + _WINDOW, left : left + _WINDOW]
            box = _box(torch.einsum("c,cij->ij", kernel, window), top, left)
            grown = (wider, higher) * 2
            placed = tuple(min(v * _CELL / g, float(n)) for v, g, n in zip(box, grown, limits, strict=True))
            found.append(Seen(names[k], placed, float(likely[k, i, j])))
        return found


def scaled(picture: Array, side: int) -> tuple[Tensor, tuple[float, float]]:
    """The picture with its shorter side at ``side``, sides in whole cells, and how much (across, down) it grew."""
    import torch
    from PIL import Image

    rows, columns = picture.shape[:2]
    factor = side / min(rows, columns)
    size = [
        max(side, min(round(n * factor / _CELL), round(side * _MAX_ASPECT / _CELL)) * _CELL) for n in (columns, rows)
    ]
    resized = Image.fromarray(picture).resize((size[0], size[1]), Image.Resampling.BILINEAR)
    values = torch.from_numpy(np.asarray(resized, np.float32) / 255)
    return values.permute(2, 0, 1)[None], (size[0] / columns, size[1] / rows)


def _starts(cells: int) -> list[int]:
    """First cells of the windows along one side, evenly spread, the last one at the end."""
    last = cells - _WINDOW
    return sorted({round(v) for v in np.linspace(0, last, 1 + -(-last // _STRIDE))})


def _box(activation: Tensor, top: int, left: int) -> tuple[float, float, float, float]:
    """Left, top, right, bottom in cells of where a window is active."""
    high = activation.clamp_min(0) >= _HIGH * activation.amax().clamp_min(0)  # all of it where nothing is active
    rows, columns = high.any(1).nonzero()[:, 0], high.any(0).nonzero()[:, 0]
    return (
        float(left + columns[0]), float(top + rows[0]), float(left + columns[-1] + 1), float(top + rows[-1] + 1)
    )  # fmt: skip


@cache
def _names() -> tuple[list[str], Tensor]:
    """The names, and for each of the 1000 classes the index of its name."""
    import torch

    from semwave.models.segment.words import LABELS

    lines = [line for line in LABELS.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    each = [_name(line) for line in lines]
    names = sorted(set(each))
    return names, torch.tensor([names.index(name) for name in each])


def _name(line: str) -> str:
    """``Chihuahua | dog, puppy, animal`` is a dog, ``airliner | vehicle, airplane`` an airplane, ``altar`` an altar."""
    lemmas, _, common = line.partition(" | ")
    words = [word.strip() for word in common.split(",") if word.strip()]
    exact = [word for word in words if word not in _BROAD]
    return (exact or words or [lemmas.split(",")[0].strip()])[0]
