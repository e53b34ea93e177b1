"""Getting frames into and out of the layout of :mod:`kernels`, and judging when they are done."""

from typing import Any

import numpy.typing as npt
from numba import njit

from semwave.modulation.ldpc.kernels import parity_fails, parity_of_frames
from semwave.modulation.ldpc.transpose import transpose16
from semwave.modulation.ldpc.vector import add, clamped, load, store, store_steps

Array = npt.NDArray[Any]


@njit(cache=True, nogil=True, boundscheck=False, error_model="numpy")
def quantise_word(llr: Array, runs: Array, word: Array, steps: Array, known: tuple[int, int], scale: Any) -> None:
    """Add the received values of one frame up in their code word places and bring them to the number format."""
    per_llr, channel, largest, clip, width = scale
    word[:] = 0
    for r in range(runs.shape[0]):
        first, at, size = runs[r, 0], runs[r, 1], runs[r, 2]
        whole = size - size % 16
        for i in range(0, whole, 16):
            store(word, first + i, add(load(word, first + i), clamped(load(llr, at + i), clip)))
        for i in range(whole, size):
            word[first + i] += min(max(llr[at + i], -clip), clip)
    for i in range(0, word.size - width + 1, width):
        store_steps(steps, i, word, i, per_llr, channel)
    steps[known[0] : known[1]] = largest


@njit(cache=True, nogil=True, boundscheck=False, error_model="numpy")
def quantise_apart(llr: Array, runs: Array, word: Array, steps: Array, known: tuple[int, int], scale: Any) -> None:
    """:func:`quantise_word` for runs in order that do not overlap: nothing to add up, so in one pass.

    The last vector of a run goes by way of ``word``; the zeros that it spills belong to a gap or are written over.
    """
    per_llr, channel, largest, _, width = scale
    done = 0
    for r in range(runs.shape[0]):
        first, at, size = runs[r, 0], runs[r, 1], runs[r, 2]
        steps[done:first] = 0
        whole = size - size % width
        for i in range(0, whole, width):
            store_steps(steps, first + i, llr, at + i, per_llr, channel)
        if whole < size:
            word[:width] = 0
            word[: size - whole] = llr[at + whole : at + size]
            store_steps(steps, first + whole, word, 0, per_llr, channel)
        done = first + size
    steps[done:] = 0
    steps[known[0] : known[1]] = largest


@njit(cache=True, nogil=True, boundscheck=False, error_model="numpy")
def copy(source: Array, at: int, target: Array, to: int, size: int, width: int) -> None:
    """Copy whole vectors until ``size`` values are across; spills up to a vector less one beyond."""
    for i in range(0, size, width):
        store(target, to + i, load(source, at + i))


@njit(cache=True, nogil=True, boundscheck=False, error_model="numpy")
def turn_word(steps: Array, columns: Array, to: int, pitch: int, shape: Any, rest: Array) -> None:
    """Copy the columns of one frame to ``to``, ``pitch`` apart, each turned by its resting shift."""
    width, z = shape[2], shape[3]
    for c in range(rest.size):  # the second copy covers what the first spills, and spills into the column's margin
        begin, turn, bit = to + c * pitch, rest[c], c * z
        copy(steps, bit + turn, columns, begin, z - turn, width)
        copy(steps, bit, columns, begin + z - turn, turn, width)


@njit(cache=True, nogil=True, boundscheck=False, error_model="numpy")
def turn_back(columns: Array, at: int, pitch: int, steps: Array, shape: Any, rest: Array, last: int) -> None:
    """Undo :func:`turn_word` for the columns before ``last``."""
    width, z = shape[2], shape[3]
    for c in range(last):
        begin, turn, bit = at + c * pitch, rest[c], c * z
        copy(columns, begin + z - turn, steps, bit, turn, width)  # in this order, what spills is written over
        copy(columns, begin, steps, bit + turn, z - turn, width)


