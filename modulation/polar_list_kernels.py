"""List decoding of polar codes with the CRC's help, one frame at a time, cut subtrees decided at once.

A path owns one slot of every buffer. All paths write a level together, so a new path needs no copy of values:
it copies a row of pointers that say in whose slot each level of LLRs and of left partial sums lies. A leaf
first decides every path the likeliest way; then each path may also be taken the next likeliest way, at the
price of a penalty, and the best ``L`` of all remain (``_branch``). That price never falls from one round of a
leaf to the next, so the first round that changes nothing is the last.

Tables, a row for each path: ``paths`` (int64) is copied with a path, ``places`` (int64) and ``reals`` (float64)
belong to the slot. Buffers are passed as addresses: handing arrays on costs more than the work on small leaves.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from semwave.modulation import polar_vectors as vectors
from semwave.modulation.polar_kernels import CHECK, JOIN, R0, REP, SPC, F, G
from semwave.modulation.polar_messages import choose

Array = npt.NDArray[Any]

# Columns of ``paths``: slots by level (11 each), parity register, path whose LLRs the leaf uses, flips in the leaf.
_LLR, _LEFT, _REGISTER, _ORIGIN, _COUNT, _FLIPS = 0, 11, 22, 23, 24, 25
_AT, _PLACE = 0, 1  # of ``places``: address of the leaf's LLRs, then where the least reliable bits are, by round
_METRIC, _PENALTY, _VALUE = 0, 1, 2  # of ``reals``: then magnitudes of the least reliable bits, by round


@njit(nogil=True, cache=True)
def _branch(count: int, flip: int, paths: Array, reals: Array) -> int:
    """Keep the best of all paths and their alternatives: number of paths now, negative if nothing changed.

    A new path copies its source and has one more flip, number ``flip``.
    """
    limit, start, changed = paths.shape[0], count, False
    used = 0  # a bit for each path that is new or already copied
    while True:
        source, least = -1, np.inf
        for p in range(start):
            offer = reals[p, _METRIC] + reals[p, _PENALTY]
            if offer < least and not used >> p & 1:
                source, least = p, offer
        if source < 0:
            break
        to = count
        if count < limit:
            count += 1
        else:
            to = 0
            for p in range(1, limit):
                to = p if reals[p, _METRIC] > reals[to, _METRIC] else to
            if not least < reals[to, _METRIC]:
                break
        used |= 1 << source | 1 << to
        flips = paths[source, _COUNT]
        for i in range(_FLIPS + flips):
            paths[to, i] = paths[source, i]
        paths[to, _FLIPS + flips] = flip
        paths[to, _COUNT] = flips + 1
        reals[to, _METRIC] = least
        changed = True
    return count if changed else -count


@njit(nogil=True, cache=True)
def _place(o: int, j: int, size: int, work: Array, places: Array, reals: Array) -> int:
    """Where the magnitude of round j lies in path o; found when first asked for, then out of the race."""
    if places[o, _PLACE + j] < 0:
        value = np.float32(reals[o, _VALUE + j])
        for i in range(size):
            if work[np.uint64(o * size + i)] == value:
                work[np.uint64(o * size + i)] = np.inf
                places[o, _PLACE + j] = i
                break
    return places[o, _PLACE + j]


@njit(nogil=True, cache=True)
def _all_zero(count: int, size: int, side: int, step: int, places: Array, reals: Array, pair: Array) -> None:
    for p in range(count):
        vectors.against(places[p, _AT], size, pair.ctypes.data)
        reals[p, _METRIC] += pair[0]
        vectors.fill(1, size, side + p * step)


@njit(nogil=True, cache=True)
def _repetition(
    count: int, size: int, side: int, step: int, paths: Array, places: Array, reals: Array, pair: Array
) -> int:
    """One bit sent ``size`` times: the likelier value, then the other. Returns the number of paths."""
    for p in range(count):
        vectors.against(places[p, _AT], size, pair.ctypes.data)
        zero, one = pair[0], pair[1]
        reals[p, _METRIC] += zero if zero <= one else one
        reals[p, _PENALTY] = abs(zero - one)
        paths[p, _ORIGIN], paths[p, _COUNT] = (0 if zero <= one else 1), 0
    count = abs(_branch(count, 0, paths, reals))
    for p in range(count):
        bit = (paths[p, _ORIGIN] + paths[p, _COUNT]) & 1
        vectors.fill(1 - 2 * bit, size, side + p * step)
    return count


@njit(nogil=True, cache=True)
def _start_free(
    count: int, size: int, check: int, work: Array, paths: Array, places: Array, reals: Array, pair: Array
) -> int:
    """Magnitudes to ``work``, the least as round 0; bit p of the result: the parity check of path p fails."""
    signs, odd = pair.view(np.int32), 0
    for p in range(count):
        paths[p, _ORIGIN], paths[p, _COUNT] = p, 0
        vectors.magnitudes(places[p, _AT], size, work.ctypes.data + 4 * p * size, pair.ctypes.data)
        reals[p, _VALUE], places[p, _PLACE] = pair[1], -1
        if check and signs[0] < 0:
            odd |= 1 << p
            reals[p, _METRIC] += pair[1]
    return odd


@njit(nogil=True, cache=True)
def _round(
    j: int, count: int, size: int, odd: int, work: Array, paths: Array, places: Array, reals: Array, pair: Array
) -> int:
    """Offer every path the flip of its j-th least reliable bit: number of paths, negative if none took it.

    ``odd`` is negative where there is no parity check.
    """
    known = 0
    for p in range(count):
        o = paths[p, _ORIGIN]
        if j and not known >> o & 1:
            known |= 1 << o
            _place(o, j - 1, size, work, places, reals)
            vectors.smallest(work.ctypes.data + 4 * o * size, size, pair.ctypes.data)
            reals[o, _VALUE + j], places[o, _PLACE + j] = pair[0], -1
    for p in range(count):
        o = paths[p, _ORIGIN]
        penalty = reals[o, _VALUE + j]
        if odd >= 0:  # the parity's own flip comes or goes with every other
            penalty += reals[o, _VALUE] * (1 - 2 * ((odd >> o ^ paths[p, _COUNT]) & 1))
        reals[p, _PENALTY] = penalty
    return _branch(count, j, paths, reals)


@njit(nogil=True, cache=True)
def _free(
    count: int,
    size: int,
    check: int,
    side: int,
    step: int,
    work: Array,
    paths: Array,
    places: Array,
    reals: Array,
    pair: Array,
) -> int:
    """All bits free, or (``check`` 1) all but a parity: flip the least reliable ones, one a round."""
    odd = _start_free(count, size, check, work, paths, places, reals, pair)
    odd = odd if check else -1
    for j in range(check, min(paths.shape[0] - 1 + check, size)):
        now = _round(j, count, size, odd, work, paths, places, reals, pair)
        if now < 0:
            break
        count = now
    for p in range(count):
        o, flips, to = paths[p, _ORIGIN], paths[p, _COUNT], side + p * step
        vectors.decide(places[o, _AT], size, to)
        for f in range(flips):
            vectors.negate(to + 4 * _place(o, paths[p, _FLIPS + f], size, work, places, reals))
        if check and (odd >> o ^ flips) & 1:
            vectors.negate(to + 4 * _place(o, 0, size, work, places, reals))
    return count


@njit(nogil=True, cache=True)
def _single(operation: int, count: int, llrs: int, side: int, step: int, paths: Array, reals: Array) -> None:
    """After a bit of a code with parity-check bits: decide such a bit, turn the register (TS 38.212, 5.3.1.2)."""
    for p in range(count):
        register = paths[p, _REGISTER]
        register = register >> 1 | (register & 1) << 4
        if operation == CHECK:
            value = vectors.read(llrs + paths[p, _LLR] * step)
            bit = register & 1
            reals[p, _METRIC] += abs(value) if (value < 0) != bit else np.float32(0.0)
            vectors.fill(1 - 2 * bit, 1, side + p * step)
        elif vectors.read(side + p * step) < 0:
            register ^= 1
        paths[p, _REGISTER] = register


@njit(nogil=True, cache=True)
def _inner(
    operation: int, count: int, level: int, step: int, llrs: int, lefts: int, rights: int, side: int, paths: Array
) -> None:
    """One step between levels for all paths: LLRs down to a child, or partial sums up from both."""
    half = 1 << (level - 1)
    for p in range(count):
        source, to = llrs + paths[p, _LLR + level] * step + 8 * half, llrs + p * step + 4 * half
        left = lefts + paths[p, _LEFT + level - 1] * step + 4 * half
        if operation == F:
            vectors.minsum(source, half, to)
        elif operation == G:
            vectors.given(source, left, half, to)
        else:
            vectors.join(left, rights + p * step + 4 * half, half, side + p * step + 8 * half)
        if operation != JOIN:
            paths[p, _LLR + level - 1] = p


@njit(nogil=True, cache=True)
def _walk(
    program: Array,
    whole: bool,
    buffers: tuple[int, int, int, int],
    work: Array,
    paths: Array,
    places: Array,
    reals: Array,
    pair: Array,
) -> int:
    """Run the program on one frame; the root's LLRs lie in slot 0. Returns the number of paths."""
    llrs, lefts, rights, step = buffers
    paths[:] = 0
    reals[:, _METRIC] = 0.0
    count = 1
    for q in range(program.shape[0]):
        operation, level, is_right = program[q, 0], program[q, 1], program[q, 2]
        size, side = 1 << level, rights if is_right else lefts
        here = side + 4 * size
        if operation <= JOIN:
            _inner(operation, count, level, step, llrs, lefts, rights, side, paths)
        else:
            for p in range(count):
                places[p, _AT] = llrs + paths[p, _LLR + level] * step + 4 * size
            if operation == R0:
                _all_zero(count, size, here, step, places, reals, pair)
            elif operation == REP:
                count = _repetition(count, size, here, step, paths, places, reals, pair)
            elif operation != CHECK:
                check = int(operation == SPC)
                count = _free(count, size, check, here, step, work, paths, places, reals, pair)
            if whole:
                _single(operation, count, llrs + 4, here, step, paths, reals)
        if operation >= JOIN and not is_right:
            for p in range(count):
                paths[p, _LEFT + level] = p
    return count


