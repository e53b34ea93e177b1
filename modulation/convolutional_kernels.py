"""Viterbi kernels: the trellis across the vector lanes, survivors kept by register exchange.

A trellis of 2^(K-1) states is two half-size vectors of int16 metrics. Each step splits the metrics into even
and odd predecessors, adds and subtracts one vector of branch metrics, and keeps the larger. Beside each metric
runs a 16-bit word of the decisions that led to it; every 16 steps these words are stored. A decision is the bit
that leaves the register, so the words *are* the message, delayed by K - 1, and tracing back costs one load in
16 bits. Metrics are lowered by that of state 0 every 16 steps, so streams of any length keep their precision.
"""

from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

Array = npt.NDArray[Any]

CHUNK = 16  # steps between two stores of the decision words, one bit each
LANES = 4  # frames advanced side by side by the vector kernel, to hide the latency of its shuffles
_HALF = 32
_I16, _I32, _I64 = ir.IntType(16), ir.IntType(32), ir.IntType(64)
_VEC = ir.VectorType(_I16, _HALF)
_ANY = ir.Constant(_VEC, ir.Undefined)


def _lanes(indices: Any) -> Any:
    return ir.Constant(ir.VectorType(_I32, _HALF), list(indices))


def _splat(value: int) -> Any:
    return ir.Constant(_VEC, [value] * _HALF)


def _load(b: Any, address: Any) -> Any:
    loaded = b.load(b.inttoptr(address, _VEC.as_pointer()))
    loaded.align = 2
    return loaded


def _store(b: Any, value: Any, address: Any) -> None:
    b.store(value, b.inttoptr(address, _VEC.as_pointer())).align = 2


def _branch_metrics(b: Any, address: Any, signs: list[Any]) -> Any:
    """Sum of L_i s_i over the code's outputs, for the transitions even predecessor, input 0."""
    total = None
    for i, sign in enumerate(signs):
        value = b.load(b.inttoptr(b.add(address, ir.Constant(_I64, 2 * i)), _I16.as_pointer()))
        value.align = 2
        wide = b.insert_element(_ANY, value, ir.Constant(_I32, 0))
        term = b.mul(b.shuffle_vector(wide, _ANY, _lanes([0] * _HALF)), sign)
        total = term if total is None else b.add(total, term)
    return total


def _step(b: Any, state: list[Any], metrics: Any, bit: Any) -> list[Any]:
    """Add, compare, select for one frame: metrics and decision words of the lower and upper states."""
    low, high, low_word, high_word = state
    even_lanes, odd_lanes = _lanes(range(0, 64, 2)), _lanes(range(1, 64, 2))
    even, odd = b.shuffle_vector(low, high, even_lanes), b.shuffle_vector(low, high, odd_lanes)
    even_word = b.shuffle_vector(low_word, high_word, even_lanes)
    odd_word = b.or_(b.shuffle_vector(low_word, high_word, odd_lanes), bit)
    from_even = b.add(even, metrics), b.sub(even, metrics)
    from_odd = b.sub(odd, metrics), b.add(odd, metrics)
    take = [b.icmp_signed("<", x, y) for x, y in zip(from_even, from_odd, strict=True)]
    best = [b.select(t, y, x) for t, x, y in zip(take, from_even, from_odd, strict=True)]
    return best + [b.select(t, odd_word, even_word) for t in take]


