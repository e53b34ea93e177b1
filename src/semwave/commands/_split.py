"""``semwave run FILE --split``: every part in a process of its own, the results put together."""

import argparse
import json
import signal
import subprocess
import sys
import threading
import time
from typing import Any

from semwave.commands._interrupts import INTERRUPTED, Interrupts
from semwave.runtime.address import FreeAddresses
from semwave.runtime.errors import ConnectError, FlowgraphError
from semwave.runtime.graph import Flowgraph
from semwave.runtime.graphfile import load
from semwave.runtime.stats import BlockStats, Result

PROGRAM = [sys.executable, "-P", "-m", "semwave"]  # -P: a semwave folder in the working folder is not semwave
GRACE_S = 10.0  # after the deadline of a part that has died, for the others to notice and to clean up
STOPPED, ABORTED = "stopped by Ctrl-C", "aborted by Ctrl-C"


class PartError(FlowgraphError):
    """A part failed; the message is the one that it gave."""


class Child:
    """One part: its process, what it says, what it came to."""

    def __init__(self, part: str, command: list[str], *, debug: bool) -> None:
        self.part, self.debug = part, debug
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=sys.platform != "win32",  # Ctrl-C comes from us alone
        )
        self.output = ""
        self._readers = [threading.Thread(target=f, daemon=True) for f in (self._read, self._relay)]
        for reader in self._readers:
            reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.output = self.process.stdout.read()

    def _relay(self) -> None:
        """Show what the part says on stderr, except for the error that is in its result as well."""
        assert self.process.stderr is not None
        known = False
        for line in self.process.stderr:
            known = line.startswith("semwave:") or (known and line.startswith("  "))
            if self.debug or not known:
                print(f"{self.part}: {line}", end="", file=sys.stderr, flush=True)

    def tell(self) -> None:
        """One Ctrl-C."""
        if self.process.stdin is not None:
            try:
                self.process.stdin.write("stop\n")
                self.process.stdin.flush()
            except OSError:
                pass  # it has ended

    def result(self) -> dict[str, Any]:
        """The object that it printed, or one that says how it died."""
        for reader in self._readers:
            reader.join(5)
        try:
            found: dict[str, Any] = json.loads(self.output)
            return found
        except ValueError:
            code = self.process.returncode
            how = f"killed by {signal.Signals(-code).name}" if code is not None and code < 0 else f"ended with {code}"
            return {"ok": False, "error": f"part {self.part} was {how}", "error_type": "Died", "notes": []}


class Children:
    """All parts."""

    def __init__(self, children: list[Child], deadline_s: float) -> None:
        self.children, self.deadline_s = children, deadline_s

    def stop(self) -> None:
        """End the sources of all parts."""
        for child in self.children:
            child.tell()

    abort = stop  # the second time

    def progress(self) -> None:
        """Nobody knows."""

    def wait(self) -> None:
        """Wait for all; those that do not notice within the deadline that another one has failed are killed."""
        failed_at = 0.0
        while any(child.process.poll() is None for child in self.children):
            time.sleep(0.02)
            if not failed_at and any(child.process.returncode for child in self.children):
                failed_at = time.monotonic()
            if failed_at and time.monotonic() - failed_at > self.deadline_s + GRACE_S:
                self.kill()

    def kill(self) -> None:
        """Leave no process behind."""
        for child in self.children:
            if child.process.poll() is None:
                child.process.kill()
                child.process.wait()


def execute(args: argparse.Namespace) -> int:
    """Start, wait, report."""
    from semwave.commands._failure import report
    from semwave.commands._json import emit
    from semwave.commands.run import show

    graph = load(args.file, args.overrides, args.seed)
    found, heard = _run(graph, args)
    about = {"file": args.file, "seed": graph.seed}
    result = merged(graph, found)
    parts = {part: {k: one.get(k) for k in ("ok", "error", "seconds")} for part, one in found.items()}
    error = None if heard else first_cause(found)
    stopped = None if not heard else STOPPED if heard == 1 else ABORTED
    if error is not None:
        report(error, debug=False, json=args.json, **about, **result.as_dict(), parts=parts)
        return 1
    if not stopped:
        for block in graph.plan().blocks.values():
            block.gathered(result)
    if args.json:
        emit({**about, **result.as_dict(), "parts": parts, "ok": stopped is None, "error": stopped})
    else:
        show(result, args, aborted=stopped == ABORTED)
    if stopped:
        print(f"semwave: {stopped}", file=sys.stderr)
    return INTERRUPTED if stopped else 0


