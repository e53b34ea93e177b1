"""What the command-line tests share: running a command in this process, writing small flowgraph files."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from semwave.cli import run


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Run ``semwave`` with these arguments."""

    def call(*argv: object) -> Outcome:
        capsys.readouterr()
        code = run([str(a) for a in argv])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call


@pytest.fixture
def graph(tmp_path: Path) -> Callable[..., Path]:
    """Write a flowgraph file: ``graph("a > b", a='{ use = "X" }', b=...)``, ``top`` goes above everything."""

    def write(*chains: str, top: str = "", params: str = "", name: str = "graph.toml", **blocks: str) -> Path:
        lines = [top, "connect = [", *(f'    "{c}",' for c in chains), "]", "[params]", params, "[blocks]"]
        lines += [f"{key} = {value}" for key, value in blocks.items()]
        file = tmp_path / name
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return file

    return write


@pytest.fixture
def head(graph: Callable[..., Path]) -> Path:
    """Random bits, the first ``count`` of them, kept."""
    return graph(
        "bits > head > sink",
        top='name = "first bits"\nseed = 3',
        params="count = 100",
        bits='{ use = "RandomBits" }',
        head='{ use = "Head", count = "$count" }',
        sink='{ use = "VectorSink" }',
    )
