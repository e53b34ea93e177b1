"""Run a flowgraph and print what its blocks found.

Summaries (and the table of --stats) go to stdout; warnings, counters and the progress line go to stderr.
Ctrl-C ends the sources and lets the rest finish; a second Ctrl-C aborts.

A graph with [place] can be spread over processes: 'run FILE --part rx' runs one part (start the others on their
machines, in any order), 'run FILE --split' runs all parts here."""

import argparse
import sys
from typing import TYPE_CHECKING, Any

from semwave.commands import _options
from semwave.commands._interrupts import INTERRUPTED, Interrupts

if TYPE_CHECKING:
    from semwave.runtime.run import BlockStats, Result, Run

ORDER = 10
STOPPED, ABORTED = "stopped by Ctrl-C", "aborted by Ctrl-C"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    _options.add_file(parser)
    _options.add_overrides(parser)
    _options.add_seed(parser)
    _options.add_json(parser)
    parser.add_argument("--stats", action="store_true", help="print a table of what every block did")
    parser.add_argument("--quiet", action="store_true", help="print errors only (and what --json or --stats asks for)")
    _options.add_parts(parser)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)  # what to do comes from stdin
    parser.add_argument("--timeout", type=_options.seconds, metavar="SECONDS", help="fail if the run takes longer")


def execute(args: argparse.Namespace) -> int:
    """Load, start, wait, report."""
    if args.split:
        from semwave.commands import _split

        return _split.execute(args)
    from semwave.commands._failure import report
    from semwave.runtime.graphfile import load

    about: dict[str, Any] = {"file": args.file, "seed": args.seed, **({"part": args.part} if args.part else {})}
    runs: list[Run] = []
    try:
        graph = load(args.file, args.overrides, args.seed)
        about["seed"] = graph.seed
        result, interrupts = _run(graph, args, runs)
    except Exception as error:
        report(error, debug=args.debug, json=args.json, **about, **_so_far(runs))
        return 1
    error_text = None if not interrupts else STOPPED if interrupts == 1 else ABORTED
    if args.json:
        from semwave.commands._json import emit

        emit({**about, **result.as_dict(), "ok": error_text is None, "error": error_text})
    else:
        show(result, args, aborted=error_text == ABORTED)
    if error_text:
        print(f"semwave: {error_text}", file=sys.stderr)
    return INTERRUPTED if error_text else 0


def _run(graph: Any, args: argparse.Namespace, runs: "list[Run]") -> "tuple[Result, int]":
    """The result, and how often Ctrl-C was heard; the run is put in ``runs`` so that a failed one can be looked at."""
    from semwave.commands._progress import Progress

    progress = Progress(wanted=not args.quiet)

    def say(text: str) -> None:
        progress.note = text.partition(":")[0]
        if not args.quiet:
            print(f"{progress.cleared}semwave: {text}", file=sys.stderr)

    options = {"deadline_s": args.deadline, "allow_remote": args.allow_remote, "probes": dict(args.probes)}
    for edge, address in args.links:
        graph.link(edge, address)
    with progress, Interrupts(say) as interrupts:
        if args.child:
            interrupts.listen(sys.stdin)
        run = graph.start(part=args.part, **options)
        runs.append(run)
        progress.run = run
        interrupts.attach(run)
        return run.wait(args.timeout), interrupts.heard


def _so_far(runs: "list[Run]") -> dict[str, Any]:
    """What a failed run had done when it failed, as far as its blocks can still tell."""
    try:
        return runs[0].result().as_dict() if runs else {}
    except Exception:
        return {}


# ---- printing --------------------------------------------------------------------------------------------------------


def show(result: "Result", args: argparse.Namespace, *, aborted: bool) -> None:
    """Summaries to stdout; warnings, counters and a last line to stderr."""
    from semwave.commands._terminal import duration, paint

    if not args.quiet and not aborted:
        for name, text in result.summaries.items():
            print(paint(name, "bold", sys.stdout))
            print("\n".join(f"  {line}".rstrip() for line in text.splitlines()))
    if args.stats:
        print("\n".join(stats_table(result)))
    if args.quiet:
        return
    sys.stdout.flush()
    for warning in result.warnings:
        print(f"{paint('warning:', 'yellow', sys.stderr)} {warning}", file=sys.stderr)
    for block in result.blocks:
        counts = ", ".join(f"{n} {what}" for what, n in block.counts.items() if n)
        if counts:
            print(f"{block.name}: {counts}", file=sys.stderr)
    print(f"ran {duration(result.seconds)}, {len(result.blocks)} blocks", file=sys.stderr)


def stats_table(result: "Result") -> list[str]:
    """One line a block: calls, items, seconds in its code, their share of the busy time, longest queue before it."""
    from semwave.commands._terminal import table

    busy = sum(b.busy_s for b in result.blocks) or 1.0
    rows = [["block", "class", "calls", "items in", "items out", "busy s", "share", "queue"]]
    rows += [_stats_row(b, busy) for b in result.blocks]
    lines = table(rows, right=range(2, 8))
    threads = f"{result.threads} thread{'s' if result.threads != 1 else ''}"
    return [*lines, f"{result.seconds:.3f} s in {threads}; queues grew {result.queue_growth} times"]


def _stats_row(block: "BlockStats", busy: float) -> list[str]:
    return [
        block.name,
        block.block,
        f"{block.calls}",
        f"{block.items_in}",
        f"{block.items_out}",
        f"{block.busy_s:.3f}",
        f"{100 * block.busy_s / busy:.0f} %",
        f"{block.queue_high}" if block.queue_high else "-",
    ]
