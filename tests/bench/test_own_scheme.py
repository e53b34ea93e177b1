"""The scheme that the documentation shows is the file in examples/, and it runs as it stands."""

import re
from pathlib import Path

import pytest

from semwave.bench.schemes import make
from semwave.sweep.files import plan
from semwave.sweep.tasks import run_point

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "scheme"
FEW = ("pictures=1", "max_side=192", "snr_db=12", 'metrics=["psnr"]')


def test_the_documentation_shows_the_file() -> None:
    text = (ROOT / "docs" / "benchmark.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert (EXAMPLE / "small_jpeg.py").read_text(encoding="utf-8") in blocks


def test_its_sweep_runs() -> None:
    points = plan([EXAMPLE / "small_jpeg.toml"], FEW)
    assert [p.params["scheme"] for p in points] == ["conventional", "small-jpeg", "small-jpeg"]
    outcomes = [run_point(p.as_dict()) for p in points]
    assert [o.get("error") for o in outcomes] == [None] * 3
    results = [o["result"] for o in outcomes]
    assert [r["status"] for r in results] == ["ok"] * 3
    assert all(0 < r["cbr_payload"] <= 1 / 16 for r in results)
    assert all(r["cbr_payload"] < r["cbr_total"] for r in results)
    assert all(r["psnr"] > 12 for r in results)


def test_its_options_are_checked() -> None:
    with pytest.raises(ValueError, match="mcs must be 0 to 27, not 28"):
        make("small-jpeg", {"mcs": 28}, [str(EXAMPLE / "small_jpeg.py")])
