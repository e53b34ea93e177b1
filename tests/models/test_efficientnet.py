"""EfficientNet-Lite0: shapes, folding, and photographs that it knows."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from semwave.models import efficientnet
from semwave.models.text.captioner import prepared

PHOTOS = Path(__file__).resolve().parents[2] / "recordings" / "images"


@pytest.mark.parametrize(("name", "category"), [("coffee.jpg", 967), ("chelsea.jpg", 285)])
def test_knows_a_cup_of_espresso_and_a_cat(name: str, category: int) -> None:
    """Numbers of ImageNet's list of 1000 categories: 967 espresso, 285 Egyptian cat."""
    net = efficientnet.load()
    with torch.inference_mode():
        stages = net.stages(prepared(Image.open(PHOTOS / name).convert("RGB"))[None])
        weight, bias = net.classifier
        scores = net.head(stages[-1]).mean((2, 3)) @ weight.T + bias
    assert int(scores.argmax()) == category
    assert [s.shape[1] for s in stages] == [16, 24, 40, 80, 112, 192, 320]
    assert [s.shape[2] for s in stages] == [112, 56, 28, 14, 14, 7, 7]


def test_folding_is_batch_normalisation() -> None:
    net = efficientnet.load()
    state, x = net._state, torch.from_numpy(np.random.default_rng(0).random((1, 3, 9, 9), np.float32))
    plain = torch.nn.functional.conv2d(x, state["_conv_stem.weight"], padding=1)
    names = ("running_mean", "running_var", "weight", "bias")
    wanted = torch.nn.functional.batch_norm(plain, *(state[f"_bn0.{n}"] for n in names), eps=1e-3)
    weight, bias = net._folded("_conv_stem", "_bn0")
    assert torch.allclose(torch.nn.functional.conv2d(x, weight, bias, padding=1), wanted, atol=1e-4)
