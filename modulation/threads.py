"""Share frames among threads: kernels leave the interpreter lock, so plain threads are enough.

numba's own parallel loops are avoided on purpose: on hosts without OpenMP or TBB its threading layer aborts the
process when two threads of a flowgraph enter it together.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise


def split(items: int, at_least: int, work: Callable[[int, int], None]) -> None:
    """Call ``work(first, last)`` over 0..items on up to numba.get_num_threads() threads, in shares of
    ``at_least`` items or more; return when all is done, and raise what any of them raised."""
    from numba import get_num_threads

    shares = max(1, min(get_num_threads(), items // at_least))
    edges = [items * i // shares for i in range(shares + 1)]
    if shares == 1:
        work(0, items)
        return
    with ThreadPoolExecutor(shares - 1) as pool:
        others = [pool.submit(work, lo, hi) for lo, hi in pairwise(edges[1:])]
        work(edges[0], edges[1])
        for other in others:
            other.result()
