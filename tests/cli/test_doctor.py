"""``semwave doctor``: packages by their metadata, the two commpys, devices, caches, models."""

import json
import subprocess
import urllib.error
from importlib import metadata

import pytest

from semwave.commands import _machine, _packages
from semwave.commands import doctor as command


@pytest.fixture
def installed(monkeypatch):
    """Make these the installed versions, whatever is."""

    def pretend(**versions):
        found = {name.replace("_", "-"): v for name, v in versions.items()}

        def version(name):
            if name not in found:
                raise metadata.PackageNotFoundError(name)
            return found[name]

        monkeypatch.setattr(metadata, "version", version)

    return pretend


@pytest.fixture
def no_torch(monkeypatch):
    monkeypatch.setattr(_machine, "device", lambda: {"device": "cpu", "threads": 3, "problem": None})


def states() -> dict[str, str]:
    return {p["name"]: p["state"] for p in _packages.packages()}


def test_the_declared_packages_are_looked_at():
    names = {name for name, _ in _packages.wanted()}
    assert {"numpy", "scipy", "torch", "commpy", "pyzmq", "matplotlib"} <= names
    assert "pytest" not in names  # an extra


def test_missing_and_too_old(installed):
    installed(numpy="1.26.4", scipy="1.14", torch="2.13.0+cpu")
    found = states()
    assert (found["numpy"], found["scipy"], found["torch"], found["numba"]) == ("too old", "ok", "ok", "missing")
    advice = {p["name"]: p["advice"] for p in _packages.packages()}
    assert advice["numpy"].startswith("pip install 'numpy>=")
    assert advice["scipy"] == ""


@pytest.mark.parametrize(
    ("versions", "state", "advice"),
    [
        ({"commpy": "1.2.0"}, "ok", ""),
        ({}, "missing", "pip install 'commpy>="),
        ({"scikit_commpy": "0.8.0"}, "wrong", "pip uninstall -y scikit-commpy, then pip install commpy"),
        ({"commpy": "1.2.0", "scikit_commpy": "0.8.0"}, "both", "overwrite each other's files"),
    ],
)
def test_the_two_distributions_that_import_as_commpy(installed, versions, state, advice):
    installed(**versions)
    found = next(p for p in _packages.packages() if p["name"] == "commpy")
    assert found["state"] == state
    assert advice in found["advice"]


@pytest.mark.parametrize(
    ("found", "least", "is_older"),
    [
        ("2.10", "2.9", False),
        ("2.9", "2.10", True),
        ("2.5.0+cu121", "2.5", False),
        ("2", "2.0.1", True),
        ("3.0rc1", "3.0", False),
        ("1.0", "", False),
    ],
)
def test_versions_are_compared_by_number(found, least, is_older):
    assert _packages.older(found, least) is is_older


def test_report_and_exit_code(cli, installed, no_torch):
    installed(**{name.replace("-", "_"): "9999.0" for name, _ in _packages.wanted()})
    done = cli("doctor")
    assert done.code == 0
    assert "all that is required is there" in done.out
    assert "torch device  cpu, 3 threads" in done.out
    installed(numpy="99.0", scikit_commpy="0.8.0")
    done = cli("doctor")
    assert done.code == 1
    assert "commpy (wrong)" in done.out
    assert "scikit-commpy takes the import name" in done.out
    assert json.loads(cli("doctor", "--json").out)["ok"] is False


def test_semwave_itself_not_installed(cli, monkeypatch, no_torch):
    def requires(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "requires", requires)
    done = cli("doctor")
    assert done.code == 1
    assert "semwave itself is not installed" in done.out


def test_json_has_all_parts(cli, no_torch):
    found = json.loads(cli("doctor", "--json").out)
    assert set(found) >= {"ok", "error", "machine", "packages", "device", "numba_cache", "peers", "models", "hub"}
    assert found["hub"] is None  # nothing is fetched unasked
    assert found["machine"]["cpus"] >= 1


# ---- device ----------------------------------------------------------------------------------------------------------


def answer(monkeypatch, code=0, out="", err=""):
    def run(command, **_):
        return subprocess.CompletedProcess(command, code, out, err)

    monkeypatch.setattr(subprocess, "run", run)


def test_device_cuda(monkeypatch):
    said = {"torch": "2.13.0", "device": "cuda", "name": "Some GPU", "memory": 80e9, "threads": 8}
    answer(monkeypatch, out="a warning of some driver\n" + json.dumps(said))
    found = _machine.device()
    assert (found["device"], found["name"], found["problem"]) == ("cuda", "Some GPU", None)


