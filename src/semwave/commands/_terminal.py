"""What a terminal can show: colours where they are wanted, tables, numbers for people."""

import os
from collections.abc import Sequence
from typing import TextIO

COLOURS = {"red": "31;1", "green": "32", "yellow": "33", "blue": "34;1", "dim": "2", "bold": "1"}


def is_terminal(stream: TextIO) -> bool:
    """Whether a person is looking at ``stream`` as it is written."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def paint(text: str, colour: str, stream: TextIO) -> str:
    """``text`` in a colour, if ``stream`` is a terminal and NO_COLOR is unset (no-color.org)."""
    if os.environ.get("NO_COLOR") or not is_terminal(stream):
        return text
    return f"\x1b[{COLOURS[colour]}m{text}\x1b[0m"


def table(rows: Sequence[Sequence[str]], *, right: Sequence[int] = (), gap: int = 2) -> list[str]:
    """Lines with aligned columns; those in ``right`` are aligned to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))] if rows else []
    pad = " " * gap
    return [
        pad.join(c.rjust(w) if i in right else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True)))
        .rstrip()
        for row in rows
    ]  # fmt: skip


def duration(seconds: float) -> str:
    """``0.42 s``, ``12 s``, ``3 min 20 s``, ``2 h 5 min``."""
    if seconds < 10:
        return f"{seconds:.2g} s" if seconds < 1 else f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def counted(number: int, what: str) -> str:
    """``1 point``, ``12 points``."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def size(n_bytes: float) -> str:
    """``999 B``, ``1.5 MB``, ``12 GB`` (powers of ten)."""
    value, unit = float(n_bytes), "B"
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if value < 999.5 or unit == "TB":
            break
        value /= 1000
    return f"{value:.0f} {unit}" if unit == "B" or value >= 99.5 else f"{value:.3g} {unit}"


def shorten(text: str, width: int) -> str:
    """``text`` cut to ``width`` characters, with an ellipsis where something is missing."""
    return text if len(text) <= width else text[: max(width - 1, 0)] + "…"
