"""BLEU and CIDEr-D against examples computed by hand."""

from math import exp, sqrt

import pytest

from semwave.models.text.scores import bleu, cider_d


def said(*texts: str) -> list[list[str]]:
    return [text.split() for text in texts]


def test_bleu_of_the_papers_first_example() -> None:
    # Papineni et al. 2002, table 1: "the" seven times has a clipped unigram precision of 2/7.
    candidate = said("the the the the the the the")
    references = [said("the cat is on the mat", "there is a cat on the mat")]
    assert bleu(candidate, references, longest=1) == pytest.approx(2 / 7)
    assert bleu(candidate, references) == 0.0


def test_bleu_by_hand() -> None:
    # words 4 of 5, pairs 2 of 4, triples 1 of 3; 5 words against 6: brevity exp(1 - 6/5)
    candidate, references = said("a dog runs on sand"), [said("a dog runs over the sand")]
    wanted = exp(1 - 6 / 5) * (4 / 5 * 2 / 4 * 1 / 3) ** (1 / 3)
    assert bleu(candidate, references, longest=3) == pytest.approx(wanted)


def test_bleu_counts_over_the_corpus() -> None:
    candidates = said("a b c d", "x y z")
    references = [said("a b c d"), said("q r s", "x y")]
    # words 4 + 2 of 7, pairs 3 + 1 of 5; lengths 7 against 4 + 3 (the nearest)
    assert bleu(candidates, references, longest=2) == pytest.approx(sqrt(6 / 7 * 4 / 5))


def test_cider_d_of_the_same_caption_is_ten() -> None:
    references = [said("a dog runs on the sand"), said("two men sit by a lake")]
    assert cider_d(said("a dog runs on the sand", "two men sit by a lake"), references) == pytest.approx(10.0)
    assert cider_d(said("blue", "red"), references) == 0.0


def test_cider_d_by_hand() -> None:
    # Two pictures. "a" is in the references of both, so it weighs nothing; all else weighs ln 2.
    candidates, references = said("a cat", "a a dog"), [said("a cat sat"), said("a dog")]
    # first: words cat / cat sat: 1 / sqrt 2; pairs "a cat" / "a cat", "cat sat": 1 / sqrt 2; length apart 1
    first = 10 * exp(-1 / 72) * (1 / sqrt(2) + 1 / sqrt(2)) / 4
    # second: words dog / dog: 1; pairs "a a", "a dog" / "a dog": 1 / sqrt 2; length apart 1
    second = 10 * exp(-1 / 72) * (1 + 1 / sqrt(2)) / 4
    assert cider_d(candidates, references) == pytest.approx((first + second) / 2)


def test_cider_d_clips_repeated_words() -> None:
    references = [said("a dog"), said("a cat")]
    # counts 3 of "dog" are clipped to 1: min(3, 1) * 1 / (3 * 1); pairs "dog dog" are unknown
    wanted = 10 * exp(-1 / 72) * (1 / 3) / 4
    assert cider_d(said("dog dog dog", "xyz"), references) * 2 == pytest.approx(wanted)


def test_wrong_sizes_are_named() -> None:
    with pytest.raises(ValueError, match="references must have one list for each of 1 candidates"):
        bleu(said("a"), [])
    with pytest.raises(ValueError, match="references must have at least one caption for each candidate"):
        cider_d(said("a"), [[]])
