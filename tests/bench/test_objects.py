"""Objects added and lost: the comparison with a detector of our own making, the tagger on photographs, sets."""

from pathlib import Path

import numpy as np
import pytest

from semwave.bench.metrics import hallucination
from semwave.bench.metrics.objects import Seen, compare_objects, distinct, draw_objects, load_detector, shared
from semwave.bench.metrics.sets import features, frechet_distance, kernel_distance
from semwave.models.pictures import load_picture

PHOTOS = Path(__file__).resolve().parents[2] / "recordings" / "images"
EMPTY = np.zeros((100, 100, 3), np.uint8)


class Told:
    """A detector that reads what it sees from the first pixel."""

    least, name = 0.5, "told"

    def __init__(self, *lists: list[Seen]) -> None:
        self.lists = lists

    def look(self, picture):
        return self.lists[picture[0, 0, 0]]


def between(before: list[Seen], after: list[Seen], mask=None):
    return compare_objects(EMPTY, EMPTY + np.uint8(1), Told(before, after), mask)


DOG, CAT = Seen("dog", (10, 10, 50, 50), 0.9), Seen("cat", (60, 60, 90, 90), 0.6)


def test_what_is_gone_is_lost_and_what_is_new_is_added():
    found = between([DOG], [CAT])
    assert (found.lost, found.added, found.kept, found.score) == ([DOG], [CAT], [], 1.0)
    same = between([DOG, CAT], [DOG, CAT])
    assert (same.lost, same.added, same.score) == ([], [], 0.0)
    assert between([], []).score == 0.0


def test_the_score_is_the_share_of_confidence_that_went():
    fainter = Seen("dog", (12, 12, 52, 52), 0.6)
    found = between([DOG, CAT], [fainter, CAT])
    assert found.kept == [DOG, CAT]
    assert found.score == pytest.approx((0.9 - 0.6) / (0.9 + 0.6 + 0.6 + 0.6))
    faint = Seen("dog", (12, 12, 52, 52), 0.3)  # below the detector's own bar, but it is what is left of the dog
    found = between([DOG], [faint])
    assert found.lost == [DOG]
    assert found.score == pytest.approx(0.6 / 0.9)


def test_another_place_or_another_label_is_another_object():
    moved = Seen("dog", (60, 60, 100, 100), 0.9)
    found = between([DOG], [moved])
    assert (found.lost, found.added, found.score) == ([DOG], [moved], 1.0)
    wolf = Seen("wolf", DOG.box, 0.9)
    assert between([DOG], [wolf]).score == 1.0


def test_a_mask_takes_only_the_objects_in_it():
    mask = np.zeros((100, 100), bool)
    mask[:55, :55] = True
    found = between([DOG, CAT], [DOG], mask)
    assert (found.lost, found.score) == ([], 0.0)
    assert between([DOG, CAT], [DOG], ~mask).lost == [CAT]


def test_overlapping_sightings_are_one_object():
    again = Seen("dog", (20, 20, 60, 60), 0.7)
    assert distinct([again, DOG, CAT], 0.5) == [DOG, CAT]
    assert distinct([again, DOG, CAT], 0.65) == [DOG]
    assert shared((0, 0, 10, 10), (5, 0, 10, 10)) == 1.0
    assert shared((0, 0, 10, 10), (10, 0, 20, 10)) == 0.0


def test_the_overlay_frames_what_changed():
    drawn = draw_objects(EMPTY, between([DOG], [CAT]))
    assert tuple(drawn[49, 30]) == (255, 64, 64)
    assert tuple(drawn[89, 75]) == (64, 160, 255)
    assert not drawn[20:45, 20:45].any(axis=None) or drawn.shape == EMPTY.shape


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"of one size, not uint8 \[100, 100, 3\] and uint8 \[99, 100, 3\]"):
        compare_objects(EMPTY, EMPTY[1:], Told([], []))
    with pytest.raises(ValueError, match="detector must be 'tagger', 'hub:ID' or 'hub:FOLDER', not 'yolo'"):
        load_detector("yolo")


# ---- the tagger ------------------------------------------------------------------------------------------------------


def photo(name: str) -> np.ndarray:
    from PIL import Image

    picture = Image.fromarray(load_picture(PHOTOS / name))
    picture.thumbnail((320, 320))
    return np.asarray(picture)


def test_the_tagger_sees_the_cat_and_misses_it_when_it_is_gone():
    cat = photo("chelsea.jpg")
    seen = distinct(load_detector().look(cat), 0.35)
    assert "cat" in [s.label for s in seen]
    left, top, right, bottom = next(s.box for s in seen if s.label == "cat")
    assert 0 <= left < right <= cat.shape[1]
    assert 0 <= top < bottom <= cat.shape[0]
    assert hallucination(cat, cat) == 0.0
    blank = np.full_like(cat, 128)
    found = compare_objects(cat, blank)
    assert "cat" in [s.label for s in found.lost]
    assert found.score > 0.8
    assert "cat" in [s.label for s in compare_objects(blank, cat).added]


