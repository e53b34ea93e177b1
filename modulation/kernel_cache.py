"""Keep numba's cache honest: it looks at a kernel's own file, not at the files that the kernel's helpers are in."""

from pathlib import Path

STAMP = "kernels.stamp"


def drop_stale(folder: Path, *others: Path) -> bool:
    """Delete the cached kernels in ``folder`` when any of its sources, or of ``others``, changed since they were made;
    say whether.

    Machine code compiled from an older helper would go on running after an update, reading arrays that have another
    layout by now. A folder that cannot be written is left alone.
    """
    sources = [*sorted(folder.glob("*.py")), *others]
    seen = "".join(f"{s.name} {s.stat().st_mtime_ns} {s.stat().st_size}\n" for s in sources)
    cache = folder / "__pycache__"
    try:
        if (cache / STAMP).read_text() == seen:
            return False
    except OSError:
        pass
    try:
        cache.mkdir(exist_ok=True)
        for old in (*cache.glob("*.nbi"), *cache.glob("*.nbc")):
            old.unlink(missing_ok=True)
        (cache / STAMP).write_text(seen)
    except OSError:
        return False
    return True
