"""``semwave metrics`` and ``semwave models fetch``: pairs, folders, masks, objects, sets, and every bad input."""

import json

import numpy as np
import pytest
from PIL import Image

from semwave.bench import metrics
from semwave.bench.weights import VGG_FILE

QUICK = ("--metrics", "psnr,ssim")


@pytest.fixture
def pictures(tmp_path):
    """Two folders with three pictures each, and a mask."""
    rng = np.random.default_rng(4)
    for folder in ("a", "b", "m"):
        (tmp_path / folder).mkdir()
    for i in range(3):
        ref = rng.integers(0, 256, (40, 56, 3)).astype(np.uint8)
        Image.fromarray(ref).save(tmp_path / "a" / f"p{i}.png")
        noisy = np.clip(ref + rng.normal(0, 10, ref.shape), 0, 255).astype(np.uint8)
        Image.fromarray(noisy).save(tmp_path / "b" / (f"p{i}.png" if i else "p0.bmp"))
        mask = np.zeros((40, 56), np.uint8)
        mask[10:30, 10:40] = 255
        Image.fromarray(mask).save(tmp_path / "m" / f"p{i}.png")
    return tmp_path


def read(path):
    return np.asarray(Image.open(path).convert("RGB"))


def test_one_pair_as_json_gives_what_the_functions_give(cli, pictures):
    ref, test = pictures / "a" / "p1.png", pictures / "b" / "p1.png"
    told = json.loads(cli("metrics", ref, test, "--metrics", "psnr,ssim,vsi,lpips", "--json").out)
    (row,) = told["pictures"]
    for name in ("psnr", "ssim", "vsi", "lpips"):
        assert row[name] == pytest.approx(getattr(metrics, name)(read(ref), read(test)), rel=1e-6)
    assert told["mean"]["psnr"] == row["psnr"]
    mask = read(pictures / "m" / "p1.png")[..., 0] > 0
    told = json.loads(cli("metrics", ref, test, "--mask", pictures / "m" / "p1.png", *QUICK, "--json").out)
    assert told["pictures"][0]["psnr"] == pytest.approx(metrics.psnr(read(ref), read(test), mask), rel=1e-9)


def test_folders_are_matched_by_name_and_have_a_mean(cli, pictures):
    done = cli("metrics", pictures / "a", pictures / "b", *QUICK)
    lines = done.out.splitlines()
    assert done.code == 0
    assert [line.split()[0] for line in lines] == ["picture", "p0.png", "p1.png", "p2.png", "mean"]
    values = [float(line.split()[1]) for line in lines[1:4]]
    assert float(lines[4].split()[3]) == pytest.approx(np.mean(values), abs=0.011)
    told = json.loads(cli("metrics", pictures / "a", pictures / "b", "--mask", pictures / "m", *QUICK, "--json").out)
    assert len(told["pictures"]) == 3
    assert told["unmatched"] == []


def test_equal_pictures_are_said_to_be_equal(cli, pictures):
    done = cli("metrics", pictures / "a" / "p1.png", pictures / "a" / "p1.png", *QUICK)
    assert done.out.splitlines()[1].split() == ["p1.png", "equal", "1.0000"]
    told = json.loads(cli("metrics", pictures / "a" / "p1.png", pictures / "a" / "p1.png", *QUICK, "--json").out)
    assert told["pictures"][0]["psnr"] is None
    assert told["pictures"][0]["equal"] == ["psnr"]


def test_pictures_without_an_original_are_named(cli, pictures):
    Image.new("RGB", (8, 8)).save(pictures / "b" / "extra.png")
    done = cli("metrics", pictures / "a", pictures / "b", *QUICK)
    assert done.code == 0
    assert "left out: extra.png" in done.err


def test_objects_and_their_overlay(cli, pictures):
    out = pictures / "o.png"
    done = cli("metrics", pictures / "a" / "p1.png", pictures / "b" / "p1.png", *QUICK, "--objects", "--overlay", out)
    assert done.code == 0
    assert done.out.splitlines()[0].split()[-1] == "objects"
    assert read(out).shape == (40, 56, 3)
    done = cli(
        "metrics", pictures / "a", pictures / "a", *QUICK, "--objects", "--overlay", pictures / "drawn", "--json"
    )
    assert json.loads(done.out)["mean"]["hallucination"] == 0.0
    assert sorted(p.name for p in (pictures / "drawn").iterdir()) == ["p0.png", "p1.png", "p2.png"]


def test_distance_of_two_sets(cli, pictures):
    told = json.loads(cli("metrics", pictures / "a", pictures / "b", "--set-distance", "--json").out)
    assert told["frechet_distance"] > 0
    assert told["count"] == 3
    assert "EfficientNet-Lite0" in told["features"]
    assert "not FID" in cli("metrics", pictures / "a", pictures / "a", "--set-distance").out


