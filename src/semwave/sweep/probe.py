"""Functions to call in sweeps of ``task = "call"``: for tests of the machinery, and to see what a cluster does."""

import os
import time
from typing import Any

import numpy as np


def draw(seed: int, mean: float = 0.0, index: int = 0) -> dict[str, Any]:
    """A number that depends on the seed alone."""
    return {"value": float(np.random.default_rng(seed).normal(mean)), "index": index}


def spin(seed: int, busy_s: float = 0.01, index: int = 0) -> dict[str, Any]:
    """Processor time, then a number that depends on the seed alone."""
    end = time.process_time() + busy_s
    while time.process_time() < end:
        pass
    return draw(seed, index=index)


def nap(seed: int, nap_s: float = 0.01, index: int = 0) -> dict[str, Any]:
    """Time without work, then a number that depends on the seed alone."""
    time.sleep(nap_s)
    return draw(seed, index=index)


def fail(seed: int, index: int = 0, unless: str = "", every: int = 1) -> dict[str, Any]:
    """An error for every ``every``-th index, unless the file ``unless`` exists."""
    if index % every == 0 and not (unless and os.path.exists(unless)):
        raise RuntimeError(f"index {index} does not work")
    return draw(seed, index=index)


def die(seed: int, index: int = 0) -> dict[str, Any]:
    """The end of the process that computes it."""
    os._exit(9)
