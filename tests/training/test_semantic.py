"""A few steps of the semantic decoder's training, and the channels that it trains through."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from semwave.models.jscc import refine
from semwave.training import channels, semantic, semantic_data


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    rng = np.random.default_rng(1)
    for i in range(3):
        coarse = Image.fromarray(rng.integers(0, 256, (9, 11, 3), np.uint8))
        coarse.resize((230, 200), Image.Resampling.BICUBIC).save(folder / f"{i}.png")
    return folder


def test_resumed_is_uncut(pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name, small in (
        (semantic, "FIRST", 2),
        (semantic, "HELD", 1),
        (semantic, "CROP", 32),
        (semantic, "rate_at", lambda share: 1.0),
        (semantic_data, "SIDE", 64),
        (refine, "_WIDTHS", (8, 8, 8)),
    ):
        monkeypatch.setattr(module, name, small)
    common = ["--data", str(pictures), "--cache", str(tmp_path / "cache"), "--batch", "2", "--log-every", "1"]
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    semantic.main([*common, "--out", str(whole), "--steps", "5"])
    semantic.main([*common, "--out", str(cut), "--steps", "2"])
    semantic.main([*common, "--out", str(cut), "--steps", "5", "--resume", str(cut)])
    first, second = (load_file(folder / "net.safetensors") for folder in (whole, cut))
    for key, value in first.items():
        torch.testing.assert_close(second[key], value, rtol=1e-5, atol=1e-7, msg=key)
    lines = [json.loads(line) for line in (cut / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3, 4, 5]
    assert "held_gain_db" in lines[-1]
    assert (cut / "curve.png").stat().st_size > 1000
    assert all(f.stat().st_size < 16 << 20 for f in cut.iterdir())


@pytest.mark.parametrize("name", channels.NAMES)
def test_channels_tell_their_noise_and_let_gradients_through(name: str) -> None:
    generator = torch.Generator().manual_seed(2)
    symbols = torch.ones(50_000, dtype=torch.complex64, requires_grad=True)
    received, noise = channels.pass_through(name, symbols, 10.0, generator)
    trusted = noise < 0.5  # of deep fades the receiver knows little
    ratio = ((received - 1).abs().square() / noise)[trusted].mean().detach()
    assert 0.8 < float(ratio) < 1.25
    received.abs().sum().backward()
    assert symbols.grad is not None
    assert float(symbols.grad.abs().min()) > 0


def test_channels_know_their_names() -> None:
    with pytest.raises(ValueError, match="name must be one of awgn, rayleigh, tdl, not 'cable'"):
        channels.pass_through("cable", torch.ones(1), 1.0, torch.Generator())
