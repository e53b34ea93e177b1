"""Sweeps: overhead per point, what a second worker brings, and what ten kills at random moments lose.

    python benchmarks/sweep.py [--quick] [--case overhead|speedup|kills]

``kills`` starts a sweep of 10,000 points, kills its process with SIGKILL at a random moment, ten times over, lets it
finish, and holds the table against that of a sweep that nobody disturbed. ``speedup`` is the ratio of points a second
with two workers and with one, in turns, best of each: of points that compute, which needs two cores that nobody else
uses, and of points that wait, which shows the scheduling alone.
"""

import argparse
import json
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from _report import emit

from semwave.sweep.store import Store


def sweep_file(folder: Path, function: str, count: int, **fixed: object) -> Path:
    """A sweep of calls."""
    values = "".join(f"{k} = {v!r}\n" for k, v in fixed.items())
    text = f'name = "calls"\ntask = "call"\n[fixed]\nfunction = "semwave.sweep.probe:{function}"\n{values}'
    file = folder / f"{function}_{count}.toml"
    file.write_text(f'{text}[[grid]]\nindex = "0:{count - 1}:1"\n', encoding="utf-8")
    return file


def command(file: Path, store: Path, workers: int) -> list[str]:
    """The command line of a sweep."""
    options = ["--store", str(store), "--workers", str(workers), "--json"]
    return [sys.executable, "-m", "semwave", "sweep", str(file), *options]


def run(file: Path, store: Path, workers: int) -> dict[str, float]:
    """Run a sweep to its end; what it says."""
    done = subprocess.run(command(file, store, workers), capture_output=True, text=True, check=True)
    told: dict[str, float] = json.loads(done.stdout)
    return told


def overhead(folder: Path, quick: bool) -> None:
    """Wall time per point that does nothing."""
    count = 500 if quick else 10_000
    file = sweep_file(folder, "draw", count)
    told = run(file, folder / "overhead.sqlite", 2)
    emit("sweep", f"overhead per point, {count} empty points, 2 workers", 1000 * told["seconds"] / count, "ms")
    file, store = sweep_file(folder, "nap", count // 20, nap_s=0.05), folder / "nap.sqlite"
    told = run(file, store, 2)
    with Store(store) as found:
        within = sum(row.seconds for row in found.rows())
    each = 1000 * (2 * told["seconds"] - within) / (count // 20)
    emit("sweep", f"worker time per point outside the point, {count // 20} points of 50 ms, 2 workers", each, "ms")


def speedup(folder: Path, quick: bool) -> None:
    """Two workers against one."""
    count, turns = (100, 1) if quick else (200, 3)
    for function, name, what in (("spin", "busy_s", "of processor time"), ("nap", "nap_s", "of waiting")):
        file = sweep_file(folder, function, count, **{name: 0.1})
        best = {1: float("inf"), 2: float("inf")}
        for turn in range(turns):
            for workers in best:
                told = run(file, folder / f"{function}_{workers}_{turn}.sqlite", workers)
                best[workers] = min(best[workers], told["seconds"])
        case = f"points a second, points of 100 ms {what}, 2 workers"
        emit("sweep", case, count / best[2], "1/s", "1 worker", count / best[1])


def kills(folder: Path, quick: bool) -> None:
    """SIGKILL at random moments."""
    count, times, rng = (1000, 3, random.Random(1)) if quick else (10_000, 10, random.Random(1))
    file = sweep_file(folder, "spin", count, busy_s=0.002)
    store, killed, before = folder / "killed.sqlite", 0, [0]
    while killed < times:
        process = subprocess.Popen(command(file, store, 2), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None and points(store) <= before[-1]:
            time.sleep(0.02)
        time.sleep(rng.uniform(0, 0.5 if quick else 1.0))
        if process.poll() is not None:
            break
        process.kill()
        process.wait()
        killed += 1
        before.append(points(store))
    run(file, store, 2)
    run(file, folder / "whole.sqlite", 2)
    with Store(store) as ours, Store(folder / "whole.sqlite") as whole:
        same = ours.table() == whole.table()
    with sqlite3.connect(store) as db:
        rows, twice = db.execute("SELECT count(*), sum(attempts > 1) FROM points").fetchone()
    backwards = sum(later < earlier for earlier, later in pairwise(before))
    what = f"{count} points, {killed} kills at random moments"
    emit("sweep", f"{what}: points missing in the end", count - rows, "points")
    emit("sweep", f"{what}: points written more than once", twice, "points")
    emit("sweep", f"{what}: stored points that a kill took away", backwards, "times")
    emit("sweep", f"{what}: table equal to an undisturbed run's", float(same), "1 = yes")


def points(store: Path) -> int:
    """Good points of a store; 0 while there is none."""
    try:
        with Store(store) as found:
            return len(found.done())
    except (ValueError, sqlite3.Error):
        return 0


def main() -> None:
    """All cases, or one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--case", choices=("overhead", "speedup", "kills"))
    args = parser.parse_args()
    for case in (overhead, speedup, kills):
        if args.case in (None, case.__name__):
            with tempfile.TemporaryDirectory() as folder:
                case(Path(folder), args.quick)


if __name__ == "__main__":
    main()
