"""Beam search over a next-word model."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def search(score: Callable[[Tensor], Tensor], begin: int, longest: int, beams: int, power: float = 0.7) -> list[int]:
    """The word numbers of the likeliest text: largest log probability / length^power, ends counted.

    ``score`` gives log odds [n, words] of what follows each row of numbers [n, t]; ``begin`` begins and ends a text;
    number 0 is never written; a text has a word at least; no word follows itself, no pair of words comes twice.
    """
    import torch

    rows, sums = torch.full((1, 1), begin), torch.zeros(1)
    done: list[tuple[float, list[int]]] = []
    for length in range(1, longest + 1):
        chances = torch.log_softmax(score(rows).float().cpu(), dim=-1)
        chances[:, [0] if length > 1 else [0, begin]] = -torch.inf
        for row, told in zip(chances, rows.tolist(), strict=True):
            row[[n for n in _barred(told) if n != begin]] = -torch.inf
        ends = sums + chances[:, begin]
        done += [(float(e) / length**power, told[1:]) for e, told in zip(ends, rows.tolist(), strict=True)]
        chances[:, begin] = -torch.inf
        if length == longest:
            break
        totals = (sums[:, None] + chances).flatten()
        best = totals.topk(min(beams, int(totals.isfinite().sum())))
        keep, words = best.indices // chances.shape[1], best.indices % chances.shape[1]
        rows, sums = torch.cat([rows[keep], words[:, None]], dim=1), best.values
        if len(done) >= beams and max(done)[0] > float(sums.max()) / longest**power:
            break
    return max(done)[1]


def _barred(told: list[int]) -> set[int]:
    """What must not follow: the last word, and what has followed it before."""
    if len(told) < 2:
        return set()
    return {told[-1]} | {after for before, after in pairwise(told) if before == told[-1]}
