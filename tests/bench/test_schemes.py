"""Every scheme keeps its budget, delivers at high SNR, and says so when it does not; a user's file adds one."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semwave.bench.air import Air, Channel
from semwave.bench.schemes import Picture, lost, make, remembered, schemes
from semwave.sweep.errors import SweepError
from semwave.sweep.files import plan
from semwave.sweep.store import Store
from semwave.sweep.tasks import run_point

OURS = (
    "conventional", "jscc", "semwave", "semwave-jscc", "semwave-no-generation", "semwave-no-prompt",
    "semwave-no-sketch", "semwave-sketch",
)  # fmt: skip
MINE = '''
import numpy as np
from semwave.bench.schemes import Delivery, Scheme

class Mean(Scheme):
    """The mean colour, free of charge."""
    name, version = "mean", "1"

    def __init__(self, shade=0):
        self.shade = shade

    def transmit(self, picture, air, budget, rng):
        image = np.full_like(picture.image, int(picture.image.mean()) + self.shade)
        return Delivery(image, "ok", payload=PAYLOAD, total=1)
'''


@pytest.fixture(scope="module")
def picture() -> Picture:
    rows, columns = np.mgrid[0:128, 0:192]
    rng = np.random.default_rng(1)
    image = np.stack([rows, columns, 255 - rows], -1) + 12 * rng.standard_normal((128, 192, 3))
    image[40:90, 60:130] = (200, 60, 30)
    return Picture(np.clip(image, 0, 255).astype(np.uint8), "made.png", "made")


def psnr(a: Any, b: Any) -> float:
    return float(10 * np.log10(255**2 / np.mean((a.astype(float) - b) ** 2)))


@pytest.mark.parametrize("name", OURS)
def test_a_scheme_keeps_its_budget_and_is_reproducible(name: str, picture: Picture) -> None:
    budget = picture.samples // 12
    sent = [
        make(name, {}).transmit(picture, Air(Channel(snr_db=25, modem="symbols"), 3), budget, np.random.default_rng(5))
        for _ in range(2)
    ]
    assert 0 < sent[0].payload <= budget
    assert sent[0].total > sent[0].payload
    assert sent[0].status == "ok"
    assert psnr(picture.image, sent[0].image) > psnr(picture.image, lost(picture))
    assert np.array_equal(sent[0].image, sent[1].image)


@pytest.mark.parametrize("name", OURS)
def test_a_scheme_says_when_nothing_came_or_fits(name: str, picture: Picture) -> None:
    scheme, rng = make(name, {}), np.random.default_rng(5)
    gone = scheme.transmit(picture, Air(Channel(snr_db=-20, modem="symbols"), 3), picture.samples // 12, rng)
    assert gone.status == "lost"
    assert np.array_equal(gone.image, lost(picture))
    none = scheme.transmit(picture, Air(Channel(snr_db=25, modem="symbols"), 3), 3, rng)
    assert none.status == "does not fit"
    assert none.payload == 0


def test_a_prompt_that_takes_too_much_of_the_budget_is_left_out(picture: Picture) -> None:
    air = Air(Channel(snr_db=25, modem="symbols"), 3)
    few, many = (
        make("semwave-sketch", {}).transmit(picture, air, budget, np.random.default_rng(5)) for budget in (2600, 12000)
    )
    assert few.status == many.status == "ok"
    assert few.extras["prompt"] == ""
    assert many.extras["prompt"] != ""
    assert 64 < few.extras["sketch_bytes"] < many.extras["sketch_bytes"]


def test_they_are_all_there() -> None:
    assert set(OURS) <= set(schemes())


def test_options_and_what_is_unknown() -> None:
    assert make("conventional", {"mcs": 7}).mcs == 7  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match=r"scheme must be one of .*conventional.*not 'smoke'"):
        make("smoke", {})
    with pytest.raises(ValueError, match=r"scheme conventional: .*'colour'"):
        make("conventional", {"colour": 3})


def test_remembered_calls_once() -> None:
    calls: list[int] = []
    for _ in range(2):
        assert remembered(("test", 1), lambda: calls.append(1) or len(calls)) == 1
    assert calls == [1]


# ---- a scheme of one's own, in a sweep -------------------------------------------------------------------------------


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    from PIL import Image

    rng = np.random.default_rng(2)
    (tmp_path / "pictures").mkdir()
    for name in ("a", "b"):
        Image.fromarray(rng.integers(0, 255, (40, 60, 3), np.uint8)).save(tmp_path / "pictures" / f"{name}.png")
    (tmp_path / "mine.py").write_text(MINE.replace("PAYLOAD", "7"), encoding="utf-8")
    text = (
        'schemes = ["mine.py"]\nmetrics = ["psnr"]\ngallery = { picture = "a.png" }\n[[grid]]\npicture = "pictures"\n'
    )
    file = tmp_path / "own.toml"
    file.write_text(text + 'scheme = ["mean", { name = "mean", shade = 9 }]\n"seed" = [0, 1]\n', encoding="utf-8")
    return file


def test_a_file_adds_a_scheme(mine: Path, tmp_path: Path) -> None:
    points = plan([mine])
    assert len(points) == 2 * 2 * 2
    outcomes = [run_point(p.as_dict()) for p in points]
    assert [o["error"] for o in outcomes if o["status"] != "ok"] == []
    assert {len(o["pictures"]) for o in outcomes} == {0, 2}
    result = outcomes[0]["result"]
    assert result["cbr_payload"] == pytest.approx(7 / (40 * 60 * 3))
    image = np.random.default_rng(2).integers(0, 255, (40, 60, 3), np.uint8)
    assert result["psnr"] == pytest.approx(psnr(image, np.full_like(image, int(image.mean()))), abs=1e-3)
    with Store(tmp_path / "own.sqlite", write=True) as store:
        store.add(outcomes, 1)
        kept = [r for r in store.rows() if store.pictures(r.key)]
        assert {r.params["picture"]["name"] for r in kept} == {"a.png"}
    before = {p.key for p in points}
    (tmp_path / "mine.py").write_text(MINE.replace("PAYLOAD", "7") + "\n# changed\n", encoding="utf-8")
    assert not before & {p.key for p in plan([mine])}


def test_what_is_wrong_with_a_file_or_a_scheme(mine: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(MINE.replace("PAYLOAD", "10**6"), encoding="utf-8")
    assert "used 1000000 symbols of a budget of 300" in run_point(plan([mine])[0].as_dict())["error"]
    for text, message in (("x = 3", "has no class"), ("1 / 0", "does not load: ZeroDivisionError")):
        (tmp_path / "mine.py").write_text(text, encoding="utf-8")
        with pytest.raises(ValueError, match=message):
            plan([mine])
    (tmp_path / "mine.py").unlink()
    with pytest.raises(ValueError, match="cannot read"):
        plan([mine])


def test_realisations_until_the_interval_is_narrow(mine: Path) -> None:
    changes = ['scheme="conventional"', "channel={profile='rayleigh', modem='symbols', block=0}", "cbr=0.5", "seed=0"]
    changes = [c.replace("'", '"').replace("profile=", "profile = ") for c in changes]
    stop = ["stop.max_realizations=12", "stop.interval=0.000001", "snr_db=12"]
    outcome = run_point(plan([mine], [*changes, *stop])[0].as_dict())
    assert outcome["status"] == "ok", outcome
    assert outcome["reason"] in ("interval", "limit")
    result = outcome["result"]
    assert result["psnr_low"] <= result["psnr"] <= result["psnr_high"]
    assert result["realizations"] >= 3
    assert 0 <= result["ok_share"] <= 1
    one = run_point(plan([mine], [*changes, "snr_db=12"])[0].as_dict())
    assert (one["reason"], one["result"]["realizations"]) == ("limit", 1)


def test_axes_that_cannot_be(mine: Path) -> None:
    for change, message in (
        ("cbr=0", "cbr must be above 0"),
        ("channel=fog", "profile must be one of awgn, .*not 'fog'"),
        ("metrics=[]", "metrics must be different names"),
    ):
        with pytest.raises((SweepError, ValueError), match=message):
            [run_point(p.as_dict()) for p in plan([mine], [change])]
