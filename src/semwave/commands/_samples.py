"""What commands over recordings share: opening with a message, progress in samples, Ctrl-C that ends cleanly."""

import argparse
import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import wraps
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from semwave.recording import Recording


class Meter:
    """How far a job has got, for the progress line: ``done`` of ``total`` samples."""

    def __init__(self, total: int, rate: float | None = None) -> None:
        self.total, self.done, self.rate = total, 0, rate
        self.stopping = False

    def progress(self) -> tuple[float, float] | None:
        """Samples done, of how many."""
        return (self.done, self.total) if self.total else None


@contextlib.contextmanager
def job(total: int, note: str, rate: float | None = None, *, quiet: bool = False) -> Iterator[Meter]:
    """A progress line on a terminal; the first Ctrl-C sets ``stopping``, the second interrupts at once."""
    from semwave.commands._progress import Progress

    meter = Meter(total, rate)
    line = _SamplesProgress(meter, note, Progress)
    with line.progress(wanted=not quiet) as shown, _ctrl_c(meter, lambda: shown.cleared):
        yield meter


class _SamplesProgress:
    """The progress line with samples and times real time behind it."""

    def __init__(self, meter: Meter, note: str, base: Any) -> None:
        self._meter, self._note, self._base = meter, note, base

    def progress(self, *, wanted: bool) -> Any:
        meter = self._meter

        class Line(self._base):  # type: ignore[misc, name-defined]
            def line(self) -> str:
                import time

                gone = max(time.monotonic() - self.begun_at, 1e-9)
                text = f"{super().line()}, {meter.done:,} samples"
                if meter.rate:
                    text += f", {meter.done / meter.rate / gone:.3g} x real time"
                return text

        line = Line(wanted=wanted)
        line.run, line.note = meter, self._note
        return line


@contextlib.contextmanager
def _ctrl_c(meter: Meter, cleared: Callable[[], str]) -> Iterator[None]:
    def hear(number: int, frame: Any) -> None:
        if meter.stopping:
            raise KeyboardInterrupt
        meter.stopping = True
        with contextlib.suppress(RuntimeError, OSError):
            print(f"{cleared()}semwave: stopping: what is done so far is kept", file=sys.stderr, flush=True)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, hear)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def user_errors(execute: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """What is wrong with a recording or an option is told in one line, without a hint at a traceback."""

    @wraps(execute)
    def wrapped(args: argparse.Namespace) -> int:
        from semwave.recording import RecordingError
        from semwave.runtime.errors import FlowgraphError, UserError

        try:
            return execute(args)
        except RecordingError as error:
            raise UserError(str(error)) from None
        except FlowgraphError:
            raise
        except ValueError as error:
            raise UserError(str(error)) from error

    return wrapped


# ---- arguments -------------------------------------------------------------------------------------------------------


def add_recording(parser: argparse.ArgumentParser, *, many: bool = False) -> None:
    """X: a recording, and what to believe about bare samples."""
    text = "a recording: .sigmf-meta, .sigmf-data or their base name, .sigmf, .sigmf-collection, WAV, samples"
    parser.add_argument("recording", metavar="X", help=text, nargs="+" if many else None)
    group = parser.add_argument_group("bare samples and collections")
    group.add_argument("--name", help="the recording of an archive or a collection to take")
    group.add_argument("--datatype-in", metavar="TYPE", help="read X as bare samples of this type, such as ci16_le")
    group.add_argument("--sample-rate", type=hertz, metavar="HZ", help="sample rate, where X states none")


def add_span(parser: argparse.ArgumentParser) -> None:
    """``--start`` and ``--stop``."""
    where = "a sample index, a time from the start (2.5s, 300ms) or an ISO time"
    parser.add_argument("--start", metavar="POS", help=f"where to begin: {where}")
    parser.add_argument("--stop", metavar="POS", help="where to end, likewise")


def open_for(args: argparse.Namespace, path: str | None = None) -> "Recording":
    """The recording that the arguments name; what is odd about it goes to stderr."""
    from semwave.commands._terminal import paint
    from semwave.recording import open_recording

    def warn(text: str) -> None:
        print(f"{paint('warning:', 'yellow', sys.stderr)} {text}", file=sys.stderr)

    described = {"datatype": args.datatype_in, "sample_rate": args.sample_rate} if args.datatype_in else {}
    recording = open_recording(path or args.recording, args.name, warn=warn, **described)
    if args.sample_rate:
        recording.sample_rate = args.sample_rate
    return recording


def span_of(recording: "Recording", args: argparse.Namespace) -> tuple[int, int]:
    """The samples between ``--start`` and ``--stop``."""
    start, stop = recording.span(slice(position(args.start), position(args.stop)))
    if start == stop and recording.sample_count:
        begin = "the beginning" if args.start is None else f"--start {args.start}"
        end = "the end" if args.stop is None else f"--stop {args.stop}"
        raise ValueError(f"there are no samples from {begin} to {end}: the recording has {recording.sample_count:,}")
    return start, stop


def position(text: str | None) -> int | str | None:
    """A place as the reader takes it: an index where the text is one."""
    if text is None:
        return None
    return int(text) if text.strip().lstrip("+-").isdecimal() else text


def hertz(text: str) -> float:
    """A frequency: ``20e6``, ``20M``, ``2.4G``, ``-300k``; raises ArgumentTypeError."""
    scale = {"k": 10**3, "M": 10**6, "G": 10**9}.get(text[-1:], 1)
    try:
        value = float(Fraction(text[:-1] if scale > 1 else text) * scale)
    except (ValueError, ZeroDivisionError, OverflowError):
        raise argparse.ArgumentTypeError(f"must be a number of Hz such as 20e6 or 20M, not {text!r}") from None
    return value


def allow_negative(parser: argparse.ArgumentParser) -> None:
    """Let ``-10e6`` and ``-10M`` be values: argparse takes them for options before Python 3.14."""
    import re

    parser._negative_number_matcher = re.compile(r"-\d[\d.]*(e[+-]?\d+)?[kMG]?$|-\.\d+$")
