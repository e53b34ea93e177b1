"""One pair of files while it is written: data in large blocks, a journal beside them, metadata replaced in one step.

At every moment the pair on disk can be read; what the metadata do not say yet stands in the journal. The journal has a
line of JSON for each record: ``{"journal": 1, "metadata": ...}``, then ``{"capture": ...}`` or ``{"annotation": ...}``.
"""

import json
import os
import time
from contextlib import suppress
from hashlib import sha512
from pathlib import Path
from typing import Any

from semwave.recording import metadata as md
from semwave.recording.errors import RecordingError
from semwave.recording.locate import DATA, JOURNAL, META

BLOCK_BYTES = 1 << 20


def beside(base: Path, suffix: str) -> Path:
    """The file of recording ``base`` with this suffix."""
    return base.with_name(base.name + suffix)


def base_of(path: Path) -> Path:
    """``path`` without the ending of either file of a pair."""
    return path.with_suffix("") if path.suffix in (META, DATA) else path


class PairWriter:
    """Files of one recording; ``kept`` bytes have been handed to the system. Raises OSError as the system does."""

    def __init__(self, base: Path, metadata: md.Metadata, frame_bytes: int, *, interval_s: float, sync: bool) -> None:
        self.base, self.metadata, self.kept = base, metadata, 0
        self._frame, self._interval_s, self._sync = frame_bytes, interval_s, sync
        whole = max(1, BLOCK_BYTES // frame_bytes) * frame_bytes  # so that only whole samples reach the system
        self._buffer, self._filled, self._hash = bytearray(whole), 0, sha512()
        self._journal = self._data = -1
        for suffix in (META, JOURNAL):
            beside(base, suffix).unlink(missing_ok=True)
        try:
            self._journal = os.open(beside(base, JOURNAL), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o666)
            lock(self._journal)
            self._record({"journal": 1, "metadata": metadata})
            self._data = os.open(beside(base, DATA), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
            md.write_metadata(beside(base, META), metadata, sync=sync)
        except BaseException:
            self._let_go()
            raise
        self._due = time.monotonic() + interval_s

    def append(self, data: Any) -> None:
        """Whole samples; they reach the system once a block is full, or the interval is over."""
        view = memoryview(data)
        while len(view):
            n = min(len(view), len(self._buffer) - self._filled)
            self._buffer[self._filled : self._filled + n] = view[:n]
            self._filled, view = self._filled + n, view[n:]
            if self._filled == len(self._buffer):
                self.flush()
        if time.monotonic() >= self._due:
            self.checkpoint()

    def record(self, kind: str, row: dict[str, Any]) -> None:
        """Add a capture or an annotation: to the journal now, to the metadata at the next checkpoint.

        A capture at the same sample takes the place of the one before.
        """
        self._record({kind: row})
        apply(self.metadata, kind, row)

    def flush(self) -> None:
        """Hand all data to the system; what it refuses is dropped, and only whole samples stay."""
        view, done = memoryview(self._buffer)[: self._filled], 0
        try:
            while done < len(view):
                done += os.write(self._data, view[done:])
        except OSError:
            done -= (self.kept + done) % self._frame
            with suppress(OSError):
                os.ftruncate(self._data, self.kept + done)
            raise
        finally:
            self._hash.update(view[:done])
            self.kept += done
            self._filled = 0

    def checkpoint(self) -> None:
        """Flush, and bring the metadata on disk up to date; takes a twentieth of the time at most."""
        begin = time.monotonic()
        self.flush()
        if self._sync:
            with suppress(OSError):
                os.fsync(self._data)  # /dev/full and pipes cannot
        md.write_metadata(beside(self.base, META), self.metadata, sync=self._sync)
        now = time.monotonic()
        self._due = now + max(self._interval_s, 20 * (now - begin))

    def close(self) -> None:
        """Flush, write the metadata with the hash, take the journal away."""
        try:
            self.flush()
        finally:
            self.finish()

    def finish(self) -> None:
        """The end, for the data that were kept; the journal stays where the metadata cannot be written."""
        if self._data < 0:
            return
        try:
            if self._sync:
                with suppress(OSError):
                    os.fsync(self._data)
            self.metadata["global"]["core:sha512"] = self._hash.hexdigest()
            md.write_metadata(beside(self.base, META), self.metadata, sync=self._sync)
            beside(self.base, JOURNAL).unlink(missing_ok=True)
        finally:
            self._let_go()

    def _record(self, record: dict[str, Any]) -> None:
        os.write(self._journal, json.dumps(record, ensure_ascii=False, allow_nan=False).encode() + b"\n")

    def _let_go(self) -> None:
        for handle in (self._data, self._journal):
            if handle >= 0:
                os.close(handle)
        self._data = self._journal = -1


def apply(metadata: md.Metadata, kind: str, row: dict[str, Any]) -> None:
    """Add one record of the journal to ``metadata``."""
    if kind == "annotation":
        metadata["annotations"].append(row)
        return
    captures = metadata["captures"]
    if captures and captures[-1]["core:sample_start"] == row["core:sample_start"]:
        captures.pop()
    captures.append(row)


def drop_beyond(metadata: md.Metadata, end: int) -> None:
    """Take out captures and annotations of samples that were not kept, and shorten those that reach beyond."""
    first, *rest = sorted(metadata["captures"], key=lambda row: row["core:sample_start"])
    metadata["captures"] = [first, *(row for row in rest if row["core:sample_start"] < end)]
    kept = [dict(row) for row in metadata["annotations"] if row["core:sample_start"] < end]
    for row in kept:
        if "core:sample_count" in row:
            row["core:sample_count"] = min(row["core:sample_count"], end - row["core:sample_start"])
    metadata["annotations"] = kept


def lock(handle: int) -> None:
    """Mark the journal as being written; raises RecordingError when another process does."""
    try:
        import fcntl
    except ImportError:  # not on this system
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise RecordingError("the recording is being written by another process") from None
    except OSError:
        return  # not on this file system
