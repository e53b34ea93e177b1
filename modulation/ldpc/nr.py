"""One code block of the NR LDPC code with rate matching (3GPP TS 38.212, 5.3.2 and 5.4.2)."""

from typing import Any

import numpy as np
import numpy.typing as npt

from semwave.modulation.ldpc import rate_matching, tables
from semwave.modulation.ldpc.code import LdpcCode

Array = npt.NDArray[Any]

MAX_BLOCK = {1: 8448, 2: 3840}  # bits of a code block, K_cb (5.2.2)


def choose_base_graph(size: int, rate: float) -> int:
    """Base graph for a payload of ``size`` bits at code rate ``rate`` (TS 38.212, 6.2.2 and 7.2.2)."""
    return 2 if size <= 292 or (size <= 3824 and rate <= 0.67) or rate <= 0.25 else 1


def choose_lifting(base_graph: int, payload: int, block: int) -> int:
    """Smallest lifting size with K_b * Z >= block, K_b given by the whole ``payload`` (5.2.2)."""
    columns = tables.NR_SYSTEMATIC[base_graph]
    if base_graph == 2:
        columns = 10 if payload > 640 else 9 if payload > 560 else 8 if payload > 192 else 6
    for z in tables.LIFTING_SIZES:
        if columns * z >= block:
            return z
    raise ValueError(f"k must be at most {MAX_BLOCK[base_graph]} with base graph {base_graph}, not {block}")


def bits_per_symbol(order: int | None) -> int:
    """Bits of one symbol of a constellation of ``order`` points; 1 for None."""
    if order is None:
        return 1
    if order not in (2, 4, 16, 64, 256, 1024):
        raise ValueError(f"order must be 2, 4, 16, 64, 256 or 1024, not {order}")
    return order.bit_length() - 1


def default_factor(rate: float) -> float:
    """Min-sum factor that does best at a code rate: rows grow lighter, and the minimum worse, as rates fall."""
    return 0.7 if rate <= 0.6 else 0.75


class NrCode(LdpcCode):
    """NR LDPC code of one code block without CRC: k bits in, n rate-matched bits out.

    ``base_graph``: 1 or 2, by default as TS 38.212, 7.2.2 chooses from k and k/n (1 where k is above 3840).
    ``rv``: redundancy version. ``order``: interleave for that constellation; None leaves the bits in
    order. ``buffer_size``: bits kept of the circular buffer, N_cb (limited-buffer rate matching).

    The first 2 Z information bits are never sent, so blocks below about ten bits need a low rate.
    The default min-sum factor is 0.7 up to rate 0.6 and 0.75 above. Base graph 1 at rate 1/2, 1.1 dB and 20
    iterations has frame error rate 0.09 with it, 0.30 with 0.75, and 0.004 with "oms", which is the better choice
    wherever the noise variance is known.
    """

    def __init__(
        self,
        k: int,
        n: int,
        *,
        base_graph: int | None = None,
        rv: int = 0,
        order: int | None = None,
        buffer_size: int | None = None,
    ) -> None:
        if not 1 <= k <= MAX_BLOCK[1]:
            raise ValueError(f"k must be 1 to {MAX_BLOCK[1]}, not {k}")
        if n < k:
            raise ValueError(f"n must be at least k = {k}, not {n}")
        per_symbol = bits_per_symbol(order)
        if n % per_symbol:
            raise ValueError(f"n must be a multiple of {per_symbol} bits for order {order}, not {n}")
        if base_graph is None:
            base_graph = 1 if k > MAX_BLOCK[2] else choose_base_graph(k, k / n)
        if base_graph not in MAX_BLOCK:
            raise ValueError(f"base_graph must be 1 or 2, not {base_graph}")
        z = choose_lifting(base_graph, k, k)
        graph = tables.nr_graph(base_graph, z)
        n_cb = buffer_bits(graph.n_cols * z - 2 * z, buffer_size)
        runs = block_runs(base_graph, z, k, n_cb, rv, n)
        self.base_graph = base_graph
        self.lifting_size = z
        super().__init__(graph, k, n, runs, factor=default_factor(k / n), bits_per_symbol=per_symbol)


def buffer_bits(full: int, limit: int | None) -> int:
    """Length N_cb of the circular buffer: the whole parent code word or a limit below it (5.4.2.1)."""
    if limit is not None and limit < 1:
        raise ValueError(f"buffer_size must be 1 or more, not {limit}")
    return full if limit is None else min(full, limit)


def block_runs(base_graph: int, z: int, k: int, n_cb: int, rv: int, length: int) -> Array:
    """Runs of code word bits sent for a redundancy version [runs, 3] (see rate_matching.selection)."""
    start = rate_matching.buffer_start(base_graph, z, n_cb, rv)
    punctured = 2 * z
    filler = (max(k - punctured, 0), (tables.NR_SYSTEMATIC[base_graph] - 2) * z)
    if min(filler[0], n_cb) + max(n_cb - filler[1], 0) <= 0:
        raise ValueError(f"buffer_size leaves no bit to send: {n_cb}")
    runs = rate_matching.selection(n_cb, start, filler, length)
    return runs + np.array([punctured, 0, 0])
