"""Sweeps of small functions, as files, and the command that runs them in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Start = Callable[..., "subprocess.Popen[str]"]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1", "NO_COLOR": "1"}


@pytest.fixture
def sweep_file(tmp_path: Path) -> Callable[..., Path]:
    """Write a sweep of ``task = "call"``: function, number of points, more parameters."""

    def write(function: str, count: int, name: str = "calls", **fixed: object) -> Path:
        lines = [f'name = "{name}"', 'task = "call"', "[fixed]", f'function = "semwave.sweep.probe:{function}"']
        lines += [f"{k} = {v!r}" for k, v in fixed.items()]
        lines += ["[[grid]]", f'index = "0:{count - 1}:1"']
        file = tmp_path / f"{name}_{function}.toml"
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return file

    return write


@pytest.fixture
def start() -> Start:
    """Start ``semwave ARGUMENTS`` in a session of its own, so that it and its workers can be killed together or not."""

    def begin(*arguments: object) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "semwave", *map(str, arguments)]
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT, start_new_session=True
        )

    return begin


@pytest.fixture
def semwave(start: Start) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Run ``semwave ARGUMENTS`` to its end."""

    def run(*arguments: object) -> "subprocess.CompletedProcess[str]":
        process = start(*arguments)
        out, err = process.communicate(timeout=280)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    return run
