"""The program itself: help, version, exit codes, what it imports, how a command is added."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import semwave
from semwave import cli as program
from semwave import commands

HEAVY = ("torch", "diffusers", "transformers", "matplotlib", "scipy.signal", "numba")


def python(*argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *argv], capture_output=True, text=True, timeout=60, check=False)


def test_version_names_program_and_version():
    done = python("-m", "semwave", "--version")
    assert (done.returncode, done.stdout) == (0, f"semwave {semwave.__version__}\n")


@pytest.mark.parametrize("argv", [["--help"], ["run", "--help"]])
def test_help_imports_nothing_heavy(argv):
    script = f"import sys; from semwave.cli import run; code = run({argv}); print(code, *sys.modules, file=sys.stderr)"
    done = python("-c", script)
    code, *modules = done.stderr.split()
    assert code == "0"
    assert not {m for m in modules if m.startswith(HEAVY)}
    assert "numpy" not in modules


def test_help_lists_commands_and_examples(cli):
    done = cli("--help")
    assert done.code == 0
    for name in ("run", "check", "show", "blocks", "doctor"):
        assert f"\n    {name} " in done.out
    assert "semwave run graph.toml --set snr_db=6" in done.out


def test_every_command_has_help(cli):
    for name, module in program.modules().items():
        done = cli(name, "--help")
        assert done.code == 0
        assert module.__doc__.splitlines()[0] in done.out
        assert "--debug" in done.out


def test_no_command_prints_help_as_usage_error(cli):
    done = cli()
    assert done.code == 2
    assert "usage: semwave" in done.err
    assert done.out == ""


def test_unknown_command_suggests_the_nearest(cli):
    done = cli("rnu", "x.toml")
    assert done.code == 2
    assert "no command 'rnu'; there are run, " in done.err
    assert "did you mean run?" in done.err


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["run"], "the following arguments are required: FILE"),
        (["run", "x", "--seed", "-1"], "must be a whole number from 0 to 2**63 - 1, not '-1'"),
        (["run", "x", "--seed", "1.5"], "must be a whole number from 0 to 2**63 - 1, not '1.5'"),
        (["run", "x", "--seed", str(2**63)], "must be a whole number from 0"),
        (["run", "x", "--timeout", "0"], "must be a number of seconds above 0, not '0'"),
        (["run", "x", "--timeout", "nan"], "must be a number of seconds above 0, not 'nan'"),
        (["run", "x", "--timeout", "soon"], "must be a number of seconds above 0, not 'soon'"),
        (["run", "x", "--quite"], "unrecognized arguments: --quite"),
        (["show", "x", "-o", "x.jpg"], "must end in .svg, .png or .mmd, not 'x.jpg'"),
    ],
)
def test_usage_errors_end_with_2(cli, argv, said):
    done = cli(*argv)
    assert done.code == 2
    assert said in done.err


def test_a_module_in_the_folder_is_a_command(cli, tmp_path, monkeypatch):
    (tmp_path / "greet.py").write_text(
        '"""Say hello."""\nORDER = 99\n'
        'def arguments(parser): parser.add_argument("name")\n'
        'def execute(args): print("hello", args.name); return 0\n'
    )
    monkeypatch.setattr(commands, "__path__", [*commands.__path__, str(tmp_path)])
    try:
        assert cli("greet", "you") == (0, "hello you\n", "")
        assert list(program.modules())[-1] == "greet"
    finally:
        sys.modules.pop("semwave.commands.greet", None)


def test_unexpected_error_is_one_line_with_a_hint(cli, head, monkeypatch):
    def broken(*_, **__):
        raise KeyError("lost")

    monkeypatch.setattr("semwave.runtime.graphfile.build", broken)
    done = cli("check", head)
    assert done.code == 1
    assert done.err == "semwave: unexpected KeyError: 'lost'\n  --debug shows the traceback\n"
    assert "Traceback" in cli("check", head, "--debug").err


def test_ctrl_c_before_anything_runs(cli, head, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("semwave.runtime.graphfile.load", interrupted)
    assert cli("check", head) == (130, "", "semwave: stopped by Ctrl-C\n")
    assert json.loads(cli("check", head, "--json").out)["error"] == "stopped by Ctrl-C"


def test_a_reader_that_leaves_is_no_error():
    """The pipe's reader is gone before anything is written: no traceback, no message at exit either."""
    script = (
        "import os, sys, subprocess\n"
        "r, w = os.pipe(); os.close(r)\n"
        "done = subprocess.run([sys.executable, '-m', 'semwave', 'blocks'], stdout=w, stderr=subprocess.PIPE)\n"
        "print(done.returncode, done.stderr)\n"
    )
    assert python("-c", script).stdout == "141 b''\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("argv", [["blocks"], ["blocks", "--json"]])
def test_output_to_a_full_disk(argv, unbuffered):
    command = [sys.executable, "-m", "semwave", *argv]
    surroundings = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False, env=surroundings
        )
    assert done.returncode == 1
    assert done.stderr == "semwave: cannot write the output: no space left on device\n"
