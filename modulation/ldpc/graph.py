"""Quasi-cyclic parity-check matrices: a small base graph whose edges carry cyclic shifts."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class QuasiCyclic:
    """Base graph lifted by z: check i of block row r meets bit (i + shift) mod z of block column c.

    ``row``, ``col``, ``shift`` are int64 [edges], sorted by row. The first ``systematic`` block columns carry
    information. The next one, met by three of the first ``core`` rows, starts a dual diagonal over the core
    rows; every later row owns one more parity column of weight one.
    """

    z: int
    n_rows: int
    n_cols: int
    systematic: int
    core: int
    row: Array
    col: Array
    shift: Array

    @cached_property
    def ptr(self) -> Array:
        """Where each block row's edges begin [n_rows + 1]."""
        return np.searchsorted(self.row, np.arange(self.n_rows + 1)).astype(np.int64)

    @property
    def length(self) -> int:
        """Bits of a code word, punctured ones included."""
        return self.n_cols * self.z

    def parity_check(self) -> "csr_matrix":
        """Expand to the binary matrix H [n_rows * z, n_cols * z]."""
        from scipy.sparse import csr_matrix

        i = np.arange(self.z)
        rows = (self.row[:, None] * self.z + i).ravel()
        cols = (self.col[:, None] * self.z + (i + self.shift[:, None]) % self.z).ravel()
        shape = (self.n_rows * self.z, self.length)
        return csr_matrix((np.ones(rows.size, np.uint8), (rows, cols)), shape=shape)

    def target(self, row: int) -> int:
        """Parity column that a row fixes once the first parity column is known; -1 for the last core row."""
        if row == self.core - 1:
            return -1
        return self.systematic + row + (1 if row < self.core else 0)

    def first_parity_shift(self) -> int:
        """Shift left over when the three shifts of the first parity column are added up over the core rows."""
        mine = (self.col == self.systematic) & (self.row < self.core)
        values, counts = np.unique(self.shift[mine], return_counts=True)
        return int(values[counts % 2 == 1][0])

    def without(self, *, rows: Array | None = None, cols: Array | None = None) -> "QuasiCyclic":
        """Drop whole rows, and the edges of columns known to be zero (boolean masks); sizes in bits stay."""
        keep = np.ones(self.row.size, bool)
        if cols is not None:
            keep &= ~cols[self.col]
        row, n_rows = self.row, self.n_rows
        if rows is not None:
            keep &= ~rows[self.row]
            n_rows = int(np.count_nonzero(~rows))
            row = (np.cumsum(~rows) - 1)[self.row]
        return QuasiCyclic(
            self.z,
            n_rows,
            self.n_cols,
            self.systematic,
            self.core,
            row[keep].astype(np.int64),
            self.col[keep],
            self.shift[keep],
        )
