"""Cached kernels go when any source of their folder changes."""

import os
from pathlib import Path

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
