"""Hub pipelines, offline: tiny ones made from configurations, and what is said when there is none."""

from pathlib import Path

import numpy as np
import pytest

from semwave.models.generate import RECEIVED, Received, load_decoder
from semwave.models.generator import hub
from semwave.models.prompt_grammar import parse

PROMPT = "scene outdoor; light dim warm; sky 30%; top pale blue smooth; caption a dog"


def scene(height: int = 50, width: int = 70) -> Received:
    rng = np.random.default_rng(3)
    key = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    mask = np.zeros((height, width), bool)
    mask[10:30, 20:40] = True
    return Received((height, width, 3), key, mask, PROMPT, np.full((height, width, 3), 0.4, np.float32))


@pytest.mark.parametrize("kind", ["inpainting", "lcm", "turbo"])
def test_a_pipeline_paints_the_rest_alone(folders: dict[str, Path], kind: str) -> None:
    decoder = load_decoder(f"hub:{folders[kind]}")
    sent = scene()
    (first,), (again,), (other,) = (decoder.decode([sent], [seed], steps=2) for seed in (1, 1, 2))
    assert first.image.shape == (50, 70, 3)
    assert np.array_equal(first.image[sent.mask], sent.key[sent.mask])
    assert np.array_equal(first.provenance == RECEIVED, sent.mask)
    assert np.array_equal(first.image, again.image)
    assert not np.array_equal(first.image, other.image)
    bare = load_decoder("classical").decode([sent], [1])[0].image
    assert not np.array_equal(first.image, bare)


def test_every_layer_may_be_lost(folders: dict[str, Path]) -> None:
    decoder = load_decoder(f"hub:{folders['inpainting']}")
    (out,) = decoder.decode([Received((40, 33, 3))], [5], steps=1)
    assert out.image.shape == (40, 33, 3)
    assert not (out.provenance == RECEIVED).any()


def test_words() -> None:
    assert hub.in_words(parse(PROMPT)) == "a dog, outdoor scene, dim warm light, sky, pale blue smooth at the top"
    assert hub.in_words(parse("")) == ""


def test_work_size() -> None:
    assert hub.work_size((100, 200), 512) == (96, 200)
    height, width = hub.work_size((3000, 4000), 512)
    assert (height % 8, width % 8) == (0, 0)
    assert abs(height * width / 512**2 - 1) < 0.05
    assert hub.work_size((1, 1), 512) == (8, 8)


def test_what_to_do_without_the_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    with pytest.raises(hub.HubError, match="hf download nobody/nothing --local-dir FOLDER"):
        load_decoder("hub:nobody/nothing")
    with pytest.raises(hub.HubError, match="neither a folder nor a hub id"):
        load_decoder("hub:/no/such/folder")
    (tmp_path / "empty").mkdir()
    with pytest.raises(hub.HubError, match="holds no inpainting pipeline"):
        load_decoder(f"hub:{tmp_path / 'empty'}")
