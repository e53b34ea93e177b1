"""Fixtures of the tests of links."""

from collections.abc import Iterator

import pytest
from parts import left_threads


@pytest.fixture
def nothing_stays() -> Iterator[None]:
    """No thread of ours outlives its run."""
    yield
    assert not left_threads()