def _vector_run(frames: int) -> Any:
    """Intrinsic that advances ``frames`` 64-state rate-1/2 trellises by up to 16 steps."""

    def generate(context: Any, b: Any, signature: Any, args: Any) -> Any:
        llr, stride, steps, signs, metric, word = args
        sign_vectors = [_load(b, b.add(signs, ir.Constant(_I64, 64 * i))) for i in range(2)]
        first = [
            [_load(b, b.add(metric, ir.Constant(_I64, 128 * f + 64 * h))) for h in range(2)] + [_splat(0)] * 2
            for f in range(frames)
        ]
        entry = b.block
        loop, done = b.append_basic_block("step"), b.append_basic_block("done")
        b.branch(loop)
        b.position_at_end(loop)
        t, bit = b.phi(_I64), b.phi(_VEC)
        t.add_incoming(ir.Constant(_I64, 0), entry)
        bit.add_incoming(_splat(1), entry)
        phis = [[b.phi(_VEC) for _ in range(4)] for _ in range(frames)]
        news = []
        for f in range(frames):
            here = b.add(llr, b.add(b.mul(stride, ir.Constant(_I64, f)), b.mul(t, ir.Constant(_I64, 4))))
            news.append(_step(b, phis[f], _branch_metrics(b, here, sign_vectors), bit))
        t_next, bit_next = b.add(t, ir.Constant(_I64, 1)), b.shl(bit, _splat(1))
        t.add_incoming(t_next, loop)
        bit.add_incoming(bit_next, loop)
        for phi, start, new in zip(*map(chain.from_iterable, (phis, first, news)), strict=True):
            phi.add_incoming(start, entry)
            phi.add_incoming(new, loop)
        b.cbranch(b.icmp_signed("<", t_next, steps), loop, done)
        b.position_at_end(done)
        for f in range(frames):
            for h in range(2):
                _store(b, news[f][h], b.add(metric, ir.Constant(_I64, 128 * f + 64 * h)))
                _store(b, news[f][2 + h], b.add(word, ir.Constant(_I64, 128 * f + 64 * h)))
        return context.get_dummy_value()

    def run(typing_context: Any, llr: Any, stride: Any, steps: Any, signs: Any, metric: Any, word: Any) -> Any:
        return types.void(*[types.intp] * 6), generate

    return intrinsic(run)


_run_one = _vector_run(1)
_run_many = _vector_run(LANES)


@njit(nogil=True, cache=True, fastmath={"reassoc", "nsz", "contract"})
def _total(row: Array) -> Any:
    total = np.float32(0.0)
    for i in range(row.size):
        total += np.abs(row[i])
    return total


@njit(nogil=True, cache=True)
def _largest(row: Array) -> Any:
    """Largest magnitude, NaN if there is one; as integers, since comparing floats would not run in lanes."""
    pattern, top = row.view(np.int32), np.zeros(1, np.int32)
    for i in range(pattern.size):
        size = pattern[i] & np.int32(0x7FFFFFFF)
        top[0] = size if size > top[0] else top[0]
    return top.view(np.float32)[0]


@njit(nogil=True, cache=True)
def _level(row: Array) -> Any:
    """Magnitude that shall meet the limit: 16 times the mean, or the largest if that is less; NaN if one is there."""
    top = _largest(row)
    if np.isnan(top):
        return top
    if not np.isinf(top):
        return min(top, np.float32(16.0) * _total(row) / np.float32(max(row.size, 1)))
    total, count = np.float32(0.0), 1  # some bits are known: take the level from the others
    for value in row:
        if not np.isinf(value):
            total += abs(value)
            count += 1
    return np.float32(16.0) * total / np.float32(count) if total > 0.0 else np.float32(1.0)


@njit(nogil=True, cache=True)
def _rounded(value: Any, bound: Any) -> Any:
    value = value if value < bound else bound
    value = value if value > -bound else -bound
    return np.int16(np.rint(value))


@njit(nogil=True, cache=True)
def _quantise(row: Array, index: Array, limit: int, out: Array) -> bool:
    """Round a frame to int16 so that its level meets ``limit``, clipping what lies above.

    ``index`` says which LLR each trellis bit takes, -1 for none; empty means in order. False if there is a NaN.
    """
    level = _level(row)
    if np.isnan(level):
        return False
    scale = np.float32(limit / level) if level > 0.0 else np.float32(0.0)
    bound = np.float32(limit)
    if index.size == 0:
        for j in range(out.size):
            out[j] = _rounded(row[j] * scale, bound)
        return True
    sent = np.zeros(row.size + 1, np.int16)  # the last stays 0, for index -1
    for i in range(row.size):
        sent[i] = _rounded(row[i] * scale, bound)
    for j in range(out.size):
        out[j] = sent[index[j]]
    return True


@njit(nogil=True, cache=True)
def _trace(words: Array, steps: int, memory: int, state: Any, out: Array) -> None:
    """Follow the decision words back from ``state``: [chunks, states] -> [words] of the message, delayed by memory."""
    out[:] = 0
    for i in range(memory):  # the last bits are still in the register
        if state >> i & 1:
            out[(steps + i) >> 4] |= np.uint16(1 << ((steps + i) & 15))
    mask = words.shape[1] - 1
    last = (steps + CHUNK - 1) // CHUNK - 1
    for c in range(last, -1, -1):
        word = words[c, state]
        out[c] |= word
        used = min(CHUNK, steps - c * CHUNK)
        # A short last chunk may hold fewer decisions than the register: older register bits move up.
        state = np.int64((state << used | (np.int64(word) & ((1 << used) - 1))) & mask)


