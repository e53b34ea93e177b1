"""Scores of captions against those that people wrote: BLEU (Papineni et al. 2002) and CIDEr-D (Vedantam et al. 2015).

Captions are lists of words; each candidate has a list of references.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import exp, log

Words = Sequence[str]
Grams = Counter[tuple[str, ...]]


def grams(words: Words, count: int) -> Grams:
    """Runs of ``count`` words and how often each comes."""
    return Counter(tuple(words[i : i + count]) for i in range(len(words) - count + 1))


def bleu(candidates: Sequence[Words], references: Sequence[Sequence[Words]], longest: int = 4) -> float:
    """Corpus BLEU: brevity times the geometric mean of clipped precisions of 1 to ``longest`` words, 0 to 1.

    B exp(1/N sum_n ln p_n) with B = min(1, exp(1 - r / c)), r the sum of the reference lengths nearest to each
    candidate's (the shorter one of two). No smoothing: without a common run of ``longest`` words it is 0.
    """
    _check(candidates, references)
    right, made, length, wanted = [0] * longest, [0] * longest, 0, 0
    for candidate, told in zip(candidates, references, strict=True):
        length += len(candidate)
        wanted += min((abs(len(r) - len(candidate)), len(r)) for r in told)[1]
        for n in range(longest):
            found = grams(candidate, n + 1)
            most: Grams = Counter()
            for reference in told:
                most |= grams(reference, n + 1)
            right[n] += sum((found & most).values())
            made[n] += sum(found.values())
    if not all(right):
        return 0.0
    brevity = min(1.0, exp(1.0 - wanted / length))
    return brevity * exp(sum(log(r / m) for r, m in zip(right, made, strict=True)) / longest)


def cider_d(candidates: Sequence[Words], references: Sequence[Sequence[Words]], sigma: float = 6.0) -> float:
    """Mean CIDEr-D over the candidates, 0 to 10 (papers print it times 10, as per cent of 1).

    10/M sum_m 1/4 sum_n exp(-(l_c - l_m)^2 / 2 sigma^2) min(g_c, g_m) . g_m / (|g_c| |g_m|), where g are counts of
    n-word runs times ln(pictures / pictures whose references have the run). The pictures given are the corpus.
    """
    _check(candidates, references)
    seen: Grams = Counter()
    for told in references:
        seen.update({g for reference in told for n in range(1, 5) for g in grams(reference, n)})
    total = log(len(references))

    def weighed(words: Words) -> tuple[list[dict[tuple[str, ...], float]], list[float]]:
        vectors = [{g: c * (total - log(max(1, seen[g]))) for g, c in grams(words, n).items()} for n in range(1, 5)]
        return vectors, [sum(v * v for v in vector.values()) ** 0.5 for vector in vectors]

    score = 0.0
    for candidate, told in zip(candidates, references, strict=True):
        mine, my_norms = weighed(candidate)
        for reference in told:
            other, norms = weighed(reference)
            apart = exp(-((len(candidate) - len(reference)) ** 2) / (2.0 * sigma**2))
            for a, b, na, nb in zip(mine, other, my_norms, norms, strict=True):
                shared = sum(min(v, b[g]) * b[g] for g, v in a.items() if g in b)
                score += 10.0 * apart * (shared / (na * nb) if na * nb else 0.0) / 4.0 / len(told)
    return score / len(candidates)


def _check(candidates: Sequence[Words], references: Sequence[Sequence[Words]]) -> None:
    if len(candidates) != len(references) or not candidates:
        raise ValueError(
            f"references must have one list for each of {len(candidates)} candidates, at least one, "
            f"not {len(references)}"
        )
    if not all(references):
        raise ValueError("references must have at least one caption for each candidate")
