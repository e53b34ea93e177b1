"""Recordings as sources and sinks of samples."""

import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from semwave.runtime import Array, Context, FrameBlock, In, Out, Packet, Param, Source, Stream, Tag

if TYPE_CHECKING:
    from semwave.recording import Recording

LONGEST_SLEEP_S = 0.05  # of a source that keeps time: a run that ends waits no longer
LIVE_CHUNK_S = 0.1  # samples of a source that keeps time come at least so often
ZEROS = 1 << 16  # samples of a gap at once


class SigMFSource(Source):
    """Give the samples of a recording (SigMF pair, archive, collection, WAV, bare samples) from ``begin`` to ``end``.

    Tags sample_rate, frequency, datetime and lost stand where captures begin. Played several times, the last sample is
    followed by the first. Shift and change of rate run through all of it as one stream, the same for any chunk size; at
    ``output_rate`` tags stand at the first sample at or after their place.
    """

    path: Annotated[str, Param("recording: either file of a pair, base name, archive, collection, WAV", path=True)]
    name: Annotated[str, Param("which recording of an archive or collection; empty: the only one")] = ""
    begin: Annotated[int | str, Param("first sample: index, 2.5s, or ISO time")] = 0
    end: Annotated[int | str | None, Param("sample after the last: index, 2.5s, or ISO time; none: all")] = None
    segment: Annotated[int | None, Param("play this capture only", low=0)] = None
    gaps: Annotated[str, Param("gaps of core:global_index, dropped or zeros", choices=("drop", "fill"))] = "drop"
    repeat: Annotated[int, Param("times over; 0: for ever", low=0)] = 1
    speed: Annotated[float, Param("times real time; 0: as fast as possible", low=0)] = 0.0
    shift_hz: Annotated[float, Param("frequency shift", unit="Hz")] = 0.0
    output_rate: Annotated[float | None, Param("resample to this rate", unit="Hz")] = None
    channel: Annotated[int, Param("channel of a recording with several", low=0)] = 0
    scale: Annotated[
        str, Param("full scale is 1, times acq_scale_factor, or as stored", choices=("full", "acq", "none"))
    ] = "full"
    datatype: Annotated[str, Param("read bare samples of this SigMF datatype")] = ""
    sample_rate: Annotated[float | None, Param("where the recording states none", unit="Hz")] = None

    samples = Out(Stream(np.complex64))

    def check(self) -> None:
        """Rates must be above 0; a capture by number needs no begin and end."""
        for name in ("output_rate", "sample_rate"):
            rate = getattr(self, name)
            if rate is not None and not 0 < rate < float("inf"):
                raise ValueError(f"{name} must be above 0 Hz, not {rate:g}")
        if self.segment is not None and (self.begin != 0 or self.end is not None):
            raise ValueError("give segment, or begin and end, not both")

    def negotiate(self, inputs: Any) -> dict[str, Any]:
        """The sample rate is the recording's, which is opened for that; raises RecordingError."""
        with self._opened(lambda text: None) as opened:
            rate = self._rate_of(opened)
            self._span(opened)
        return {"samples": Stream(np.complex64, sample_rate=self.output_rate or rate)}

    def start(self, ctx: Context) -> None:
        """Open the recording, and say what is odd about it."""
        self._ctx, self._recording = ctx, self._opened(ctx.warn)
        self._rate = self._rate_of(self._recording)
        self._runs = self._captures(*self._span(self._recording))
        self._total = sum(gap + stop - start for start, stop, gap in self._runs)
        self._taken = self._given = 0
        self._waiting: list[Tag] = []
        self._resampler: Any = None
        if self._rate is not None and (self.shift_hz or self.output_rate not in (None, self._rate)):
            from semwave.modulation.resample import Resampler

            out = self.output_rate or self._rate
            self._resampler = Resampler(in_rate=self._rate, out_rate=out, shift_hz=self.shift_hz)

    def packets(self) -> Iterator[Packet]:
        """Chunk by chunk, in time where ``speed`` says so."""
        begun = time.monotonic()
        for samples, tags in self._changed(self._played()):
            if not self._wait(begun):
                return
            yield Packet(samples, self._given, tags)
            self._given += len(samples)

    def progress(self) -> tuple[float, float] | None:
        """Samples taken from the recording, of how many; None when it is played for ever."""
        return (self._taken, self._total * self.repeat) if self.repeat and hasattr(self, "_total") else None

    def stop(self) -> None:
        """Let go of the files."""
        if hasattr(self, "_recording"):
            self._recording.close()

    # ---- which samples -------------------------------------------------------------------------------------

    def _opened(self, warn: Any) -> "Recording":
        from semwave.recording import open_recording

        bare = {"datatype": self.datatype, "sample_rate": self.sample_rate} if self.datatype else {}
        return open_recording(self.path, self.name or None, warn=warn, **bare)  # type: ignore[arg-type]

    def _rate_of(self, opened: "Recording") -> float | None:
        stated, given = opened.sample_rate, self.sample_rate
        if stated is not None and given not in (None, stated):
            raise ValueError(
                f"sample_rate must be left out or {stated:g} Hz, which {opened.where} states, not {given:g}"
            )
        rate = stated or given
        if rate is None and (self.speed or self.shift_hz or self.output_rate):
            raise ValueError(f"{opened.where} states no sample rate; give sample_rate")
        if not self.channel < opened.num_channels:
            raise ValueError(f"channel must be 0 to {opened.num_channels - 1}, not {self.channel}")
        opened.sample_rate = rate
        return rate

    def _span(self, opened: "Recording") -> tuple[int, int]:
        if self.segment is None:
            return opened.span(slice(self.begin, self.end))
        if self.segment >= len(opened.captures):
            raise ValueError(f"segment must be 0 to {len(opened.captures) - 1}, not {self.segment}")
        return opened.span(opened.captures[self.segment])

    def _captures(self, first: int, last: int) -> list[tuple[int, int, int]]:
        """Samples of one capture each, start and stop, and the zeros that fill the gap before them."""
        runs = []
        for capture in self._recording.captures:
            start, stop = max(first, capture.start), min(last, capture.stop)
            if start < stop:
                fill = capture.gap if self.gaps == "fill" and start > first else 0
                runs.append((start, stop, fill))
        return runs

    def _played(self) -> Iterator[tuple[Array, list[Tag]]]:
        """Samples as they follow each other, with tags by their number."""
        size = self._ctx.chunk
        if self.speed and self._rate:
            size = max(1, min(size, int(LIVE_CHUNK_S * self.speed * self._rate)))
        times = 0
        while self._total and (not self.repeat or times < self.repeat):
            times += 1
            for start, stop, fill in self._runs:
                while fill:
                    n = min(fill, ZEROS)
                    yield np.zeros(n, np.complex64), []
                    self._taken, fill = self._taken + n, fill - n
                yield from self._run(start, stop, size)

    def _run(self, start: int, stop: int, size: int) -> Iterator[tuple[Array, list[Tag]]]:
        """The samples of one capture; what holds of them is tagged at the first."""
        alone = self.gaps == "fill" or start == self._runs[0][0]
        marks = [m for m in self._recording.marks_at(start) if not (alone and m.key == "lost")]
        for chunk in self._recording.chunks(size, start, stop, self.channel, scale=self.scale):
            yield chunk.samples, [Tag(self._taken, m.key, m.value) for m in marks]
            self._taken += len(chunk.samples)
            marks = []

    # ---- how they are played -------------------------------------------------------------------------------

    def _changed(self, played: Iterable[tuple[Array, list[Tag]]]) -> Iterator[tuple[Array, tuple[Tag, ...]]]:
        """Shifted and resampled, tags where they belong then."""
        if self._resampler is None:
            for samples, tags in played:
                yield samples, tuple(tags)
            return
        for samples, tags in played:
            self._waiting += [self._tag(tag) for tag in tags]
            yield from self._ready(self._resampler.process(samples))
        yield from self._ready(self._resampler.flush())

    def _tag(self, tag: Tag) -> Tag:
        value = tag.value
        if tag.key == "sample_rate":
            value = self.output_rate or value
        elif tag.key == "frequency":
            value -= self.shift_hz  # what was at the centre is now at shift_hz
        elif tag.key == "lost":
            value = max(1, round(value * self._resampler.ratio))
        return Tag(self._resampler.index(tag.at), tag.key, value)

    def _ready(self, samples: Array) -> Iterator[tuple[Array, tuple[Tag, ...]]]:
        step = self._ctx.chunk
        for at in range(0, len(samples), step):
            piece = samples[at : at + step]
            end = self._given + len(piece)
            tags = tuple(t for t in self._waiting if t.at < end)
            self._waiting = self._waiting[len(tags) :]
            yield piece, tags

    def _wait(self, begun: float) -> bool:
        """Sleep until the next samples are due; False when the run ends meanwhile."""
        rate = self.output_rate or self._rate
        if not self.speed or not rate:
            return True
        due = begun + self._given / (rate * self.speed)
        while (left := due - time.monotonic()) > 0:
            if self._ctx.stopping:
                return False
            time.sleep(min(left, LONGEST_SLEEP_S))
        return True


