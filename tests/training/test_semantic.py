"""A few steps of the semantic decoder's training, and the channels that it trains through."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from semwave.models.jscc import blocks, codebook, hybrid, refine, transform
from semwave.training import channels, semantic, semantic_data, semantic_gains, semantic_loss


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    rng = np.random.default_rng(1)
    for i in range(3):
        coarse = Image.fromarray(rng.integers(0, 256, (9, 11, 3), np.uint8))
        coarse.resize((230, 200), Image.Resampling.BICUBIC).save(folder / f"{i}.png")
    return folder


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name, value in (
        (semantic, "FIRST", 2),
        (semantic, "HELD", 1),
        (semantic, "CROP", 32),
        (semantic, "rate_at", lambda share: 1.0),
        (semantic_data, "SIDE", 64),
        (refine, "_WIDTHS", (8, 8, 8)),
    ):
        monkeypatch.setattr(module, name, value)


@pytest.mark.usefixtures("small")
def test_resumed_is_uncut(pictures: Path, tmp_path: Path) -> None:
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


class Blur:
    """A judge that wants what is shown to be dark."""

    weight = 3.0

    def __init__(self, folder: Path, weight: float, device: torch.device) -> None:
        assert weight == self.weight

    def loss(self, shown: torch.Tensor, truth: torch.Tensor, step: int) -> torch.Tensor:
        assert shown.shape == truth.shape == (2, 3, 32, 32)
        assert float(shown.detach().min()) >= 0
        assert float(shown.detach().max()) <= 1
        return self.weight * shown.mean()


@pytest.mark.usefixtures("small")
def test_perceptual_goes_on_from_squared_error(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(semantic, "Judge", Blur)
    monkeypatch.setattr(semantic, "looks", lambda net, batch, device: 0.25)
    common = ["--data", str(pictures), "--cache", str(tmp_path / "cache"), "--batch", "2", "--log-every", "1"]
    first, second = tmp_path / "squared", tmp_path / "perceptual"
    semantic.main([*common, "--out", str(first), "--steps", "2"])
    more = [*common, "--resume", str(first), "--out", str(second), "--perceptual", "3"]
    with pytest.raises(SystemExit):
        semantic.main([*more, "--steps", "2"])
    assert "--steps must be above 2, where this part of the training began, not 2" in capsys.readouterr().err
    semantic.main([*more, "--steps", "7"])
    facts = json.loads((second / "state.json").read_text())
    assert facts == {"step": 7, "seed": 1, "begun": 2, "perceptual": 3.0}
    lines = [json.loads(line) for line in (second / "log.jsonl").read_text().splitlines()]
    assert lines[-3]["held_lpips"] == 0.25
    dark, plain = (load_file(folder / "average.safetensors")["head.bias"][:12].mean() for folder in (second, first))
    assert dark < plain
    semantic.main([*common, "--resume", str(second), "--out", str(second), "--steps", "8"])  # its loss goes on
    assert json.loads((second / "state.json").read_text())["perceptual"] == 3.0


def test_a_judge_prefers_the_truth(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    for kind, file, sides, widths, heads in (
        ("VGG16_0", "vgg", [3] * 10, [3, 64, 64, 128, 128, 256, 256, 256, 512, 512, 512], [64, 128, 256, 512]),
        ("AlexNet_0", "alex", [11, 5, 3, 3, 3], [3, 64, 192, 384, 256, 256], [64, 192, 384, 256, 256]),
    ):
        tensors = {}
        for n, side in enumerate(sides):
            tensors[f"{kind}.Conv_{n}.kernel"] = rng.standard_normal((side, side, *widths[n : n + 2]), np.float32) / 20
            tensors[f"{kind}.Conv_{n}.bias"] = np.zeros(widths[n + 1], np.float32)
        for n, width in enumerate(heads):
            tensors[f"NetLinLayer_{n}.Conv_0.kernel"] = np.full((1, 1, width, 1), 1 / width, np.float32)
        np.savez(tmp_path / f"lpips_{file}.npz", **tensors)
    judge = semantic_loss.Judge(tmp_path, 2.0, torch.device("cpu"))
    truth = torch.from_numpy(rng.random((1, 3, 64, 64), np.float32))
    shown = truth.flip(3).clone().requires_grad_()
    worse = judge.loss(shown, truth, 1)
    worse.backward()
    assert float(judge.loss(truth, truth, 1)) < 1e-3 < float(worse.detach())
    assert shown.grad is not None
    assert float(shown.grad.abs().max()) > 0


def test_gains_are_corrected_under_the_same_power(pictures: Path) -> None:
    """What the differentiable chain makes is what the codec makes; tables that say nothing change nothing."""
    book = codebook.load(semantic.BOOK)
    sent = semantic_gains.prepare(book, semantic_data.Pictures(pictures), np.random.default_rng(4))
    means, spread = semantic_gains.send(sent, None, torch.Generator().manual_seed(1))
    n = semantic_data.SIDE // blocks.SIDE
    folded = [x.numpy().reshape(n * n, -1).copy() for x in (means, spread)]
    cosines, variances = hybrid.unfold(book, *folded, sent["classes"].numpy(), np.ones((n, n), bool))
    picture = semantic_gains.Picture(book)
    for made, expected in (
        (picture(means, sent["classes"]), transform.backward(cosines)),
        (picture(spread, sent["classes"], squared=True), transform.backward_variance(variances)),
    ):
        np.testing.assert_allclose(made[0].permute(1, 2, 0).numpy(), expected, atol=2e-5)
    tables = semantic_gains.Corrections(book.classes)
    same, _ = semantic_gains.send(sent, tables(sent), torch.Generator().manual_seed(1))
    torch.testing.assert_close(same, means)
    tables.place.data[:] = 0.5  # all gains alike: power is what it was
    same, _ = semantic_gains.send(sent, tables(sent), torch.Generator().manual_seed(1))
    torch.testing.assert_close(same, means, rtol=1e-4, atol=1e-4)
    tables.place.data[3:50] = -0.5
    other, _ = semantic_gains.send(sent, tables(sent), torch.Generator().manual_seed(1))
    other.square().sum().backward()
    assert float((other.detach() - means).abs().max()) > 1e-3
    assert all(p.grad is not None and float(p.grad.abs().sum()) > 0 for p in tables.parameters())


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