def bad(pictures, what):
    """A command line that must fail, by name."""
    a, b = pictures / "a", pictures / "b"
    (pictures / "text.png").write_text("no picture", encoding="utf-8")
    (pictures / "empty").mkdir()
    Image.new("RGB", (9, 9)).save(pictures / "small.png")
    Image.new("L", (56, 40)).save(pictures / "black.png")
    return {
        "missing": (a / "p1.png", b / "none.png"),
        "mixed": (a, b / "p1.png"),
        "sizes": (a / "p1.png", pictures / "small.png"),
        "text": (a / "p1.png", pictures / "text.png"),
        "empty": (a, pictures / "empty"),
        "lacking": (a, pictures / "m2"),
        "mask size": (a / "p1.png", b / "p1.png", "--mask", pictures / "small.png"),
        "mask black": (a / "p1.png", b / "p1.png", "--mask", pictures / "black.png"),
        "mask missing": (a / "p1.png", b / "p1.png", "--mask", pictures / "nowhere.png"),
        "name": (a / "p1.png", b / "p1.png", "--metrics", "psnr,fid"),
        "none": (a / "p1.png", b / "p1.png", "--metrics", ","),
        "overlay": (a / "p1.png", b / "p1.png", "--overlay", "x.png"),
        "sets": (a / "p1.png", b / "p1.png", "--set-distance"),
        "set mask": (a, a, "--set-distance", "--mask", pictures / "m"),
        "set objects": (a, a, "--set-distance", "--objects"),
        "overlay file": (a, a, "--objects", "--overlay", pictures / "black.png"),
        "detector": (a / "p1.png", b / "p1.png", "--objects", "--detector", "yolo"),
    }[what]


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("missing", "none.png: no such file or folder"),
        ("mixed", "is a folder and"),
        ("sizes", "has 56x40 pixels and"),
        ("text", "is not a picture in a known format"),
        ("empty", "empty"),
        ("lacking", "has no picture for p1.png, p2.png of"),
        ("mask size", "has 9x9 pixels"),
        ("mask black", "is black all over"),
        ("mask missing", "nowhere.png"),
        ("name", "--metrics must be some of psnr, ssim"),
        ("none", "not none"),
        ("overlay", "give both"),
        ("sets", "two folders with at least two pictures"),
        ("set mask", "leave --mask out"),
        ("set objects", "leave --objects out"),
        ("overlay file", "--overlay must be a folder for 3 pictures"),
        ("detector", "detector must be 'tagger'"),
    ],
)
def test_bad_input_is_one_clear_message(cli, pictures, what, message):
    (pictures / "m2").mkdir()
    Image.new("RGB", (8, 8)).save(pictures / "m2" / "p0.png")
    argv = bad(pictures, what)
    if "--metrics" not in argv and "--set-distance" not in argv:
        argv = (*argv, *QUICK)
    done = cli("metrics", *argv)
    assert done.code == 1
    assert message in done.err
    assert "unexpected" not in done.err
    assert "Traceback" not in done.err


def test_ctrl_c_keeps_what_was_measured(cli, pictures, monkeypatch):
    from semwave.bench.metrics import table

    measure, calls = table.measure, []

    def second_is_interrupted(*given):
        calls.append(given)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return measure(*given)

    monkeypatch.setattr(table, "measure", second_is_interrupted)
    done = cli("metrics", pictures / "a", pictures / "b", *QUICK)
    assert done.code == 130
    assert [line.split()[0] for line in done.out.splitlines()] == ["picture", "p0.png"]
    assert "stopped by Ctrl-C after 1 of 3 pictures" in done.err
    calls.clear()
    told = json.loads(cli("metrics", pictures / "a", pictures / "b", *QUICK, "--json").out)
    assert not told["ok"]
    assert len(told["pictures"]) == 1


def test_dists_without_its_weights_names_the_command(cli, pictures, tmp_path, monkeypatch):
    monkeypatch.setenv("SEMWAVE_CACHE", str(tmp_path / "nothing"))
    pair = pictures / "a" / "p1.png", pictures / "b" / "p1.png"
    done = cli("metrics", *pair, "--metrics", "dists")
    assert done.code == 1
    assert "'semwave models fetch metrics' gets it" in done.err
    done = cli("metrics", *pair)
    assert done.code == 0
    assert "without DISTS" in done.err
    assert "DISTS" not in done.out


def test_fetching_what_is_there_does_nothing(cli, tmp_path, monkeypatch):
    from semwave.bench import weights

    monkeypatch.setenv("SEMWAVE_CACHE", str(tmp_path))
    monkeypatch.setattr(weights, "VGG_BYTES", 4)
    (tmp_path / VGG_FILE).write_bytes(b"1234")
    told = json.loads(cli("models", "fetch", "metrics", "--json").out)
    assert told["files"] == [{"path": str(tmp_path / VGG_FILE), "bytes": 4, "fetched": False}]
    assert cli("models", "fetch", "cats").code == 2
    assert cli("models").code == 2
