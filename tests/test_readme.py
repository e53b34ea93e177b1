"""The README's Python runs as it stands, and the files it names are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("code", re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL))
def test_python_of_the_readme_runs(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(code, "README.md", "exec"), {"__name__": "readme"})
    assert "BER" in capsys.readouterr().out


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\((?!http|#)([^)]+)\)", TEXT))))
def test_links_of_the_readme_lead_somewhere(target: str) -> None:
    assert (ROOT / target).exists()


def test_flowgraphs_of_the_readme_exist() -> None:
    named = set(re.findall(r"flowgraphs/(\w+)\.toml", TEXT))
    assert named
    assert all((ROOT / "flowgraphs" / f"{name}.toml").is_file() for name in named)
