"""The generative decoder: every layer missing, any size, seeds, batches, provenance."""

import numpy as np
import pytest

from semwave.models import generate
from semwave.models.generate import INFERRED, INVENTED, RECEIVED, Received, load_decoder

PROMPT = "top pale blue smooth; middle green rough; bottom dark green textured; edges horizontal"


@pytest.fixture(scope="module", params=generate.DECODERS)
def decoder(request: pytest.FixtureRequest) -> generate.GenerativeDecoder:
    return load_decoder(request.param)


def scene(height: int, width: int, grey: bool = False, **changes: object) -> Received:
    rng = np.random.default_rng(height * 1000 + width)
    key = rng.integers(0, 256, (height, width, 1 if grey else 3), dtype=np.uint8)
    key = np.ascontiguousarray(np.broadcast_to(key, (height, width, 3)))
    mask = np.zeros((height, width), bool)
    mask[height // 4 : height // 2 + 1, width // 4 : width // 2 + 1] = True
    sketch = np.full((height, width, 3), 0.4, np.float32)
    layers = {"key": key, "mask": mask, "prompt": PROMPT, "sketch": sketch} | changes
    return Received((height, width, 3), **layers)


@pytest.mark.parametrize("shape", [(1, 1), (17, 31), (300, 200), (1, 90)])
@pytest.mark.parametrize(
    "lost",
    [(), ("key",), ("mask",), ("prompt",), ("sketch",), ("prompt", "sketch"), ("key", "mask", "prompt", "sketch")],
)
def test_every_layer_may_be_lost(
    decoder: generate.GenerativeDecoder, shape: tuple[int, int], lost: tuple[str, ...]
) -> None:
    sent = scene(*shape, **dict.fromkeys(lost))
    (out,) = decoder.decode([sent], [1], steps=1)
    assert (out.image.shape, out.image.dtype) == ((*shape, 3), np.uint8)
    assert (out.provenance.shape, out.provenance.dtype) == (shape, np.uint8)
    assert (out.confidence.shape, out.confidence.dtype) == (shape, np.float32)
    assert out.confidence.min() >= 0
    assert out.confidence.max() <= 1
    received = out.provenance == RECEIVED
    if sent.key is None:
        assert not received.any()
    else:
        want = np.ones(shape, bool) if sent.mask is None else sent.mask
        assert np.array_equal(received, want)
        assert np.array_equal(out.image[received], sent.key[received])
        assert np.all(out.confidence[received] == 1)


def test_results_depend_on_scene_and_seed_alone(decoder: generate.GenerativeDecoder) -> None:
    scenes = [scene(40, 60), scene(33, 20), scene(40, 60, grey=True), scene(40, 60, prompt=None)]
    together = decoder.decode(scenes, [1, 2, 3, 4])
    for index, one in enumerate(scenes):
        (alone,) = decoder.decode([one], [index + 1])
        assert np.array_equal(alone.image, together[index].image)
        assert np.array_equal(alone.provenance, together[index].provenance)
        assert np.array_equal(alone.confidence, together[index].confidence)


def test_seed_matters_to_the_generator_alone() -> None:
    sent = scene(64, 64)
    images = {
        name: [load_decoder(name).decode([sent], [seed])[0].image for seed in (1, 2)] for name in generate.DECODERS
    }
    assert np.array_equal(*images["classical"])
    assert not np.array_equal(*images["texture"])
    assert not np.array_equal(*images["flow"])


def test_a_key_that_did_not_arrive_is_not_shown(decoder: generate.GenerativeDecoder) -> None:
    (out,) = decoder.decode([scene(40, 60, key_ok=False)], [1])
    assert not (out.provenance == RECEIVED).any()
    parts = np.zeros((40, 60), bool)
    parts[:15] = True
    sent = scene(40, 60, key_ok=parts)
    (out,) = decoder.decode([sent], [1])
    assert np.array_equal(out.provenance == RECEIVED, sent.mask & parts)


def test_provenance_of_the_classical_fill() -> None:
    decoder = load_decoder("classical")
    with_sketch, without = decoder.decode([scene(200, 200), scene(200, 200, sketch=None)], [0, 0])
    assert set(np.unique(with_sketch.provenance)) == {RECEIVED, INFERRED}
    assert set(np.unique(without.provenance)) == {RECEIVED, INFERRED, INVENTED}
    assert without.provenance[-1, -1] == INVENTED
    assert without.provenance[101, 75] == INFERRED


def test_confidence_falls_with_less_known() -> None:
    decoder = load_decoder("classical")
    lost = ({}, {"sketch": None}, {"sketch": None, "prompt": None, "key": None})
    mean = [decoder.decode([scene(100, 100, **layers)], [0])[0].confidence.mean() for layers in lost]
    assert mean[0] > mean[1] > mean[2]


def test_key_pixels_change_by_no_more_than_their_error(decoder: generate.GenerativeDecoder) -> None:
    sent = scene(64, 64, key_error=0.02)
    (out,) = decoder.decode([sent], [1])
    change = np.abs(out.image.astype(int) - sent.key)[sent.mask]
    assert change.max() <= np.ceil(0.02 * 255)
    with pytest.raises(ValueError, match="key_error must be 0 or more"):
        decoder.decode([scene(4, 4, key_error=-0.1)], [1])


def test_over_a_still_picture_only_a_share_is_added() -> None:
    decoder, pixels = load_decoder("texture"), 64 * 64
    still = round(0.0014 * (0.6 / 0.5) ** 2.5 * pixels)  # where the share is a half
    assert generate.still_share(still, pixels) == pytest.approx(0.5, abs=0.03)
    half, full = (decoder.decode([scene(64, 64, still_bytes=n)], [1])[0].image.astype(int) for n in (still, 0))
    (none,) = load_decoder("classical").decode([scene(64, 64)], [1])
    inside = (full > 0) & (full < 255)
    added, wanted = (half - none.image)[inside], generate.still_share(still, pixels) * (full - none.image)[inside]
    assert np.abs(added - wanted).max() <= 1
    assert np.abs(wanted).max() > 10
    with pytest.raises(ValueError, match=r"still_bytes must be 0 or more, not -1"):
        decoder.decode([scene(4, 4, still_bytes=-1)], [1])


def test_a_generator_that_is_told_the_detail_has_all_of_its_change() -> None:
    seen = []

    def inventor(known: generate.Known, seed: int, steps: int) -> generate.Array:
        seen.append(known.still_bytes)
        return np.full(known.picture.shape, 0.1, np.float32)

    told, untold = (generate.GenerativeDecoder("flow", inventor, told_detail=t) for t in (True, False))
    sent = scene(64, 64, still_bytes=4000)
    changes = [d.decode([sent], [1])[0].image.astype(int).mean() for d in (told, untold)]
    assert changes[0] > changes[1] + 5
    assert seen == [4000, 4000]


def test_several_steps_are_no_longer_than_asked() -> None:
    decoder, sent = load_decoder("flow"), scene(64, 64)
    images = [decoder.decode([sent], [1], steps=n)[0].image for n in (1, 2, 4)]
    assert all(image.shape == (64, 64, 3) for image in images)


def test_bits_and_adapters_need_a_network() -> None:
    with pytest.raises(ValueError, match="the decoder 'texture' has none"):
        load_decoder("texture", bits=8)
    with pytest.raises(ValueError, match="bits must be None, 8 or 4, not 3"):
        load_decoder("flow", bits=3)
    with pytest.raises(FileNotFoundError, match="adapter /no/such does not exist"):
        load_decoder("flow", adapter="/no/such")


def test_free_text_is_a_caption() -> None:
    assert generate.understood("a man; on a horse").caption == "a man, on a horse"
    assert generate.understood(None) == generate.Prompt()


def test_bad_arguments(decoder: generate.GenerativeDecoder) -> None:
    with pytest.raises(ValueError, match="seeds must be 0 or more, not -3"):
        decoder.decode([scene(4, 4)], [-3])
    with pytest.raises(ValueError, match="seeds must be one per scene, 1, not 2"):
        decoder.decode([scene(4, 4)], [1, 2])
    with pytest.raises(ValueError, match=r"steps must be 1 ... 100, not 0"):
        decoder.decode([scene(4, 4)], [1], steps=0)
    with pytest.raises(ValueError, match=r"mask must be bool \(4, 4\), not bool \(3, 3\)"):
        decoder.decode([scene(4, 4, mask=np.zeros((3, 3), bool))], [1])
    with pytest.raises(ValueError, match="key must be uint8"):
        decoder.decode([scene(4, 4, key=np.zeros((4, 4, 3)))], [1])
    with pytest.raises(ValueError, match="shape must be at least 1 x 1"):
        decoder.decode([Received((0, 4, 3))], [1])
    with pytest.raises(
        ValueError, match="name must be one of flow, texture, classical, a folder or hub:ID, not 'huge'"
    ):
        load_decoder("huge")


def test_unknown_weights_of_the_key_end_the_run_before_a_picture_comes() -> None:
    from semwave.runtime import Context
    from semwave.runtime.registry import block_class

    block = block_class("GenerativeDecoder")(model="classical", key_model="perceptua")
    with pytest.raises(ValueError, match=r"key_model must be default, perceptual, classes, linear or a folder, not"):
        block.start(Context("decoder", 1, {}, {}, 1))
