"""Frames of video files by PyAV: reading with clear messages for what is no video, writing MP4 and WebM."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

CODECS = {".mp4": ("libx264", "yuv420p"), ".webm": ("libvpx-vp9", "yuv420p"), ".mkv": ("ffv1", "bgr0")}
MAX_PIXELS = 64_000_000


class VideoError(ValueError):
    """A file that gives no frames; the message names it and says why."""


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """What the container says."""

    fps: float
    """Average frames per second; 0 where nobody knows."""
    frames: int
    """Frames in all; 0 where nobody knows."""


class VideoReader:
    """The first video stream of a file."""

    def __init__(self, path: str | Path) -> None:
        """Raises VideoError for a file that is missing, no video, without a video stream, or of huge frames."""
        import av

        self.path = Path(path)
        if not self.path.is_file():
            raise VideoError(f"{self.path} is {'a folder' if self.path.is_dir() else 'missing'}, not a video file")
        if self.path.stat().st_size == 0:
            raise VideoError(f"{self.path} is empty")
        try:
            self._container = av.open(str(self.path))
        except (av.error.FFmpegError, UnicodeDecodeError) as error:
            raise VideoError(f"{self.path} is no video, or its beginning or index is broken ({_why(error)})") from error
        if not self._container.streams.video:
            kinds = ", ".join(sorted({s.type for s in self._container.streams})) or "nothing"
            self.close()
            raise VideoError(f"{self.path} has no video stream, only {kinds}")
        self._stream = self._container.streams.video[0]
        context = self._stream.codec_context
        if context is None or context.width * context.height > MAX_PIXELS:
            self.close()
            raise VideoError(f"{self.path} cannot be decoded, or its frames are larger than {MAX_PIXELS} pixels")
        self.facts = VideoFacts(float(self._stream.average_rate or 0), int(self._stream.frames))

    def close(self) -> None:
        """Let go of the file."""
        self._container.close()

    def frames(self) -> Iterator[tuple[float, Array]]:
        """Time in seconds and uint8 RGB [row, column, 3] of each frame, upright.

        Raises VideoError where the file breaks off: what came before it has been given.
        """
        import av

        count = 0
        try:
            for frame in self._container.decode(self._stream):
                time_s = frame.time if frame.time is not None else count / (self.facts.fps or 25.0)
                picture = frame.to_ndarray(format="rgb24")
                turns = round(getattr(frame, "rotation", 0) / 90) % 4
                count += 1
                yield float(time_s), np.ascontiguousarray(np.rot90(picture, turns))
        except av.error.FFmpegError as error:
            raise VideoError(f"{self.path} breaks off after {self._of(count)} ({_why(error)})") from error
        if count < self.facts.frames:
            raise VideoError(f"{self.path} breaks off after {self._of(count)}: it is truncated")
        if count == 0:
            raise VideoError(f"{self.path} has a video stream without frames")

    def _of(self, count: int) -> str:
        return f"{count} of {self.facts.frames} frames" if self.facts.frames else f"{count} frames"


class VideoWriter:
    """Writes frames of one size; the end of the name says how: .mp4 (H.264), .webm (VP9), .mkv (FFV1, lossless)."""

    def __init__(self, path: str | Path, fps: float, size: tuple[int, int]) -> None:
        """``size`` height, width: odd ones grow by a repeated row or column, except in .mkv."""
        import av

        self.path = Path(path)
        codec, layout = codec_of(self.path)
        self._odd = (0, 0) if layout == "bgr0" else (size[0] % 2, size[1] % 2)
        self.size = size
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._container = av.open(str(self.path), "w")
            stream: Any = self._container.add_stream(codec, rate=Fraction(fps).limit_denominator(1001))
        except (av.error.FFmpegError, ValueError) as error:
            raise VideoError(f"{self.path} cannot be written with {codec} ({_why(error)})") from error
        self._stream = stream
        stream.height, stream.width = (side + more for side, more in zip(size, self._odd, strict=True))
        stream.pix_fmt = layout
        if codec == "libx264":
            stream.options = {"crf": "18"}
        elif codec == "libvpx-vp9":
            stream.options = {"crf": "24", "b": "0", "deadline": "realtime", "cpu-used": "6"}

    def write(self, picture: Array) -> None:
        """One more frame, uint8 RGB [row, column, 3]; raises ValueError for another size."""
        import av

        if picture.shape[:2] != self.size:
            raise ValueError(f"picture must be {self.size[0]} x {self.size[1]} like the first, not {picture.shape[:2]}")
        (down, right) = self._odd
        grown = np.pad(picture, ((0, down), (0, right), (0, 0)), mode="edge")
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(grown), format="rgb24")
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Write what is left and the index."""
        self._container.mux(self._stream.encode(None))
        self._container.close()


def codec_of(path: Path) -> tuple[str, str]:
    """Encoder and pixel layout by the file's suffix; raises ValueError for others."""
    if path.suffix.lower() not in CODECS:
        raise ValueError(f"path must end in {', '.join(CODECS)}, not {path.name!r}")
    return CODECS[path.suffix.lower()]


def _why(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error).rstrip(".")
