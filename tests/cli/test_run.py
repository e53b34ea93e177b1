"""``semwave run``: what it prints and where, failures, a full disk."""

import errno
import json
import sys
from typing import Annotated

import numpy as np
import pytest

from semwave.runtime import ANY, FrameBlock, In, Param, UserError, registry


class Talker(FrameBlock):
    """Count, warn, sum up."""

    mood: Annotated[str, Param("what to do")] = "fine"

    items = In(ANY)

    def start(self, ctx):
        self._ctx, self._seen = ctx, 0

    def work(self, items):
        self._seen += len(items.data)
        self._ctx.count("lost", 3)
        self._ctx.count("never", 0)
        self._ctx.warn("the level is low")
        self._ctx.facts["level"] = np.float32("nan")
        self._ctx.facts["mean"] = np.array([0.5, 1.5])
        return ()

    def summary(self):
        return f"seen {self._seen} items\nand nothing else"


class Failing(FrameBlock):
    """Fail in the way that ``how`` says."""

    how: Annotated[str, Param("how to fail")] = ""

    items = In(ANY)

    def work(self, items):
        if self.how == "full":
            raise OSError(errno.ENOSPC, "No space left on device", "out/x.bin")
        if self.how == "nameless":
            raise OSError(errno.ENOSPC, "No space left on device")
        if self.how == "permission":
            raise PermissionError(errno.EACCES, "Permission denied", "out/x.bin")
        if self.how == "missing":
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", "in/x.bin")
        if self.how == "user":
            raise UserError("the recording has no carrier; give carrier_hz")
        if self.how == "import":
            raise ModuleNotFoundError("No module named 'torch'")
        return [1 / 0]


@pytest.fixture(autouse=True)
def _blocks(monkeypatch):
    monkeypatch.setitem(sys.modules, "cli_test_blocks", sys.modules[__name__])
    monkeypatch.setitem(registry.BLOCKS, "Talker", "cli_test_blocks:Talker")
    monkeypatch.setitem(registry.BLOCKS, "Failing", "cli_test_blocks:Failing")


@pytest.fixture
def talk(graph):
    return graph(
        "bits > sink", top="seed = 4\nchunk = 50", bits='{ use = "RandomBits", count = 100 }', sink='{ use = "Talker" }'
    )


@pytest.fixture
def fail(graph):
    def make(how: str):
        return graph(
            "bits > disk", bits='{ use = "RandomBits", count = 8 }', disk=f'{{ use = "Failing", how = "{how}" }}'
        )

    return make


def test_summaries_on_stdout_the_rest_on_stderr(cli, talk):
    done = cli("run", talk)
    assert done.code == 0
    assert done.out == "sink\n  seen 100 items\n  and nothing else\n"
    warning, counters, last = done.err.splitlines()
    assert warning == "warning: sink: the level is low"
    assert counters == "sink: 6 lost"
    assert last.startswith("ran ")
    assert last.endswith(" s, 2 blocks")


def test_quiet_prints_nothing(cli, talk):
    assert cli("run", talk, "--quiet") == (0, "", "")


def test_stats_table(cli, talk):
    lines = cli("run", talk, "--stats", "--quiet").out.splitlines()
    assert lines[0].split() == ["block", "class", "calls", "items", "in", "items", "out", "busy", "s", "share", "queue"]
    assert lines[1].split()[:5] == ["bits", "RandomBits", "2", "0", "100"]
    assert lines[2].split()[:5] == ["sink", "Talker", "2", "100", "0"]
    shares = [int(line.split()[6]) for line in lines[1:3]]
    assert 99 <= sum(shares) <= 101
    assert "in 1 thread; queues grew 0 times" in lines[3]


def test_json_is_one_object_and_all_of_stdout(cli, talk):
    done = cli("run", talk, "--json", "--seed", "9")
    assert done.err == ""
    found = json.loads(done.out)
    assert done.out.count("\n") == 1
    assert (found["file"], found["seed"], found["ok"], found["error"]) == (str(talk), 9, True, None)
    assert found["summaries"] == {"sink": "seen 100 items\nand nothing else"}
    assert found["warnings"] == ["sink: the level is low"]
    sink = found["blocks"][1]
    assert (sink["name"], sink["items_in"], sink["counts"]) == ("sink", 100, {"lost": 6})
    assert sink["facts"] == {"level": None, "mean": [0.5, 1.5]}  # JSON has no NaN


