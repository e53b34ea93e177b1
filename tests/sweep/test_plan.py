"""Axes, products and zips, overrides; keys that depend on what is computed and on nothing else."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semwave.sweep.errors import SweepError
from semwave.sweep.files import find, override, plan, read
from semwave.sweep.plan import combinations, point
from semwave.sweep.values import canonical, digest, expand, ratio, seed_of, short, tidy

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(-1e9, 1e9) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0:20:5", [0, 5, 10, 15, 20]),
        ("-1:1:0.5", [-1, -0.5, 0, 0.5, 1]),
        ("3:0:-1", [3, 2, 1, 0]),
        ("0:1:0.3", [0, 0.3, 0.6, 0.9]),
        ("5:5:1", [5]),
        ("TDL-C", ["TDL-C"]),
        ("1/2", ["1/2"]),
        ([1.0, "a"], [1, "a"]),
        (7, [7]),
    ],
)
def test_values_of_an_axis(text: Any, values: list[Any]) -> None:
    assert expand("x", text) == values


@pytest.mark.parametrize("text", ["0:5:0", "0:5:-1", []])
def test_an_axis_that_has_no_values(text: Any) -> None:
    with pytest.raises(SweepError, match="snr_db must"):
        expand("snr_db", text)


def test_an_axis_without_end() -> None:
    with pytest.raises(SweepError, match="100000 values at most, not 1000001"):
        expand("snr_db", "0:1:0.000001")


@given(VALUES)
def test_one_text_for_equal_values(value: Any) -> None:
    assert canonical(tidy(value)) == canonical(value)
    assert digest(value) == digest(tidy(value))


def test_whole_floats_are_integers_and_keys_have_no_order() -> None:
    assert canonical({"b": 3.0, "a": [1.0, 0.5]}) == '{"a":[1,0.5],"b":3}'
    assert seed_of("x", 3.0) == seed_of("x", 3) != seed_of("x", 4)
    assert 0 <= seed_of("anything") < 2**63


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {1, 2}])
def test_what_json_cannot_hold(value: Any) -> None:
    with pytest.raises(SweepError, match="a value must be"):
        tidy(value)


def test_ratios() -> None:
    assert ratio("cbr", "1/48") == 1 / 48
    assert short(1 / 48) == "1/48"
    assert short({"profile": "TDL-C", "doppler_hz": 30}) == "TDL-C doppler_hz=30"
    with pytest.raises(SweepError, match="cbr must be a number or a fraction"):
        ratio("cbr", "1/0")


def test_products_and_zips() -> None:
    grid = {"a": [1, 2], "zip": {"b": [3, 4], "c": "x"}}
    with pytest.raises(SweepError, match="one length, not b 2, c 1"):
        list(combinations(grid))
    found = list(combinations({"a": [1, 2], "zip": [{"b": [3, 4], "c": ["x", "y"]}, {"d": [5]}]}))
    assert found == [
        {"a": a, "b": b, "c": c, "d": 5} for a in (1, 2) for b, c in ((3, "x"), (4, "y"))
    ]  # fmt: skip


def test_a_key_depends_on_task_parameters_and_version() -> None:
    first = point("s", "call", {"x": 1.0, "y": "a"}, "1", {"file": "/somewhere"})
    assert first.key == point("t", "call", {"y": "a", "x": 1}, "1").key
    others = [
        point("s", "link", {"x": 1, "y": "a"}, "1"),
        point("s", "call", {"x": 2, "y": "a"}, "1"),
        point("s", "call", {"x": 1, "y": "a"}, "2"),
    ]
    assert len({first.key, *(p.key for p in others)}) == 4


def test_a_file_and_its_overrides(sweep_file: Any) -> None:
    file = sweep_file("draw", 10, mean=2.5)
    points = plan([file])
    assert [p.params["index"] for p in points] == list(range(10))
    assert {p.params["mean"] for p in points} == {2.5}
    assert len(plan([file], ["index=0:4:1"])) == 5
    assert {p.params["mean"] for p in plan([file], ["mean=3"])} == {3}
    assert [p.params["index"] for p in plan([file], limit=3)] == [0, 3, 6]
    assert len(plan([file, file])) == 10
    with pytest.raises(SweepError, match="cannot read --set 'index'"):
        override(read(file), ["index"])


def test_files_that_are_no_sweeps(tmp_path: Path) -> None:
    with pytest.raises(SweepError, match=r"no sweep file nothing\.toml; shipped are .*link"):
        find("nothing.toml")
    file = tmp_path / "a.toml"
    for text, message in (
        ("x = ", "cannot read"),
        ("axes = 3", "a sweep has name.*not 'axes'"),
        ('task = "dance"', "task must be one of link, picture, call, not 'dance'"),
        ('task = "call"', r"needs a \[grid\] table"),
        ('task = "call"\n[grid]\nx = 1', 'function must be "package.module:name", not None'),
        ('task = "link"\n[grid]\nx = 1', 'needs flowgraph = "FILE.toml"'),
        ('[grid]\nscheme = "smoke"', "scheme must be one of .*semwave.*not 'smoke'"),
        ("[grid]\nsnr = 3", "has the axes scheme, picture, channel.*not 'snr'"),
        ('[grid]\nchannel = "TDL-C"\n"channel.doppler" = 3', "channel: .*doppler"),
        ('[grid]\npicture = "missing_folder"', "missing_folder"),
        ("[stop]\nerror = 3\n[grid]", "stop takes interval, max_realizations.*not 'error'"),
    ):
        file.write_text(text, encoding="utf-8")
        with pytest.raises((SweepError, ValueError), match=message):
            plan([file])


def test_every_shipped_sweep_has_points() -> None:
    from importlib.resources import files

    shipped = sorted(p.name for p in Path(str(files("semwave.sweeps"))).glob("*.toml"))
    assert shipped
    for name in shipped:
        assert plan([name], limit=2), name


def test_a_flowgraph_with_a_sweep_table() -> None:
    points = plan(["ber_qam_awgn"])
    assert len(points) > 50
    assert {p.params["set"]["order"] for p in points} == {2, 4, 8, 16, 64, 256, 1024}
    assert {p.params["stop"]["errors"] for p in plan(["ber_qam_awgn"], ["stop.errors=7"])} == {7}
    assert [p.params["set"] for p in plan(["ber_qam_awgn"], ["order=4", "snr_db=3"])] == [{"order": 4, "snr_db": 3}]
