"""Cached kernels go when any source of their folder changes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from semwave.modulation.kernel_cache import drop_stale


def test_kernels_go_when_a_helper_changes(tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text("x = 1\n")
    cached = tmp_path / "__pycache__" / "kernel.f-1.py311.1.nbc"
    assert drop_stale(tmp_path)
    cached.write_bytes(b"machine code")
    assert not drop_stale(tmp_path)
    assert cached.exists()
    (tmp_path / "helper.py").write_text("x = 2\n")
    os.utime(tmp_path / "helper.py", ns=(1, 1))
    assert drop_stale(tmp_path)
    assert not cached.exists()


def test_a_folder_that_is_not_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "__pycache__").write_text("a file, so that no cache can be made")
    assert not drop_stale(tmp_path)


@pytest.mark.timeout(400)
def test_kernels_compute_the_same_bits_freshly_compiled_and_loaded_from_the_cache(tmp_path: Path) -> None:
    """A kernel that calls another with relaxed arithmetic is optimised differently once it comes from the cache."""
    script = Path(__file__).with_name("kernels_digest.py")
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}

    def run() -> object:
        done = subprocess.run(
            [sys.executable, str(script)], check=False, capture_output=True, text=True, env=environment, timeout=380
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    fresh = run()
    assert list(tmp_path.rglob("*.nbc"))
    assert run() == fresh
