"""Looking at blocks and asking for help must not wait for the heavy libraries."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HEAVY = ("torch", "diffusers", "transformers", "peft", "bitsandbytes", "matplotlib", "scipy.signal", "pandas")
MODULES = sorted(
    "semwave." + ".".join(f.relative_to(ROOT).with_suffix("").parts)
    for f in (ROOT / "blocks").rglob("*.py")
    if f.name != "__init__.py"
)

IMPORT_ALL = f"""
import importlib, json, sys
seen, heavy = {{}}, set()
for name in {MODULES!r}:
    try:
        importlib.import_module(name)
    except Exception as error:
        seen[name] = repr(error)
        continue
    new = {{h for h in {HEAVY!r} if h in sys.modules}} - heavy
    heavy |= new
    seen[name] = sorted(new)
print(json.dumps(seen))
"""

HELP = f"""
import sys
sys.argv = ["semwave", "--help"]
try:
    from semwave.__main__ import main
    main()
except SystemExit as end:
    assert not end.code, end.code
print("HEAVY", [h for h in {HEAVY!r} if h in sys.modules])
"""


def fresh(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def imported() -> dict[str, list[str] | str]:
    return json.loads(fresh(IMPORT_ALL))


@pytest.mark.parametrize("module", MODULES)
def test_a_block_module_imports_nothing_heavy(module: str, imported: dict[str, list[str] | str]) -> None:
    assert imported[module] == []


def test_help_imports_nothing_heavy() -> None:
    out = fresh(HELP)
    assert "usage: semwave" in out
    assert out.splitlines()[-1] == "HEAVY []"


def test_help_works_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "semwave", "--help"], check=False, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
    assert "usage: semwave" in done.stdout


@pytest.mark.parametrize("code", ["import semwave.runtime", "import semwave.blocks.basic"])
def test_start_up_time_is_reported(code: str, record_property: Callable[[str, object], None]) -> None:
    """No limit here: a busy machine would break it. ``benchmarks/runtime_chain.py`` measures it properly."""
    begin = time.perf_counter()
    fresh(code)
    record_property(f"seconds of {code!r}", round(time.perf_counter() - begin, 3))
