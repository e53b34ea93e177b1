"""Constellations, bit mapping and soft demapping.

Labels are those of 3GPP TS 38.211, 5.1 (BPSK, QPSK, 16/64/256/1024-QAM); 8PSK is Gray labelled; any other
constellation is an array of points indexed by label, made with :func:`from_labels`.
"""

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from semwave.modulation import qam_kernels as kernels
from semwave.modulation.threads import split

Array = npt.NDArray[Any]

ORDERS = (2, 4, 8, 16, 64, 256, 1024)
_NAMES = {
    **{"bpsk": 2, "qpsk": 4, "8psk": 8, "4qam": 4},
    **{f"{order}qam": order for order in (16, 64, 256, 1024)},
    **{f"qam{order}": order for order in (16, 64, 256, 1024)},
}
_HALF = np.sqrt(0.5)
_SYMBOLS_PER_THREAD = 1 << 17  # max-log by folding: what takes long enough to be worth a thread
_DISTANCES_PER_THREAD = 1 << 19  # the same where points or levels are gone through


def order_of(order: int | str) -> int:
    """Number of points of a constellation given as 16, "16-QAM", "qpsk", ...; ValueError if unknown."""
    if isinstance(order, str):
        found = _NAMES.get(order.lower().replace("-", "").replace("_", "").replace(" ", ""))
        if found is None:
            raise ValueError(f"order must be 2, 4, 8, 16, 64, 256, 1024 or a name such as 'qpsk', not {order!r}")
        return found
    if order not in ORDERS:
        raise ValueError(f"order must be 2, 4, 8, 16, 64, 256 or 1024, not {order!r}")
    return int(order)


