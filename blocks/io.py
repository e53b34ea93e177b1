"""Pictures in, pictures out."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from semwave.runtime import (
    Array,
    ConnectError,
    Context,
    FrameBlock,
    Frames,
    In,
    Out,
    Packet,
    Param,
    Result,
    Source,
    text_of,
)

IMAGE = Frames(np.uint8, ("row", "column", 3))


class ImageSource(Source):
    """Give the pictures of a folder, or one file, in natural order: JPEG, PNG, WebP, AVIF, TIFF, BMP, GIF.

    Grey becomes RGB, alpha is laid on white, EXIF rotation is applied. Other files in the folder are counted as
    skipped.
    """

    path: Annotated[str, Param("picture file or folder", path=True)] = "recordings/images"
    limit: Annotated[int | None, Param("pictures at most", low=1)] = None
    max_side: Annotated[int | None, Param("shrink pictures whose longer side is longer", unit="px", low=1)] = None
    unreadable: Annotated[str, Param("a picture that cannot be read", choices=("stop", "skip"))] = "stop"

    image = Out(IMAGE)

    def start(self, ctx: Context) -> None:
        """List what there is; raises PictureError naming a file or folder that is missing, empty or unreadable.

        Where a picture that cannot be read stops the run, all of them are looked at first, as far as their headers.
        """
        from semwave.models.pictures import PictureError, check_picture, list_pictures

        try:
            found = list_pictures(self.path)
        except PictureError as error:
            raise PictureError(f"path: {error}") from error
        self._ctx, self._done = ctx, 0
        self._files: list[Path] = list(found.pictures)[: self.limit]
        for file in self._files if self.unreadable == "stop" else []:
            try:
                check_picture(file)
            except PictureError as error:
                raise _stopping(error) from error
        ctx.count("other files skipped", len(found.skipped))

    def packets(self) -> Iterator[Packet]:
        """One picture a packet; ``meta``: number, name."""
        from semwave.models.pictures import PictureError, load_picture

        number = 0
        for file in self._files:
            try:
                image = load_picture(file)
            except PictureError as error:
                if self.unreadable == "stop":
                    raise _stopping(error) from error
                self._ctx.count("unreadable pictures")
                self._ctx.warn(str(error))
                continue
            yield Packet(self._shrink(image), meta={"number": number, "name": file.name})
            number += 1
            self._done += 1

    def progress(self) -> tuple[float, float] | None:
        """Pictures given, of how many."""
        return (self._done, len(self._files)) if hasattr(self, "_files") else None

    def _shrink(self, image: Array) -> Array:
        longest = max(image.shape[:2])
        if self.max_side is None or longest <= self.max_side:
            return image
        from PIL import Image

        scale = self.max_side / longest
        size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
        return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.LANCZOS))


def _stopping(error: ValueError) -> ValueError:
    """The same error, with the way round it."""
    return type(error)(f'{error} (unreadable = "skip" goes on without such files)')


class ImageSink(FrameBlock):
    """Write what a link did with each picture: original, mask, prompt, reconstruction, provenance; a contact sheet; a
    report.

    Pictures are written as soon as all that belongs to them is there; Ctrl-C leaves those, the sheet and the report of
    what came so far. A picture that was sent and never came is written as lost. A receiver of its own, which knows
    neither what was sent nor a score, leaves ``sent`` and ``row`` unconnected and gets what it received.
    """

    pairing = "any"
    heavy = True
    path: Annotated[str, Param("folder to write to; made if missing", path=True)] = "out"
    sheet: Annotated[bool, Param("write comparison.png")] = True
    sheet_rows: Annotated[int, Param("pictures on the contact sheet at most", low=1)] = 12

    sent = In(IMAGE, optional=True)
    image = In(IMAGE)
    provenance = In(Frames(np.uint8, ("row", "column")), optional=True)
    mask = In(Frames(np.uint8, ("row", "column")), optional=True)
    baseline = In(IMAGE, optional=True)
    row = In(Frames(np.uint8, ("byte",)), optional=True, doc="JSON, one score a picture")

    def negotiate(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Scores belong to what was sent: raises ConnectError where only one of them is connected."""
        if ("sent" in inputs) != ("row" in inputs):
            there, missing = ("sent", "row") if "sent" in inputs else ("row", "sent")
            raise ConnectError(
                f"{missing} must be connected too, since {there} is: connect both, or neither in a receiver"
            )
        return {}

    def start(self, ctx: Context) -> None:
        """Make the folder; raises OSError naming it when that is impossible, UserError while a run writes there."""
        from semwave.bench.album import Album
        from semwave.runtime.claim import Claim

        self._ctx = ctx
        self._album = Album(Path(self.path), with_sheet=self.sheet, sheet_rows=self.sheet_rows, kinds=set(ctx.inputs))
        self._claim = Claim(self.path, Path(self.path) / ".pictures.lock")

    def work(self, port: str, packet: Packet) -> Iterable[Packet]:
        """Keep it until the picture is complete."""
        if port == "row":
            row = json.loads(text_of(packet))
            self._album.add(row["number"], "row", row)
        else:
            self._album.add(packet.meta["number"], port, packet)
        return ()

    def finish(self) -> Iterable[Packet]:
        """Write what is incomplete, then the sheet."""
        self._album.finish()
        return ()

    def stop(self) -> None:
        """Let other runs write here."""
        if hasattr(self, "_claim"):
            self._claim.release()

    def conclude(self, result: Result) -> None:
        """Write report.json, with what every block took."""
        self._album.report(result)

    def gathered(self, result: Result) -> None:
        """The report of the part that ran this gets what the blocks of the other parts took."""
        from semwave.bench.album import complete_report

        complete_report(Path(self.path), result)

    def summary(self) -> str:
        """The table that people read."""
        return self._album.table() if hasattr(self, "_album") else ""


def image_packet(image: Array, **meta: Any) -> Packet:
    """A picture as a packet."""
    return Packet(image, meta=meta)