@njit(nogil=True, cache=True)
def _start(metric: Array, floor: int, state: int) -> None:
    metric[:] = -floor if state >= 0 else 0
    metric[state if state >= 0 else 0] = 0


@njit(nogil=True, cache=True)
def _lower(metric: Array) -> None:
    reference = metric[0]
    for s in range(metric.size):
        metric[s] -= reference


@njit(nogil=True, cache=True)
def _last_state(metric: Array, state: int) -> Any:
    return state if state >= 0 else np.argmax(metric)


@njit(nogil=True, cache=True)
def decode_vector(
    llr: Array, index: Array, steps: int, signs: Array, limit: int, ends: tuple[int, int], out: Array
) -> bool:
    """64 states, rate 1/2: [frames, m] float32 -> [frames, words] uint16. False if a frame has a NaN.

    ``ends`` are the first and the last state, -1 where unknown.
    """
    frames = llr.shape[0]
    chunks = (steps + CHUNK - 1) // CHUNK
    rows = LANES if frames >= LANES else 1
    q = np.empty((rows, 2 * steps), np.int16)
    metric = np.empty((rows, 64), np.int16)
    words = np.empty((chunks, rows, 64), np.uint16)
    for f in range(0, frames, rows):
        f = min(f, frames - rows)  # the last group overlaps the one before
        for r in range(rows):
            if not _quantise(llr[f + r], index, limit, q[r]):
                return False
            _start(metric[r], 24 * limit + 1, ends[0])
        for c in range(chunks):
            for r in range(rows):
                _lower(metric[r])
            left = min(CHUNK, steps - c * CHUNK)
            here = q.ctypes.data + 4 * CHUNK * c
            if rows == 1:
                _run_one(here, 4 * steps, left, signs.ctypes.data, metric.ctypes.data, words[c].ctypes.data)
            else:
                _run_many(here, 4 * steps, left, signs.ctypes.data, metric.ctypes.data, words[c].ctypes.data)
        for r in range(rows):
            _trace(words[:, r], steps, 6, _last_state(metric[r], ends[1]), out[f + r])
    return True


@njit(nogil=True, cache=True)
def _plain_step(now: Array, new: Array, word: Array, new_word: Array, branch: Array, bit: int) -> None:
    half = now.size // 2
    for j in range(half):
        even, odd = now[2 * j], now[2 * j + 1]
        even_word, odd_word = word[2 * j], np.uint16(word[2 * j + 1] | bit)
        for u in range(2):
            x = np.int16(even + branch[2 * u, j])
            y = np.int16(odd + branch[2 * u + 1, j])
            new[j + u * half] = y if x < y else x
            new_word[j + u * half] = odd_word if x < y else even_word


@njit(nogil=True, cache=True)
def decode_plain(
    llr: Array, index: Array, steps: int, signs: Array, limit: int, ends: tuple[int, int], out: Array
) -> bool:
    """Any rate-1/n code: signs [4, n, states / 2], for even and odd predecessors, inputs 0 and 1."""
    n, half = signs.shape[1], signs.shape[2]
    memory = 1
    while 1 << memory < 2 * half:
        memory += 1
    chunks = (steps + CHUNK - 1) // CHUNK
    q = np.empty(n * steps, np.int16)
    metric, new = np.empty(2 * half, np.int16), np.empty(2 * half, np.int16)
    word, new_word = np.empty(2 * half, np.uint16), np.empty(2 * half, np.uint16)
    words = np.empty((chunks, 2 * half), np.uint16)
    branch = np.empty((4, half), np.int16)
    for f in range(llr.shape[0]):
        if not _quantise(llr[f], index, limit, q):
            return False
        _start(metric, 2 * memory * n * limit + 1, ends[0])
        for t in range(steps):
            if t % CHUNK == 0:
                _lower(metric)
                word[:] = 0
            branch[:] = 0
            for i in range(n):
                for v in range(4):
                    for j in range(half):
                        branch[v, j] += np.int16(q[n * t + i] * signs[v, i, j])
            _plain_step(metric, new, word, new_word, branch, 1 << (t % CHUNK))
            metric, new = new, metric
            word, new_word = new_word, word
            if t % CHUNK == CHUNK - 1 or t == steps - 1:
                words[t // CHUNK] = word
        _trace(words, steps, memory, _last_state(metric, ends[1]), out[f])
    return True
