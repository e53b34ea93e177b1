"""An exception as people should read it: one message, its notes, a traceback only when asked for."""

import errno
import sys
import traceback
from typing import Any

from semwave.commands._json import emit
from semwave.commands._terminal import paint
from semwave.runtime.errors import BlockError, FlowgraphError, UserError

DEBUG_HINT = "--debug shows the traceback"
PLAIN = ("RecordingError", "PictureError")  # meant for the user; by name, since neither need be loaded


def report(error: BaseException, *, debug: bool = False, json: bool = False, **more: Any) -> None:
    """Print the error to stderr and, with ``json``, an object with it and with ``more`` to stdout."""
    if json:
        emit({**more, **as_dict(error)})
    if debug:
        traceback.print_exception(error, file=sys.stderr)
    message, notes = explain(error)
    print(f"{paint('semwave:', 'red', sys.stderr)} {message}", file=sys.stderr)
    for note in notes:
        if not (debug and note == DEBUG_HINT):
            print(f"  {note}", file=sys.stderr)


def as_dict(error: BaseException) -> dict[str, Any]:
    """The keys that ``--json`` has after a failure."""
    message, notes = explain(error)
    return {"ok": False, "error": message, "error_type": type(error).__name__, "notes": notes}


def explain(error: BaseException) -> tuple[str, list[str]]:
    """The message and the notes below it."""
    notes = list(getattr(error, "__notes__", ()))
    cause = error.__cause__
    if isinstance(error, FlowgraphError):
        message = str(error)
        if isinstance(cause, OSError) and message.endswith(str(cause)):
            message = message.removesuffix(str(cause)) + os_text(cause)
        elif isinstance(cause, ImportError):
            notes.append("'semwave doctor' shows what is missing")
        elif isinstance(error, BlockError) and cause is not None and not _is_plain(cause):
            notes.append(DEBUG_HINT)
        return message, notes
    if isinstance(error, (UserError, KeyboardInterrupt)):
        return str(error), notes
    if isinstance(error, OSError):
        unnamed = error.filename is None and error.errno in (errno.ENOSPC, errno.EIO)  # then it is stdout
        return "cannot write the output: " * unnamed + os_text(error), notes
    if _is_plain(error):
        return str(error), notes
    first = (str(error).strip() or "no message").splitlines()[0]
    if isinstance(error, MemoryError):
        return f"out of memory: {first}", notes
    return f"unexpected {type(error).__name__}: {first}", [*notes, DEBUG_HINT]


def _is_plain(error: BaseException) -> bool:
    """Whether the message alone tells the user all."""
    return isinstance(error, (UserError, OSError)) or type(error).__name__ in PLAIN


def os_text(error: OSError) -> str:
    """``out.bin: no space left on device``: the file first, no error number."""
    if not error.strerror:
        return str(error) or type(error).__name__
    reason = error.strerror[:1].lower() + error.strerror[1:]
    files = [str(f) for f in (error.filename, error.filename2) if f is not None]
    return f"{' > '.join(files)}: {reason}" if files else reason
