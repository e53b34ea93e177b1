"""Ctrl-C, in a process of its own: once, twice, three times."""

import signal
import subprocess
import sys
import time

import pytest

from semwave.commands._interrupts import Interrupts

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are sent as POSIX has them")

DRIVER = '''
import sys, time
from semwave.cli import run
from semwave.runtime import ANY, FrameBlock, In, registry


class Slow(FrameBlock):
    """Say that packets come; be slow in the way asked for."""

    heavy = True
    how: str = ""
    items = In(ANY)

    def start(self, ctx):
        self._seen = 0

    def work(self, items):
        if not self._seen:
            print("ready", flush=True)
        self._seen += 1
        time.sleep(0.5 if self.how == "work" else 0.005)
        return ()

    def finish(self):
        if self.how == "finish":
            time.sleep(60)
        return ()

    def summary(self):
        return "some packets came"


registry.BLOCKS["Slow"] = __name__ + ":Slow"
sys.exit(run(sys.argv[1:]))
'''


@pytest.fixture
def endless(graph, tmp_path):
    """Start an endless graph and wait for its first packet."""
    started = []

    def start(how: str, *options: str) -> subprocess.Popen[str]:
        (tmp_path / "driver.py").write_text(DRIVER)
        file = graph("zeros > slow", zeros='{ use = "NullSource" }', slow=f'{{ use = "Slow", how = "{how}" }}')
        process = subprocess.Popen(
            [sys.executable, str(tmp_path / "driver.py"), "run", str(file), *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def interrupt(process: subprocess.Popen[str], said: str) -> None:
    """Send Ctrl-C and wait until the program says that it heard."""
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    assert said in process.stderr.readline()


def test_once_ends_the_sources_and_prints_the_summary(endless):
    process = endless("")
    interrupt(process, "stopping: what is on its way still arrives (Ctrl-C again: abort)")
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert out == "slow\n  some packets came\n"
    assert err.splitlines()[-1] == "semwave: stopped by Ctrl-C"
    assert "Traceback" not in err


def test_once_with_json(endless):
    import json

    process = endless("", "--json", "--quiet")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    found = json.loads(out)
    assert (process.returncode, found["ok"], found["interrupted"]) == (130, False, True)
    assert found["error"] == "stopped by Ctrl-C"
    assert err == "semwave: stopped by Ctrl-C\n"


def test_twice_aborts(endless):
    process = endless("work")
    interrupt(process, "stopping")
    interrupt(process, "aborting")
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "some packets came" not in out
    assert err.splitlines()[-1] == "semwave: aborted by Ctrl-C"


def test_three_times_leaves_a_block_that_hangs(endless):
    process = endless("finish")
    interrupt(process, "stopping")
    time.sleep(0.3)  # let the block reach its sleep
    interrupt(process, "aborting")
    process.send_signal(signal.SIGINT)
    begun = time.monotonic()
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert time.monotonic() - begun < 9  # sooner than the runtime gives up on it
    assert "Traceback" not in err


class FakeRun:
    def __init__(self):
        self.calls = []

    def stop(self):
        self.calls.append("stop")

    def abort(self):
        self.calls.append("abort")


def test_one_that_comes_while_blocks_start_is_kept():
    said, run = [], FakeRun()
    with Interrupts(said.append) as interrupts:
        signal.raise_signal(signal.SIGINT)
        assert run.calls == []
        interrupts.attach(run)
    assert run.calls == ["stop"]
    assert len(said) == 1


def test_the_second_leaves_while_blocks_start():
    with Interrupts(lambda text: None):
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_the_third_leaves_at_once():
    left, run = [], FakeRun()
    with Interrupts(lambda text: None) as interrupts:
        interrupts._leave = left.append
        interrupts.attach(run)
        for _ in range(3):
            signal.raise_signal(signal.SIGINT)
    assert run.calls == ["stop", "abort"]
    assert left == [130]


def test_the_handler_from_before_comes_back():
    before = signal.getsignal(signal.SIGINT)
    with Interrupts(lambda text: None) as interrupts:
        assert signal.getsignal(signal.SIGINT) == interrupts._hear
    assert signal.getsignal(signal.SIGINT) is before
