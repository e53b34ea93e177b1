"""The tail of a recording that is still being written."""

import time
from collections.abc import Callable, Iterator

from semwave.recording.errors import RecordingError
from semwave.recording.locate import META
from semwave.recording.reader import Chunk, Recording, open_recording

PAUSE_S = 0.05


def follow(
    recording: Recording, size: int = 1 << 16, start: int = 0, channel: int = 0, *, idle_s: float = 5.0,
    stopping: Callable[[], bool] = lambda: False,
) -> Iterator[Chunk]:  # fmt: skip
    """Chunks of ``size`` samples as they arrive, until the recording is closed or nothing came for ``idle_s``.

    Closed means that the metadata state a hash. The last chunk may be shorter. ``stopping`` ends it at the next look.
    ``recording`` itself stays as it was opened. Raises RecordingError, also when the file becomes shorter.
    """
    if idle_s <= 0:
        raise RecordingError(f"idle_s must be more than 0 s, not {idle_s}")
    if not all(part.where.endswith(META) for part in recording.parts):
        raise RecordingError(f"{recording.where}: only a .sigmf-meta and .sigmf-data pair can be followed")
    now, at, last_news = recording, start, time.monotonic()
    while True:
        closed = _closed(now)
        ready = now.sample_count - at
        if ready < 0:
            raise RecordingError(f"{now.where}: {-ready} samples fewer than before: something cut the file")
        late = closed or stopping() or time.monotonic() - last_news > idle_s
        whole = ready if late else ready - ready % size
        if whole:
            last_news = time.monotonic()
            for chunk in now.chunks(size, at, at + whole, channel):
                yield chunk
                if stopping():
                    return
            at += whole
        elif late:
            return
        else:
            time.sleep(PAUSE_S)
        if now is not recording:
            now.close()
        now = open_recording(recording.path, warn=lambda text: None)


def _closed(recording: Recording) -> bool:
    return all("core:sha512" in part.metadata["global"] for part in recording.parts)
