"""Layered sum-product in float32 vectors, in the layout of :mod:`kernels`."""

from typing import Any

import numpy.typing as npt
from numba import njit

from semwave.modulation.ldpc.phi import involution, lowered
from semwave.modulation.ldpc.vector import add, clamped, load, magnitude, peek, splat, store, sub, with_sign, xor

Array = npt.NDArray[Any]


@njit(cache=True, nogil=True, boundscheck=False, error_model="numpy")
def sum_product_iteration(
    sums: Array, messages: Array, scratch: Array, shape: tuple[int, ...], tables: tuple[Array, ...], largest: float
) -> None:
    """Update every check once: a message is phi(sum of phi(|t|) over the others), phi(x) = -ln tanh(x/2).

    The others are summed from both ends, never by subtraction, so that nothing cancels.
    """
    size, vectors, width = shape[:3]
    ptr, base, source, target = tables[:4]
    q = 0
    for row in range(ptr.size - 1):
        first, degree = peek(ptr, row), peek(ptr, row + 1) - peek(ptr, row)
        begin = q
        for i in range(vectors):
            t_at = i * degree
            ahead = splat(sums, 0)
            signs = splat(sums, 0)
            for j in range(degree):  # the sum of phi before this edge takes the place of the old message
                t = sub(load(sums, peek(source, q + j)), load(messages, (q + j) * width))
                store(scratch, (t_at + j) * width, t)
                store(messages, (q + j) * width, ahead)
                ahead = add(ahead, involution(magnitude(t)))
                signs = xor(signs, t)
            behind = splat(sums, 0)
            for j in range(degree - 1, -1, -1):
                t = load(scratch, (t_at + j) * width)
                total = add(load(messages, (q + j) * width), behind)
                behind = add(behind, involution(magnitude(t)))
                store(messages, (q + j) * width, with_sign(lowered(involution(total)), xor(signs, t)))
            q += degree
        for j in range(vectors * degree):
            total = add(load(scratch, j * width), load(messages, (begin + j) * width))
            store(sums, peek(target, begin + j), clamped(total, largest))
        for e in range(first, first + degree):
            store(sums, peek(base, e) + size, load(sums, peek(base, e)))
