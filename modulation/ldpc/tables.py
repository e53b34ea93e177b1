"""The prototype matrices of 3GPP NR and IEEE 802.11, read from ``modulation/tables``."""

from fractions import Fraction
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from semwave.modulation.ldpc.graph import QuasiCyclic

Array = npt.NDArray[Any]

_FOLDER = Path(__file__).resolve().parents[1] / "tables"
_FIRST_PARITY_SHIFTS = (1, 0, 1)  # 802.11: first row, marked row, last row

# TS 38.212, table 5.3.2-1: Z = a * 2**j up to 384; the set index i_LS is the position of a.
_SETS = (2, 3, 5, 7, 9, 11, 13, 15)
LIFTING_SIZES: tuple[int, ...] = tuple(sorted(a << j for a in _SETS for j in range(8) if a << j <= 384))

NR_SYSTEMATIC = {1: 22, 2: 10}
NR_COLUMNS = {1: 68, 2: 52}
NR_ROWS = {1: 46, 2: 42}

WIFI_RATES = (Fraction(1, 2), Fraction(2, 3), Fraction(3, 4), Fraction(5, 6))
WIFI_LENGTHS = (648, 1296, 1944)
_WIFI_COLUMNS = 24


def lifting_set(z: int) -> int:
    """Set index i_LS of a lifting size (TS 38.212, table 5.3.2-1)."""
    if z not in LIFTING_SIZES:
        raise ValueError(f"z must be one of the 51 lifting sizes 2, 3, ..., 384, not {z}")
    odd = z // (z & -z)
    return _SETS.index(odd if odd > 1 else 2)


@lru_cache(maxsize=2)
def nr_edges(base_graph: int) -> Array:
    """Edges of a base graph [edges, 10] int64: row, column and the shift for each of eight sets."""
    edges = np.loadtxt(_FOLDER / f"ldpc_nr_bg{base_graph}.txt", dtype=np.int64)
    edges.setflags(write=False)
    return edges


@cache
def nr_graph(base_graph: int, z: int) -> QuasiCyclic:
    """Base graph 1 or 2 lifted by z (TS 38.212, 5.3.2): shift = V mod z."""
    if base_graph not in NR_ROWS:
        raise ValueError(f"base_graph must be 1 or 2, not {base_graph}")
    edges = nr_edges(base_graph)
    shift = edges[:, 2 + lifting_set(z)] % z
    return QuasiCyclic(
        z=z,
        n_rows=NR_ROWS[base_graph],
        n_cols=NR_COLUMNS[base_graph],
        systematic=NR_SYSTEMATIC[base_graph],
        core=4,
        row=edges[:, 0],
        col=edges[:, 1],
        shift=shift,
    )


@lru_cache(maxsize=1)
def _wifi_blocks() -> dict[tuple[int, Fraction], list[list[str]]]:
    blocks: dict[tuple[int, Fraction], list[list[str]]] = {}
    current: list[list[str]] = []
    for line in (_FOLDER / "ldpc_80211n.txt").read_text(encoding="ascii").splitlines():
        fields = line.split()
        if line.startswith("#"):
            continue
        if "/" in line:
            current = blocks.setdefault((int(fields[0]), Fraction(fields[1])), [])
        else:
            current.append(fields)
    return blocks


@cache
def wifi_graph(n: int, rate: Fraction) -> QuasiCyclic:
    """Lifted prototype matrix of IEEE 802.11-2020, annex F."""
    rows = _wifi_blocks()[n, rate]
    systematic, last = int(_WIFI_COLUMNS * rate), len(rows) - 1
    edges: list[tuple[int, int, int]] = []
    for r, fields in enumerate(rows):
        edges += [(r, c, int(s)) for c, s in enumerate(fields[:systematic]) if s != "-"]
        which = 0 if r == 0 else 2 if r == last else 1 if fields[-1] == "*" else None
        if which is not None:
            edges.append((r, systematic, _FIRST_PARITY_SHIFTS[which]))
        edges += [(r, systematic + d, 0) for d in (r, r + 1) if 0 < d <= last]
    table = np.array(edges, dtype=np.int64)
    return QuasiCyclic(
        z=n // _WIFI_COLUMNS,
        n_rows=len(rows),
        n_cols=_WIFI_COLUMNS,
        systematic=systematic,
        core=len(rows),
        row=table[:, 0],
        col=table[:, 1],
        shift=table[:, 2],
    )
