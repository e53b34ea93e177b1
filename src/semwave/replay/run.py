"""Run a receiver over a recording: frames as they are found, placed in the recording."""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any, Protocol

import numpy.typing as npt

from semwave.recording import Recording
from semwave.replay.frame import Frame
from semwave.replay.retune import samples_at

Array = npt.NDArray[Any]
RECEIVERS = ("ieee80211", "semwave", "gnuradio")


class Receiver(Protocol):
    """What runs over a recording: samples at ``rate`` (None: any) in, frames out, with indices at that rate."""

    name: str

    @property
    def rate(self) -> float | None:
        """Samples a second that it wants; None takes any."""

    def at_rate(self, rate: float) -> None:
        """What the rate is, for a receiver that takes any."""

    def push(self, samples: Array) -> list[Frame]:
        """Samples `[n]` complex64 in; the frames that are whole."""

    def finish(self) -> list[Frame]:
        """The frames that are left."""

    def trouble(self) -> list[str]:
        """What was strange about the samples."""


def make_receiver(name: str, rate: float | None = None, options: dict[str, Any] | None = None) -> Receiver:
    """The receiver called ``name``, for samples at ``rate`` Hz instead of its own; raises ValueError."""
    if name == "ieee80211":
        from semwave.replay.wifi import WifiReceiver

        return WifiReceiver(rate, options)
    if name == "semwave":
        from semwave.replay.scenes import SceneReceiver

        return SceneReceiver(rate, options)
    if name == "gnuradio":
        from semwave.replay.gnuradio import GnuradioReceiver

        return GnuradioReceiver(rate, options)
    raise ValueError(f"receiver must be one of {', '.join(RECEIVERS)}, not {name!r}")


class Replay:
    """A receiver over the span of a recording: iterate over it for frames.

    ``tune_hz`` is the absolute frequency to bring to the centre, ``shift_hz`` what is added to all frequencies;
    ``sample_rate`` is believed instead of what the recording says. Frames get their place, time and frequency in the
    recording; ``done`` is the index reached. With ``follow_s`` it goes on while the recording is written, until nothing
    has come for so many seconds. Raises ValueError, RecordingError.
    """

    def __init__(
        self,
        recording: Recording,
        receiver: Receiver,
        *,
        span: tuple[int, int] | None = None,
        channel: int = 0,
        shift_hz: float = 0.0,
        tune_hz: float | None = None,
        sample_rate: float | None = None,
        follow_s: float | None = None,
        on_progress: Callable[[int], None] | None = None,
    ) -> None:
        self.recording, self.receiver, self.channel = recording, receiver, channel
        self.start, self.stop = (0, recording.sample_count) if span is None else span
        self.rate = recording.rate() if sample_rate is None else sample_rate
        if receiver.rate is None:
            receiver.at_rate(self.rate)
        self.receiver_rate = receiver.rate or self.rate
        self.shift_hz = shift_hz if tune_hz is None else self._centre() - tune_hz
        self.done, self.follow_s = self.start, follow_s
        self.stopping: Callable[[], bool] = lambda: False
        self._on_progress = on_progress
        self._step = Fraction(self.rate) / Fraction(self.receiver_rate)
        self._number = 0

    def _centre(self) -> float:
        """The one centre frequency of the span."""
        inside = [c for c in self.recording.captures if c.start < self.stop and c.stop > self.start]
        centres = {c.frequency for c in inside if c.frequency is not None}
        if len(centres) != 1:
            raise ValueError(
                "tune needs one centre frequency, and the captures state "
                f"{', '.join(f'{c:.10g} Hz' for c in sorted(centres)) or 'none'}: choose one with start and stop"
            )
        return centres.pop()

    def __iter__(self) -> Iterator[Frame]:
        span = (self.start, self.stop)
        for done, samples in samples_at(
            self.recording, span, self.rate, self.receiver_rate, self.shift_hz, self.channel,
            self.follow_s, self._stopping,
        ):  # fmt: skip
            self.stop = max(self.stop, done)
            for frame in self.receiver.push(samples):
                yield self._placed(frame)
            self.done = done
            if self._on_progress is not None:
                self._on_progress(done)
        yield from self.finish()

    def _stopping(self) -> bool:
        return self.stopping()  # whoever iterates may set it after the iteration began

    def finish(self) -> Iterator[Frame]:
        """The frames that are left; also after an interruption."""
        for frame in self.receiver.finish():
            yield self._placed(frame)

    def _placed(self, frame: Frame) -> Frame:
        first = self.start + round(frame.start * self._step)
        last = self.start + round((frame.start + frame.count) * self._step)
        frame.start = min(max(first, 0), self.stop)
        frame.count = max(0, min(last, self.stop) - frame.start)
        if "ltf_sample" in frame.facts:
            frame.facts["ltf_sample"] = self.start + round(frame.facts["ltf_sample"] * self._step)
        frame.number, self._number = self._number, self._number + 1
        frame.time_s = frame.start / self.rate
        frame.time = self.recording.time_at(frame.start)
        centre = _capture_frequency(self.recording, frame.start)
        frame.frequency = None if centre is None else centre - self.shift_hz
        return frame


def _capture_frequency(recording: Recording, index: int) -> float | None:
    starts = [capture.start for capture in recording.captures]
    return recording.captures[max(0, bisect_right(starts, index) - 1)].frequency
