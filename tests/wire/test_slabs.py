"""Memory that is used again: never while anybody holds it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semwave.runtime import frozen
from semwave.wire.slabs import SMALL, Slabs

SIZE = SMALL + 1000


@given(st.lists(st.sampled_from([0, 1, 19, 1000, SMALL - 20, SMALL - 1, SMALL, SIZE]), max_size=4))
def test_parts_are_joined_whatever_their_sizes(sizes: list[int]) -> None:
    rng = np.random.default_rng(1)
    parts = [rng.bytes(n) if i % 2 else memoryview(rng.bytes(n)) for i, n in enumerate(sizes)]
    slabs = Slabs(SIZE, 2)
    for _ in range(3):
        assert bytes(slabs.join(parts)) == b"".join(parts)


def address(array: np.ndarray) -> int:  # type: ignore[type-arg]
    return int(array.__array_interface__["data"][0])


@pytest.mark.parametrize(
    "hold",
    [
        lambda a: a,
        lambda a: a[5:7],
        lambda a: frozen(a.view(np.complex64)[3:]),
        lambda a: a[8:].reshape(-1, 2).T,
        lambda a: a.data,
        lambda a: memoryview(a.data)[1:],
    ],
    ids=["array", "slice", "read-only view", "transposed", "buffer", "part of a buffer"],
)
def test_what_is_held_is_not_used_again_and_what_is_gone_is(hold: object) -> None:
    slabs = Slabs(SIZE, 4)
    first = slabs.take(SMALL + 8)
    place, held = address(first), hold(first)  # type: ignore[operator]
    del first
    others = [slabs.take(SMALL) for _ in range(3)]
    assert place not in map(address, others)
    del held
    assert address(slabs.take(SMALL)) == place


def test_more_than_is_kept_is_given_all_the_same() -> None:
    slabs = Slabs(SIZE, 2)
    held = [slabs.take(SIZE) for _ in range(5)]
    for number, array in enumerate(held):
        array[:] = number
    assert [set(array.tolist()) for array in held] == [{n} for n in range(5)]
    kept = {address(array) for array in held[:2]}
    del held, array
    assert {address(a) for a in [slabs.take(SIZE), slabs.take(SIZE)]} <= kept


@pytest.mark.parametrize("size", [0, 1, SMALL - 1, SIZE + 1, 3 * SIZE])
def test_small_and_huge_ones_are_made_for_the_purpose(size: int) -> None:
    slabs = Slabs(SIZE, 2)
    assert len(slabs.take(size)) == size
    assert slabs.take(size).flags.writeable
