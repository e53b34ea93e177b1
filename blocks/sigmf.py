"""Samples to SigMF recordings."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import numpy as np

from semwave.runtime import Context, FrameBlock, In, Packet, Param, Stream


class SigMFSink(FrameBlock):
    """Record samples as a SigMF pair, ``NAME.sigmf-data`` and ``NAME.sigmf-meta`` (cf32_le), in ``path``.

    The metadata are valid from before the first sample on; ``burst`` tags become annotations.
    """

    heavy = True
    path: Annotated[str, Param("folder to write to; made if missing", path=True)] = "out"
    name: Annotated[str, Param("name of the recording")] = "transmitted"
    frequency: Annotated[float | None, Param("centre frequency", unit="Hz")] = None
    description: Annotated[str, Param("core:description")] = ""

    samples = In(Stream(np.complex64))

    def start(self, ctx: Context) -> None:
        """Make the files; raises OSError naming them when that is impossible."""
        folder = Path(self.path)
        folder.mkdir(parents=True, exist_ok=True)
        self._rate = ctx.inputs["samples"].sample_rate
        self._base = folder / self.name
        self._annotations: list[dict[str, Any]] = []
        self._count = 0
        self._file: BinaryIO = Path(f"{self._base}.sigmf-data").open("wb")  # noqa: SIM115 - closed in stop()
        self._write_meta(final=False)

    def work(self, samples: Packet) -> Iterable[Packet]:
        """Append."""
        self._file.write(samples.data.astype("<c8", copy=False).tobytes())
        for tag in samples.tags:
            if tag.key == "burst":
                self._annotations.append({"at": tag.at, "count": int(tag.value)})
        self._count += len(samples.data)
        return ()

    def stop(self) -> None:
        """Close the data and write the metadata, with the hash."""
        if hasattr(self, "_file") and not self._file.closed:
            self._file.close()
            self._write_meta(final=True)

    def _write_meta(self, final: bool) -> None:
        import sigmf

        import semwave

        about: dict[str, Any] = {
            sigmf.DATATYPE_KEY: "cf32_le",
            sigmf.RECORDER_KEY: f"semwave {semwave.__version__}",
        }
        if self._rate is not None:
            about[sigmf.SAMPLE_RATE_KEY] = self._rate
        if self.description:
            about[sigmf.DESCRIPTION_KEY] = self.description
        meta = sigmf.SigMFFile(global_info=about)
        meta.add_capture(0, {} if self.frequency is None else {sigmf.FREQUENCY_KEY: self.frequency})
        for i, a in enumerate(self._annotations):
            meta.add_annotation(a["at"], a["count"], {sigmf.LABEL_KEY: f"burst {i}"})
        if final and self._count:
            meta.set_data_file(f"{self._base}.sigmf-data")
        meta.tofile(f"{self._base}.sigmf-meta", overwrite=True, skip_validate=not final)
