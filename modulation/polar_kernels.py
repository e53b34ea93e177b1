"""Polar decoders: successive cancellation with frames in lanes, and list decoding of one frame at a time.

Both run a small program made from the code's frozen bits: the code tree in order, cut where a subtree is all
frozen (R0), one repeated bit (REP), a single parity check (SPC) or all information (R1). Those four are decided
at once, by rules that give what bit-by-bit decoding with the min-sum rule gives (Sarkis et al., IEEE JSAC 2014;
Hashemi, Condo and Gross, IEEE TSP 2017). LLRs inside are ln P(0) / P(1); partial sums are +1 for 0, -1 for 1.

Memory of a level of 2^v values starts at 2^v in each buffer. Left partial sums wait for their right sibling
in ``left``; right ones are used at once from ``right``.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from semwave.modulation import polar_vectors as vectors
from semwave.modulation.polar_design import FROZEN, INFO, PARITY

Array = npt.NDArray[Any]

LANES = 16
F, G, JOIN, R0, R1, REP, SPC, CHECK = range(8)
_FAR = np.float32(3e38)


def compile_program(kinds: Array) -> Array:
    """Turn the tree into operations: [N] kinds -> [operations, 3] int64 of (operation, level, is right child)."""
    whole = bool((kinds == PARITY).any())  # parity-check bits depend on single bits: no subtree may be cut
    rows: list[tuple[int, int, int]] = []

    def visit(first: int, level: int, right: int) -> None:
        part = kinds[first : first + (1 << level)]
        leaf = _leaf(part, whole)
        if leaf is not None:
            rows.append((leaf, level, right))
            return
        rows.append((F, level, 0))
        visit(first, level - 1, 0)
        rows.append((G, level, 0))
        visit(first + (1 << (level - 1)), level - 1, 1)
        rows.append((JOIN, level, right))

    visit(0, int(kinds.size).bit_length() - 1, 1)
    return np.array(rows, np.int64)


def _leaf(part: Array, whole: bool) -> int | None:
    if part.size == 1:
        return {FROZEN: R0, INFO: R1, PARITY: CHECK}[int(part[0])]
    frozen = int((part == FROZEN).sum())
    if whole:
        return None
    if frozen in (0, part.size):
        return R0 if frozen else R1
    if frozen == part.size - 1 and part[-1] == INFO:
        return REP
    return SPC if frozen == 1 and part[0] == FROZEN else None


@njit(nogil=True, cache=True)
def _lane_repetition(llr: Array, at: int, total: int, out: Array, work: Array) -> None:
    """One bit sent many times, for all lanes: halve the block by adding until one value a lane is left."""
    half = total >> 1
    for i in range(half):
        work[i] = llr[np.uint64(at + i)] + llr[np.uint64(at + half + i)]
    while half > LANES:
        half >>= 1
        for i in range(half):
            work[i] += work[np.uint64(half + i)]
    for w in range(LANES):
        out[np.uint64(at + w)] = np.float32(1.0) if work[w] >= 0 else np.float32(-1.0)
    while half < total:
        for i in range(half):
            out[np.uint64(at + half + i)] = out[np.uint64(at + i)]
        half <<= 1


@njit(nogil=True, cache=True)
def _lane_check(llr: Array, at: int, total: int, out: Array, work: Array) -> None:
    """Single parity check for all lanes: flip the least reliable bit where the parity is odd.

    ``work`` holds magnitudes, where they are, and parities; few arrays a loop, else it does not run in lanes.
    """
    vectors.decide(llr.ctypes.data + 4 * at, total, out.ctypes.data + 4 * at)
    half = total >> 1
    where, parity = total, 2 * total
    for i in range(half):
        a, b = abs(llr[np.uint64(at + i)]), abs(llr[np.uint64(at + half + i)])
        work[np.uint64(i)] = a if a <= b else b
        work[np.uint64(where + i)] = np.float32(i) if a <= b else np.float32(half + i)
    for i in range(half):
        work[np.uint64(parity + i)] = out[np.uint64(at + i)] * out[np.uint64(at + half + i)]
    while half > LANES:
        half >>= 1
        for i in range(half):
            a, b = work[np.uint64(i)], work[np.uint64(half + i)]
            here, there = work[np.uint64(where + i)], work[np.uint64(where + half + i)]
            work[np.uint64(i)] = a if a <= b else b
            work[np.uint64(where + i)] = here if a <= b else there
            work[np.uint64(parity + i)] *= work[np.uint64(parity + half + i)]
    for w in range(LANES):
        out[at + int(work[where + w])] *= work[parity + w]


@njit(nogil=True, cache=True)
def _lane_leaf(operation: int, llr: Array, at: int, total: int, out: Array, work: Array) -> None:
    """One leaf for all lanes; the lanes of a bit lie side by side."""
    if operation == R0:
        for i in range(total):
            out[np.uint64(at + i)] = np.float32(1.0)
    elif operation == REP:
        _lane_repetition(llr, at, total, out, work)
    elif operation == SPC:
        _lane_check(llr, at, total, out, work)
    else:
        vectors.decide(llr.ctypes.data + 4 * at, total, out.ctypes.data + 4 * at)


def _tile_transpose(context: Any, b: Any, signature: Any, args: Any) -> Any:
    """LLVM for a 16 x 16 float transpose: interleaving rows i and i + 8 four times moves every bit of the index."""
    source, source_step, target, target_step = args
    vector = ir.VectorType(ir.FloatType(), LANES)

    def row(base: Any, step: Any, i: int) -> Any:
        return b.inttoptr(b.add(base, b.mul(step, ir.Constant(ir.IntType(64), i))), vector.as_pointer())

    def zipped(x: Any, y: Any, first: int) -> Any:
        lanes = [lane for j in range(first, first + 8) for lane in (j, j + LANES)]
        return b.shuffle_vector(x, y, ir.Constant(ir.VectorType(ir.IntType(32), LANES), lanes))

    rows = [b.load(row(source, source_step, i)) for i in range(LANES)]
    for loaded in rows:
        loaded.align = 4
    for _ in range(4):
        rows = [zipped(rows[i // 2], rows[i // 2 + 8], 8 * (i % 2)) for i in range(LANES)]
    for i, value in enumerate(rows):
        b.store(value, row(target, target_step, i)).align = 4
    return context.get_dummy_value()


@intrinsic
def _transpose_tile(typing_context: Any, source: Any, source_step: Any, target: Any, target_step: Any) -> Any:
    return types.void(*[types.intp] * 4), _tile_transpose


@njit(nogil=True, cache=True)
def _to_lanes(rows: Array, first: int, size: int, out: Array, to: int) -> None:
    for i in range(0, size, LANES):
        source, target = rows[first * size + i :], out[to + i * LANES :]
        _transpose_tile(source.ctypes.data, 4 * size, target.ctypes.data, 4 * LANES)


@njit(nogil=True, cache=True)
def _from_lanes(signs: Array, at: int, size: int, first: int, work: Array, out: Array) -> None:
    for i in range(0, size, LANES):
        source, target = signs[at + i * LANES :], work[i:]
        _transpose_tile(source.ctypes.data, 4 * LANES, target.ctypes.data, 4 * size)
    for i in range(size * LANES):
        out[np.uint64(first * size + i)] = work[np.uint64(i)] < 0


@njit(nogil=True, cache=True)
def decode_sc(llr: Array, program: Array, size: int, out: Array) -> None:
    """Successive cancellation without parity-check bits: [frames * N] float32 -> code words [frames * N] uint8.

    ``frames`` must be a multiple of LANES.
    """
    alpha = np.empty(2 * size * LANES, np.float32)
    left, right = np.empty(2 * size * LANES, np.float32), np.empty(2 * size * LANES, np.float32)
    work = np.empty(3 * size * LANES, np.float32)
    llrs = alpha.ctypes.data
    for first in range(0, llr.size // size, LANES):
        _to_lanes(llr, first, size, alpha, size * LANES)
        for p in range(program.shape[0]):
            operation, level, is_right = program[p, 0], program[p, 1], program[p, 2]
            at = LANES << level
            half = at >> 1
            side = right if is_right else left
            if operation == F:
                vectors.minsum(llrs + 4 * at, half, llrs + 4 * half)
            elif operation == G:
                vectors.given(llrs + 4 * at, left.ctypes.data + 4 * half, half, llrs + 4 * half)
            elif operation == JOIN:
                vectors.join(left.ctypes.data + 4 * half, right.ctypes.data + 4 * half, half, side.ctypes.data + 4 * at)
            else:
                _lane_leaf(operation, alpha, at, at, side, work)
        _from_lanes(right, size * LANES, size, first, work, out)
