"""The language model: whole numbers only, the same in any order of summing, near to the network it came from."""

import numpy as np
import pytest
import torch

from semwave.models.text import language, tokens
from semwave.models.text.language import PromptModel, fitted, quantised

WORDS = [f"w{chr(97 + i)}" for i in range(20)]


def trained(seed: int = 0) -> dict[str, np.ndarray]:
    """Weights of a network of a sensible scale."""
    rng, size, e, h = np.random.default_rng(seed), tokens.FIRST_WORD + len(WORDS), 8, 12
    shapes = {
        "embedding": (size, e), "input": (3 * h, e), "hidden": (3 * h, h), "project": (e, h),
        "input_bias": (3 * h,), "hidden_bias": (3 * h,), "score_bias": (size,),
    }  # fmt: skip
    return {k: rng.normal(0, 0.6, s) for k, s in shapes.items()} | {"letters": rng.integers(1, 99, (28, 28))}


def test_near_to_the_network_in_floating_point() -> None:
    weights = trained()
    model = PromptModel(quantised(weights), WORDS)
    gru = torch.nn.GRU(8, 12, batch_first=True).double()
    names = {"weight_ih_l0": "input", "weight_hh_l0": "hidden", "bias_ih_l0": "input_bias", "bias_hh_l0": "hidden_bias"}
    gru.load_state_dict({k: torch.from_numpy(weights[v]) for k, v in names.items()})
    said = [tokens.END, 21, 22, 3, 30, 21]
    states, _ = gru(torch.from_numpy(weights["embedding"][said])[None])
    wanted = torch.softmax(
        states[0] @ torch.from_numpy(weights["project"].T @ weights["embedding"].T)
        + torch.from_numpy(weights["score_bias"]),
        dim=1,
    )
    state = model.begin()
    for index, token in enumerate([*said[1:], None]):
        found = model.frequencies(state) / language.TOTAL
        assert np.abs(np.log2(found) - np.log2(wanted[index].detach().numpy())).max() < 0.25
        if token is not None:
            state = model.push(state, token)


def exact(matrix: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """The product in Python's own whole numbers."""
    return np.array([sum(int(a) * int(b) for a, b in zip(row, vector, strict=True)) for row in matrix], np.int64)


@pytest.mark.parametrize("order", ["forward", "backward", "whole numbers"])
def test_sums_do_not_depend_on_order_or_machine(monkeypatch: pytest.MonkeyPatch, order: str) -> None:
    """What BLAS does with float64 must be what whole numbers give, for the shipped weights."""
    model = language.load()
    wanted = run(model)
    products = {
        "forward": lambda m, v: np.cumsum(m * v, axis=1)[:, -1].astype(np.int64),
        "backward": lambda m, v: np.cumsum((m * v)[:, ::-1], axis=1)[:, -1].astype(np.int64),
        "whole numbers": exact,
    }
    monkeypatch.setattr(language, "_product", products[order])
    found = run(model, 2 if order == "whole numbers" else 6)
    for one, other in zip(found, wanted, strict=False):
        assert np.array_equal(one, other)


def run(model: PromptModel, count: int = 6) -> list[np.ndarray]:
    state, out = model.begin(), []
    for _ in range(count):
        out.append(model.frequencies(state))
        state = model.push(state, int(out[-1].argmax()))
    return out


def test_partial_sums_stay_exact_in_float64() -> None:
    """The largest sum that the shipped weights can make is below 2^53."""
    tensors = language.load()._t
    state = language.ONE  # |h| and |x| at most; the projection's output is bounded by its own sum
    x = np.abs(tensors["embedding"] * tensors["embedding_scale"][:, None]).max() >> language._SHIFT
    assert np.abs(tensors["input"]).sum(axis=1).max() * x < 2**53
    assert np.abs(tensors["hidden"]).sum(axis=1).max() * state < 2**53
    seen = (np.abs(tensors["project"]).sum(axis=1) * state * tensors["project_scale"] >> language._SHIFT).max() + 1
    largest = np.abs(tensors["embedding"]).sum(axis=1).max() * seen
    assert largest < 2**53
    assert largest * tensors["score_scale"].max() < 2**63


def test_frequencies_are_positive_and_sum_to_the_total() -> None:
    for frequencies in run(language.load(), 3):
        assert frequencies.min() >= 1
        assert frequencies.sum() == language.TOTAL
    assert fitted(np.array([0, 5, 0]), 10).tolist() == [1, 8, 1]
    assert fitted(np.array([0, 0]), 10).tolist() == [9, 1]


def test_a_wrong_list_of_words_is_refused() -> None:
    with pytest.raises(ValueError, match="embedding must have 41 rows, not 40"):
        PromptModel(quantised(trained()), [*WORDS, "more"][: len(WORDS) + 1])