@lru_cache(maxsize=32)
def _constellation(order: int) -> Array:
    k = order.bit_length() - 1
    if order == 2:
        points = np.array([1 + 1j, -1 - 1j]) * _HALF
    elif order == 8:
        points = np.empty(8, complex)
        steps = np.arange(8)
        points[steps ^ (steps >> 1)] = np.exp(2j * np.pi * steps / 8)
    else:
        axis = pam_levels(k // 2)
        labels = np.arange(order)
        points = axis[_every_other(labels, k, 0)] + 1j * axis[_every_other(labels, k, 1)]
        points = points / np.sqrt(2 * np.mean(axis**2))
    points = points.astype(np.complex64)
    points.setflags(write=False)
    return points


def _every_other(labels: Array, k: int, odd: int) -> Array:
    """Collect bits 0, 2, 4, ... (or 1, 3, 5, ...) of k-bit labels, MSB first."""
    picked = np.zeros_like(labels)
    for j in range(odd, k, 2):
        picked = (picked << 1) | ((labels >> (k - 1 - j)) & 1)
    return picked


def pam_levels(m: int) -> Array:
    """Odd-integer amplitudes of one axis, `[2^m]` float64 by m-bit label.

    a = (1-2b0)(2^(m-1) - (1-2b1)(2^(m-2) - ...)), TS 38.211, 5.1.
    """
    labels = np.arange(1 << m)
    level = np.ones(1 << m)
    for depth in range(m):
        sign = 1.0 - 2.0 * ((labels >> depth) & 1)
        level = sign * (level if depth == 0 else (1 << depth) - level)
    return level


def constellation(order: int | str) -> Array:
    """Points of unit mean energy, `[order]` complex64, read-only.

    The index is the group of bits read MSB first (TS 38.211, 5.1; 8PSK: e^(j pi i/4) has label i XOR i/2).
    """
    return _constellation(order_of(order))


def from_labels(points: npt.ArrayLike, labels: npt.ArrayLike) -> Array:
    """Constellation of one's own, scaled to unit mean energy: ``points[i]`` carries label ``labels[i]``.

    `[order]`, `[order]` integers, a permutation of 0 ... order-1 -> `[order]` complex64 indexed by label.
    ValueError if the order is no power of two, the labels are no permutation or all points are zero.
    """
    given = np.asarray(points, np.complex128).ravel()
    where = np.asarray(labels).ravel()
    bits_per_symbol(given)
    if not np.array_equal(np.sort(where), np.arange(given.size)):
        raise ValueError(f"labels must be a permutation of 0 ... {given.size - 1}, not {where.tolist()}")
    energy = np.mean(np.abs(given) ** 2)
    if not (np.isfinite(energy) and energy > 0):
        raise ValueError(f"points must be finite with a mean energy above 0, not {energy}")
    ordered = np.empty(given.size, np.complex64)
    ordered[where] = given / np.sqrt(energy)
    ordered.setflags(write=False)
    return ordered


def bits_per_symbol(order: int | str | Array) -> int:
    """Bits that one symbol carries, for an order, a name or an array of points."""
    size = order.size if isinstance(order, np.ndarray) else order_of(order)
    if size < 2 or size & (size - 1):
        raise ValueError(f"points must be 2, 4, 8, ... in number, not {size}")
    return size.bit_length() - 1


def _points(points: int | str | Array) -> Array:
    if isinstance(points, (int, str, np.integer)):
        return constellation(int(points) if isinstance(points, np.integer) else points)
    return np.ascontiguousarray(points, np.complex64)


def _square_axis_bits(points: Array) -> int:
    """Bits per axis if the points are the standard's square QAM, else 0."""
    square = points.size in (4, 16, 64, 256, 1024) and np.array_equal(points, _constellation(points.size))
    return (points.size.bit_length() - 1) // 2 if square else 0


def _as_bits(bits: Array) -> Array:
    if bits.dtype != np.uint8:
        if bits.dtype.kind not in "bui":
            raise ValueError(f"bits must be integers 0 or 1, not {bits.dtype}")
        bits = (bits != 0).astype(np.uint8) | ((bits != 0) & (bits != 1)).astype(np.uint8) << 1
    return np.ascontiguousarray(bits)


def map_bits(bits: Array, points: int | str | Array) -> Array:
    """Map groups of k bits, MSB first, to points.

    `[..., n * k]` uint8 -> `[..., n]` complex64.
    ValueError if the last axis is no multiple of k or a bit is not 0 or 1.
    """
    table = _points(points)
    k = bits_per_symbol(table)
    bits = _as_bits(np.asarray(bits))
    if bits.ndim == 0 or bits.shape[-1] % k:
        raise ValueError(f"bits must come in groups of {k} on the last axis, not {bits.shape}")
    out = np.empty(bits.size // k, np.complex64)
    if kernels.map_bits(bits.reshape(-1), table, k, out) > 1:
        raise ValueError("bits must be 0 or 1, found a larger value (packed bytes?)")
    return out.reshape(*bits.shape[:-1], bits.shape[-1] // k)


def _as_symbols(symbols: Array) -> Array:
    symbols = np.asarray(symbols)
    if symbols.ndim == 0:
        raise ValueError("symbols must have at least one axis, not a single number")
    return np.ascontiguousarray(symbols, np.complex64)


def _split(symbols: Array) -> tuple[Array, Array]:
    flat = symbols.reshape(-1)
    return np.ascontiguousarray(flat.real), np.ascontiguousarray(flat.imag)


def demap_hard(symbols: Array, points: int | str | Array) -> Array:
    """Bits of the nearest point, MSB first: `[..., n]` complex -> `[..., n * k]` uint8."""
    table = _points(points)
    k, m = bits_per_symbol(table), _square_axis_bits(table)
    received = _as_symbols(symbols)
    out = np.empty(received.size * k, np.uint8)
    if m:
        scale = np.float32(1 / table.real[table.real > 0].min())
        kernels.hard_square(received.reshape(-1).view(np.float32), scale, m, out)
    else:
        kernels.hard_any(*_split(received), *_split(table), k, out)
    return out.reshape(*received.shape[:-1], received.shape[-1] * k)


def _normalise(received: Array, n0: float | Array, gain: Array | complex | None) -> tuple[Array, Array]:
    """Divide by the gain: symbols as they would be at gain 1, and their 1/n0 (`[1]` or one per symbol)."""
    noise = np.asarray(n0, np.float64)
    if not np.all(noise > 0):
        raise ValueError(f"n0 must be above 0 everywhere, its least value is {np.min(noise)}")
    if gain is None:
        inverse = 1 / noise
    else:
        g = np.asarray(gain, np.complex128)
        power = np.abs(g) ** 2
        inverse = power / noise
        turn = np.divide(np.conj(g), power, out=np.zeros(g.shape, complex), where=power > 0)
        received = np.ascontiguousarray(received * turn, np.complex64)
    try:
        inverse = np.minimum(inverse, 1e30).astype(np.float32)
        if inverse.size > 1:
            inverse = np.ascontiguousarray(np.broadcast_to(inverse, received.shape))
    except ValueError:
        raise ValueError(
            f"n0 and gain must be one number or fit symbols {received.shape}, "
            f"not {noise.shape} and {np.asarray(gain).shape}"
        ) from None
    return received, inverse.reshape(-1)


def demap_llr(
    symbols: Array,
    points: int | str | Array,
    n0: float | Array,
    method: str = "maxlog",
    gain: Array | complex | None = None,
) -> Array:
    """LLRs ln P(b=1)/P(b=0) of the bits of ``symbols = gain * point + noise``, E|noise|^2 = n0.

    exact: L = ln sum_{b=1} exp(-|y - g x|^2/n0) - ln sum_{b=0} exp(-|y - g x|^2/n0);
    maxlog keeps the largest term of each sum.

    `[..., n]` complex, n0 a number or one per symbol, gain likewise (None means 1) -> `[..., n * k]` float32.
    A gain of 0 gives LLRs of 0. Square QAM of TS 38.211 is demapped per axis, anything else over all points.
    ValueError for an unknown method, a wrong shape or n0 <= 0.
    """
    if method not in ("maxlog", "exact"):
        raise ValueError(f"method must be 'maxlog' or 'exact', not {method!r}")
    table = _points(points)
    k, m = bits_per_symbol(table), _square_axis_bits(table)
    received, inverse = _normalise(_as_symbols(symbols), n0, gain)
    out = np.empty(received.size * k, np.float32)
    flat, per_symbol = received.reshape(-1), inverse.size > 1

    def work(first: int, last: int) -> None:
        lo, hi = first * kernels.BLOCK, min(last * kernels.BLOCK, flat.size)
        noise = inverse[lo:hi] if per_symbol else inverse
        _demap(flat[lo:hi], noise, int(per_symbol), table, (k, m), method, out[lo * k : hi * k])

    folded = method == "maxlog" and m
    worth = (_SYMBOLS_PER_THREAD if folded else _DISTANCES_PER_THREAD // (m << m or table.size)) // kernels.BLOCK
    split(-(-flat.size // kernels.BLOCK), max(worth, 1), work)  # whole blocks, so that any share gives the same LLRs
    return out.reshape(*received.shape[:-1], received.shape[-1] * k)


def _demap(
    symbols: Array, inverse: Array, step: int, table: Array, widths: tuple[int, int], method: str, out: Array
) -> None:
    k, m = widths
    if not m:
        kernels.llr_any(*_split(symbols), inverse, step, *_split(table), k, method == "exact", out)
        return
    parts, smallest = symbols.view(np.float32), table.real[table.real > 0].min()
    if method == "maxlog":
        kernels.maxlog_square(parts, inverse, step, np.float32(1 / smallest), m, out)
    else:
        levels = (pam_levels(m) * smallest).astype(np.float32)
        kernels.exact_square(parts, inverse, step, levels, m, out)


def _pi2_turn(n: int, first_index: int) -> Array:
    """e^(j pi/2 (i mod 2)) for i = first_index ..."""
    turn: Array = np.where((np.arange(n) + first_index) % 2 == 0, 1, 1j).astype(np.complex64)
    return turn


def map_pi2_bpsk(bits: Array, first_index: int = 0) -> Array:
    """Map to pi/2-BPSK, whose turn depends on the index i, counted from ``first_index`` (TS 38.211, 5.1.1).

    d(i) = e^(j pi/2 (i mod 2)) ((1-2b) + j(1-2b))/sqrt 2. `[..., n]` uint8 -> `[..., n]` complex64.
    """
    symbols = map_bits(bits, 2)
    return symbols * _pi2_turn(symbols.shape[-1], first_index)


def demap_llr_pi2_bpsk(
    symbols: Array, n0: float | Array, gain: Array | complex | None = None, first_index: int = 0
) -> Array:
    """LLRs of pi/2-BPSK symbols, `[..., n]` complex -> `[..., n]` float32; see :func:`demap_llr`."""
    received = _as_symbols(symbols)
    return demap_llr(received * np.conj(_pi2_turn(received.shape[-1], first_index)), 2, n0, "maxlog", gain)