@njit(cache=True, nogil=True, boundscheck=False, error_model="numpy")
def interleave(apart: Array, sums: Array, shape: Any, lanes: int, pitch: int, start: Array) -> None:
    """Bring the frames of a group, which lie one after the other in ``apart``, together bit by bit."""
    z, whole = shape[3], start.size * pitch
    for c in range(start.size):
        begin, at = start[c], c * pitch
        if lanes == 16 and z >= 16:
            for i in range(0, z, 16):
                i = min(i, z - 16)
                transpose16(apart, at + i, whole, sums, begin + i * 16, 16)
            continue
        for i in range(z):
            for f in range(lanes):
                sums[begin + i * lanes + f] = apart[f * whole + at + i]


@njit(cache=True, nogil=True, boundscheck=False, error_model="numpy")
def separate(sums: Array, apart: Array, shape: Any, lanes: int, pitch: int, start: Array, last: int) -> None:
    """Undo :func:`interleave` for the columns before ``last``."""
    z, whole = shape[3], start.size * pitch
    for c in range(last):
        begin, to = start[c], c * pitch
        if lanes == 16 and z >= 16:
            for i in range(0, z, 16):
                i = min(i, z - 16)
                transpose16(sums, begin + i * 16, 16, apart, to + i, whole)
            continue
        for i in range(z):
            for f in range(lanes):
                apart[f * whole + to + i] = sums[begin + i * lanes + f]


@njit(cache=True, nogil=True, boundscheck=False, error_model="numpy")
def emit(steps: Array, bits: Array, posteriors: Array) -> bool:
    """Write one frame's information bits and posteriors; return whether none of them is exactly zero."""
    for i in range(bits.size):
        bits[i] = steps[i] < 0
    for i in range(bits.size):
        posteriors[i] = steps[i]
    decided = True
    for i in range(bits.size):
        decided &= steps[i] != 0
    return decided


@njit(cache=True, nogil=True, boundscheck=False, error_model="numpy")
def load_group(g: int, llr: Array, work: Any, shape: Any, tables: Any, scale: Any, known: Any) -> None:
    """Bring group g of interleaved frames in; missing frames of a last group are zero and frozen."""
    sums, _, _, word, steps, frozen, apart = work
    size = shape[0]
    runs, start, rest, disjoint = tables[4:8]
    lanes = frozen.size
    pitch = start[1] - start[0] if lanes == 1 else shape[3] + shape[2]
    for f in range(lanes):
        frame = g * lanes + f
        frozen[f] = frame >= llr.shape[0]
        if frozen[f]:
            steps[:] = 0
        elif disjoint:
            quantise_apart(llr[frame], runs, word, steps, known, scale)
        else:
            quantise_word(llr[frame], runs, word, steps, known, scale)
        turn_word(steps, sums if lanes == 1 else apart, f * start.size * pitch, pitch, shape, rest)
    if lanes > 1:
        interleave(apart, sums, shape, lanes, pitch, start)
    for c in range(start.size):
        store(sums, start[c] + size, load(sums, start[c]))


@njit(cache=True, nogil=True, boundscheck=False, error_model="numpy")
def judge(g: int, spent: int, last: bool, failed: Array, work: Any, shape: Any, tables: Any, out: Any) -> bool:
    """Write out and freeze the frames of a group that are done; return whether all are."""
    sums, _, scratch, _, steps, frozen, apart = work
    bits, posteriors, ok, iterations = out
    z, lanes, k = shape[3], frozen.size, bits.shape[1]
    start, rest = tables[5:7]
    columns = (k + z - 1) // z
    if lanes == 1:
        failed[0] = parity_fails(sums, shape[1], tables)
    else:
        failed[:] = frozen
        parity_of_frames(sums, scratch, failed, shape, tables)
    pitch = start[1] - start[0] if lanes == 1 else z + shape[2]
    separated = lanes == 1
    for f in range(lanes):
        if frozen[f] or (failed[f] and not last):
            continue
        if not separated:
            separate(sums, apart, shape, lanes, pitch, start, columns)
            separated = True
        turn_back(sums if lanes == 1 else apart, f * start.size * pitch, pitch, steps, shape, rest, columns)
        frame = g * lanes + f
        good = emit(steps, bits[frame], posteriors[frame]) and not failed[f]
        if good or last:
            ok[frame], iterations[frame], frozen[f] = good, spent, True
    return bool(frozen.all())
