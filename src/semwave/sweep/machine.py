"""What a figure was made with: versions, the commit, the processor."""

import functools
import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = (
    "numpy", "scipy", "numba", "torch", "diffusers", "transformers", "pillow", "pillow-heif", "imagecodecs", "dask",
    "distributed", "constriction",
)  # fmt: skip


@functools.cache
def _versions() -> tuple[tuple[str, str], ...]:
    import semwave

    found = {"semwave": semwave.__version__, "python": platform.python_version()}
    commit = _commit()
    if commit:
        found["commit"] = commit
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return tuple(found.items())


def versions() -> dict[str, str]:
    """Of semwave, its commit where it runs from a checkout, Python and the packages that results depend on."""
    return dict(_versions())


def _commit() -> str | None:
    """The checkout's commit, with ``+`` where tracked files have changed; None outside a checkout."""
    import semwave

    folder = Path(semwave.__file__).resolve().parents[2]
    if not (folder / ".git").exists():
        return None
    git = ["git", "-C", str(folder)]
    try:
        ask = [*git, "rev-parse", "--short=12", "HEAD"]
        head = subprocess.run(ask, capture_output=True, text=True, timeout=10, check=False)
        dirty = subprocess.run([*git, "diff", "--quiet", "HEAD"], capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return head.stdout.strip() + ("+" if dirty.returncode else "") if not head.returncode else None


def hardware(workers: int, scheduler: str | None) -> dict[str, Any]:
    """Processor, cores and memory of this machine, and how many workers there were."""
    from semwave.commands._machine import machine

    known = machine()
    about = {k: known[k] for k in ("platform", "cpu", "cpus", "memory")}
    return {**about, "workers": workers, "cluster": "dask" if scheduler else "local", "pid": os.getpid()}