@njit(nogil=True, cache=True)
def decode_list(
    llr: Array, program: Array, info: Array, syndromes: Array, list_size: int, whole: bool, out: Array, good: Array
) -> None:
    """CRC-aided list decoding: [frames, N] float32 ln P(0) / P(1) -> [frames, K] uint8, [frames] bool.

    ``whole``: the code has parity-check bits, and a register follows every bit.
    """
    frames, size = llr.shape
    alpha = np.empty(2 * size * list_size, np.float32)
    left, right = np.empty_like(alpha), np.empty_like(alpha)
    buffers = (alpha.ctypes.data, left.ctypes.data, right.ctypes.data, 8 * size)
    work, pair = np.empty(size * list_size, np.float32), np.empty(2, np.float32)
    paths = np.empty((list_size, _FLIPS + list_size + 2), np.int64)
    places = np.empty((list_size, _PLACE + list_size + 2), np.int64)
    reals = np.empty((list_size, _VALUE + list_size + 2))
    word = np.empty(size, np.uint8)
    for f in range(frames):
        alpha[size : 2 * size] = llr[f]
        count = _walk(program, whole, buffers, work, paths, places, reals, pair)
        good[f] = choose(count, reals, right, size, info, syndromes, word, out[f])
    left[0] = alpha[0]  # keeps both alive to here: the walk knows only their addresses
