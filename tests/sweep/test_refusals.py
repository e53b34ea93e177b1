"""What cannot work is refused when a sweep is planned, naming file, axis and value; a dry run that fails says so."""

import json
from pathlib import Path
from typing import Any

import pytest

from semwave.commands._terminal import counted
from semwave.sweep.errors import SweepError
from semwave.sweep.files import plan


def sweep(folder: Path, text: str) -> Path:
    file = folder / "mine.toml"
    file.write_text(f"[[grid]]\n{text}\n", encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("scheme", "message"),
    [
        ('{ name = "conventional", mcs = 28 }', r"'conventional': mcs must be a whole number from 0 to 27, not 28"),
        ('{ name = "conventional", mcs = "3" }', r"'conventional': mcs must be a whole number from 0 to 27, not '3'"),
        ('{ name = "conventional", codec = "gif" }', r"codec must be one of best, all, avif, .*not 'gif'"),
        ('{ name = "conventional", colour = 3 }', r"'conventional': .*'colour'"),
        ('{ name = "conventional-genie", codec = "gif" }', r"codec must be one of .*not 'gif'"),
        ('{ name = "conventional-adaptive", margin_db = "x" }', r"margin_db must be a number from -60 to 60, not 'x'"),
        ('{ name = "codec-capacity", orders = [5] }', r"orders must be one of 2, 4, 16, 64, 256, 1024, not 5"),
        ('{ name = "codec-capacity", orders = [] }', r"orders must have at least one constellation"),
        (
            '{ name = "jscc", constellation = 4 }',
            r"'jscc': constellation must be one of free, 16, 64, 256, 1024, not 4",
        ),
        ('{ name = "jscc", side_mcs = 99 }', r"'jscc': side_mcs must be a whole number from 0 to 27, not 99"),
        ('{ name = "semwave", codec = "gif" }', r"'semwave': codec must be one of .*jscc, .*not 'gif'"),
        ('{ name = "semwave-jscc", key_mcs = 1.5 }', r"'semwave-jscc': key_mcs must be a whole number .*not 1.5"),
        ('{ name = "semwave", key_share = 35 }', r"'semwave': key_share must be a number from 0 to 1, not 35"),
        ('{ name = "semwave", sketch_bytes = -1 }', r"'semwave': sketch_bytes must be a whole number from 0 to 65535"),
        ('"smoke"', r"scheme must be one of .*, not 'smoke'"),
    ],
)
def test_options_of_schemes(scheme: str, message: str, tmp_path: Path) -> None:
    file = sweep(tmp_path, f'picture = "recordings/images"\nscheme = {scheme}')
    with pytest.raises(SweepError, match=rf"^{file}: (scheme )?.*{message}"):
        plan([file])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('picture = "nope"', r"picture = 'nope': nope does not exist"),
        ('picture = "recordings/images"\nchannel = { profile = "measured", path = "no" }', "channel.path: no file no"),
        ('picture = "recordings/images"\nchannel = "TDL-Z"', "channel: profile must be one of"),
        ('picture = "recordings/images"\ncolour = 1', "a sweep of pictures has the axes .*, not 'colour'"),
    ],
)  # fmt: skip
def test_files_and_axes(text: str, message: str, tmp_path: Path) -> None:
    file = sweep(tmp_path, text)
    with pytest.raises(SweepError, match=rf"^{file}: {message}"):
        plan([file])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("order=5", r"order = 5: .*order must be 2, 4, 8, .*not 5"),
        (
            "decoder.algorithm=magic",
            r"decoder.algorithm = 'magic': .*algorithm must be None, .nms., .oms. or .spa., not .magic.",
        ),
        ("colour=3", r"colour = 3.*colour"),
        ("k=7.5", r"k = 7.5.*k"),
    ],
)
def test_values_that_a_flowgraph_does_not_take(change: str, message: str) -> None:
    with pytest.raises(SweepError, match=rf"^.*ber_ldpc_nr\.toml: .*{message}"):
        plan(["ber_ldpc_nr"], [change])


def test_every_value_of_a_flowgraph_is_tried() -> None:
    with pytest.raises(SweepError, match=r"snr_db = 1000"):
        plan(["ber_qam_awgn"], ["snr_db=[1, 1000]"])


def test_a_dry_run_whose_trial_fails(sweep_file: Any, semwave: Any, tmp_path: Path) -> None:
    arguments = ("sweep", sweep_file("fail", 3), "--store", tmp_path / "d.sqlite", "--workers", 1, "--dry-run")
    done = semwave(*arguments)
    assert done.returncode == 1
    assert "semwave: trying one point of calls (3 points)" in done.stderr
    assert "the point that was tried failed: calls: RuntimeError: index 1 does not work" in done.stderr
    assert "3 of 3 points left: about" in done.stdout
    assert done.stdout.rstrip().endswith("on 1 worker")
    done = semwave(*arguments, "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["ok"], told["groups"][0]["source"]) == (1, False, "one point, which failed")
    assert told["errors"] == ["calls: RuntimeError: index 1 does not work"]


def test_one_of_a_thing(sweep_file: Any, semwave: Any, tmp_path: Path) -> None:
    assert [counted(n, "point") for n in (0, 1, 2)] == ["0 points", "1 point", "2 points"]
    store = tmp_path / "one.sqlite"
    file = sweep_file("draw", 1)
    assert semwave("sweep", file, "--store", store, "--workers", 0).stdout.startswith(
        "1 point: 1 computed, 0 were there"
    )
    assert "1 point: 0 computed, 1 was there" in semwave("sweep", file, "--store", store).stdout
    told = semwave("report", store, "--png", tmp_path / "png").stdout
    assert " MB" not in told
    assert "kB" in told
