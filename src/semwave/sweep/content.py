"""Files named by their content, so that a point depends on what is in a file and not on where it lies."""

import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from semwave.sweep.errors import SweepError


def sha256(path: str | Path) -> str:
    """Hash of a file, or of both files of a SigMF recording named without an ending; raises SweepError."""
    file = Path(path)
    files = [file] if file.is_file() else [Path(f"{file}.sigmf-{end}") for end in ("meta", "data")]
    if not all(f.is_file() for f in files):
        raise SweepError(f"no file {path}")
    return _of(tuple((str(f), f.stat().st_mtime_ns, f.stat().st_size) for f in files))


@cache
def _of(files: tuple[tuple[str, int, int], ...]) -> str:
    total = hashlib.sha256()
    for name, _, _ in files:
        with open(name, "rb") as stream:
            for block in iter(lambda: stream.read(1 << 20), b""):
                total.update(block)
    return total.hexdigest()


def pictures(places: Iterable[str], beside: Path | None = None) -> list[Path]:
    """Picture files, and those of folders in natural order; relative names are looked for here, then beside the sweep
    file and above it. Raises SweepError naming the axis.
    """
    from semwave.models.pictures import PictureError, list_pictures

    found: list[Path] = []
    for place in places:
        try:
            found += list(list_pictures(str(located(place, beside))).pictures)
        except PictureError as error:
            raise SweepError(f"picture = {str(place)!r}: {error}") from error
    return found


def located(place: str, beside: Path | None = None) -> Path:
    """``place`` here, or beside a file, or in a folder above it."""
    here = Path(place).expanduser()
    if here.is_absolute() or here.exists() or beside is None:
        return here
    return next((up / here for up in beside.resolve().parents if (up / here).exists()), here)
