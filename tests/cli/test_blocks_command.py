"""``semwave blocks``: the list and the page on one block."""

import json
import sys
import tomllib
from typing import Annotated, Literal

import numpy as np
import pytest

from semwave.commands._catalog import example, first_sentence, page, toml_value
from semwave.runtime import ConnectError, Frames, In, Out, Param, SyncBlock, registry
from semwave.runtime.registry import block_class, names


class Everything(SyncBlock):
    """Show what a page can show. The second sentence is not in the list.

    A paragraph with ``code``.
    """

    heavy = True

    order: Annotated[int, Param("points", choices=(4, 16, 64))]
    path: Annotated[str, Param("where to write", path=True)]
    mode: Literal["fast", "good"] = "good"
    snr_db: Annotated[float, Param("level above the noise", unit="dB", low=-20, high=60, tunable=True)] = 12.0
    taps: tuple[float, ...] = (1.0, 0.5)
    label: str | None = None

    image = In(Frames(np.uint8, ("h", "w", 3)), doc="the picture")
    mask = In(Frames(np.uint8, ("h", "w")), optional=True)
    code = Out(Frames(np.uint8, ("n",)))


@pytest.fixture
def everything(monkeypatch):
    monkeypatch.setitem(sys.modules, "cli_everything", sys.modules[__name__])
    monkeypatch.setitem(registry.BLOCKS, "Everything", "cli_everything:Everything")


def test_list_groups_by_module(cli):
    done = cli("blocks")
    assert done.code == 0
    lines = done.out.splitlines()
    at = lines.index("semwave.blocks.basic")
    first = "Add a, b → total Add two streams sample by sample; the shorter one ends the sum"
    assert lines[at + 1].split() == first.split()
    assert lines[-1] == f"{len(names())} blocks; 'semwave blocks NAME' describes one"
    assert "``" not in done.out


def test_list_as_json(cli):
    found = json.loads(cli("blocks", "--json").out)
    assert found["ok"] is True
    by_name = {b["name"]: b for b in found["blocks"]}
    assert set(by_name) == set(names())
    assert by_name["NullSource"]["kind"] == "source"
    assert by_name["NullSource"]["outputs"] == ["items"]


def test_list_goes_on_where_a_block_cannot_be_imported(cli, monkeypatch):
    monkeypatch.setitem(registry.BLOCKS, "Broken", "no_such_module_anywhere:Broken")
    done = cli("blocks")
    assert done.code == 0
    assert "cannot be imported\n" in done.out
    assert "  Broken: from no_such_module_anywhere: No module named 'no_such_module_anywhere'\n" in done.out
    assert (
        "No module named 'no_such_module_anywhere'"
        in json.loads(cli("blocks", "--json").out)["blocks"][names().index("Broken")]["error"]
    )


def test_page_on_one_block(cli, everything):
    assert (
        cli("blocks", "Everything").out
        == """\
Everything  (cli_page, sync block, heavy (a thread of its own))

Show what a page can show. The second sentence is not in the list.

A paragraph with ``code``.

parameters
  order: int, required, one of 4, 16, 64
      points
  path: str, required
      where to write
  mode: 'fast' or 'good', default "good"
  snr_db: float, default 12.0, in dB, at least -20, at most 60, may change while running
      level above the noise
  taps: tuple[float, ...], default [1.0, 0.5]
  label: str or None, default none

inputs
  image  Frames[uint8, h, w, 3]  the picture
  mask   Frames[uint8, h, w]     optional

outputs
  code  Frames[uint8, n]

example
  everything = { use = "Everything", order = 4, path = "path/to/it", mode = "good" }
""".replace("cli_page", __name__)
    )


def test_page_as_json(cli, everything):
    found = json.loads(cli("blocks", "Everything", "--json").out)
    assert found["heavy"] is True
    assert found["parameters"][3] == {
        "name": "snr_db",
        "type": "float",
        "required": False,
        "default": 12.0,
        "unit": "dB",
        "low": -20,
        "high": 60,
        "choices": None,
        "tunable": True,
        "doc": "level above the noise",
    }
    assert found["inputs"][1] == {"name": "mask", "type": "Frames[uint8, h, w]", "optional": True, "doc": ""}


@pytest.mark.parametrize(("typed", "meant"), [("Heed", "Head"), ("multiplyconst", "MultiplyConst")])
def test_unknown_name_gives_the_nearest(cli, typed, meant):
    done = cli("blocks", typed)
    assert (done.code, done.out) == (1, "")
    assert done.err == f"semwave: no block '{typed}'; did you mean {meant}? 'semwave blocks' lists all\n"


def test_unknown_name_that_is_like_nothing(cli):
    assert cli("blocks", "Zzzzz").err == "semwave: no block 'Zzzzz'; 'semwave blocks' lists all\n"


@pytest.mark.parametrize("name", names())
def test_every_block_has_a_page_and_an_example_that_is_toml(name):
    try:
        cls = block_class(name)
    except ConnectError as error:
        if isinstance(error.__cause__, ModuleNotFoundError) and not (error.__cause__.name or "").startswith("semwave"):
            pytest.skip(str(error))  # an optional package
        raise
    assert page(name)["doc"]
    (table,) = tomllib.loads(example(name, cls)).values()
    assert table["use"] == name


@pytest.mark.parametrize(
    ("doc", "sentence"),
    [
        ("Do it.", "Do it"),
        ("Do it. And that.", "Do it"),
        ("Keep ``x``, i.e. all\n    of it. Then stop.", "Keep x, i.e. all of it"),
        ("As in TS 38.211 (v. 17). More.", "As in TS 38.211 (v. 17)"),
        ("One line\n\nand another.", "One line"),
        (None, ""),
    ],
)
def test_first_sentence(doc, sentence):
    assert first_sentence(doc) == sentence


@pytest.mark.parametrize("value", [1, 2.5, -1e-7, float("inf"), 'a "quoted" ü', True, [1, [2.0, "x"]], []])
def test_values_are_toml(value):
    assert tomllib.loads(f"x = {toml_value(value)}")["x"] == value
