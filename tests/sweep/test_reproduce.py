"""The small version of what makes every figure and table: sweeps, pages, figures; a second go computes nothing."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.timeout(600)  # processes take long to start on a busy machine
ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "reproduce.py"
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}


def command(out: Path, *options: str) -> list[str]:
    return [sys.executable, str(SCRIPT), "--small", "--workers", "0", "--out", str(out), *options]


def reproduce(out: Path, *only: str) -> str:
    done = subprocess.run(
        command(out, "--only", *only), cwd=ROOT, capture_output=True, text=True, timeout=280, check=False,
        env=ENVIRONMENT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_readmes_picture_by_one_command(tmp_path: Path) -> None:
    reproduce(tmp_path, "readme")
    (entry,) = json.loads((tmp_path / "index.json").read_text(encoding="utf-8"))
    assert entry["ok"]
    assert entry["seconds"] > 0
    assert "readme_snr.png" in entry["files"]
    with Image.open(tmp_path / "readme_snr.png") as image:
        assert image.size[0] == 2048
        assert np.asarray(image.convert("L")).std() > 5


def test_ctrl_c_ends_it_and_the_same_command_goes_on(tmp_path: Path) -> None:
    process = subprocess.Popen(
        command(tmp_path, "--only", "links"), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=ENVIRONMENT, start_new_session=True,
    )  # fmt: skip
    store, end = tmp_path / "links.sqlite", time.monotonic() + 200
    while _points(store) < 1 and process.poll() is None and time.monotonic() < end:
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all processes of the command
    _, err = process.communicate(timeout=200)
    assert process.returncode == 130, err
    assert "interrupted: the same command goes on from here" in err
    assert "Traceback" not in err
    before = _points(store)
    assert before >= 1
    assert f"{before} {'was' if before == 1 else 'were'} there" in reproduce(tmp_path, "links")
    (entry,) = json.loads((tmp_path / "index.json").read_text(encoding="utf-8"))
    assert {"links.html", "links/rates.csv", "links/ber_qam_awgn-ber.png"} <= set(entry["files"])


def _points(store: Path) -> int:
    import sqlite3

    if not store.is_file():
        return 0
    try:
        with sqlite3.connect(f"file:{store}?mode=ro", uri=True, timeout=10) as db:
            return int(db.execute("SELECT count(*) FROM points").fetchone()[0])
    except sqlite3.OperationalError:  # its tables are being made
        return 0


def test_a_contact_sheet_becomes_the_readmes_picture(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("reproduce", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["reproduce"] = module
    spec.loader.exec_module(module)
    (sheet,) = (j for j in module.JOBS if j.name == "sheet_8db")
    (tmp_path / "sheet_8db").mkdir()
    Image.new("RGB", (2800, 1400), (200, 60, 30)).save(tmp_path / "sheet_8db" / "comparison.png")
    assert tmp_path / "comparison_8db.jpg" in list(module._made(sheet, tmp_path))
    with Image.open(tmp_path / "comparison_8db.jpg") as image:
        assert (image.size, image.format) == ((1400, 700), "JPEG")
    (run,) = module.commands(sheet, module.parser().parse_args(["--out", str(tmp_path)]))
    assert run[:4] == ["run", "flowgraphs/image_link.toml", "--set", "snr_db=8"]
    assert f"out={tmp_path / 'sheet_8db'}" in run


def test_images_are_not_made_of_a_few_points(tmp_path: Path) -> None:
    done = subprocess.run(
        command(tmp_path, "--images", str(tmp_path)), capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 2
    assert "--images is for the README's pictures: without --small and --pictures" in done.stderr


@pytest.mark.slow
def test_pictures(tmp_path: Path) -> None:
    reproduce(tmp_path, "fading")
    (entry,) = json.loads((tmp_path / "index.json").read_text(encoding="utf-8"))
    assert entry["ok"]
    assert {"fading.html", "fading/scores.csv", "fading/comparisons.csv"} <= set(entry["files"])
    assert [f for f in entry["files"] if f.endswith("psnr-over-snr-cbr_1_20.png")]
    assert "4 were there" in reproduce(tmp_path, "fading")
