"""The modem as plain functions and small classes over arrays: NumPy, SciPy and numba, nothing of ours."""

from pathlib import Path

if __name__ != "semwave.modulation":  # the same file under a second name would make a second set of classes
    raise ImportError("import semwave.modulation, not modulation (after: pip install -e .)")

from semwave.modulation.kernel_cache import drop_stale

drop_stale(Path(__file__).parent)
