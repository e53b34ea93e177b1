"""'models quantize', 'finetune' and 'merge' on the shipped decoder, as people run them."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("bitsandbytes")
pytest.importorskip("peft")

FEATURES = Path(__file__).resolve().parents[2] / ".cache" / "features"


def answer(cli, *words: object, code: int = 0) -> dict:
    told = cli("models", *words, "--json")
    assert told.code == code
    return json.loads(told.out)


def test_quantize(cli, tmp_path: Path) -> None:
    found = answer(cli, "quantize", "flow", "--bits", 4, "-o", tmp_path / "small")
    assert found["type"] == "nf4"
    assert found["shares"]["all"] > 0.95
    assert found["bytes_after"] < 0.33 * found["bytes_before"]
    assert (tmp_path / "small" / "decoder.json").is_file()
    assert "int8: 98 % of the weights" in cli("models", "quantize", "flow", "--bits", 8, "-o", tmp_path / "eight").out
    told = answer(cli, "quantize", "./nothing", "-o", tmp_path / "x", code=1)
    assert told["error"].startswith("model must be flow, a folder or a hub id")


def test_finetune_resume_and_merge(cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not (FEATURES / "lpips_vgg.npz").is_file():
        pytest.skip("needs the networks of the loss in .cache/features (semwave train decoder fetches them)")
    rng = np.random.default_rng(1)
    data = tmp_path / "data"
    data.mkdir()
    for n in range(3):
        picture = Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8)).resize((160, 120))
        picture.save(data / f"{n}.png")
        (data / f"{n}.txt").write_text("a blotch")
    out, more = tmp_path / "adapter", ["--bits", 4, "--rank", 2, "--batch", 1, "--examples", 2, "--features", FEATURES]
    common = ["finetune", "flow", "--data", data, "-o", out, *more]
    found = answer(cli, *common, "--steps", 1)
    assert (found["steps"], found["stopped"]) == (1, False)
    told = answer(cli, *common, "--steps", 2, code=1)
    assert "holds a training already: resume it" in told["error"]
    told = answer(cli, *common[:-8], "--rank", 3, *more[4:], "--bits", 4, "--resume", code=1)
    assert "rank must be 2, as when the training began, not 3" in told["error"]

    from semwave.models.light.finetune import Tuning

    learn, calls = Tuning.learn, []

    def interrupted(self, *args):
        calls.append(1)
        if len(calls) > 1:
            raise KeyboardInterrupt
        return learn(self, *args)

    monkeypatch.setattr(Tuning, "learn", interrupted)
    found = answer(cli, *common, "--steps", 9, "--resume", code=130)
    assert (found["steps"], found["stopped"]) == (2, True)
    assert {p.name for p in out.glob("adapter_*")} == {"adapter_config.json", "adapter_model.safetensors"}
    assert json.loads((out / "training" / "state.json").read_text())["step"] == 2
    answer(cli, "merge", "flow", out, "-o", tmp_path / "merged")
    assert (tmp_path / "merged" / "unet" / "diffusion_pytorch_model.fp16.safetensors").is_file()
