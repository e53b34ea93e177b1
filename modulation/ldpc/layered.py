"""Layered decoding of many frames with the vector kernels."""

import itertools
import math
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from semwave.modulation.ldpc.decoder import FLOAT_LIMIT, DecodeResult, Options, Plan, fixed_rule, refuse_nan, scaling_of
from semwave.modulation.ldpc.frames import judge, load_group
from semwave.modulation.ldpc.kernels import min_sum_iteration
from semwave.modulation.ldpc.sum_product import sum_product_iteration
from semwave.modulation.ldpc.vector import lanes_of
from semwave.modulation.threads import split

Array = npt.NDArray[Any]

_DTYPES: dict[str, Any] = {"int8": np.int8, "int16": np.int16, "float32": np.float32}
_MAX_LANES = 16  # most frames interleaved to fill vectors, beyond what short circulants need
_BYTES = 64  # of a vector
_SPARE = 4  # work spaces kept for each code
_CACHE = 1 << 19  # bytes of messages that stay close to a core
_WORK_PER_THREAD = 1_500_000  # edge values, iterations counted, that are worth a thread: some 0.15 ms


def decode(plan: Plan, llr: Array, options: Options) -> DecodeResult:
    """Decode LLRs float32 [frames, n] with one of the kernels. Raise ValueError for NaN."""
    frames = llr.shape[0]
    dtype = np.dtype(_DTYPES[options.precision])
    graph = plan.graph
    lanes = lanes_for(graph.z, lanes_of(dtype), frames, graph.row.size, options.early_stop)
    layout = _layout(plan, dtype, lanes)
    bits, posteriors = np.empty((frames, plan.k), np.uint8), np.empty((frames, plan.k), dtype)
    ok, iterations = np.empty(frames, bool), np.empty(frames, np.int32)
    scaling = scaling_of(plan, options)
    rule: tuple[float, float, float]
    limits: tuple[float, float, float]
    if scaling:
        rule = (*fixed_rule(options, scaling), scaling.message)
        limits = (scaling.per_llr, scaling.channel, scaling.total)
    else:
        rule = (options.factor, options.offset, FLOAT_LIMIT)
        limits = (1.0, FLOAT_LIMIT, FLOAT_LIMIT)
    per_llr, channel, largest = limits
    f32 = np.float32
    scale = (f32(per_llr), f32(channel), dtype.type(largest), f32(FLOAT_LIMIT), layout.shape[2])
    run = _sum_product if options.algorithm == "spa" else _min_sum
    known = (plan.k, plan.filler_end)

    def work(first: int, last: int) -> None:
        out = (bits[first:last], posteriors[first:last], ok[first:last], iterations[first:last])
        until = (options.iterations, options.early_stop)
        refuse_nan(llr[first:last])
        buffers = layout.buffers()
        run(llr[first:last], out, buffers, layout.shape, layout.tables, (*rule, largest), scale, known, until)
        layout.give_back(buffers)

    groups = -(-frames // layout.lanes)
    worth = -(-_WORK_PER_THREAD // (plan.graph.row.size * plan.graph.z * layout.lanes * options.iterations))
    split(groups, worth, lambda a, b: work(a * layout.lanes, min(b * layout.lanes, frames)))
    return DecodeResult(bits, ok, iterations, posteriors, per_llr)


@lru_cache(maxsize=4096)
def lanes_for(z: int, width: int, frames: int, edges: int = 0, early_stop: bool = True) -> int:
    """Frames to interleave so that z * lanes values fill vectors of ``width`` well; results do not depend on it."""
    fewest = -(-width // z)
    best, best_cost = fewest, float("inf")
    for lanes in range(fewest, max(fewest, min(_MAX_LANES, frames)) + 1):
        vectors = -(-z * lanes // width)
        cost = -(-frames // lanes) * (vectors + 0.5)  # each row starts anew
        if early_stop:
            cost *= 1 + 0.15 * math.log2(lanes)  # the more frames run together, the later the last one stops
        if lanes not in (1, 16):
            cost *= 1.3  # interleaved value by value
        if lanes > 1 and vectors * edges * _BYTES > _CACHE:
            cost *= 1.3
        if cost < best_cost:
            best, best_cost = lanes, cost
    return best


class Layout:
    """Where everything lies for one plan, number format and number of interleaved frames."""

    def __init__(self, plan: Plan, dtype: np.dtype[Any], lanes: int) -> None:
        graph = plan.graph
        width = lanes_of(dtype)
        size = graph.z * lanes
        vectors = -(-size // width)
        stride = (vectors + 1) * width
        columns = max(int(graph.col.max()) + 1, -(-plan.k // graph.z))  # what no check looks at is left out
        rest = np.zeros(columns, np.int64)
        rest[graph.col] = graph.shift  # the last edge of a column wins
        turn, at = np.empty_like(graph.shift), rest.copy()
        for e, (c, s) in enumerate(zip(graph.col, graph.shift, strict=True)):
            turn[e] = (s - at[c]) % graph.z * lanes
            at[c] = s
        settled = (graph.shift - rest[graph.col]) % graph.z * lanes
        start = np.arange(columns) * stride
        self.lanes = lanes
        self.shape = (size, vectors, width, graph.z)
        base = start[graph.col]
        order = self._order(graph.ptr, vectors)
        vector = np.arange(vectors)[:, None] * width
        addresses = [base + (vector + turn) % size, base + vector, base + (vector + settled) % size]
        source, target, check = (a.ravel()[order].astype(np.int32) for a in addresses)
        runs = plan.runs[np.argsort(plan.runs[:, 0])]
        apart = bool((runs[1:, 0] >= runs[:-1, 0] + runs[:-1, 2]).all())
        self.tables = (graph.ptr, source, target, check, runs if apart else plan.runs, start, rest, apart)
        degree = int(np.diff(graph.ptr).max())
        scratch = max(2 * degree, 3) * vectors * width  # t and d of a row, or three extremes
        self._sizes = (stride * columns, graph.row.size * vectors * width, scratch)
        self._dtype = dtype
        self._length = graph.length
        self._apart = 0 if lanes == 1 else lanes * columns * (graph.z + width) + width
        self._spare: list[tuple[Array, ...]] = []

    @staticmethod
    def _order(ptr: Array, vectors: int) -> Array:
        """Places of a [vectors, edges] table in the order row, vector, edge."""
        places = np.arange(vectors * ptr[-1]).reshape(vectors, ptr[-1])
        return np.concatenate([places[:, a:b].ravel() for a, b in itertools.pairwise(ptr)])

    def buffers(self) -> tuple[Array, ...]:
        """Work space of one thread, to be given back: sums, messages, scratch, word, steps, frozen, apart."""
        try:
            return self._spare.pop()
        except IndexError:
            return self._new_buffers()

    def give_back(self, buffers: tuple[Array, ...]) -> None:
        """Keep a thread's work space for the next call: fresh pages cost as much as some frames."""
        if len(self._spare) < _SPARE:
            self._spare.append(buffers)

    def _new_buffers(self) -> tuple[Array, ...]:
        vectors = [_aligned(size, self._dtype) for size in self._sizes]
        length = -(-self._length // 32) * 32 + 32  # whole vectors, and room for a copy to spill
        word, steps = np.empty(length, np.float32), np.empty(length, self._dtype)
        apart = np.empty(self._apart, self._dtype)  # the frames of a group before and after they are interleaved
        return (*vectors, word, steps, np.empty(self.lanes, np.bool_), apart)


@lru_cache(maxsize=64)
def _layout(plan: Plan, dtype: np.dtype[Any], lanes: int) -> Layout:
    return Layout(plan, dtype, lanes)


def _aligned(size: int, dtype: np.dtype[Any]) -> Array:
    """Zeros that start on a cache line."""
    raw = np.zeros(size * dtype.itemsize + 64, np.uint8)
    skip = -raw.ctypes.data % 64
    return raw[skip : skip + size * dtype.itemsize].view(dtype)


@njit(cache=True, nogil=True, boundscheck=False, error_model="numpy")
def _min_sum(
    llr: Array, out: Any, work: Any, shape: Any, tables: Any, rule: Any, scale: Any, known: Any, limits: Any
) -> None:
    failed = np.zeros(work[5].size, np.bool_)
    for g in range((llr.shape[0] + failed.size - 1) // failed.size):
        load_group(g, llr, work, shape, tables, scale, known)
        for spent in range(1, limits[0] + 1):
            min_sum_iteration(work[0], work[1], work[2], shape, tables, rule, spent == 1)
            last = spent == limits[0]
            if (limits[1] or last) and judge(g, spent, last, failed, work, shape, tables, out):
                break


@njit(cache=True, nogil=True, boundscheck=False, error_model="numpy")
def _sum_product(
    llr: Array, out: Any, work: Any, shape: Any, tables: Any, rule: Any, scale: Any, known: Any, limits: Any
) -> None:
    failed = np.zeros(work[5].size, np.bool_)
    for g in range((llr.shape[0] + failed.size - 1) // failed.size):
        load_group(g, llr, work, shape, tables, scale, known)
        work[1][:] = 0
        for spent in range(1, limits[0] + 1):
            sum_product_iteration(work[0], work[1], work[2], shape, tables, rule[3])
            last = spent == limits[0]
            if (limits[1] or last) and judge(g, spent, last, failed, work, shape, tables, out):
                break
