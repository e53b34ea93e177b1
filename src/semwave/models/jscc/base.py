"""The digital base layer: class map, block means and the greatest coefficients, coarsely quantised, range coded."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semwave.models.jscc import entropy
from semwave.models.jscc.codebook import MEANS, OCTAVE, Codebook, variance

Array = NDArray[Any]

MARGIN = 4  # a coefficient is quantised when its variance is an octave above that of the rounding error


@dataclass(frozen=True)
class Base:
    """What the base layer says: classes [n], quantised values [n, 768] (0: not coded), error level."""

    classes: Array
    values: Array
    floor: int

    @property
    def step(self) -> float:
        """A uniform quantiser of this step has an error of the floor's variance."""
        return float(np.sqrt(12 * variance(np.array(self.floor))))


def coded(levels: Array, floor: int) -> Array:
    """Which coefficients the base codes: block means always, others above the floor."""
    out = np.asarray(levels > floor + MARGIN)
    out[:, :MEANS] = True
    return out


def scales(levels: Array, floor: int) -> Array:
    """Standard deviation over step in quarter octaves: 4 log2(sigma / step), step^2 = 12 variance(floor)."""
    return (levels.astype(np.int32) - floor) // 2 - 7


def write(writer: entropy.Writer, book: Codebook, cover: Array, base: Base, whole: bool = True) -> None:
    """Class map, means and, if ``whole``, the other coefficients."""
    probabilities = _Neighbours(book, cover)
    grid = np.zeros(cover.shape, np.int64)
    grid[cover] = base.classes
    rows = [probabilities.of(grid, r, c) for r, c in np.argwhere(cover)]
    writer.symbols(base.classes, np.stack(rows))
    levels = book.levels[base.classes]
    scale = scales(levels, base.floor)
    means = _Means(cover)
    for i, (r, c) in enumerate(np.argwhere(cover)):
        writer.integers(base.values[i, :MEANS] - means.predict(r, c), scale[i, :MEANS])
        means.put(r, c, base.values[i, :MEANS])
    if whole:
        chosen = coded(levels, base.floor)
        chosen[:, :MEANS] = False
        writer.integers(base.values[chosen], scale[chosen])


def read(reader: entropy.Reader, book: Codebook, cover: Array, floor: int, whole: bool = True) -> Base:
    """The inverse of `write`."""
    probabilities, cells = _Neighbours(book, cover), np.argwhere(cover)
    grid = np.zeros(cover.shape, np.int64)
    for r, c in cells:
        grid[r, c] = reader.symbol(probabilities.of(grid, r, c))
    classes = grid[cover]
    levels = book.levels[classes]
    scale = scales(levels, floor)
    values = np.zeros(levels.shape, np.int32)
    means = _Means(cover)
    for i, (r, c) in enumerate(cells):
        values[i, :MEANS] = reader.integers(scale[i, :MEANS]) + means.predict(r, c)
        means.put(r, c, values[i, :MEANS])
    if whole:
        chosen = coded(levels, floor)
        chosen[:, :MEANS] = False
        values[chosen] = reader.integers(scale[chosen])
    return Base(classes, values, floor)


def expectation(book: Codebook, base: Base) -> tuple[Array, Array]:
    """Mean of every coefficient given the base and level of its variance: float32 and int16 [n, 768]."""
    levels = book.levels[base.classes].astype(np.int32)
    chosen = coded(levels, base.floor)
    mean, spread = entropy.expectation(base.values[chosen], scales(levels, base.floor)[chosen])
    means = np.zeros(levels.shape, np.float32)
    means[chosen] = mean * base.step
    levels[chosen] = np.round(OCTAVE * np.log2(spread * base.step**2) - 1e-6)
    return means, levels


class _Neighbours:
    """Probability of a block's class given the classes on the left and above."""

    def __init__(self, book: Codebook, cover: Array) -> None:
        self._book, self._cover = book, cover

    def of(self, grid: Array, r: int, c: int) -> Array:
        out = self._book.prior
        if c and self._cover[r, c - 1]:
            out = self._book.beside[grid[r, c - 1]]
        if r and self._cover[r - 1, c]:
            above = self._book.beside[grid[r - 1, c]]
            out = out * above / self._book.prior if c and self._cover[r, c - 1] else above
        return np.asarray(out / out.sum())


class _Means:
    """Predicts block means from those on the left, above and between (a softened median edge detector)."""

    def __init__(self, cover: Array) -> None:
        self._known = np.zeros((cover.shape[0] + 1, cover.shape[1] + 1), bool)
        self._values = np.zeros((*self._known.shape, MEANS), np.int64)

    def predict(self, r: int, c: int) -> Array:
        left, above = self._values[r + 1, c], self._values[r, c + 1]
        has_left, has_above = self._known[r + 1, c], self._known[r, c + 1]
        if not (has_left and has_above):
            return left if has_left else above
        planar = left + above - self._values[r, c] if self._known[r, c] else (left + above) // 2
        edge = np.clip(planar, np.minimum(left, above), np.maximum(left, above))
        return np.asarray((2 * edge + left + above + 2) // 4)

    def put(self, r: int, c: int, values: Array) -> None:
        self._values[r + 1, c + 1] = values
        self._known[r + 1, c + 1] = True
