"""The small version of what makes every figure and table: sweeps, pages, figures; a second go computes nothing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(600)  # processes take long to start on a busy machine
ROOT = Path(__file__).resolve().parents[2]


def reproduce(out: Path, *only: str) -> str:
    command = [sys.executable, str(ROOT / "scripts" / "reproduce.py"), "--small", "--workers", "0", "--out", str(out)]
    done = subprocess.run(
        [*command, "--only", *only], cwd=ROOT, capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_pictures(tmp_path: Path) -> None:
    reproduce(tmp_path, "fading")
    (entry,) = json.loads((tmp_path / "index.json").read_text(encoding="utf-8"))
    assert entry["ok"]
    assert {"fading.html", "fading/scores.csv", "fading/comparisons.csv"} <= set(entry["files"])
    assert [f for f in entry["files"] if f.endswith("psnr-over-snr-cbr_1_20.png")]
    assert "4 were there" in reproduce(tmp_path, "fading")


@pytest.mark.slow
def test_links(tmp_path: Path) -> None:
    reproduce(tmp_path, "links")
    (entry,) = json.loads((tmp_path / "index.json").read_text(encoding="utf-8"))
    assert {"links.html", "links/rates.csv", "links/ber_qam_awgn-ber.png"} <= set(entry["files"])
