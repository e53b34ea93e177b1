"""The machine: Python, processor, memory, disk, torch's device, numba's cache."""

import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

DEVICE_TIMEOUT_S = 120
DEVICE_SCRIPT = """
import json, torch
cuda = torch.cuda.is_available()
print(json.dumps({
    "torch": torch.__version__,
    "device": "cuda" if cuda else "cpu",
    "name": torch.cuda.get_device_name(0) if cuda else "",
    "memory": torch.cuda.get_device_properties(0).total_memory if cuda else None,
    "threads": torch.get_num_threads(),
}))
"""


def machine() -> dict[str, Any]:
    """Python, platform, processor, memory and disk; what cannot be found out is None."""
    cpu = _cpuinfo()
    memory = _meminfo()
    return {
        "python": platform.python_version(),
        "executable": sys.executable,
        "platform": platform.platform(),
        "cpu": cpu.get("model name") or platform.processor() or platform.machine(),
        "cpus": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "vectors": [f for f in ("avx2", "avx512f", "asimd") if f in (cpu.get("flags") or cpu.get("Features") or "")],
        "memory": memory.get("MemTotal"),
        "memory_free": memory.get("MemAvailable"),
        "disk_free": shutil.disk_usage(".").free,
    }


def _cpuinfo() -> dict[str, str]:
    """The first processor of /proc/cpuinfo; empty elsewhere than on Linux."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    pairs = (line.partition(":") for line in text.split("\n\n")[0].splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def _meminfo() -> dict[str, int]:
    """/proc/meminfo in bytes; empty elsewhere than on Linux."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    words = (line.split() for line in lines)
    return {w[0].rstrip(":"): int(w[1]) * 1024 for w in words if len(w) == 3 and w[2] == "kB"}


def device() -> dict[str, Any]:
    """What torch would compute on; asked in another process, so that a broken driver cannot take this one along."""
    if importlib.util.find_spec("torch") is None:
        return {"device": None, "problem": "torch is not installed"}
    command = [sys.executable, "-P", "-c", DEVICE_SCRIPT]  # -P: a torch.py in this folder is not torch
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=DEVICE_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        return {"device": None, "problem": f"importing torch took more than {DEVICE_TIMEOUT_S} s"}
    if done.returncode:
        last = (done.stderr.strip() or f"exit code {done.returncode}").splitlines()[-1]
        return {"device": None, "problem": f"torch cannot be imported: {last}"}
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return {**found, "problem": None}


def numba_cache() -> dict[str, Any]:
    """Where numba keeps compiled kernels, and whether it can: without, every start compiles them anew."""
    named = os.environ.get("NUMBA_CACHE_DIR")
    if named:
        places = [Path(named)]
    else:
        spec = importlib.util.find_spec("semwave.modulation")
        beside = [Path(p) / "__pycache__" for p in (spec.submodule_search_locations or [])] if spec else []
        places = [*beside, Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "numba"]
    usable = next((p for p in places if writable(p)), None)
    return {"path": str(usable or places[0]), "writable": usable is not None}


def writable(folder: Path) -> bool:
    """Whether files can be made in ``folder``, or the folder itself be made."""
    existing = next((p for p in (folder, *folder.parents) if p.exists()), None)
    return existing is not None and existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)
