"""What the classifier behind the captioner's features is sure of: one of ImageNet's 1000 classes, in plain words.

The captioner learnt from pictures of people, dogs and the outdoors and sees them everywhere; the classifier knows many
other things. Where it is sure of one that the captions' pictures hardly have, its word takes the caption's place; where
it sees nothing familiar and is not sure, the caption is left out.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

Array = NDArray[Any]

LABELS = Path(__file__).resolve().parents[1] / "weights" / "segmenter-lite" / "imagenet_labels.txt"
SURE = 0.5  # share of the classes of one word
STRANGE = 0.3  # share of familiar classes below which a word that is sure goes before the caption
UNKNOWN = 0.15  # the same below which, without a word that is sure, nothing is better than the caption
_GENERIC = frozenset(("animal", "vehicle", "instrument", "building", "food", "furniture", "tool", "clothes"))


@cache
def names() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The common word (or, where there is none, the first lemma) and the first lemma of each class."""
    common, lemmas = [], []
    for line in LABELS.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        lemma, _, words = line.partition("|")
        lemmas.append(lemma.split(",")[0].strip().lower())
        common.append(words.split(",")[0].strip() or lemmas[-1])
    return tuple(common), tuple(lemmas)


def word_of(chances: Array) -> tuple[str, int] | None:
    """The word that ``chances`` [1000] are sure of and its likeliest class; None where they are not.

    Of a generic word ("vehicle") the class itself is taken if it has most of the share.
    """
    common, lemmas = names()
    shares: dict[str, float] = {}
    for word, share in zip(common, chances, strict=True):
        shares[word] = shares.get(word, 0.0) + float(share)
    word = max(shares, key=lambda w: shares[w])
    if shares[word] < SURE:
        return None
    best = max((i for i in range(len(common)) if common[i] == word), key=lambda i: chances[i])
    if word in _GENERIC and chances[best] >= 0.5 * shares[word]:
        word = lemmas[best]
    return word, best


def familiarity(chances: Array, familiar: Array) -> float:
    """Share of the classes that are common among the captioner's training pictures; 1 where none are known."""
    return float(chances[familiar].sum()) if len(familiar) else 1.0
