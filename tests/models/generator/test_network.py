"""The shipped generator's folder: diffusers classes load it, LoRA and quantisation apply, large pictures shrink."""

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from semwave.models.generate import WEIGHTS, Known, Received, gather, load_decoder  # noqa: E402
from semwave.models.generator import network  # noqa: E402
from semwave.models.prompt_grammar import parse  # noqa: E402

PROMPT = "top pale blue smooth; bottom green rough; edges horizontal; caption a dog on grass"


def scene(height: int = 48, width: int = 64) -> Received:
    rng = np.random.default_rng(3)
    key = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    mask = np.zeros((height, width), bool)
    mask[8:30, 8:30] = True
    return Received((height, width, 3), key, mask, PROMPT, np.full((height, width, 3), 0.4, np.float32))


def test_the_folder_is_of_diffusers() -> None:
    from diffusers import FlowMatchEulerDiscreteScheduler, UNet2DConditionModel

    unet = UNet2DConditionModel.from_pretrained(WEIGHTS / "unet", variant="fp16")
    FlowMatchEulerDiscreteScheduler.from_pretrained(WEIGHTS / "scheduler")
    assert unet.config.cross_attention_dim == 384
    assert len(json.loads((WEIGHTS / "decoder.json").read_text())["scales"]) == 24
    assert sum(p.stat().st_size for p in WEIGHTS.rglob("*") if p.is_file()) < 22e6


def test_words_and_hints_have_a_say() -> None:
    decoder, sent = load_decoder("flow"), scene()
    images = [
        decoder.decode([Received(sent.shape, sent.key, sent.mask, text, sent.sketch)], [1])[0].image
        for text in (
            PROMPT,
            PROMPT.replace("a dog on grass", "a red bus in a city"),
            PROMPT.replace("horizontal", "none"),
        )
    ]
    assert not np.array_equal(images[0], images[1])
    assert not np.array_equal(images[0], images[2])


def test_an_adapter_changes_the_picture(tmp_path: Path) -> None:
    from peft import LoraConfig

    unet = network.load_unet(WEIGHTS)
    unet.add_adapter(LoraConfig(r=2, target_modules=["to_q", "to_v"], init_lora_weights=False))
    unet.save_lora_adapter(tmp_path / "lora")
    file = next((tmp_path / "lora").glob("*.safetensors"))
    plain, folder, single = (
        load_decoder("flow", adapter=adapter).decode([scene()], [1])[0].image
        for adapter in (None, tmp_path / "lora", file)
    )
    assert not np.array_equal(plain, folder)
    assert np.array_equal(folder, single)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="must be a safetensors file or a folder with one in it"):
        load_decoder("flow", adapter=tmp_path / "empty")


@pytest.mark.parametrize("bits", [8, 4])
def test_quantised_on_loading(bits: int) -> None:
    pytest.importorskip("bitsandbytes")
    full, small = (load_decoder("flow", bits=b).decode([scene()], [1])[0].image.astype(float) for b in (None, bits))
    rest = ~scene().mask
    assert np.sqrt(np.mean((full - small)[rest] ** 2)) < 25


def test_missing_folders(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="holds no decoder"):
        load_decoder(str(tmp_path))


def test_large_pictures_are_shrunk_for_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "SIDE", 64)
    sent = scene(100, 150)
    picture, mask, error = network.shrink(gather(sent))
    assert picture.shape == (43, 64, 3)
    assert mask.shape == (43, 64)
    assert abs(mask.mean() - sent.mask.mean()) < 0.03
    assert error == 0.0
    assert load_decoder("flow").decode([sent], [1])[0].image.shape == (100, 150, 3)


def test_key_error_is_the_mean_square_over_the_key() -> None:
    mask = np.zeros((10, 10), bool)
    mask[:2] = True
    errors = np.full((10, 10), 9.0, np.float32)
    errors[0], errors[1] = 0.1, 0.3
    known = Known(np.zeros((10, 10, 3), np.float32), mask, None, 0.1, None, parse(""), False, errors)
    assert network.shrink(known)[2] == pytest.approx(np.sqrt((0.01 + 0.09) / 2))
