"""Outputs that one run at a time may write: a second one is told so instead of writing over the first one's files."""

import contextlib
import os
from pathlib import Path

from semwave.runtime.errors import UserError


class Claim:
    """The right to write ``output``, kept by the kernel's lock on the file ``lock`` until `release` or the process's
    end, however that comes. Raises UserError naming the process that has it.
    """

    def __init__(self, output: str | Path, lock: Path) -> None:
        self._file, self._lock = -1, lock
        try:
            import fcntl
        except ImportError:  # a system without such locks
            return
        while True:
            self._file = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._taken(output)
            except OSError:  # a file system without locks
                return
            if self._is_there():
                break
            os.close(self._file)  # its owner removed it between our opening and our locking it
        os.truncate(self._file, 0)
        os.pwrite(self._file, str(os.getpid()).encode(), 0)

    def _is_there(self) -> bool:
        try:
            return os.path.samestat(os.stat(self._lock), os.fstat(self._file))
        except FileNotFoundError:
            return False

    def _taken(self, output: str | Path) -> None:
        owner = os.pread(self._file, 20, 0).decode("ascii", "replace").strip()
        os.close(self._file)
        self._file = -1
        by = f" (process {owner})" if owner else ""
        raise UserError(f"another run{by} is writing to {output}: wait for it, or give this one another path")

    def release(self) -> None:
        """Let others write; calling it twice does no harm."""
        if self._file >= 0:
            with contextlib.suppress(OSError):
                os.unlink(self._lock)
            os.close(self._file)
            self._file = -1
