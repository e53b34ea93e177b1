"""What a sweep shows while it runs: a live table on a terminal, a line now and then elsewhere."""

import sys
import time
from types import TracebackType
from typing import Any, Self

from semwave.commands._terminal import counted, duration, is_terminal
from semwave.sweep.runner import Group, Progress

LINE_S, TABLE_S, MOST_GROUPS = 30.0, 0.25, 24


class View:
    """Shows the progress while the ``with`` block lasts."""

    def __init__(self, progress: Progress, *, wanted: bool = True) -> None:
        self._progress, self._wanted = progress, wanted
        self._live: Any = None
        self._shown_at = time.monotonic()

    def __enter__(self) -> Self:
        if self._wanted and is_terminal(sys.stderr):
            try:
                from rich.console import Console
                from rich.live import Live
            except ImportError:  # the table is a comfort
                return self
            self._live = Live(self._table(), console=Console(stderr=True), auto_refresh=False, transient=True)
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._live is not None:
            self._live.stop()

    def say(self, text: str) -> None:
        """A line above the table."""
        if self._live is not None:
            self._live.console.print(f"semwave: {text}", highlight=False)
        elif self._wanted:
            print(f"semwave: {text}", file=sys.stderr)

    def update(self) -> None:
        """Show what is new, if it is time."""
        if not self._wanted:
            return
        now = time.monotonic()
        if self._live is not None:
            if now - self._shown_at > TABLE_S:
                self._shown_at = now
                self._live.update(self._table(), refresh=True)
        elif now - self._shown_at > LINE_S:
            self._shown_at = now
            print(f"semwave: {line(self._progress)}", file=sys.stderr, flush=True)

    def _table(self) -> Any:
        from rich.table import Table

        table = Table(title=line(self._progress), title_justify="left", title_style="bold", expand=False)
        for head in ("sweep", "done", "failed", "s/point", "latest"):
            table.add_column(head, justify="left" if head in ("sweep", "latest") else "right", overflow="ellipsis")
        shown = sorted(self._progress.groups.items(), key=lambda item: _over(item[1]))[:MOST_GROUPS]
        for name, group in shown:
            each = f"{group.seconds / group.done:.3g}" if group.done else ""
            done = f"{group.before + group.done}/{group.total}"
            table.add_row(name, done, f"{group.failed or ''}", each, latest(group))
        return table


def _over(group: Group) -> tuple[bool, int]:
    return group.before + group.done >= group.total, -group.done


def line(progress: Progress) -> str:
    """``340 of 1000 points, 2 failed, 12 s, about 25 s left``."""
    parts = [f"{progress.before + progress.done} of {counted(progress.total, 'point')}"]
    if progress.failed:
        parts.append(f"{progress.failed} failed")
    parts.append(duration(progress.seconds))
    left = progress.seconds_left()
    if left is not None and progress.left:
        parts.append(f"about {duration(left)} left on {counted(progress.workers, 'worker')}")
    return ", ".join(parts)


def latest(group: Group) -> str:
    """The last result in a few words."""
    if not group.latest:
        return ""
    params, result = group.latest["params"], group.latest["result"]
    if group.latest["task"] == "link":
        where = ", ".join(f"{k}={v}" for k, v in params["set"].items())
        return f"{where}: BER {result['ber']:.2e} ({group.latest['reason']})"
    if group.latest["task"] == "picture":
        where = f"{params['picture']['name']} {params['channel']['label']} {params['snr_db']} dB"
        quality = ", ".join(f"{n} {result[n]:.3g}" for n in params["metrics"][:2] if result.get(n) is not None)
        return f"{where}: {quality}"
    return ", ".join(f"{k} {v}" for k, v in list(result.items())[:3])
