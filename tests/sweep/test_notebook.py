"""The example notebook: its cells run, and what a notebook would show has something to show."""

import json
from pathlib import Path
from typing import Any

import pytest

NOTEBOOK = Path(__file__).resolve().parents[2] / "examples" / "sweep.ipynb"


def test_its_cells_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            exec(compile("".join(cell["source"]), NOTEBOOK.name, "exec"), names)
    assert names["progress"].done == 12
    assert "QPSK, 16-QAM" in names["store"]._repr_html_()
    assert [c._repr_html_()[:4] for c in names["curves"]] == ["<svg"] * 2
    assert (tmp_path / "out" / "notebook.html").stat().st_size > 20_000
    names["store"].close()
