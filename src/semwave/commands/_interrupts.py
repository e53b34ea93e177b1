"""Ctrl-C during a run: the first ends the sources, the second aborts, a third leaves at once."""

import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Protocol, Self, TextIO

INTERRUPTED = 130  # exit code


class Stoppable(Protocol):
    """What Ctrl-C goes to: a run, or several."""

    def stop(self) -> None:
        """End the sources."""

    def abort(self) -> None:
        """End at once."""


class Interrupts:
    """While the ``with`` block lasts, Ctrl-C goes to the run given to :meth:`attach`.

    A Ctrl-C that comes while the blocks are still starting (models being loaded) is kept until they have started.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self.heard = 0
        self._say = say
        self._run: Stoppable | None = None
        self._before: Any = None
        self._leave: Callable[[int], Any] = os._exit

    def attach(self, run: "Stoppable") -> None:
        """From now on there is a run to stop."""
        self._run = run
        if self.heard:
            run.stop()

    def listen(self, stream: TextIO) -> None:
        """Take every line of ``stream`` for a Ctrl-C, and its end for two: whoever started this process is gone."""

        def hear() -> None:
            for _ in stream:
                self._from_elsewhere()
            while self.heard < 2:
                self._from_elsewhere()

        threading.Thread(target=hear, name="semwave-parent", daemon=True).start()

    def _from_elsewhere(self) -> None:
        try:
            self._hear(0, None)
        except KeyboardInterrupt:
            self._leave(INTERRUPTED)

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():  # Python hears signals nowhere else
            self._before = signal.signal(signal.SIGINT, self._hear)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        self.heard += 1
        if self.heard == 1:
            self._tell("stopping: what is on its way still arrives (Ctrl-C again: abort)")
            if self._run is not None:
                self._run.stop()
        elif self.heard == 2 and self._run is not None:
            self._tell("aborting")
            self._run.abort()
        elif self.heard == 2:
            raise KeyboardInterrupt  # nothing to abort yet: leave the start
        else:
            self._leave(INTERRUPTED)  # not even the abort was fast enough

    def _tell(self, text: str) -> None:
        try:
            self._say(text)
            sys.stderr.flush()
        except (RuntimeError, OSError):
            pass  # the signal came in the middle of another write
