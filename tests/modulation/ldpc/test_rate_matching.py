"""Bit selection and interleaving against the loops of TS 38.212, 5.4.2, typed out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semwave.modulation import ldpc
from semwave.modulation.ldpc import nr, rate_matching, tables


def select_by_the_letter(n_cb: int, k0: int, filler: range, length: int) -> list[int]:
    """5.4.2.1: k, j = 0, 0; while k < E: if d[(k0 + j) mod N_cb] is not <NULL>, send it; j += 1."""
    out: list[int] = []
    j = 0
    while len(out) < length:
        place = (k0 + j) % n_cb
        if place not in filler:
            out.append(place)
        j += 1
    return out


@given(
    n_cb=st.integers(5, 60),
    start=st.integers(0, 59),
    low=st.integers(0, 50),
    width=st.integers(0, 30),
    length=st.integers(0, 150),
)
def test_selection_is_the_loop_of_the_standard(n_cb: int, start: int, low: int, width: int, length: int) -> None:
    start %= n_cb
    filler = range(low, low + width)
    if all(i in filler for i in range(n_cb)):
        return
    runs = rate_matching.selection(n_cb, start, (low, low + width), length)
    got = [a + i for a, _, size in runs for i in range(size)]
    assert got == select_by_the_letter(n_cb, start, filler, length)
    assert [at for _, at, _ in runs] == np.cumsum([0, *(s for _, _, s in runs)])[:-1].tolist()


@pytest.mark.parametrize("base_graph", [1, 2])
def test_starts_of_redundancy_versions(base_graph: int) -> None:
    z, columns = 52, 66 if base_graph == 1 else 50
    fractions = {1: [0, 17 / 66, 33 / 66, 56 / 66], 2: [0, 13 / 50, 25 / 50, 43 / 50]}[base_graph]
    full = [rate_matching.buffer_start(base_graph, z, columns * z, rv) for rv in range(4)]
    assert full == [round(f * columns) * z for f in fractions]
    half = [rate_matching.buffer_start(base_graph, z, columns * z // 2 + 1, rv) for rv in range(4)]
    for start, f in zip(half, fractions, strict=True):
        assert start % z == 0
        assert start <= f * (columns * z // 2 + 1) < start + z
    with pytest.raises(ValueError, match="rv must be 0, 1, 2 or 3, not 4"):
        rate_matching.buffer_start(base_graph, z, columns * z, 4)


@given(rows=st.sampled_from([1, 2, 4, 6, 8, 10]), columns=st.integers(1, 20))
def test_interleaver_is_the_loop_of_the_standard(rows: int, columns: int) -> None:
    e = np.arange(rows * columns)
    f = np.empty_like(e)
    for j in range(columns):  # 5.4.2.2
        for i in range(rows):
            f[i + j * rows] = e[i * columns + j]
    assert (rate_matching.interleave(e, rows) == f).all()
    assert (rate_matching.deinterleave(f, rows) == e).all()


@pytest.mark.parametrize("limit", [None, 3000])
@pytest.mark.parametrize("rv", [0, 1, 2, 3])
def test_sent_bits_are_those_of_the_parent_word(rv: int, limit: int | None) -> None:
    k, n, base_graph = 700, 5200, 2
    code = ldpc.NrCode(k, n, base_graph=base_graph, rv=rv, buffer_size=limit)
    z = code.lifting_size
    bits = np.random.default_rng(rv).integers(0, 2, k, dtype=np.uint8)
    info = np.zeros((1, 10 * z), np.uint8)
    info[0, :k] = bits
    from semwave.modulation.ldpc import reference

    buffer = reference.encode(tables.nr_graph(base_graph, z), info)[0, 2 * z :]
    n_cb = min(limit or 50 * z, 50 * z)
    k0 = int([0, 13, 25, 43][rv] * n_cb // (50 * z)) * z
    places = select_by_the_letter(n_cb, k0, range(k - 2 * z, 8 * z), n)
    assert (code.encode(bits) == buffer[places]).all()


def test_gather_adds_up_what_was_sent_twice() -> None:
    runs = rate_matching.selection(10, 4, (2, 5), 16)
    values = np.arange(32, dtype=np.float32).reshape(2, 16)
    want = np.zeros((2, 10), np.float32)
    for at, place in enumerate(select_by_the_letter(10, 4, range(2, 5), 16)):
        want[:, place] += values[:, at]
    assert (rate_matching.gather(values, runs, 10) == want).all()


@pytest.mark.parametrize(
    ("size", "rate", "want"),
    [(292, 0.9, 2), (293, 0.68, 1), (293, 0.67, 2), (3824, 0.67, 2), (3825, 0.67, 1), (8000, 0.25, 2), (8000, 0.26, 1)],
)
def test_choice_of_base_graph(size: int, rate: float, want: int) -> None:
    assert nr.choose_base_graph(size, rate) == want


@pytest.mark.parametrize(("payload", "columns"), [(641, 10), (640, 9), (561, 9), (560, 8), (193, 8), (192, 6), (20, 6)])
def test_lifting_of_base_graph_2(payload: int, columns: int) -> None:
    z = nr.choose_lifting(2, payload, payload)
    smaller = [s for s in tables.LIFTING_SIZES if s < z]
    assert columns * z >= payload > columns * max(smaller, default=0)