def test_device_where_torch_is_broken(monkeypatch):
    answer(monkeypatch, code=1, err="Traceback ...\nImportError: libcudart.so.12: cannot open shared object file")
    assert "libcudart.so.12: cannot open" in _machine.device()["problem"]


def test_device_where_torch_crashes(monkeypatch):
    answer(monkeypatch, code=-11)
    assert _machine.device()["problem"] == "torch cannot be imported: exit code -11"


def test_device_where_torch_takes_for_ever(monkeypatch):
    def run(command, **_):
        raise subprocess.TimeoutExpired(command, 120)

    monkeypatch.setattr(subprocess, "run", run)
    assert "took more than 120 s" in _machine.device()["problem"]


# ---- caches, models, hub ---------------------------------------------------------------------------------------------


def test_numba_cache_as_named(monkeypatch, tmp_path):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "new"))
    assert _machine.numba_cache() == {"path": str(tmp_path / "new"), "writable": True}
    (tmp_path / "file").touch()
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "file"))
    assert _machine.numba_cache()["writable"] is False


def test_models_with_their_licences(tmp_path):
    (tmp_path / "segment-tiny").mkdir()
    (tmp_path / "segment-tiny" / "README.md").write_text("# A model\n\n## Licence\n\n* licence: Apache-2.0\n")
    (tmp_path / "segment-tiny" / "model.bin").write_bytes(bytes(1000))
    (tmp_path / "unnamed").mkdir()
    (tmp_path / "not-a-folder").touch()
    found = command.models(tmp_path)
    assert [(m["name"], m["licence"]) for m in found] == [("segment-tiny", "licence: Apache-2.0"), ("unnamed", None)]
    assert found[0]["bytes"] > 1000
    assert command.models(tmp_path / "none") == []


def test_the_licence_is_the_models_not_its_datas(tmp_path):
    (tmp_path / "m").mkdir()
    lines = [
        "| source | pictures | licence |",
        "* 373 photographs under NC licences",
        "Licence of the weights: Apache-2.0",
    ]
    for count, expected in ((1, None), (2, lines[1][2:]), (3, lines[2])):
        (tmp_path / "m" / "README.md").write_text("\n".join(["# A model", *lines[:count]]), encoding="utf-8")
        assert command.models(tmp_path)[0]["licence"] == expected


def test_a_quoted_licence_points_to_no_other_line(tmp_path):
    """ "The note above" is not there where the line alone is shown."""
    (tmp_path / "m").mkdir()
    card = tmp_path / "m" / "README.md"
    card.write_text("# A model\n\nLicence: Apache-2.0, subject to the note on data above.\n", encoding="utf-8")
    assert command.models(tmp_path)[0]["licence"] == "Licence: Apache-2.0; see its card"


def test_every_model_that_ships_names_its_licence():
    from pathlib import Path

    import semwave

    shipped = command.models(Path(semwave.__file__).parent / "models" / "weights")
    assert len(shipped) > 3
    assert [m["name"] for m in shipped if not command.NAMED.search(m["licence"] or "")] == []


@pytest.mark.parametrize(
    ("error", "reached"),
    [
        (urllib.error.URLError("name or service not known"), False),
        (urllib.error.HTTPError("https://hub.example", 403, "Forbidden", None, None), True),
        (None, True),
    ],
)
def test_the_hub_is_tried_when_asked_for(cli, monkeypatch, no_torch, error, reached):
    class Nothing:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

    def urlopen(request, timeout):
        assert request.full_url == "https://hub.example"
        if error:
            raise error
        return Nothing()

    monkeypatch.setenv("HF_ENDPOINT", "https://hub.example")
    monkeypatch.setattr("urllib.request.urlopen", urlopen)
    assert json.loads(cli("doctor", "--json", "--online").out)["hub"]["reached"] is reached
    assert "hub https://hub.example: " + ("reached" if reached else "not reached") in cli("doctor", "--online").out


def test_weights_that_are_fetched(cli, no_torch, tmp_path, monkeypatch):
    monkeypatch.setenv("SEMWAVE_CACHE", str(tmp_path))
    done = cli("doctor")
    assert "DISTS: the weights " in done.out
    assert "optional: semwave models fetch metrics" in done.out
    (weights,) = json.loads(cli("doctor", "--json").out)["fetched"]
    assert weights["name"] == "DISTS"
    assert weights["path"].startswith(str(tmp_path))
    assert "not there" in weights["problem"]
