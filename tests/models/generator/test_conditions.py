"""Maps of the prompt's attributes, tokens of its caption, channels of the network."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from semwave.models import bands  # noqa: E402
from semwave.models.generator import conditions  # noqa: E402
from semwave.models.prompt import cell_textures, parse  # noqa: E402


def test_maps_say_what_the_prompt_says() -> None:
    prompt = parse("light bright warm; contrast flat; top grey rough; middle grey smooth; edges vertical; sky 50%")
    maps = conditions.hints((8, 12), prompt, cell_textures(prompt), True, 0.05)
    assert maps.shape == (conditions.HINTS, 8, 12)
    assert maps[0, 0, 0] == pytest.approx(np.log2(0.125 / 0.067), abs=1e-5)
    assert maps[0, 4, 6] < 0
    assert maps[1:12, 3, 3].tolist() == pytest.approx([0, 1, 0, 1, 1, -1, 1, 0, 1, 1, 0.5])
    assert maps[12, :, 0].tolist() == pytest.approx(np.linspace(-1, 1, 8).tolist())
    assert maps[13, 0].tolist() == pytest.approx(np.linspace(-1, 1, 12).tolist())


def test_no_prompt_says_nothing() -> None:
    maps = conditions.hints((4, 4), parse(""), None, False, 0.0)
    assert not maps[:12].any()


def test_more_bytes_of_a_still_picture_are_more_of_a_sketch() -> None:
    """1 for cosines and for 0.0002 bytes a pixel, half a unit more for every doubling of a still picture's bytes."""
    assert conditions.sketch_level(False, 0, 10_000) == 0.0
    assert conditions.sketch_level(True, 0, 10_000) == 1.0
    levels = [conditions.sketch_level(True, n, 1_000_000) for n in (100, 200, 400, 800, 12_800)]
    assert levels == pytest.approx([1.0, 1.0, 1.5, 2.0, 4.0])


def test_tokens_of_a_caption() -> None:
    assert not conditions.caption_tokens(" ").any()
    short, long = conditions.caption_tokens("a dog"), conditions.caption_tokens("a dog " * 40)
    assert short.shape == long.shape == (conditions.TOKENS, conditions.WORDS)
    assert short[:4].any(axis=1).all()
    assert not short[4:].any()
    assert long.any(axis=1).all()


def test_channels_of_the_network() -> None:
    generator = torch.Generator().manual_seed(1)
    state, composite = (torch.randn((2, bands.CHANNELS, 8, 12), generator=generator) for _ in range(2))
    known = torch.zeros((2, 1, 32, 48))
    known[:, :, :16] = 1
    maps = torch.randn((2, conditions.HINTS, 8, 12), generator=generator)
    scales = torch.full((1, bands.CHANNELS, 1, 1), 0.1)
    made = conditions.inputs(state, composite, known, maps, scales)
    assert made.shape == (2, 2 * bands.CHANNELS + 4 + conditions.HINTS, 8, 12)
    assert torch.equal(made[:, :24], state)
    assert made[:, 24:48].abs().max() == 3.0
    assert made[:, 48:52, :4].min() == 1
    assert made[:, 48:52, 4:].max() == 0
