"""Share frames among threads: kernels leave the interpreter lock, so plain threads are enough.

numba's own parallel loops are avoided on purpose: on hosts without OpenMP or TBB its threading layer aborts the
process when two threads of a flowgraph enter it together. The threads are kept: handing work to one that waits takes
some 10 microseconds, starting one some 80, which is what a share of a small block computes in.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise


@cache
def _pool() -> ThreadPoolExecutor:
    """Threads for shares only. A share never waits for another, so that all of them come to an end in any number."""
    return ThreadPoolExecutor(max(os.cpu_count() or 1, 2), "modulation")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)  # a child has none of its parent's threads


def shares(items: int, at_least: int) -> int:
    """Threads worth using: up to numba.get_num_threads(), each with ``at_least`` items or more."""
    from numba import get_num_threads

    return max(1, min(int(get_num_threads()), items // max(at_least, 1)))


def split(items: int, at_least: int, work: Callable[[int, int], None], count: int | None = None) -> None:
    """Call ``work(first, last)`` over 0..items on up to numba.get_num_threads() threads, in shares of
    ``at_least`` items or more, or in ``count`` shares; return when all is done, and raise what any of them raised.

    ``work`` must not split again, and should be worth 0.3 ms or more: a second thread also costs the time that it takes
    the machine to wake it.
    """
    parts = shares(items, at_least) if count is None else max(1, min(count, items))
    if parts == 1:
        work(0, items)
        return
    edges = [items * i // parts for i in range(parts + 1)]
    others = [_pool().submit(work, lo, hi) for lo, hi in pairwise(edges[1:])]
    try:
        work(edges[0], edges[1])
    finally:
        for other in others:
            other.exception()  # waits: nobody may write into arrays that the caller has got back
    for other in others:
        other.result()