def _run(graph: Flowgraph, args: argparse.Namespace) -> tuple[dict[str, dict[str, Any]], int]:
    """What every part came to, and how often Ctrl-C was heard."""
    from semwave.commands._progress import Progress

    for edge, address in args.links:
        graph.link(edge, address)
    layout = graph.placement.layout(graph.plan())
    if not layout.parts:
        raise ConnectError("--split needs [place]: which part each block belongs to")
    progress = Progress(wanted=not args.quiet)

    def say(text: str) -> None:
        progress.note = text.partition(":")[0]
        if not args.quiet:
            print(f"{progress.cleared}semwave: {text}", file=sys.stderr)

    with FreeAddresses() as free, progress, Interrupts(say) as interrupts:
        links = {key: free.next() for key in layout.crossing if key not in layout.links}
        children = Children([], args.deadline)
        try:
            for part in layout.parts:
                child = Child(part, command(args, part, {**dict(args.links), **links}), debug=args.debug)
                children.children.append(child)
            progress.run = children
            interrupts.attach(children)
            children.wait()
        finally:
            children.kill()
        return {child.part: child.result() for child in children.children}, interrupts.heard


def command(args: argparse.Namespace, part: str, links: dict[str, str]) -> list[str]:
    """The command line that runs one part as our child."""
    words = [
        *PROGRAM,
        "run",
        args.file,
        "--part",
        part,
        "--child",
        "--json",
        "--quiet",
        "--deadline",
        f"{args.deadline}",
    ]
    for text in args.overrides:
        words += ["--set", text]
    for edge, address in links.items():
        words += ["--link", f"{edge}={address}"]
    for port, address in args.probes:
        words += ["--probe", f"{port}={address}"]
    words += ["--seed", f"{args.seed}"] if args.seed is not None else []
    words += ["--timeout", f"{args.timeout}"] if args.timeout is not None else []
    return [*words, *(f"--{name}" for name in ("allow-remote", "debug") if getattr(args, name.replace("-", "_")))]


def first_cause(found: dict[str, dict[str, Any]]) -> PartError | None:
    """The error that the others follow from: a block's before a death, a death before a broken link."""
    order = ("Died", "LinkError", "RemoteError")
    failed = [one for one in found.values() if not one.get("ok")]
    if not failed:
        return None
    first = min(failed, key=lambda one: order.index(kind) + 1 if (kind := one.get("error_type")) in order else 0)
    error = PartError(first["error"])
    for note in first.get("notes", ()):
        error.add_note(note)
    for one in failed:
        if one is not first and one.get("error_type") == "LinkError":
            error.add_note(f"then: {one['error']}")
    return error


def merged(graph: Flowgraph, found: dict[str, dict[str, Any]]) -> Result:
    """The results of all parts as one, in the order of the plan."""
    order = list(graph.plan().blocks)
    blocks = [BlockStats(**block) for one in found.values() for block in one.get("blocks", ())]
    summaries = {name: text for one in found.values() for name, text in one.get("summaries", {}).items()}
    return Result(
        seconds=max((one.get("seconds", 0.0) for one in found.values()), default=0.0),
        blocks=sorted(blocks, key=lambda b: order.index(b.name)),
        warnings=[text for one in found.values() for text in one.get("warnings", ())],
        summaries={name: summaries[name] for name in order if name in summaries},
        interrupted=any(one.get("interrupted") for one in found.values()),
        threads=sum(one.get("threads", 0) for one in found.values()),
        queue_growth=sum(one.get("queue_growth", 0) for one in found.values()),
    )