@pytest.mark.parametrize("shape", [(1, 1), (5, 300), (33, 17)])
def test_the_tagger_takes_any_size(shape):
    picture = np.random.default_rng(1).integers(0, 256, (*shape, 3)).astype(np.uint8)
    for seen in load_detector().look(picture):
        assert 0 <= seen.box[0] <= seen.box[2] <= shape[1]
        assert 0 <= seen.box[1] <= seen.box[3] <= shape[0]


def test_a_detector_of_the_hub_from_a_folder(tmp_path):
    """A YOLOS with random weights, made from its configuration: the interface, not the quality."""
    transformers = pytest.importorskip("transformers")
    import torch

    torch.manual_seed(0)
    config = transformers.YolosConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32, image_size=[64, 96],
        num_detection_tokens=5, id2label={0: "apple", 1: "pear"}, label2id={"apple": 0, "pear": 1},
    )  # fmt: skip
    transformers.YolosForObjectDetection(config).save_pretrained(tmp_path)
    (tmp_path / "preprocessor_config.json").write_text('{"size": {"height": 64, "width": 96}}', encoding="utf-8")
    detector = load_detector(f"hub:{tmp_path}")
    detector.least = 0.1
    picture = photo("coffee.jpg")
    seen = detector.look(picture)
    assert seen
    assert {s.label for s in seen} <= {"apple", "pear"}
    assert [s.score for s in seen] == sorted((s.score for s in seen), reverse=True)
    assert all(0 <= s.box[0] <= s.box[2] <= picture.shape[1] for s in seen)
    same = compare_objects(picture, picture, detector)
    assert same.score == 0.0
    assert same.detector == f"hub:{tmp_path}"


def test_other_models_of_the_hub_are_refused(tmp_path):
    transformers = pytest.importorskip("transformers")
    transformers.BertConfig(hidden_size=16, num_attention_heads=2).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="family 'bert'; objects come from detr"):
        load_detector(f"hub:{tmp_path}")
    (tmp_path / "empty").mkdir()
    with pytest.raises(OSError, match=r"cannot be loaded: .*[^.]; it takes config.json and safetensors"):
        load_detector(f"hub:{tmp_path / 'empty'}")
    with pytest.raises(ValueError, match="detector must be 'tagger', 'hub:ID' or 'hub:FOLDER', not 'hub:'"):
        load_detector("hub:")


def test_without_a_network_the_hub_says_what_to_do(monkeypatch):
    pytest.importorskip("transformers")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(
        OSError, match=r"cannot be loaded: .*[^.]; where there is a network, hf download nobody/nothing"
    ):
        load_detector("hub:nobody/nothing")


# ---- sets ------------------------------------------------------------------------------------------------------------


def test_the_frechet_distance_equals_its_formula():
    from scipy.linalg import sqrtm

    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(40, 6)), rng.normal(0.3, 2, size=(50, 6))
    ca, cb = np.cov(a.T), np.cov(b.T)
    expected = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(ca + cb - 2 * sqrtm(ca @ cb).real)
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-9)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9)


def test_the_kernel_distance_equals_its_formula():
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(7, 3)), rng.normal(0.3, 2, size=(5, 3))

    def k(x, y):
        return (float(x @ y) / 3 + 1) ** 3

    expected = np.mean([k(x, y) for i, x in enumerate(a) for j, y in enumerate(a) if i != j])
    expected += np.mean([k(x, y) for i, x in enumerate(b) for j, y in enumerate(b) if i != j])
    expected -= 2 * np.mean([k(x, y) for x in a for y in b])
    assert kernel_distance(a, b) == pytest.approx(expected, rel=1e-12)
    with pytest.raises(ValueError, match="at least 2"):
        kernel_distance(a[:1], b)


def test_sets_of_photographs_are_nearer_to_their_blurred_copies_than_to_noise():
    from PIL import Image, ImageFilter

    photos = [photo(n) for n in ("chelsea.jpg", "coffee.jpg", "rocket.jpg")]
    soft = [np.asarray(Image.fromarray(p).filter(ImageFilter.GaussianBlur(1))) for p in photos]
    noise = [np.random.default_rng(i).integers(0, 256, p.shape).astype(np.uint8) for i, p in enumerate(photos)]
    one, two, three = features(photos), features(soft), features(noise)
    assert one.shape == (3, 1280)
    assert frechet_distance(one, two) < frechet_distance(one, three)
