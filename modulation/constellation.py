"""Constellations of one's own, as lists or in a text file: one point a line, ``label I Q``.

    # 4-ary amplitude and phase: label, I, Q
    0  1.0  0.0
    1  0.0  1.0
    ...

Commas count as blanks, ``#`` begins a comment, a label is a decimal or ``0b`` binary number whose bits are sent most
significant first. Points are scaled to unit mean energy.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from semwave.modulation import qam

Array = npt.NDArray[Any]

NAMES = ("bpsk", "pi2_bpsk", "qpsk", "8psk", "16qam", "64qam", "256qam", "1024qam", "custom")
_MOST_BYTES = 1 << 20


def from_text(text: str) -> Array:
    """Points by label from lines ``label I Q``: text -> `[order]` complex64.

    ValueError, with the line, for a line that is something else, and as :func:`semwave.modulation.qam.from_labels`.
    """
    labels, points = [], []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split("#")[0].replace(",", " ").split()
        if not words:
            continue
        try:
            label, (i, q) = int(words[0], 0), map(float, words[1:])
        except (ValueError, TypeError):
            raise ValueError(f"line {number} must be 'label I Q', not {line.strip()[:80]!r}") from None
        labels.append(label)
        points.append(complex(i, q))
    return qam.from_labels(np.array(points), np.array(labels, np.int64))


def read(path: str | Path) -> Array:
    """Points by label from a text file; see :func:`from_text`. OSError, or ValueError for what is no such file."""
    file = Path(path)
    if file.stat().st_size > _MOST_BYTES:
        raise ValueError(f"{file} must be a list of points of at most {_MOST_BYTES} bytes")
    try:
        return from_text(file.read_text("utf-8"))
    except UnicodeDecodeError:
        raise ValueError(f"{file} must be a text file with lines 'label I Q'") from None
    except ValueError as wrong:
        raise ValueError(f"{file}: {wrong}") from None
