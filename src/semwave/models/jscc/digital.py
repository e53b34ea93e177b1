"""The purely digital output: class map and quantised coefficients, range coded, cut off anywhere and still a picture.

floor (1 byte), then parts, each after its length: the first holds class map and block means, the others the
coefficients, greatest variance first. A part that did not arrive whole is left out.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from semwave.models.jscc import base, entropy, hybrid, pricing, transform
from semwave.models.jscc.codebook import MEANS, Codebook, variance

Array = NDArray[Any]

PARTS = 12
_TRIES = 7


def encode(book: Codebook, image: Array, cover: Array, size: int) -> bytes:
    """At most ``size`` bytes of a padded picture; the finest quantiser that fits.

    Raises:
        ValueError: fewer bytes than the coarsest picture takes.
    """
    cosines = (transform.forward(image) - transform.MEAN)[cover][:, book.order]
    low, high = pricing.FLOORS
    best: bytes | None = None
    middle = -12
    for _ in range(_TRIES):  # the floor has 85 values
        made = _coded(book, cosines, cover, middle)
        if len(made) <= size:
            best, high = made, middle
        else:
            low = middle + 1
        if low >= high:
            break
        guess = middle + round(8 * np.log2(max(len(made), 1) / size))  # a bit a coefficient is two octaves
        middle = int(np.clip(guess if low <= guess < high else (low + high) // 2, low, high - 1))
    if best is None:
        raise ValueError(f"size must be at least {len(_coded(book, cosines, cover, pricing.FLOORS[1]))}, not {size}")
    return best


def decode(book: Codebook, data: bytes, cover: Array) -> tuple[Array, Array]:
    """Coefficients given the parts that are whole, and their variances: cosines [rows, columns, 768], both.

    Raises:
        ValueError: not even the first part is whole.
    """
    parts = _parts(data[1:])
    if not parts:
        raise ValueError(f"data must hold the class map at least; {len(data)} bytes do not")
    floor = data[0] - 128
    reader = entropy.Reader(parts[0])
    made = base.read(reader, book, cover, floor, whole=False)
    levels = book.levels[made.classes]
    arrived = np.zeros(levels.shape, bool)
    arrived[:, :MEANS] = True
    for where, part in zip(_shares(levels, floor), parts[1:], strict=False):
        made.values.reshape(-1)[where] = entropy.Reader(part).integers(base.scales(levels, floor).reshape(-1)[where])
        arrived.reshape(-1)[where] = True
    means, after = base.expectation(book, made)
    missing = base.coded(levels, floor) & ~arrived
    means[missing], after[missing] = 0.0, levels[missing]
    return hybrid.unfold(book, means, variance(after).astype(np.float32), made.classes, cover)


def _coded(book: Codebook, cosines: Array, cover: Array, floor: int) -> bytes:
    step = 12 * float(variance(np.array(floor)))
    prices = pricing.Prices(1.0, 1e9, 1e9, step * pricing.LN2 / 6, floor)  # no symbols, so their price is out of reach
    classes = pricing.classify(book, cosines, prices)
    made = hybrid.quantise(book, book.turn(cosines, classes), classes, floor)
    writer = entropy.Writer()
    base.write(writer, book, cover, made, whole=False)
    levels = book.levels[classes]
    out = [writer.bytes()]
    for where in _shares(levels, floor):
        part = entropy.Writer()
        part.integers(made.values.reshape(-1)[where], base.scales(levels, floor).reshape(-1)[where])
        out.append(part.bytes())
    return bytes([floor + 128]) + b"".join(len(p).to_bytes(3) + p for p in out)


def _shares(levels: Array, floor: int) -> list[Array]:
    """Indices of the coefficients that are coded, in parts of falling variance."""
    chosen = base.coded(levels, floor)
    chosen[:, :MEANS] = False
    where = np.flatnonzero(chosen)
    ordered = where[np.argsort(-levels.reshape(-1)[where].astype(np.int32), kind="stable")]
    return np.array_split(ordered, PARTS)


def _parts(data: bytes) -> list[bytes]:
    out, at = [], 0
    while at + 3 <= len(data):
        length = int.from_bytes(data[at : at + 3])
        if at + 3 + length > len(data):
            break
        out.append(data[at + 3 : at + 3 + length])
        at += 3 + length
    return out
