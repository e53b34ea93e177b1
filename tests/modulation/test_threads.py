"""Shares of work on the kept threads."""

import os
import threading

import numba
import numpy as np
import pytest

from semwave.modulation import threads


@pytest.fixture
def two_threads():
    before = numba.get_num_threads()
    numba.set_num_threads(min(2, numba.config.NUMBA_NUM_THREADS))
    yield
    numba.set_num_threads(before)


@pytest.mark.parametrize(
    ("items", "at_least", "count"), [(0, 1, None), (1, 1, None), (7, 1, 3), (100, 200, None), (5, 1, 9)]
)
def test_every_item_once(items, at_least, count, two_threads):
    seen = np.zeros(items, int)

    def work(first, last):
        seen[first:last] += 1

    threads.split(items, at_least, work, count)
    assert (seen == 1).all()


def test_small_work_stays_where_it_is(two_threads):
    who = []
    threads.split(10, 6, lambda *_: who.append(threading.get_ident()))
    assert who == [threading.get_ident()]


def test_shares_run_at_once():
    """Both shares wait for each other: they would hang on one thread."""
    meet = threading.Barrier(2, timeout=30)
    threads.split(2, 1, lambda *_: meet.wait(), 2)


@pytest.mark.parametrize("bad", [0, 1])
def test_an_error_of_any_share_comes_back_when_all_are_done(bad):
    done = []

    def work(first, _):
        if first == bad:
            raise KeyError(first)
        done.append(first)

    with pytest.raises(KeyError):
        threads.split(2, 1, work, 2)
    assert done == [1 - bad]


def test_many_callers_at_once():
    """More callers than threads: each waits for shares only, which wait for nothing."""
    sums = np.zeros(16)

    def call(i):
        parts = []
        threads.split(8, 1, lambda a, b: parts.append(b - a), 4)
        sums[i] = sum(parts)

    callers = [threading.Thread(target=call, args=(i,)) for i in range(16)]
    for c in callers:
        c.start()
    for c in callers:
        c.join(30)
    assert (sums == 8).all()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_has_threads_of_its_own():
    threads.split(2, 1, lambda *_: None, 2)
    child = os.fork()
    if child == 0:
        try:
            meet = threading.Barrier(2, timeout=20)
            threads.split(2, 1, lambda *_: meet.wait(), 2)
            os._exit(0)
        except BaseException:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
