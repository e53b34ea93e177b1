"""The own captioner: what is outside the key region of a picture, as a caption and as things with rough places.

EfficientNet-Lite0 features of the picture, squeezed to 224 x 224, on a 7 x 7 grid; cells of the key region are left
out; a small transformer writes the caption by beam search, a linear map places things. No network.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from semwave.models.text import tags
from semwave.models.text.things import thing

if TYPE_CHECKING:
    from torch import Tensor

    from semwave.models.text.captioner_net import CaptionerNet

Array = NDArray[Any]

WEIGHTS = Path(__file__).resolve().parents[1] / "weights" / "captioner-small"
GRID = 7
BEGIN = 1  # the word that begins and ends a caption
_ROWS, _COLUMNS = ("top", "", "bottom"), ("left", "", "right")


@dataclass(frozen=True, slots=True)
class Said:
    """What a captioner says of a picture: a caption, and things with their place ("" where they are all over it)."""

    caption: str
    things: tuple[tuple[str, str], ...] = ()


class OwnCaptioner:
    """The shipped captioner; see the model card for its scores."""

    def __init__(self, device: str = "cpu", folder: Path = WEIGHTS, beams: int = 4, most_things: int = 4) -> None:
        from safetensors.torch import load_file

        from semwave.models import efficientnet
        from semwave.models.text.captioner_net import CaptionerNet, Shape

        facts = json.loads((folder / "captioner.json").read_text(encoding="utf-8"))
        self.words: list[str] = facts["words"]
        self.names: list[str] = facts["things"]
        self.thresholds = np.array(facts.get("thresholds", [0.0] * len(self.names)), np.float32)
        self.familiar = np.array(facts.get("familiar", []), np.int64)
        self.beams, self.most_things, self.device = beams, most_things, device
        self.net: CaptionerNet = CaptionerNet(Shape(**facts["shape"])).to(device).eval()
        self.net.load_state_dict({k: v.float() for k, v in load_file(folder / "model.safetensors", device).items()})
        self._backbone = efficientnet.load(device)

    def __call__(self, images: Sequence[Array], regions: Sequence[Array | None]) -> list[Said]:
        """What lies outside ``regions`` (bool [height, width], True is key; None for none) of uint8 pictures."""
        import torch

        with torch.inference_mode():
            said = []
            for image, region in zip(images, regions, strict=True):
                seen = torch.from_numpy(seen_cells(region)).to(self.device)
                if not seen.any():
                    said.append(Said(""))
                    continue
                said.append(self.said(self.features(Image.fromarray(image)), seen[None]))
        return said

    def said(self, features: Tensor, seen: Tensor) -> Said:
        """What is said of the cells ``seen`` [1, 49] of one picture's ``features`` [1, 49, 1280]."""
        import torch

        with torch.inference_mode():
            caption, things = self.caption(features, seen), self.placed(features, seen)
            weight, bias = self._backbone.classifier
            cells = (features[0] @ weight.T + bias).float()
            chances = cells[seen[0]].mean(dim=0).softmax(dim=0).cpu().numpy()
        found, share = tags.word_of(chances), tags.familiarity(chances, self.familiar)
        if found is None:
            return Said("") if share < tags.UNKNOWN else Said(caption, things)
        word, number = found
        shown = np.where(seen[0].cpu().numpy(), cells[:, number].cpu().numpy(), -np.inf)
        sure = (word, place_of(shown / 4.0))
        if share < tags.STRANGE and not set(word.split()) & set(caption.split()):
            return Said(f"{'an' if word[0] in 'aeiou' else 'a'} {word}", (sure,))
        if thing(word) in (None, word) and word not in dict(things):
            things = (sure, *things)[: self.most_things]
        return Said(caption, things)

    def features(self, picture: Image.Image) -> Tensor:
        """[1, 49, 1280] of a picture."""
        last = self._backbone.stages(prepared(picture)[None].to(self.device))[-1]
        return self.from_grid(last.flatten(2).transpose(1, 2))

    def from_grid(self, grid: Tensor) -> Tensor:
        """[b, 49, 320] -> [b, 49, 1280]."""
        return self._backbone.head(grid.transpose(1, 2).unflatten(2, (GRID, GRID))).flatten(2).transpose(1, 2)

    def caption(self, features: Tensor, seen: Tensor) -> str:
        """Caption of one picture by beam search."""
        from semwave.models.text.beam import search
        from semwave.models.text.tokens import joined

        memory = self.net.encode(features, seen)
        found = search(self._next(memory, seen), BEGIN, self.net.shape.longest, self.beams)
        return joined(self.words[number] for number in found)

    def _next(self, memory: Any, seen: Tensor) -> Callable[[Tensor], Tensor]:
        return lambda rows: self.net.decode(rows.to(self.device), memory, seen)[:, -1]

    def placed(self, features: Tensor, seen: Tensor) -> tuple[tuple[str, str], ...]:
        """Things that are likely there, the likeliest first, with their places."""
        cells = self.net.cell_scores(features)
        whole = self.net.whole_scores(cells, seen)[0].float().cpu().numpy() - self.thresholds
        order = [i for i in np.argsort(-whole, kind="stable") if whole[i] > 0][: self.most_things]
        shown = np.where(seen[0, :, None].cpu().numpy(), cells[0].float().cpu().numpy(), -np.inf)
        return tuple((self.names[i], place_of(shown[:, i])) for i in order)


def place_of(scores: Array) -> str:
    """Place of a thing from its log odds [49] in cells: ``top left`` ... ``centre``; empty where it is everywhere."""
    grid = np.exp(4.0 * (scores - scores.max())).reshape(GRID, GRID)
    grid /= grid.sum()
    at = (np.arange(GRID) + 0.5) / GRID
    row, column = float(grid.sum(axis=1) @ at), float(grid.sum(axis=0) @ at)
    spread = float((grid * ((at[:, None] - row) ** 2 + (at - column) ** 2)).sum()) ** 0.5
    if spread > 0.34:  # an even spread over the picture has 0.40
        return ""
    words = (_ROWS[_third(row)], _COLUMNS[_third(column)])
    return " ".join(word for word in words if word) or "centre"


def _third(at: float) -> int:
    return int(at > 0.4) + int(at > 0.6)


def seen_cells(region: Array | None) -> Array:
    """Cells bool [49] of which at least half lies outside the key region; those least in it where there is none."""
    if region is None:
        return np.ones(GRID * GRID, bool)
    key = Image.fromarray(np.asarray(region, np.uint8) * 255).resize((GRID, GRID), Image.Resampling.BOX)
    share = np.asarray(key, np.float32).reshape(-1) / 255.0
    seen: Array = share <= 0.5
    return seen if seen.any() or region.all() else share == share.min()


def prepared(picture: Image.Image) -> Tensor:
    """RGB picture -> float32 [3, 224, 224] in [0, 1], squeezed to a square."""
    import torch

    from semwave.models.efficientnet import SIDE

    small = np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BICUBIC), np.float32) / 255.0
    return torch.from_numpy(np.ascontiguousarray(small.transpose(2, 0, 1)))


@cache
def load_own(device: str = "cpu") -> OwnCaptioner:
    """The shipped captioner, loaded once."""
    return OwnCaptioner(device)
