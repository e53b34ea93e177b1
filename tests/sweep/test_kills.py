"""Whatever is killed, and whenever: the same table in the end, nothing twice."""

import json
import os
import random
import signal
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from semwave.sweep.cluster import Here
from semwave.sweep.files import plan
from semwave.sweep.runner import Sweep
from semwave.sweep.store import Store

pytestmark = pytest.mark.timeout(600)  # processes take long to start on a busy machine
COUNT = 300


def table(path: Path) -> list[tuple[Any, ...]]:
    with Store(path) as store:
        return store.table()


def rows_so_far(path: Path) -> int:
    if not path.exists():
        return 0
    try:
        with Store(path) as store:
            return len(store.done())
    except Exception:
        return 0


def workers_of(pid: int) -> list[int]:
    """Processes that ``pid`` started, by /proc."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if int(fields[1]) == pid and b"spawn_main" in command:
                found.append(int(entry.name))
    return found


def wait_for(condition: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


@pytest.fixture
def reference(sweep_file: Any, tmp_path: Path) -> tuple[Path, list[tuple[Any, ...]]]:
    """A sweep, and its table computed in this process."""
    file = sweep_file("spin", COUNT, busy_s=0.004)
    with Store(tmp_path / "one.sqlite", write=True) as store:
        assert Sweep(plan([file]), store, Here()).run(1).done == COUNT
        return file, store.table()


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_kill_9_at_random_moments(reference: Any, start: Any, semwave: Any, tmp_path: Path) -> None:
    file, wanted = reference
    store, rng = tmp_path / "killed.sqlite", random.Random(5)
    before = 0
    for _ in range(3):
        process = start("sweep", file, "--store", store, "--workers", 2)
        wait_for(lambda at=before, p=process: rows_so_far(store) > at or p.poll() is not None)
        time.sleep(rng.uniform(0, 0.3))
        workers = workers_of(process.pid)
        process.kill()
        process.communicate()
        wait_for(lambda pids=workers: not any(Path(f"/proc/{p}").exists() for p in pids))  # they do not outlive it
        now = rows_so_far(store)
        assert now >= before
        before = now
    done = semwave("sweep", file, "--store", store, "--workers", 2, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["before"], told["before"] + told["computed"]) == (before, COUNT)
    assert table(store) == wanted
    with sqlite3.connect(store) as db:
        assert db.execute("SELECT max(attempts), count(*), count(DISTINCT key) FROM points").fetchone() == (
            1,
            COUNT,
            COUNT,
        )
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_a_killed_worker_and_two_workers_give_the_table_of_one(reference: Any, start: Any, tmp_path: Path) -> None:
    file, wanted = reference
    store = tmp_path / "two.sqlite"
    process = start("sweep", file, "--store", store, "--workers", 2, "--json")
    wait_for(lambda: rows_so_far(store) > 0 or process.poll() is not None)
    victims = workers_of(process.pid)
    if victims:
        os.kill(victims[0], signal.SIGKILL)
    out, err = process.communicate(timeout=280)
    assert process.returncode == 0, err
    assert victims, "the sweep was over before a worker could be killed"
    assert json.loads(out)["computed"] == COUNT
    assert table(store) == wanted


@pytest.mark.slow
def test_ctrl_c_leaves_what_was_done(reference: Any, start: Any, semwave: Any, tmp_path: Path) -> None:
    file, wanted = reference
    store = tmp_path / "stopped.sqlite"
    process = start("sweep", file, "--store", store, "--workers", 1, "--json")
    wait_for(lambda: rows_so_far(store) > 0 or process.poll() is not None)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all of them
    out, err = process.communicate(timeout=280)
    told = json.loads(out)
    assert process.returncode == 130, err
    assert told["interrupted"]
    assert not told["failed"]
    assert 0 < told["computed"] < COUNT
    assert rows_so_far(store) == told["computed"]
    assert semwave("sweep", file, "--store", store, "--workers", 0).returncode == 0
    assert table(store) == wanted


@pytest.mark.slow
def test_a_point_that_kills_its_workers_is_an_error_of_its_own(sweep_file: Any, semwave: Any, tmp_path: Path) -> None:
    file = sweep_file("die", 1)
    done = semwave("sweep", file, "--store", tmp_path / "dead.sqlite", "--workers", 1, "--json")
    assert done.returncode == 1
    assert "KilledWorker" in json.loads(done.stdout)["errors"][0]


@pytest.mark.slow
def test_a_cluster_of_the_users_gives_the_same_table(reference: Any, semwave: Any, tmp_path: Path) -> None:
    from distributed import LocalCluster

    file, wanted = reference
    options: Any = {"processes": True, "threads_per_worker": 1, "host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
    with LocalCluster(n_workers=1, **options) as cluster:
        address, store = cluster.scheduler_address, tmp_path / "theirs.sqlite"
        done = semwave("sweep", file, "--store", store, "--scheduler", address, "--json")
        assert done.returncode == 0, done.stderr
    assert table(store) == wanted
    with Store(store) as found:
        assert found.runs()[0]["hardware"]["cluster"] == "dask"
