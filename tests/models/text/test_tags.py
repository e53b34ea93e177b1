"""Words of the classifier: when they are sure, and how specific they are."""

import numpy as np
import pytest

from semwave.models.text.captioner import load_own
from semwave.models.text.tags import familiarity, names, word_of


def chances(**shares: float) -> np.ndarray:
    """[1000] with shares at the classes of these lemmas, the rest even."""
    lemmas = names()[1]
    out = np.full(1000, (1.0 - sum(shares.values())) / 1000)
    for lemma, share in shares.items():
        out[lemmas.index(lemma.replace("_", " "))] += share
    return out


def test_a_thousand_classes() -> None:
    common, lemmas = names()
    assert len(common) == len(lemmas) == 1000
    assert (lemmas[967], lemmas[285], common[285]) == ("espresso", "egyptian cat", "cat")


def test_classes_of_one_word_count_together() -> None:
    found = word_of(chances(egyptian_cat=0.3, persian_cat=0.35))
    assert found is not None
    assert found == ("cat", names()[1].index("persian cat"))
    assert word_of(chances(egyptian_cat=0.3)) is None


def test_generic_words_give_way_to_the_class() -> None:
    assert names()[0][names()[1].index("airliner")] == "vehicle"
    found = word_of(chances(airliner=0.7))
    assert found is not None
    assert found[0] == "airliner"
    both = word_of(chances(airliner=0.2, moped=0.2, trolleybus=0.2, tractor=0.2))
    assert both is not None
    assert both[0] == "vehicle"


def test_familiarity() -> None:
    even = np.full(1000, 1e-3)
    assert familiarity(even, np.arange(250)) == pytest.approx(0.25)
    assert familiarity(even, np.array([], np.int64)) == 1.0


def test_strange_pictures_get_the_sure_word_or_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from pathlib import Path

    from PIL import Image

    photo = Path(__file__).resolve().parents[3] / "recordings" / "images" / "coffee.jpg"
    image = np.asarray(Image.open(photo).convert("RGB"))
    assert "espresso" in str(load_own()([image], [None])[0]) or "coffee" in str(load_own()([image], [None])[0])
    monkeypatch.setattr("semwave.models.text.tags.word_of", lambda chances: None)
    monkeypatch.setattr("semwave.models.text.tags.familiarity", lambda chances, familiar: 0.1)
    assert load_own()([image], [None])[0].caption == ""
