"""Plain NumPy encoder and layered decoders: what the fast kernels must equal.

Messages run in the sign that makes the arithmetic shortest, u = ln P(b=0)/P(b=1): a negative number is a
one, and the sign of a check message is the product of the signs.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from semwave.modulation.ldpc.graph import QuasiCyclic

Array = npt.NDArray[Any]
Rule = Callable[[Array], Array]


def encode(graph: QuasiCyclic, info: Array, rows: int | None = None) -> Array:
    """Systematic code words [frames, systematic * z] -> [frames, length] uint8, parity from the first rows only."""
    z, kb = graph.z, graph.systematic
    words = np.zeros((info.shape[0], graph.n_cols, z), np.uint8)
    words[:, :kb] = info.reshape(-1, kb, z)

    def total(row: int, skip: tuple[int, ...] | range) -> Array:
        out = np.zeros((info.shape[0], z), np.uint8)
        for e in range(graph.ptr[row], graph.ptr[row + 1]):
            if graph.col[e] not in skip:
                out ^= np.roll(words[:, graph.col[e]], -graph.shift[e], axis=1)
        return out

    parity = range(kb, graph.n_cols)
    first = np.bitwise_xor.reduce([total(r, parity) for r in range(graph.core)])
    words[:, kb] = np.roll(first, graph.first_parity_shift(), axis=1)
    for row in range(graph.n_rows if rows is None else rows):
        target = graph.target(row)
        if target >= 0:
            words[:, target] = total(row, (target,))
    return words.reshape(info.shape[0], graph.length)


def parity_ok(graph: QuasiCyclic, bits: Array) -> Array:
    """Frames whose every check is even: [frames, length] -> bool [frames]."""
    words = bits.reshape(bits.shape[0], graph.n_cols, graph.z)
    ok = np.ones(bits.shape[0], bool)
    for row in range(graph.n_rows):
        odd = np.zeros((bits.shape[0], graph.z), np.uint8)
        for e in range(graph.ptr[row], graph.ptr[row + 1]):
            odd ^= np.roll(words[:, graph.col[e]], -graph.shift[e], axis=1)
        ok &= ~odd.any(axis=1)
    return ok


def min_sum_fixed(factor: int, offset: int, limit: int, bits: int) -> Rule:
    """Integer min-sum rule: magnitudes max(factor * min(m, limit) / 2**bits - offset, 0).

    The quotient is rounded to nearest for 8 bits, where a step is coarse, and down for 16 (one high product).
    """
    half = 128 if bits == 8 else 0

    def rule(t: Array) -> Array:  # [degree, frames, z] int64
        return _two_minima(t, lambda m: np.maximum(((np.minimum(m, limit) * factor + half) >> bits) - offset, 0))

    return rule


def min_sum(factor: float, offset: float) -> Rule:
    """Floating-point min-sum rule: magnitudes max(factor * m - offset, 0)."""

    def rule(t: Array) -> Array:
        kind = t.dtype.type
        return _two_minima(t, lambda m: np.maximum(m * kind(factor) - kind(offset), kind(0)))

    return rule


def _two_minima(t: Array, scaled: Callable[[Array], Array]) -> Array:
    a = np.abs(t)
    ordered = np.sort(a, axis=0)
    least, second = ordered[0], ordered[min(1, a.shape[0] - 1)]
    magnitude = np.where(a == least, scaled(second), scaled(least))
    negative = np.logical_xor.reduce(t < 0, axis=0) ^ (t < 0)
    return np.where(negative, -magnitude, magnitude)


def sum_product(t: Array) -> Array:
    """Exact boxplus of all other messages, by a forward and a backward pass (no cancellation)."""
    degree = t.shape[0]
    forward, backward = np.empty_like(t), np.empty_like(t)
    forward[0] = backward[-1] = np.inf
    for j in range(1, degree):
        forward[j] = boxplus(forward[j - 1], t[j - 1])
        backward[-1 - j] = boxplus(backward[-j], t[-j])
    return boxplus(forward, backward)


def boxplus(a: Array, b: Array) -> Array:
    """2 atanh(tanh(a/2) tanh(b/2)) = sign(ab) min(|a|, |b|) + ln(1 + e^-|a+b|) - ln(1 + e^-|a-b|)."""
    least = np.minimum(np.abs(a), np.abs(b))
    with np.errstate(invalid="ignore"):
        fix = np.log1p(np.exp(-np.abs(a + b))) - np.log1p(np.exp(-np.abs(a - b)))
    return np.copysign(1.0, a) * np.copysign(1.0, b) * least + np.where(np.isinf(a) | np.isinf(b), 0.0, fix)


def decode(
    graph: QuasiCyclic,
    start: Array,
    rule: Rule,
    iterations: int,
    *,
    limit: float,
    early_stop: bool,
    decided: int,
) -> tuple[Array, Array, Array]:
    """Row-layered decoding of ``start`` [frames, length] (u, float or int), sums held within ``limit``.

    Return the posteriors u [frames, length], whether each frame satisfies every check with none of its first
    ``decided`` bits at exactly zero, and the iterations spent on it. A frame that stops early is frozen, so its
    result does not depend on its neighbours.
    """
    frames = start.shape[0]
    sums = start.reshape(frames, graph.n_cols, graph.z).copy()
    messages = np.zeros((graph.row.size, frames, graph.z), start.dtype)
    done, spent = np.zeros(frames, bool), np.full(frames, iterations, np.int32)
    result = sums.copy()
    for iteration in range(1, iterations + 1):
        _iterate(graph, sums, messages, rule, limit)
        result[~done] = sums[~done]
        flat = result.reshape(frames, graph.length)
        good = parity_ok(graph, (flat < 0).astype(np.uint8)) & (flat[:, :decided] != 0).all(axis=1)
        spent[good & ~done] = iteration
        if early_stop:
            done |= good
            if done.all():
                break
    if not early_stop:
        spent[:] = iterations
    return result.reshape(frames, graph.length), good, spent


def _iterate(graph: QuasiCyclic, sums: Array, messages: Array, rule: Rule, limit: float) -> None:
    """Update every check once, row after row, in place."""
    integers = sums.dtype.kind == "i"
    low = -limit - 1 if integers else -limit  # integers go one further down
    for row in range(graph.n_rows):
        edges = range(graph.ptr[row], graph.ptr[row + 1])
        turned = [np.roll(sums[:, graph.col[e]], -graph.shift[e], axis=1) for e in edges]
        t = np.stack(turned) - messages[edges.start : edges.stop]
        if integers:
            t = np.clip(t, low, limit)
        messages[edges.start : edges.stop] = new = rule(t)
        for e, total in zip(edges, np.clip(t + new, low, limit), strict=True):
            sums[:, graph.col[e]] = np.roll(total, graph.shift[e], axis=1)
