"""Layered sum-product in float32 vectors, in the layout of :mod:`kernels`."""

from typing import Any

import numpy.typing as npt
from numba import njit

from semwave.modulation.ldpc.tanh_domain import from_missing, joined, missing
from semwave.modulation.ldpc.vector import add, clamped, load, magnitude, peek, splat, store, sub, with_sign, xor

Array = npt.NDArray[Any]


@njit(cache=True, nogil=True, boundscheck=False, error_model="numpy")
def sum_product_iteration(
    sums: Array, messages: Array, scratch: Array, shape: tuple[int, ...], tables: tuple[Array, ...], largest: float
) -> None:
    """Update every check once: tanh(new/2) is the product of tanh(t/2) over the other edges.

    The others are multiplied from both ends, never by division, so that nothing cancels.
    """
    size, vectors, width = shape[:3]
    ptr, source, target = tables[:3]
    q = 0
    for row in range(ptr.size - 1):
        degree = peek(ptr, row + 1) - peek(ptr, row)
        begin, at = q, 0
        for _ in range(vectors):
            ahead = splat(sums, 0)
            signs = splat(sums, 0)
            for _ in range(degree):  # scratch: t and what it lacks; messages: what those before this edge lack
                t = sub(load(sums, peek(source, q)), load(messages, q * width))
                d = missing(magnitude(t))
                store(scratch, at, t)
                store(scratch, at + width, d)
                store(messages, q * width, ahead)
                ahead = joined(ahead, d)
                signs = xor(signs, t)
                q += 1
                at += 2 * width
            behind = splat(sums, 0)
            for j in range(1, degree + 1):
                edge, back = (q - j) * width, at - 2 * j * width
                new = from_missing(joined(load(messages, edge), behind))
                store(messages, edge, with_sign(new, xor(signs, load(scratch, back))))
                behind = joined(behind, load(scratch, back + width))
        for j in range(vectors * degree):
            total = clamped(add(load(scratch, 2 * j * width), load(messages, (begin + j) * width)), largest)
            store(sums, peek(target, begin + j), total)
            if j < degree:  # the margin behind the column
                store(sums, peek(target, begin + j) + size, total)
