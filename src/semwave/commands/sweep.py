"""Compute every point of a sweep that its store does not have yet.

A point is one combination of a sweep file's axes (SNR, channel, modulation, rate, scheme, picture, seed), or of those
in a flowgraph's [sweep] table. Results go to one SQLite file; start the same command again after a crash or Ctrl-C,
and it goes on where it was. Points that failed are tried again. Exit code 1 when any point failed."""

import argparse
import shlex
import sys
from typing import TYPE_CHECKING, Any

from semwave.commands import _options

if TYPE_CHECKING:
    from semwave.sweep.plan import Point
    from semwave.sweep.runner import Sweep

ORDER = 32
STORE = "out/sweep.sqlite"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "files", metavar="FILE", nargs="+", help="a sweep file, a flowgraph, or the name of one shipped"
    )
    parser.add_argument("--store", default=STORE, metavar="FILE", help=f"where results go and are looked for ({STORE})")
    parser.add_argument(
        "--set", dest="overrides", action="append", default=[], metavar="NAME=VALUE",
        help="other values for an axis (snr_db=0:20:2, 'scheme=[\"jscc\"]') or for stop.errors and the like",
    )  # fmt: skip
    parser.add_argument(
        "--schemes", action="append", default=[], metavar="FILE", help="a Python file (or folder) with schemes of yours"
    )
    parser.add_argument("--limit", type=_count, metavar="N", help="of each file's points only N, evenly spread")
    parser.add_argument("--workers", type=_workers, metavar="N", help="processes here (as many as cores); 0: this one")
    parser.add_argument(
        "--scheduler", metavar="ADDRESS", help="a Dask scheduler, tcp://host:8786, instead of processes here"
    )
    parser.add_argument("--dashboard", metavar="ADDRESS", help="serve Dask's dashboard, 127.0.0.1:8787 (needs bokeh)")
    parser.add_argument(
        "--dry-run", action="store_true", help="count the points and estimate the time; compute nothing"
    )
    parser.add_argument("--quiet", action="store_true", help="print errors only")
    _options.add_json(parser)


def execute(args: argparse.Namespace) -> int:
    """Plan, compute what is missing, say what came of it."""
    from semwave.sweep.files import plan

    points = plan(args.files, args.overrides, args.schemes, args.limit)
    if args.dry_run:
        return _dry_run(points, args)
    from semwave.sweep.store import Store

    with Store(args.store, write=True) as store:
        missing = {p.key for p in points} - store.done()
        executor = _executor(args, len(missing))
        try:
            return _run(points, store, executor, args)
        finally:
            executor.close()


def _executor(args: argparse.Namespace, missing: int) -> Any:
    import os

    from semwave.sweep.cluster import Here, OnDask

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    workers = cores if args.workers is None else args.workers
    if not missing or (not args.scheduler and workers == 0):
        return Here()
    return OnDask(max(1, min(workers, missing)), args.scheduler, args.dashboard)


def _run(points: "list[Point]", store: Any, executor: Any, args: argparse.Namespace) -> int:
    from semwave.commands._interrupts import INTERRUPTED, Interrupts
    from semwave.sweep import machine
    from semwave.sweep.runner import Sweep, now
    from semwave.sweep.view import View

    sweep = Sweep(points, store, executor)
    number = store.begin_run(
        "semwave " + shlex.join(sys.argv[1:]), now(), machine.versions(),
        machine.hardware(executor.workers, args.scheduler), sorted({p.sweep for p in points}),
    )  # fmt: skip
    with View(sweep.progress, wanted=not args.quiet and not args.json) as view, Interrupts(view.say) as interrupts:
        interrupts.attach(sweep)
        sweep.run(number, view.update)
    outcome = "interrupted" if sweep.interrupted else "failed points" if sweep.progress.failed else "done"
    store.end_run(number, now(), outcome)
    _tell(sweep, store, args)
    return INTERRUPTED if sweep.interrupted else 1 if sweep.progress.failed else 0


def _tell(sweep: "Sweep", store: Any, args: argparse.Namespace) -> None:
    from semwave.commands._json import emit
    from semwave.commands._terminal import counted, duration

    p = sweep.progress
    if args.json:
        emit({
            "ok": not p.failed and not sweep.interrupted, "store": str(store.path), "points": p.total,
            "before": p.before, "computed": p.done - p.failed, "failed": p.failed, "left": p.left,
            "seconds": p.seconds, "errors": p.errors[:20], "interrupted": sweep.interrupted,
        })  # fmt: skip
    for error in p.errors[:10]:
        print(f"semwave: a point failed: {error}", file=sys.stderr)
    if not args.json and not args.quiet:
        there = f"{p.before} {'was' if p.before == 1 else 'were'} there"
        parts = [f"{counted(p.total, 'point')}: {p.done - p.failed} computed", there]
        parts += [f"{p.failed} failed"] * bool(p.failed) + [f"{p.left} left"] * bool(p.left)
        print(f"{', '.join(parts)}; {duration(p.seconds)}; {store.path}")


def _dry_run(points: "list[Point]", args: argparse.Namespace) -> int:
    from semwave.commands._json import emit
    from semwave.commands._terminal import counted, duration, table
    from semwave.sweep.estimate import estimate

    def say(text: str) -> None:
        if not args.quiet and not args.json:
            print(f"semwave: {text}", file=sys.stderr, flush=True)

    found = estimate(points, args.store, args.workers, say)
    for error in found["errors"]:
        print(f"semwave: the point that was tried failed: {error}", file=sys.stderr)
    if args.json:
        emit({"ok": not found["errors"], **found})
        return bool(found["errors"])
    rows = [["sweep", "points", "there", "left", "s/point", "known from"]]
    rows += [
        [g["group"], str(g["points"]), str(g["there"]), str(g["left"]), f"{g['seconds_per_point']:.3g}", g["source"]]
        for g in found["groups"]
    ]
    print("\n".join(table(rows, right=range(1, 5))))
    print(f"{found['left']} of {counted(found['points'], 'point')} left: about {duration(found['seconds'])} "
          f"on {counted(found['workers'], 'worker')}")  # fmt: skip
    return bool(found["errors"])


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1, not {text!r}")
    return int(text)


def _workers(text: str) -> int:
    if not text.isdecimal() or int(text) > 4096:
        raise argparse.ArgumentTypeError(f"must be a whole number from 0 to 4096, not {text!r}")
    return int(text)
