"""A recording's samples as a receiver wants them: shifted, at its rate, a piece at a time."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy.typing as npt

from semwave.modulation.resample import Resampler
from semwave.recording import Recording, follow

Array = npt.NDArray[Any]
CHUNK = 1 << 16


def samples_at(
    recording: Recording, span: tuple[int, int], rate_in: float, rate_out: float, shift_hz: float = 0.0,
    channel: int = 0, follow_s: float | None = None, stopping: Callable[[], bool] = lambda: False,
) -> Iterator[tuple[int, Array]]:  # fmt: skip
    """Samples of ``span``, stated to be at ``rate_in``, at ``rate_out``; with each piece, how far it has got.

    Without a shift and a change of rate, the samples are those of the recording, bit for bit. With
    ``follow_s`` it goes on behind the span, until nothing has been written for so long (see ``recording.follow``).
    """
    start, stop = span
    done = start
    plain = rate_in == rate_out and not shift_hz
    resampler = None if plain else Resampler(in_rate=rate_in, out_rate=rate_out, shift_hz=shift_hz)
    chunks = recording.chunks(CHUNK, start, stop, channel)
    if follow_s is not None:
        chunks = follow(recording, CHUNK, start, channel, idle_s=follow_s, stopping=stopping)
    for chunk in chunks:
        done = chunk.start + chunk.samples.size
        yield done, chunk.samples if resampler is None else resampler.process(chunk.samples)
    if resampler is not None:
        yield max(stop, done), resampler.flush()
