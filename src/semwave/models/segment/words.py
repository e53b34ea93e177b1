"""From a word to the places in a picture that speak for it: class activation maps of the ImageNet classifier.

Zhou et al., CVPR 2016. The word is looked up among the 1000 classes' names and a few hundred common words
(``weights/segmenter-lite/imagenet_labels.txt``); what is not there needs a model of the hub.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from semwave.models.segment.references import resize
from semwave.models.segment.regions import Importance, Picture

if TYPE_CHECKING:
    from semwave.models.efficientnet import EfficientNetLite0

LABELS = Path(__file__).resolve().parents[1] / "weights" / "segmenter-lite" / "imagenet_labels.txt"
_LEAST = 0.02  # the classes of a word must have at least this probability together


@cache
def labels() -> tuple[tuple[frozenset[str], str], ...]:
    """For each of the 1000 classes its words (whole names and their last words, lower case) and its first name."""
    lines = [line for line in LABELS.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    result = []
    for line in lines:
        lemmas, _, common = line.partition(" | ")
        names = [name.strip().lower() for name in lemmas.split(",")]
        last = [name.split()[-1] for name in names]
        result.append((frozenset([*names, *last, *(c.strip() for c in common.split(",") if c)]), names[0]))
    return tuple(result)


def classes_of(word: str) -> list[int]:
    """The classes that a word names (plural or singular).

    Raises:
        ValueError: none does; the message names words that are near, and what else to do.
    """
    from difflib import get_close_matches

    wanted = re.sub(r"\s+", " ", word.strip().lower())
    forms = {wanted, wanted.removesuffix("s"), wanted.removesuffix("es"), re.sub("ies$", "y", wanted)}
    found = [index for index, (names, _) in enumerate(labels()) if names & forms]
    if not found:
        known = sorted(set().union(*(names for names, _ in labels())))
        near = get_close_matches(wanted, known, 3)
        hint = f" (near it: {', '.join(near)})" if near else ""
        raise ValueError(
            f"key word:{word}: the shipped tagger knows no such word{hint}; "
            'a model of the hub takes any word: model = "hub:CIDAS/clipseg-rd64-refined"'
        )
    return found


def find_word(backbone: EfficientNetLite0, image: Picture, word: str, device: str = "cpu") -> Importance | None:
    """Where the word is: uint8 [H, W, 3] -> float32 [H, W] in [0, 1]; None where the classifier does not see it."""
    import torch

    from semwave.models.segment.backends import tensor

    chosen = classes_of(word)
    with torch.inference_mode():
        last = backbone.head(backbone.stages(tensor(image, 288).to(device))[-1])[0]
        weight, bias = backbone.classifier
        odds = (weight @ last.mean((1, 2)) + bias).softmax(0)[chosen]
        if float(odds.sum()) < _LEAST:
            return None
        share = odds / odds.sum()  # the word's classes, by how much the classifier believes in each
        activation = torch.einsum("c,ck,khw->hw", share, weight[chosen] - weight.mean(0), last).clamp_min(0)
    found = activation.cpu().numpy().astype(np.float32)
    return resize(found / max(float(found.max()), 1e-9), image.shape[:2])
