"""Write recordings that survive a kill, a full disk and an overrun."""

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from semwave.recording import metadata as md
from semwave.recording import times
from semwave.recording.collection import write_collection
from semwave.recording.datatypes import from_complex64, parse_datatype
from semwave.recording.errors import RecordingError
from semwave.recording.locate import ARCHIVE, COLLECTION, DATA, JOURNAL, META
from semwave.recording.pair import PairWriter, base_of, beside, drop_beyond
from semwave.recording.rows import Row, annotation_row, capture_row, extra

Array = npt.NDArray[Any]


class Writer:
    """Write samples as ``PATH.sigmf-data`` and ``PATH.sigmf-meta``.

    A pair that can be read is there before the first sample. Data go to the file in blocks of a megabyte, captures and
    annotations to a journal at once, the metadata are rewritten every ``meta_interval_s`` and at :meth:`close`, which
    adds core:sha512. After a kill, :func:`semwave.recording.recover` puts together what was written.

    ``scale``: factor before storing, for full scale 1.0; what integers cannot hold saturates and is counted in
    ``clipped``. ``split_samples``: start a new pair after so many, PATH-0000 and on, with core:offset, listed in
    ``PATH.sigmf-collection``. ``fields``: more global fields of any namespace. ``sync``: make every checkpoint durable
    against a power loss. Refuses to overwrite unless ``force``. Raises RecordingError.
    """

    def __init__(
        self,
        path: str | Path,
        sample_rate: float | None = None,
        *,
        datatype: str = "cf32_le",
        frequency: float | None = None,
        datetime: str | None = None,
        description: str = "",
        author: str = "",
        hw: str = "",
        license: str = "",
        num_channels: int = 1,
        scale: float = 1.0,
        split_samples: int | None = None,
        meta_interval_s: float = 2.0,
        fields: Mapping[str, Any] | None = None,
        force: bool = False,
        sync: bool = True,
    ) -> None:
        self.path = base_of(Path(path))
        self.datatype = parse_datatype(datatype)
        self.sample_rate, self.num_channels, self.scale = sample_rate, num_channels, float(scale)
        self.sample_count = self.clipped = self.lost_samples = 0
        if not 1 <= num_channels <= 1 << 16:
            raise RecordingError(f"num_channels must be 1 to 65536, not {num_channels}")
        if not (np.isfinite(scale) and scale > 0):
            raise RecordingError(f"scale must be above 0, not {scale}")
        if split_samples is not None and split_samples < 1:
            raise RecordingError(f"split_samples must be 1 or more, not {split_samples}")
        if not meta_interval_s > 0:
            raise RecordingError(f"meta_interval_s must be above 0 s, not {meta_interval_s}")
        self._split, self._interval_s, self._sync = split_samples, meta_interval_s, sync
        texts = {"description": description, "author": author, "hw": hw, "license": license}
        self._global = self._about({k: v for k, v in texts.items() if v}, fields)
        self._capture = capture_row(0, frequency=frequency, datetime=datetime)
        self._parts: list[tuple[str, int]] = []  # names and first samples
        self._ahead: list[Row] = []  # annotations of parts to come
        self._late: dict[str, list[Row]] = {}  # and of parts that are closed
        self._pair: PairWriter | None = None
        self._check()
        self._make_room(force)
        self._open_part()

    def _about(self, texts: dict[str, str], fields: Mapping[str, Any] | None) -> md.Metadata:
        import semwave

        about: md.Metadata = {"core:datatype": self.datatype.name, "core:version": md.VERSION}
        about["core:recorder"] = f"semwave {semwave.__version__}"
        if self.sample_rate is not None:
            about["core:sample_rate"] = self.sample_rate
        if self.num_channels > 1:
            about["core:num_channels"] = self.num_channels
        about |= {f"core:{key}": text for key, text in texts.items()}
        about |= extra(fields)
        if self.scale != 1.0:
            about["semwave:scale"] = self.scale
        md.declare(about)
        return about

    def _check(self) -> None:
        """Refuse what the schema refuses, before anything is written."""
        md.sample_rate_of(self._global, str(self.path))
        found = md.validate({"global": self._global, "captures": [self._capture], "annotations": []})
        if found:
            raise RecordingError(f"{self.path}: {found[0]}")

    # ---- writing -------------------------------------------------------------------------------------------

    def write(self, samples: Array) -> None:
        """Append samples, `[n]` complex, `[n, num_channels]` with several channels; raises RecordingError.

        When the disk is full, what was written so far is kept and closed, and the error says how much that is.
        """
        samples = np.asarray(samples)
        wanted = (samples.shape[0],) if self.num_channels == 1 else (samples.shape[0], self.num_channels)
        if samples.shape != wanted:
            raise RecordingError(f"samples must have shape {list(wanted)}, not {list(samples.shape)}")
        done = 0
        while done < len(samples):
            if self._split and self.sample_count - self._parts[-1][1] >= self._split:
                self._next_part()
            room = len(samples) if not self._split else self._split - (self.sample_count - self._parts[-1][1])
            piece = samples[done : done + room]
            data, clipped = from_complex64(piece, self.datatype, scale=self.scale)
            self._do(lambda pair, data=data: pair.append(data))
            self.clipped += clipped
            self.sample_count += len(piece)
            done += len(piece)

    def lost(self, count: int) -> None:
        """``count`` samples are missing before the next one: a new capture with core:global_index says so."""
        if count < 1:
            raise RecordingError(f"lost samples must be 1 or more, not {count}")
        before = self._capture
        when = times.instant(before["core:datetime"]) if "core:datetime" in before else None
        self.lost_samples += count
        begin = before["core:global_index"] if "core:global_index" in before else before["core:sample_start"]
        passed = int(self.sample_count + self.lost_samples - begin)
        late = None
        if when is not None and self.sample_rate:
            late = times.iso(when + passed / Fraction(self.sample_rate))
        self.capture(frequency=before.get("core:frequency"), datetime=late)

    def capture(
        self, *, frequency: float | None = None, datetime: str | None = None, fields: Mapping[str, Any] | None = None
    ) -> None:
        """A new capture from the next sample on; at the same sample as the one before, it adds to it."""
        index = self.sample_count + self.lost_samples if self.lost_samples else None
        row = capture_row(self.sample_count, frequency=frequency, datetime=datetime, global_index=index, fields=fields)
        if self._capture["core:sample_start"] == self.sample_count:
            row = {**self._capture, **row}
        self._do(lambda pair: pair.record("capture", row))
        self._capture = row

    def annotate(self, start: int, count: int | None, **about: Any) -> None:
        """Annotate ``count`` samples from ``start`` on; see :func:`semwave.recording.rows.annotation_row`."""
        row = annotation_row(start, count, **about)
        self._place(row)

    def flush(self) -> None:
        """Bring data and metadata on disk up to date now."""
        self._do(lambda pair: pair.checkpoint())

    @property
    def closed(self) -> bool:
        """Whether nothing more can be written."""
        return self._pair is None

    def close(self) -> None:
        """Write what is left, the final metadata and the hash; more calls do nothing."""
        if self._pair is None:
            return
        self._close_part()
        for name, rows in self._late.items():
            file = self.path.with_name(name + META)
            meta = md.parse_metadata(md.read_bytes(file), str(file))
            meta["annotations"] += rows
            md.write_metadata(file, meta, sync=self._sync)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # ---- parts ---------------------------------------------------------------------------------------------

    def _do(self, action: Any) -> None:
        """Let the open pair do something; a refusal of the system ends the recording with what is there."""
        if self._pair is None:
            raise RecordingError(f"{self.path} is closed")
        try:
            action(self._pair)
        except OSError as error:
            raise self._failure(error) from error

    def _failure(self, error: OSError) -> RecordingError:
        pair, self._pair = self._pair, None
        assert pair is not None
        here = pair.kept // (self.datatype.sample_bytes * self.num_channels)
        kept = self._parts[-1][1] + here
        with suppress(OSError, RecordingError):
            drop_beyond(pair.metadata, kept)
            self._sign(pair)
            pair.finish()
        length = "" if not self.sample_rate else f" ({kept / self.sample_rate:.6g} s)"
        file = beside(pair.base, DATA)
        return RecordingError(f"{file} cannot be written: {error.strerror or error}; {kept} samples{length} are kept")

    def _sign(self, pair: PairWriter) -> None:
        if self.datatype.is_integer:
            pair.metadata["global"]["semwave:clipped"] = self.clipped

    def _open_part(self) -> None:
        name = self.path.name if not self._split else f"{self.path.name}-{len(self._parts):04d}"
        about, first = dict(self._global), {**self._capture, "core:sample_start": self.sample_count}
        if self._split:
            about |= {"core:offset": self.sample_count, "core:collection": self.path.name}
            if self.sample_count > self._capture["core:sample_start"]:
                first.pop("core:datetime", None)  # it was that of an earlier sample
            if self.lost_samples:
                first["core:global_index"] = self.sample_count + self.lost_samples
        meta: md.Metadata = {"global": about, "captures": [first], "annotations": []}
        frame = self.datatype.sample_bytes * self.num_channels
        base = self.path.with_name(name)
        try:
            self._pair = PairWriter(base, meta, frame, interval_s=self._interval_s, sync=self._sync)
        except OSError as error:
            raise RecordingError(f"{beside(base, DATA)} cannot be written: {error.strerror or error}") from error
        self._parts.append((name, self.sample_count))
        self._capture = first
        if self._split:
            write_collection(beside(self.path, COLLECTION), [n for n, _ in self._parts])
        rows, self._ahead = self._ahead, []
        for row in rows:
            self._place(row)

    def _place(self, row: Row) -> None:
        """An annotation to the part that it starts in: the open one, one to come, or one that is closed."""
        start, first = row["core:sample_start"], self._parts[-1][1]
        if self._split and start >= first + self._split:
            self._ahead.append(row)
        elif start < first:
            name = next(n for n, begin in reversed(self._parts) if begin <= start)
            self._late.setdefault(name, []).append(row)
        else:
            self._do(lambda pair: pair.record("annotation", row))

    def _next_part(self) -> None:
        self._close_part()
        self._open_part()

    def _close_part(self) -> None:
        pair = self._pair
        assert pair is not None
        self._sign(pair)
        self._do(lambda pair: pair.flush())
        self._pair = None
        try:
            pair.finish()
        except OSError as error:
            raise RecordingError(f"{beside(pair.base, META)} cannot be written: {error.strerror or error}") from error

    def _make_room(self, force: bool) -> None:
        """Refuse to overwrite, or take away what an earlier recording of this name left."""
        there = [beside(self.path, suffix) for suffix in (META, DATA, JOURNAL, ARCHIVE, COLLECTION)]
        part = re.compile(re.escape(self.path.name) + r"-\d{4,}\.sigmf-(meta|data|journal)")
        folder = self.path.parent
        with suppress(OSError):
            there += [folder / name for name in os.listdir(folder) if part.fullmatch(name)]
        there = [file for file in there if file.exists() or file.is_symlink()]
        if there and not force:
            raise RecordingError(f"{there[0]} exists; choose another name, or overwrite it with --force (force = true)")
        own = {beside(self.path, DATA)} if not self._split else set()
        for file in there:
            if file not in own and file.suffix != ARCHIVE:  # the data file is truncated, wherever a link may lead
                file.unlink(missing_ok=True)