def test_json_of_a_failed_run_says_what_had_been_done(cli, fail):
    done = cli("run", fail("full"), "--json")
    found = json.loads(done.out)
    assert done.code == 1
    assert found["ok"] is False
    assert found["error_type"] == "BlockError"
    assert found["error"].endswith("out/x.bin: no space left on device")
    assert found["blocks"][0]["items_out"] == 8
    assert done.err.startswith("semwave: in disk (Failing)")


def test_json_of_a_file_that_cannot_be_read(cli, tmp_path):
    found = json.loads(cli("run", tmp_path / "none.toml", "--json").out)
    assert found["ok"] is False
    assert found["seed"] is None
    assert "no flowgraph file" in found["error"]


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("full", "out/x.bin: no space left on device\n"),
        ("nameless", "no space left on device\n"),
        ("permission", "out/x.bin: permission denied\n"),
        ("missing", "in/x.bin: no such file or directory\n"),
        ("user", "the recording has no carrier; give carrier_hz\n"),
        ("import", "ModuleNotFoundError(\"No module named 'torch'\")\n  'semwave doctor' shows what is missing\n"),
        ("divide", "ZeroDivisionError('division by zero')\n  --debug shows the traceback\n"),
    ],
)
def test_a_failing_block_is_one_clear_message(cli, fail, how, said):
    done = cli("run", fail(how))
    assert (done.code, done.out) == (1, "")
    assert done.err == f"semwave: in disk (Failing), port items, uint8[8]@0: {said}"


def test_a_bad_picture_needs_no_traceback(cli, tmp_path):
    (tmp_path / "a.png").write_bytes(b"no picture")
    file = tmp_path / "g.toml"
    file.write_text(
        'connect = "pictures > sink"\n[blocks]\nsink = { use = "NullFrameSink" }\n'
        f"pictures = {{ use = 'ImageSource', path = '{tmp_path}' }}\n"
    )
    done = cli("run", file)
    assert done.code == 1
    assert done.err.startswith(f"semwave: in pictures (ImageSource), start: {tmp_path}/a.png is not a picture")
    assert done.err.count("\n") == 1


def test_debug_shows_the_traceback_and_no_hint(cli, fail):
    err = cli("run", fail("divide"), "--debug").err
    assert "ZeroDivisionError: division by zero" in err
    assert "--debug" not in err
    assert err.splitlines()[-1].startswith("semwave: in disk")


def test_notes_are_shown_below(cli, fail, monkeypatch):
    def failed(*_, **__):
        error = UserError("bad")
        error.add_note("these did not stop within 10 s")
        raise error

    monkeypatch.setattr("semwave.runtime.run.Run.wait", failed)
    assert cli("run", fail("user")).err == "semwave: bad\n  these did not stop within 10 s\n"


def test_timeout(cli, graph):
    endless = graph("zeros > sink", zeros='{ use = "NullSource" }', sink='{ use = "NullSink" }')
    done = cli("run", endless, "--timeout", "0.3")
    assert done.code == 1
    assert "semwave: the run did not end in time; busy: semwave-0-zeros" in done.err


def test_seed_and_set_reach_the_run(cli, graph, tmp_path):
    file = graph("bits > sink", bits='{ use = "RandomBits", count = 64 }', sink='{ use = "Talker" }')
    assert "seen 10 items" in cli("run", file, "--set", "bits.count=10").out
    assert json.loads(cli("run", file, "--seed", "5", "--json").out)["seed"] == 5


def test_failure_of_a_summary_is_a_warning(cli, talk, monkeypatch):
    monkeypatch.setattr(Talker, "summary", lambda self: 1 / 0)
    done = cli("run", talk)
    assert (done.code, done.out) == (0, "")
    assert "warning: in sink (Talker), summary: ZeroDivisionError('division by zero')\n" in done.err
