"""Sentence embeddings: shapes, meaning, caching, and an independent pooling."""

import numpy as np
import pytest

from semwave.models.text import embed as module
from semwave.models.text.embed import WIDTH, embed, embed_tokens

DOG, HOUND, CAR = "a dog runs on the grass", "the hound is running over a meadow", "a red car parked in the street"


def test_meaning_is_near_meaning() -> None:
    vectors = embed([DOG, HOUND, CAR])
    assert vectors.shape == (3, WIDTH)
    assert vectors.dtype == np.float32
    likeness = vectors @ vectors.T
    assert np.allclose(np.diag(likeness), 1.0, atol=1e-5)
    assert likeness[0, 1] > 0.5 > likeness[0, 2]


def test_tokens_and_their_mean() -> None:
    tokens, real = embed_tokens([DOG, CAR + " by a house"])
    assert tokens.shape == (2, int(real.sum(1).max()), WIDTH)
    mean = tokens[0][real[0]].mean(axis=0)
    assert np.allclose(mean / np.linalg.norm(mean), embed(DOG)[0], atol=1e-5)
    assert not tokens[0][~real[0]].any()


def test_batch_does_not_change_a_text() -> None:
    module._kept.clear()
    alone = embed(DOG).copy()
    module._kept.clear()
    assert np.allclose(embed([CAR + " and a much longer text beside it", DOG])[1], alone[0], atol=1e-5)


def test_length_and_empty() -> None:
    tokens, real = embed_tokens(["", DOG], length=4)
    assert tokens.shape == (2, 4, WIDTH)
    assert real.tolist() == [[False] * 4, [True] * 4]
    assert not embed("").any()
    assert embed([]).shape == (0, WIDTH)
    assert embed_tokens("word " * 500)[0].shape == (1, module.MAX_TOKENS, WIDTH)


def test_cache_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CACHE", 2)
    embed([DOG, HOUND, CAR])
    assert len(module._kept) == 2


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(ValueError, match=r"length must be 1 \.\.\. 128, not 0"):
        embed_tokens(DOG, length=0)
    with pytest.raises(ValueError, match="text must be a string or strings, not int"):
        embed([DOG, 3])  # type: ignore[list-item]


def test_loading_is_quiet(capfd: pytest.CaptureFixture[str]) -> None:
    from transformers.utils import logging

    before = logging.is_progress_bar_enabled()
    module._model.__wrapped__()
    assert logging.is_progress_bar_enabled() == before
    assert "Loading" not in capfd.readouterr().err
