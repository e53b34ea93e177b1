"""Bytes of a file, or of a part of one: read at a place into a given buffer, hashed, never mapped."""

import os
import weakref
from hashlib import sha512
from pathlib import Path
from typing import Any

from semwave.recording.errors import RecordingError

HASH_BLOCK = 1 << 20


class DataFile:
    """``size`` bytes of ``path`` from byte ``base`` on (an archive's member); opened at the first read."""

    def __init__(self, path: Path, base: int = 0, size: int | None = None) -> None:
        self.path, self.base = path, base
        try:
            there = max(0, path.stat().st_size - base)
        except OSError as error:
            raise RecordingError(f"{path} cannot be read: {error.strerror or error}") from None
        self.size = there if size is None else min(size, there)
        self.cut = 0 if size is None else size - self.size
        self._handle: int | None = None
        self._closer: Any = None

    def read_into(self, buffer: Any, at: int) -> int:
        """Fill ``buffer`` from byte ``at`` on; how many bytes came, fewer only at the end of the file.

        Raises RecordingError naming the file when the system refuses.
        """
        view = memoryview(buffer).cast("B")
        want, done = min(len(view), max(0, self.size - at)), 0
        try:
            handle = self._open()
            while done < want:
                got = os.preadv(handle, [view[done:want]], self.base + at + done)
                if not got:
                    break  # the file is shorter than it was
                done += got
        except OSError as error:
            raise RecordingError(f"{self.path} cannot be read: {error.strerror or error}") from None
        return done

    def sha512(self) -> str:
        """The hash of all bytes, in blocks."""
        digest, buffer, at = sha512(), bytearray(HASH_BLOCK), 0
        while got := self.read_into(buffer, at):
            digest.update(memoryview(buffer)[:got])
            at += got
        return digest.hexdigest()

    def close(self) -> None:
        """Let go of the file; a later read opens it anew."""
        if self._closer is not None:
            self._closer()
            self._handle = self._closer = None

    def _open(self) -> int:
        if self._handle is None:
            self._handle = os.open(self.path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
            self._closer = weakref.finalize(self, os.close, self._handle)
        return self._handle
