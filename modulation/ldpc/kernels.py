"""Layered min-sum over whole circulants with LLVM vectors: int8, int16 and float32 from one source.

Data layout. ``lanes`` frames are interleaved bit by bit, so a circulant of z bits becomes one of z * lanes
values, and frames-in-lanes and bits-in-lanes are the same code. Each block column lies in ``sums`` turned by the
shift of the edge that used it last: check i's bit is value i. The next edge reads it at the difference of the two
shifts and writes it back from value 0, so stores never wrap. One vector past its end repeats the beginning, so
loads never wrap either, and the surplus lanes of a last vector are duplicates of the first. All addresses come
ready from tables in the order of use: row, vector, edge.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from semwave.modulation.ldpc.vector import (
    add,
    any_negative,
    choose_equal,
    clamped,
    greatest,
    least,
    load,
    magnitude,
    peek,
    scaled,
    splat,
    store,
    sub,
    union,
    with_sign,
    xor,
)

Array = npt.NDArray[Any]


@njit(cache=True, nogil=True, boundscheck=False, error_model="numpy")
def min_sum_iteration(
    sums: Array,
    messages: Array,
    extremes: Array,
    shape: tuple[int, ...],
    tables: tuple[Array, ...],
    rule: Any,
    fresh: bool,
) -> None:
    """Update every check once. ``shape``: values per circulant, vectors per circulant, lanes of a vector.

    fresh: there are no messages yet, whatever the array holds
    """
    size, vectors, width = shape[:3]
    ptr, source, target = tables[:3]
    factor, offset, limit, largest = rule
    q = 0
    for row in range(ptr.size - 1):
        degree = peek(ptr, row + 1) - peek(ptr, row)
        begin = q
        for i in range(vectors):
            m1 = m2 = splat(sums, limit)
            signs = splat(sums, 0)
            for _ in range(degree):  # what the others say takes the place of the old message
                t = load(sums, peek(source, q))
                if not fresh:
                    t = sub(t, load(messages, q * width))
                store(messages, q * width, t)
                a = magnitude(t)
                m2 = least(m2, greatest(m1, a))
                m1 = least(m1, a)
                signs = xor(signs, t)
                q += 1
            store(extremes, 3 * i * width, m1)
            store(extremes, (3 * i + 1) * width, m2)
            store(extremes, (3 * i + 2) * width, signs)
        q = begin
        for i in range(vectors):
            m1 = load(extremes, 3 * i * width)
            signs = load(extremes, (3 * i + 2) * width)
            n1 = with_sign(scaled(m1, factor, offset), signs)
            n2 = with_sign(scaled(load(extremes, (3 * i + 1) * width), factor, offset), signs)
            for _ in range(degree):
                t = load(messages, q * width)
                new = with_sign(choose_equal(magnitude(t), m1, n2, n1), t)
                store(messages, q * width, new)
                total = clamped(add(t, new), largest)
                store(sums, peek(target, q), total)
                if i == 0:  # the margin behind the column
                    store(sums, peek(target, q) + size, total)
                q += 1


@njit(cache=True, nogil=True, boundscheck=False, error_model="numpy")
def parity_fails(sums: Array, vectors: int, tables: tuple[Array, ...]) -> bool:
    """Whether any check of any frame is odd."""
    ptr, settled = tables[0], tables[3]
    q = 0
    for row in range(ptr.size - 1):
        degree = peek(ptr, row + 1) - peek(ptr, row)
        odd = splat(sums, 0)
        for _ in range(vectors):
            signs = splat(sums, 0)
            for _ in range(degree):
                signs = xor(signs, load(sums, peek(settled, q)))
                q += 1
            odd = union(odd, signs)
        if any_negative(odd):
            return True
    return False


@njit(cache=True, nogil=True, boundscheck=False, error_model="numpy")
def parity_of_frames(sums: Array, scratch: Array, failed: Array, shape: Any, tables: tuple[Array, ...]) -> None:
    """Set failed[f] for each of the interleaved frames with an odd check; stop once all are set."""
    size, vectors, width = shape[:3]
    ptr, settled = tables[0], tables[3]
    lanes, q = failed.size, 0
    for row in range(ptr.size - 1):
        degree = peek(ptr, row + 1) - peek(ptr, row)
        for i in range(vectors):
            signs = splat(sums, 0)
            for _ in range(degree):
                signs = xor(signs, load(sums, peek(settled, q)))
                q += 1
            if row > 0:
                signs = union(signs, load(scratch, i * width))
            store(scratch, i * width, signs)
        if row == 0 or row == ptr.size - 2:
            for start in range(0, size, lanes):
                for f in range(lanes):
                    if np.signbit(np.float32(scratch[start + f])):
                        failed[f] = True
            if failed.all():
                return
