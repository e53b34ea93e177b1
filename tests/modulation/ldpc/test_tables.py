"""The prototype matrices against the standards' published structure."""

import hashlib
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from semwave.modulation.ldpc import tables
from semwave.modulation.ldpc.graph import QuasiCyclic

WIFI = [(n, r) for n in tables.WIFI_LENGTHS for r in tables.WIFI_RATES]


def gf2_rank(matrix: NDArray[np.uint8]) -> int:
    """Rank over GF(2), rows packed into bytes."""
    rows = np.packbits(matrix, axis=1)
    rank = 0
    for column in range(matrix.shape[1]):
        byte, bit = divmod(column, 8)
        ones = np.flatnonzero(rows[rank:, byte] >> (7 - bit) & 1) + rank
        if ones.size == 0:
            continue
        rows[[rank, ones[0]]] = rows[[ones[0], rank]]
        others = np.flatnonzero(rows[:, byte] >> (7 - bit) & 1)
        rows[others[others != rank]] ^= rows[rank]
        rank += 1
        if rank == rows.shape[0]:
            break
    return rank


def digest(*arrays: NDArray[np.int64]) -> str:
    return hashlib.sha256(b"".join(a.astype("<i4").tobytes() for a in arrays)).hexdigest()[:16]


def test_lifting_sizes_are_those_of_table_5_3_2_1() -> None:
    rows = [
        [2, 4, 8, 16, 32, 64, 128, 256],
        [3, 6, 12, 24, 48, 96, 192, 384],
        [5, 10, 20, 40, 80, 160, 320],
        [7, 14, 28, 56, 112, 224],
        [9, 18, 36, 72, 144, 288],
        [11, 22, 44, 88, 176, 352],
        [13, 26, 52, 104, 208],
        [15, 30, 60, 120, 240],
    ]
    assert len(tables.LIFTING_SIZES) == 51
    assert sorted(z for row in rows for z in row) == list(tables.LIFTING_SIZES)
    for index, row in enumerate(rows):
        assert {tables.lifting_set(z) for z in row} == {index}
    with pytest.raises(ValueError, match=r"51 lifting sizes.*not 17"):
        tables.lifting_set(17)


@pytest.mark.parametrize(
    ("base_graph", "edges", "heaviest", "checksum"),
    [(1, 316, 30, "ea21bfd28545d195"), (2, 197, 23, "5550047c83a6e9da")],
)
def test_base_graphs(base_graph: int, edges: int, heaviest: int, checksum: str) -> None:
    table = tables.nr_edges(base_graph)
    graph = tables.nr_graph(base_graph, 384)
    assert table.shape == (edges, 10)
    assert digest(table) == checksum
    assert (np.lexsort((table[:, 1], table[:, 0])) == np.arange(edges)).all(), "sorted by row, then column"
    assert len({(r, c) for r, c in table[:, :2]}) == edges
    weights = np.bincount(graph.col, minlength=graph.n_cols)
    assert weights[:2].max() == heaviest
    assert (weights[graph.systematic + graph.core :] == 1).all(), "extension columns have one edge"
    for r in range(graph.core, graph.n_rows):
        assert graph.col[graph.ptr[r + 1] - 1] == graph.systematic + r
        assert graph.shift[graph.ptr[r + 1] - 1] == 0
    row_weights = np.diff(graph.ptr)
    assert (row_weights[:4] == ([19, 19, 19, 19] if base_graph == 1 else [8, 10, 8, 10])).all()
    assert row_weights.min() == 3
    largest = [256, 384, 320, 224, 288, 352, 208, 240]  # greatest Z of each set bounds its shifts
    assert (table[:, 2:].max(axis=0) < largest).all()


@pytest.mark.parametrize("base_graph", [1, 2])
@pytest.mark.parametrize("z", [2, 3, 5, 7, 9, 11, 13, 15])
def test_base_graphs_have_full_rank(base_graph: int, z: int) -> None:
    h = tables.nr_graph(base_graph, z).parity_check().toarray()
    assert h.shape == ((46 if base_graph == 1 else 42) * z, (68 if base_graph == 1 else 52) * z)
    assert gf2_rank(h) == h.shape[0]


@pytest.mark.parametrize(("n", "rate"), WIFI)
def test_wifi_prototypes(n: int, rate: Fraction) -> None:
    graph = tables.wifi_graph(n, rate)
    h = graph.parity_check()
    assert h.shape == (n - n * rate, n)
    assert graph.z == n // 24
    assert graph.shift.max() < graph.z
    assert gf2_rank(h.toarray()) == h.shape[0]
    parity = graph.col >= graph.systematic
    assert np.bincount(graph.col[parity])[graph.systematic :].tolist() == [3] + [2] * (graph.n_rows - 1)


def test_wifi_edges_and_shifts() -> None:
    graphs = [tables.wifi_graph(n, r) for n, r in WIFI]
    assert [g.row.size for g in graphs] == [88, 88, 88, 88, 86, 88, 88, 85, 86, 88, 85, 79]
    assert digest(*(a for g in graphs for a in (g.row, g.col, g.shift))) == "8af114118588b8e7"


@pytest.mark.parametrize("rate", tables.WIFI_RATES)
def test_wifi_1944_rows_typed_out(rate: Fraction) -> None:
    """First and last information rows of table F-3, typed from the standard's figures."""
    expected = {
        Fraction(1, 2): ([57, 50, 11, 50, 79], [24, 61, 60, 27, 51, 16]),
        Fraction(2, 3): ([61, 75, 4, 63, 56, 8, 2, 17, 25], [58, 8, 34, 64, 78, 11, 78, 24, 58]),
        Fraction(3, 4): (
            [48, 29, 28, 39, 9, 61, 63, 45, 80, 37, 32, 22],
            [26, 75, 33, 21, 69, 59, 3, 38, 35, 62, 36, 26],
        ),
        Fraction(5, 6): (
            [13, 48, 80, 66, 4, 74, 7, 30, 76, 52, 37, 60, 49, 73, 31, 74, 73, 23],
            [16, 29, 36, 41, 44, 56, 59, 37, 50, 24, 65, 4, 65, 52, 4, 73, 52],
        ),
    }
    graph = tables.wifi_graph(1944, rate)

    def information(row: int) -> list[int]:
        mine = (graph.row == row) & (graph.col < graph.systematic)
        return [int(s) for s in graph.shift[mine]]

    assert (information(0), information(graph.n_rows - 1)) == expected[rate]


def test_dropping_rows_and_columns_keeps_the_rest() -> None:
    graph = tables.nr_graph(2, 8)
    rows = np.arange(graph.n_rows) % 5 == 4
    cols = np.arange(graph.n_cols) == 3
    small: QuasiCyclic = graph.without(rows=rows, cols=cols)
    dense = graph.parity_check().toarray().reshape(graph.n_rows, 8, graph.n_cols, 8)[~rows]
    dense[:, :, cols] = 0
    assert (small.parity_check().toarray() == dense.reshape(small.n_rows * 8, -1)).all()


def test_unknown_base_graph() -> None:
    with pytest.raises(ValueError, match="base_graph must be 1 or 2, not 3"):
        tables.nr_graph(3, 8)
