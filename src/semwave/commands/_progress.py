"""A progress line on a terminal: how much the sources have done, time gone, time left."""

import shutil
import sys
import threading
import time
from types import TracebackType
from typing import Protocol, Self

from semwave.commands._terminal import duration, is_terminal

INTERVAL_S = 0.2
BAR = 24
CLEAR = "\r\x1b[K"


class Running(Protocol):
    """What the line looks at: a run."""

    def progress(self) -> tuple[float, float] | None:
        """How much is done, and of how much."""


class Progress:
    """Shows the line while the ``with`` block lasts; nothing at all when stderr is not a terminal."""

    def __init__(self, *, wanted: bool = True) -> None:
        self.run: Running | None = None
        self.note = ""  # takes the place of "starting" and "running"
        self.begun_at = time.monotonic()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="semwave-progress", daemon=True)
        self._wanted = wanted and is_terminal(sys.stderr)
        self.cleared = CLEAR if self._wanted else ""  # print this before anything else that goes to stderr

    def __enter__(self) -> Self:
        if self._wanted:
            self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        if self._wanted:
            self._thread.join()
            print(CLEAR, end="", file=sys.stderr, flush=True)

    def _loop(self) -> None:
        while not self._over.wait(INTERVAL_S):
            width = shutil.get_terminal_size().columns
            print(CLEAR + self.line()[: width - 1], end="", file=sys.stderr, flush=True)

    def line(self) -> str:
        """The line as it should be now."""
        gone = time.monotonic() - self.begun_at
        done = self._fraction()
        word = self.note or ("starting" if self.run is None else "running")
        if done is None:
            return f"{word}  {duration(gone)}"
        if done == 1 and word == "running":  # of the sources: what they gave can be on its way for long
            return f"finishing  {duration(gone)}"
        full = round(BAR * done)
        left = f", {duration(gone / done - gone)} left" if 0.01 < done < 1 else ""
        return f"{word} [{'#' * full}{'.' * (BAR - full)}] {100 * done:3.0f} %  {duration(gone)}{left}"

    def _fraction(self) -> float | None:
        if self.run is None:
            return None
        try:
            known = self.run.progress()
        except Exception:  # a source that cannot tell is no reason to disturb its run
            return None
        return min(max(known[0] / known[1], 0.0), 1.0) if known and known[1] > 0 else None
