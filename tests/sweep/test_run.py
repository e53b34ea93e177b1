"""Points are computed once, whoever computes them; failures are results, and are tried again."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import integrate, stats

from semwave.modulation.metrics import clopper_pearson
from semwave.sweep.cluster import Here
from semwave.sweep.files import plan
from semwave.sweep.runner import Progress, Sweep
from semwave.sweep.store import Store
from semwave.sweep.tasks import finite, run_point


def go(points: list[Any], path: Path) -> tuple[Progress, list[tuple[Any, ...]]]:
    with Store(path, write=True) as store:
        progress = Sweep(points, store, Here()).run(store.begin_run("test", "now", {}, {}, []))
        return progress, store.table()


def test_order_does_not_matter_and_nothing_is_computed_twice(sweep_file: Any, tmp_path: Path) -> None:
    points = plan([sweep_file("draw", 40)])
    progress, first = go(points, tmp_path / "a")
    assert (progress.done, progress.failed, progress.left) == (40, 0, 0)
    assert go(points[::-1], tmp_path / "b")[1] == first
    go(points[::3], tmp_path / "c")
    progress, third = go(points, tmp_path / "c")
    assert (progress.before, progress.done) == (14, 26)
    assert third == first
    values = [json.loads(row[7])["value"] for row in first]
    assert len(set(values)) == 40


def test_failures_are_stored_and_tried_again(sweep_file: Any, semwave: Any, tmp_path: Path) -> None:
    repaired = tmp_path / "repaired"
    file = sweep_file("fail", 9, every=3, unless=str(repaired))
    arguments = ("sweep", file, "--store", tmp_path / "f.sqlite", "--workers", 0, "--json")
    done = semwave(*arguments)
    told = json.loads(done.stdout)
    assert done.returncode == 1
    assert (told["computed"], told["failed"], told["ok"]) == (6, 3, False)
    assert "RuntimeError: index 0 does not work" in told["errors"]
    assert "a point failed: RuntimeError: index 3 does not work" in done.stderr
    repaired.touch()
    done = semwave(*arguments)
    told = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert (told["before"], told["computed"], told["failed"]) == (6, 3, 0)


def test_dry_run_counts_and_estimates(sweep_file: Any, semwave: Any, tmp_path: Path) -> None:
    file, store = sweep_file("spin", 20, busy_s=0.02), tmp_path / "d.sqlite"
    told = json.loads(semwave("sweep", file, "--store", store, "--workers", 2, "--dry-run", "--json").stdout)
    assert (told["points"], told["left"], told["groups"][0]["source"]) == (20, 20, "one point")
    assert told["seconds"] >= 20 * 0.02 / 2
    assert not store.exists()
    semwave("sweep", file, "--store", store, "--workers", 0, "--limit", 5)
    told = json.loads(semwave("sweep", file, "--store", store, "--dry-run", "--json").stdout)
    assert (told["left"], told["groups"][0]["source"]) == (15, "5 points")


def test_the_command_line_refuses(semwave: Any, tmp_path: Path) -> None:
    for arguments, message in (
        (("sweep", "nothing"), "no sweep file nothing"),
        (("sweep", "ber_qam_awgn", "--workers", "x"), "whole number from 0"),
        (("sweep", "ber_qam_awgn", "--limit", "0"), "whole number from 1"),
        (("report", tmp_path / "none.sqlite"), "no store"),
    ):
        done = semwave(*arguments)
        assert done.returncode in (1, 2)
        assert message in done.stderr


def test_numbers_that_json_does_not_have() -> None:
    assert finite({"a": float("inf"), "b": [np.float32(1.5), float("nan")], "c": np.int64(3)}) == {
        "a": None,
        "b": [1.5, None],
        "c": 3,
    }


# ---- links -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("order", "snr_db"), [(4, 6), (16, 12)])
def test_an_error_rate_holds_theory_in_its_interval(order: int, snr_db: int) -> None:
    (point,) = plan(["ber_qam_awgn"], [f"order={order}", f"snr_db={snr_db}", "stop.errors=200"])
    outcome = run_point(point.as_dict())
    result = outcome["result"]
    assert outcome["reason"] == "errors"
    assert result["bler_errors"] == 200
    low, high = clopper_pearson(result["ber_errors"], result["ber_trials"], 0.999)
    assert low < result["ber_theory"] < high
    assert (result["ber_low"], result["ber_high"]) == clopper_pearson(result["ber_errors"], result["ber_trials"])
    assert result["throughput"] == (1 - result["bler"]) * {4: 2, 16: 4}[order]


def test_a_link_ends_on_an_interval_or_a_limit() -> None:
    changes = ["order=4", "snr_db=7", "stop.max_bits=2_000_000"]
    (point,) = plan(["ber_qam_awgn"], [*changes, "stop.interval=0.1", "stop.errors=1_000_000"])
    outcome = run_point(point.as_dict())
    result = outcome["result"]
    assert outcome["reason"] == "interval"
    assert result["bler_high"] - result["bler_low"] <= 0.1 * result["bler"]
    (point,) = plan(["ber_qam_awgn"], ["order=2", "snr_db=14", "stop.max_bits=300_000"])
    outcome = run_point(point.as_dict())
    assert outcome["reason"] == "limit"
    assert outcome["result"]["ber_trials"] == 300_000
    assert run_point(point.as_dict())["result"] == outcome["result"]


def test_a_coded_link_says_code_rate_and_throughput() -> None:
    (point,) = plan(["ber_ldpc_wifi"], ["snr_db=2", "n=1944", "code_rate=3/4", "k=1458", "stop.max_bits=30_000"])
    result = run_point(point.as_dict())["result"]
    assert result["code"] == "ldpc_80211n n=1944 rate=3/4"
    assert result["throughput"] == pytest.approx((1 - result["bler"]) * 0.75)
    n0 = 10**-0.2  # BPSK: the soft bits are normal with mean 4 / n0 and variance 8 / n0
    llr = stats.norm(4 / n0, np.sqrt(8 / n0))
    lost = integrate.quad(lambda x: np.logaddexp(0, -x) / np.log(2) * llr.pdf(x), -40, 60)[0]
    assert result["bicm_capacity"] == pytest.approx(1 - lost, abs=1e-5)