class SigMFSink(FrameBlock):
    """Record samples as a SigMF pair, ``NAME.sigmf-data`` and ``NAME.sigmf-meta``, in the folder ``path``.

    The pair can be read from before the first sample on, also after a kill. Tags frequency, datetime and lost begin a
    new capture; burst, frame and label become annotations, with the snr_db that stands beside them.
    """

    heavy = True
    path: Annotated[str, Param("folder to write to; made if missing", path=True)] = "out"
    name: Annotated[str, Param("name of the recording")] = "transmitted"
    frequency: Annotated[float | None, Param("centre frequency", unit="Hz")] = None
    description: Annotated[str, Param("core:description")] = ""
    datatype: Annotated[str, Param("SigMF datatype to store, such as cf32_le, ci16_le, ci8")] = "cf32_le"
    scale: Annotated[float, Param("factor before storing: what is 1 then is full scale", low=0)] = 1.0
    split_s: Annotated[float | None, Param("begin a new pair after this time", unit="s", low=0)] = None
    split_mb: Annotated[float | None, Param("begin a new pair after this size", unit="MB", low=0)] = None
    overwrite: Annotated[bool, Param("replace a recording of this name")] = True

    samples = In(Stream(np.complex64))

    def check(self) -> None:
        """The datatype must be one of SigMF's; one way to split at most."""
        from semwave.recording.datatypes import parse_datatype

        self._bytes = parse_datatype(self.datatype).sample_bytes
        if not self.name or "/" in self.name:
            raise ValueError(f"name must be a file name, not {self.name!r}")
        if self.split_s is not None and self.split_mb is not None:
            raise ValueError("give split_s or split_mb, not both")

    def start(self, ctx: Context) -> None:
        """Make the files; raises OSError or RecordingError naming them when that is impossible."""
        from semwave.recording import Writer
        from semwave.runtime.claim import Claim

        folder = Path(self.path)
        folder.mkdir(parents=True, exist_ok=True)
        self._claim = Claim(folder / self.name, folder / f".{self.name}.lock")
        rate = ctx.inputs["samples"].sample_rate
        self._ctx, self._bursts, self._frequency, self._told = ctx, 0, self.frequency, 0
        self._writer = Writer(
            folder / self.name,
            rate,
            datatype=self.datatype,
            scale=self.scale,
            frequency=self.frequency,
            description=self.description,
            split_samples=self._split(rate),
            force=self.overwrite,
        )

    def work(self, samples: Packet) -> Iterable[Packet]:
        """Append, tag by tag."""
        done, facts = 0, dict[int, dict[str, Any]]()
        for tag in samples.tags:
            facts.setdefault(tag.at, {})[tag.key] = tag.value
        for at in sorted(facts):
            self._writer.write(samples.data[done : at - samples.start])
            done = max(done, at - samples.start)
            self._note(at, facts[at])
        self._writer.write(samples.data[done:])
        self._ctx.count("clipped", self._writer.clipped - self._told)
        self._told = self._writer.clipped
        return ()

    def stop(self) -> None:
        """Close the data and write the metadata, with the hash."""
        if hasattr(self, "_writer"):
            self._writer.close()
        if hasattr(self, "_claim"):
            self._claim.release()

    def _split(self, rate: float | None) -> int | None:
        if self.split_mb is not None:
            return max(1, int(self.split_mb * 1e6) // self._bytes)
        if self.split_s is None:
            return None
        if rate is None:
            raise ValueError("split_s needs a sample rate, and the samples come without one; give split_mb")
        return max(1, round(self.split_s * rate))

    def _note(self, at: int, facts: dict[str, Any]) -> None:
        """Tags of one sample as a capture and annotations."""
        if "lost" in facts:
            self._writer.lost(int(facts["lost"]))
        self._frequency = facts.get("frequency", self._frequency)
        if "frequency" in facts or "datetime" in facts:
            self._writer.capture(frequency=self._frequency, datetime=facts.get("datetime"))
        fields = {"semwave:snr_db": float(facts["snr_db"])} if "snr_db" in facts else {}
        if "burst" in facts:
            self._writer.annotate(at, int(facts["burst"]), label=f"burst {self._bursts}", fields=fields)
            self._bursts += 1
        if "frame" in facts:
            self._writer.annotate(at, int(facts["frame"]), label="frame", fields=fields)
        if "label" in facts:
            self._writer.annotate(at, 1, label=str(facts["label"]))
