"""The wheel holds all of the project and puts nothing but ``semwave`` on the path."""

import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOTS = {"src/semwave": "semwave", **{top: f"semwave/{top}" for top in ("blocks", "modulation", "flowgraphs")}}
DATA = {
    "flowgraphs": ["*.toml", "images/*"],
    "modulation": ["tables/*"],
    "src/semwave": ["models/weights/**/*", "sweeps/*.toml", "bench/report/page/*"],
}
JUNK = shutil.ignore_patterns("__pycache__", "*.egg-info", "*.nbi", "*.nbc")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what is packed, so that building leaves nothing behind in the tree."""
    if not (ROOT / "setup.py").is_file():
        pytest.skip("not in a source tree")
    copy = tmp_path_factory.mktemp("tree")
    for top in ("src", "blocks", "modulation", "flowgraphs"):
        shutil.copytree(ROOT / top, copy / top, ignore=JUNK)
    for file in ("setup.py", "pyproject.toml", "README.md"):
        shutil.copy(ROOT / file, copy / file)
    return copy


@pytest.fixture(scope="module")
def wheel(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built by pip with the backend at hand."""
    out = tmp_path_factory.mktemp("wheel")
    here = ["--no-build-isolation"] if importlib.util.find_spec("setuptools") else []
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", *here, "-q", "-w", str(out), str(tree)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=110)
    if done.returncode and not here and "setuptools" in done.stderr:
        pytest.skip(f"no build backend: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    (found,) = out.glob("*.whl")
    return found


def test_top_level_is_semwave_only(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {t for t in tops if not t.endswith(".dist-info")} == {"semwave"}
    assert len(tops) == 2


def test_every_module_and_data_file_is_in(wheel: Path, tree: Path) -> None:
    packed = set(zipfile.ZipFile(wheel).namelist())
    wanted = {
        f"{inside}/{file.relative_to(tree / outside).as_posix()}"
        for outside, inside in ROOTS.items()
        for pattern in ("**/*.py", *DATA.get(outside, []))
        for file in (tree / outside).glob(pattern)
        if file.is_file()
    }
    assert "semwave/py.typed" in packed
    assert "semwave/blocks/basic.py" in wanted
    assert wanted - packed == set()
    modules = {name for name in packed if name.endswith(".py")}
    assert modules - wanted == set()


RUN = """
import sys
from semwave.blocks.basic import RandomBits, VectorSink
from semwave.runtime import Flowgraph
from semwave.runtime.graphfile import find
import semwave, semwave.modulation, semwave.flowgraphs, pathlib
sink = VectorSink()
Flowgraph().add(a=RandomBits(count=100), k=sink).connect("a > k").run(timeout_s=20)
assert len(sink.data) == 100
assert not {"blocks", "modulation", "flowgraphs"} & set(sys.modules)
print(semwave.__file__)
for file in pathlib.Path(semwave.flowgraphs.__file__).parent.glob("*.toml"):
    find(file.stem)
"""


def test_the_wheel_works_by_itself(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path)
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", RUN], check=False, capture_output=True, text=True, cwd=tmp_path, env=env
    )
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).is_relative_to(tmp_path)


def test_the_folders_are_not_packages_of_their_own() -> None:
    code = "import sys, semwave.blocks.basic; print(sorted({'blocks', 'modulation', 'flowgraphs'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, cwd=ROOT)
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr


@pytest.mark.parametrize("top", ["blocks", "modulation", "flowgraphs"])
def test_the_short_name_is_answered_with_advice(top: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"import {top}"], check=False, capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 1
    assert f"ImportError: import semwave.{top}, not {top} (after: pip install -e .)" in done.stderr
