"""Run the programs of ``examples/gnuradio`` with the Python that has GNU Radio; skip, with the reason, without it."""

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

PYTHON = "/usr/bin/python3"
ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples" / "gnuradio"


@cache
def missing() -> str:
    """Why GNU Radio cannot be used here; nothing where it can."""
    if not EXAMPLES.is_dir():
        return "not in a source tree"
    command = [PYTHON, "-c", "import pmt; from gnuradio import channels, digital, pdu, zeromq"]
    try:
        done = subprocess.run(command, check=False, capture_output=True, timeout=60)
    except OSError:
        return f"there is no {PYTHON}"
    return f"GNU Radio cannot be imported by {PYTHON}" if done.returncode else ""


def need() -> None:
    """Skip the test where GNU Radio is missing."""
    if missing():
        pytest.skip(missing())


@contextlib.contextmanager
def addresses() -> Iterator[tuple[str, str]]:
    """Two ZeroMQ addresses of their own, whatever else runs on this machine; short, as sockets' names must be."""
    folder = tempfile.mkdtemp(prefix="gr")
    try:
        yield f"ipc://{folder}/there", f"ipc://{folder}/back"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def program(script: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A running program, ended at the end of the block whatever it does."""
    process = subprocess.Popen(
        [PYTHON, "-u", str(script), *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()
