"""Frames as lines for people and as CSV."""

import csv
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TextIO

from semwave.replay.frame import Frame, statuses

HEAD = (
    f"{'#':>4} {'start':>10} {'time':>12} {'kind':<7} {'rate':<10} {'bytes':>6} {'CFO Hz':>8} {'SNR dB':>6} "
    f"{'EVM dB':>6}  {'check':<5} {'sha256':<10} frame"
)
COLUMNS = (
    "number", "start", "count", "time_s", "time", "kind", "rate", "length", "cfo_hz", "snr_db", "evm_db", "status",
    "check_ok", "sha256", "about", "frequency_hz",
)  # fmt: skip


def line(frame: Frame) -> str:
    """One line for a frame; what is not known stays empty."""
    check = {True: "ok", False: "BAD", None: "-"}[frame.check]
    when = "" if frame.time_s is None else clock(frame.time_s)
    what = frame.about if frame.status == "ok" else f"{frame.status}{': ' if frame.about else ''}{frame.about}"
    return (
        f"{frame.number:>4} {frame.start:>10} {when:>12} {frame.kind or '?':<7} {frame.rate:<10} {frame.length:>6} "
        f"{number(frame.cfo_hz, 0, 8)} {number(frame.snr_db, 1, 6)} {number(frame.evm_db, 1, 6)}  {check:<5} "
        f"{frame.sha256[:10]:<10} {what}"
    ).rstrip()


def hexdump(payload: bytes) -> list[str]:
    """Payload bytes, sixteen to a line."""
    return [
        f"       {at:05x}  {payload[at : at + 16].hex(' '):<47}  {_printable(payload[at : at + 16])}"
        for at in range(0, len(payload), 16)
    ]


def total(frames: list[Frame]) -> str:
    """``19 frames: 17 ok, 2 unsupported: ...``."""
    if not frames:
        return "no frames found"
    counts = ", ".join(f"{count} {status}" for status, count in statuses(frames).items())
    return f"{len(frames)} frame{'s' * (len(frames) != 1)}: {counts}"


def number(value: float, digits: int, width: int) -> str:
    """A number, or blanks for NaN."""
    return f"{value:>{width}.{digits}f}" if math.isfinite(value) else " " * width


def clock(seconds: float) -> str:
    """``12.345 ms`` below a second, else seconds to the microsecond."""
    return f"{seconds * 1e3:.4f} ms" if seconds < 1 else f"{seconds:.6f} s"


def write_csv(file: Path, frames: Iterable[Frame], *, payload: bool = False) -> None:
    """Write one row a frame; raises OSError."""
    with file.open("w", newline="", encoding="utf-8") as stream:
        _rows(stream, frames, payload)


def _rows(stream: TextIO, frames: Iterable[Frame], payload: bool) -> None:
    writer = csv.writer(stream)
    columns = [*COLUMNS, "payload"] if payload else list(COLUMNS)
    writer.writerow(columns)
    for frame in frames:
        row: dict[str, Any] = frame.as_dict(payload=payload)
        writer.writerow(["" if row[c] is None else row[c] for c in columns])


def _printable(data: bytes) -> str:
    return "".join(chr(b) if 32 <= b < 127 else "." for b in data)
