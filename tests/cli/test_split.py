"""``semwave run --split`` and ``--part``: results put together, failures, Ctrl-C, killed and hanging parts."""

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from semwave.commands import _split
from semwave.runtime.address import free_tcp

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are sent as POSIX has them")
BITS, SINK = '{ use = "RandomBits", count = 5000 }', '{ use = "VectorSink" }'
PLACE = '[place]\ntx = ["bits", "copy"]\nrx = ["head", "sink"]\n'

DRIVER = '''
import sys, time
from semwave.cli import run
from semwave.commands import _split
from semwave.runtime.address import free_tcp
from semwave.runtime import ANY, FrameBlock, In, registry


class Odd(FrameBlock):
    """Do what ``how`` says."""

    how: str = ""
    items = In(ANY)

    def start(self, ctx):
        self._ctx, self._seen = ctx, 0

    def work(self, items):
        self._seen += 1
        if self._seen == 1:
            print("ready", file=sys.stderr, flush=True)
            self._ctx.warn("the level is low")
            self._ctx.count("lost", 2)
        if self.how == "fail":
            raise ZeroDivisionError("no more")
        if self.how == "slow":
            time.sleep(0.005)
        return ()

    def summary(self):
        return f"packets came"


registry.BLOCKS["Odd"] = __name__ + ":Odd"
_split.PROGRAM = [sys.executable, __file__]
sys.exit(run(sys.argv[1:]))
'''


@pytest.fixture
def driver(tmp_path: Path) -> Path:
    """A ``semwave`` that knows the block Odd, in all its processes."""
    file = tmp_path / "driver.py"
    file.write_text(DRIVER)
    return file


@pytest.fixture
def odd(tmp_path: Path) -> Callable[..., Path]:
    """A graph in two parts that ends in Odd."""

    def write(how: str, count: str = "", links: str = "") -> Path:
        file = tmp_path / "odd.toml"
        file.write_text(
            'connect = ["zeros > copy > odd"]\n[blocks]\n'
            f'zeros = {{ use = "NullSource"{count} }}\ncopy = {{ use = "Copy" }}\n'
            f'odd = {{ use = "Odd", how = "{how}" }}\n'
            f'[place]\ntx = ["zeros", "copy"]\nrx = ["odd"]\n{links}'
        )
        return file

    return write


@pytest.fixture
def start(driver: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start the driver with these arguments; whatever still runs at the end is killed."""
    started = []

    def begin(*argv: object) -> subprocess.Popen[str]:
        command = [sys.executable, str(driver), *map(str, argv)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def wait_for(process: subprocess.Popen[str], text: str) -> None:
    """Read stderr up to the line with ``text``."""
    assert process.stderr is not None
    for line in process.stderr:
        if text in line:
            return
    raise AssertionError(f"no {text!r} came")


def test_parts_and_links_are_checked_and_shown(cli, graph):
    file = graph("bits > head > sink", bits=BITS, head='{ use = "Head", count = 7 }', sink=SINK)
    file.write_text(file.read_text() + '[place]\ntx = ["bits"]\nrx = ["head", "sink"]\n')
    out = cli("check", file).out.splitlines()
    assert out[3:] == [
        "part tx  bits",
        "part rx  head, sink",
        "link bits.bits > head.items  tx > rx  (no address: --split finds one)",
        "",
        "ok: 3 blocks, 2 edges",
    ]
    found = json.loads(cli("check", file, "--json").out)
    assert found["parts"] == {"tx": ["bits"], "rx": ["head", "sink"]}
    assert found["links"] == [{"edge": "bits.bits > head.items", "from": "tx", "to": "rx", "address": None}]
    done = cli("run", file, "--part", "rx")
    assert done.code == 1
    assert "part rx needs an address for every edge to another part" in done.err
    assert "--split finds addresses by itself" in done.err


def test_split_needs_parts_and_excludes_part(cli, head):
    done = cli("run", head, "--split")
    assert (done.code, done.err) == (1, "semwave: --split needs [place]: which part each block belongs to\n")
    assert cli("run", head, "--split", "--part", "x").code == 2
    assert "no part 'x'; [place] has none" in cli("run", head, "--part", "x").err


def test_split_puts_the_results_together(start, odd):
    process = start("run", odd("", ", count = 20000"), "--split", "--json")
    out, err = process.communicate(timeout=40)
    assert process.returncode == 0, err
    found = json.loads(out)
    assert found["ok"] is True
    assert [b["name"] for b in found["blocks"]] == ["zeros", "copy", "odd"]
    assert found["blocks"][2]["items_in"] == 20000
    assert found["blocks"][2]["counts"] == {"lost": 2}
    assert found["warnings"] == ["odd: the level is low"]
    assert found["summaries"] == {"odd": "packets came"}
    assert set(found["parts"]) == {"tx", "rx"}
    assert found["parts"]["tx"]["ok"] is True


def test_split_says_which_block_failed(start, odd):
    process = start("run", odd("fail"), "--split")
    out, err = process.communicate(timeout=40)
    assert (process.returncode, out) == (1, "")
    assert "semwave: in odd (Odd), port items, " in err
    assert "ZeroDivisionError('no more')" in err
    assert "Traceback" not in err


def test_ctrl_c_ends_all_parts_and_leaves_results(start, odd):
    process = start("run", odd("slow"), "--split", "--json")
    wait_for(process, "ready")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=40)
    assert process.returncode == 130, err
    found = json.loads(out)
    assert (found["ok"], found["error"], found["interrupted"]) == (False, "stopped by Ctrl-C", True)
    assert found["blocks"][2]["items_in"] == found["blocks"][0]["items_out"] > 0


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
@pytest.mark.parametrize("victim", ["tx", "rx"])
def test_a_part_that_is_killed_or_hangs_is_named_by_the_other(start, odd, how, victim):
    address = free_tcp()
    file = odd("slow", links=f'[links]\n"copy > odd" = "{address}"\n')
    parts = {part: start("run", file, "--part", part, "--deadline", 3) for part in ("tx", "rx")}
    wait_for(parts["rx"], "ready")
    parts[victim].send_signal(how)
    other = parts["rx" if victim == "tx" else "tx"]
    begun = time.monotonic()
    _, err = other.communicate(timeout=30)
    assert other.returncode == 1
    assert f"link copy.copied > odd.items ({address}): part {victim} has been silent for 3 s" in err
    assert time.monotonic() - begun < 15


def test_a_part_that_dies_is_named_by_split():
    class Process:
        returncode = -9

    child = _split.Child.__new__(_split.Child)
    child.part, child.process, child.output, child._readers = "rx", Process(), "", []
    died = child.result()
    assert died["error"] == "part rx was killed by SIGKILL"
    broken = {"ok": False, "error": "link a > b: part rx has been silent", "error_type": "LinkError"}
    error = _split.first_cause({"tx": broken, "rx": died})
    assert str(error) == "part rx was killed by SIGKILL"
    assert error.__notes__ == ["then: link a > b: part rx has been silent"]


@pytest.mark.skipif(shutil.which("pgrep") is None, reason="needs pgrep")
def test_a_part_ends_when_whoever_started_it_is_gone(start, odd):
    split = start("run", odd("slow"), "--split", "--deadline", 5)
    wait_for(split, "ready")
    children = subprocess.run(
        ["pgrep", "-P", str(split.pid)], capture_output=True, text=True, check=False
    ).stdout.split()
    assert len(children) == 2
    split.kill()
    deadline = time.monotonic() + 20
    while any(Path(f"/proc/{pid}").exists() for pid in children) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(Path(f"/proc/{pid}").exists() for pid in children)


# ---- keys and probes -------------------------------------------------------------------------------------------------


def test_keys_new(cli, tmp_path):
    done = cli("keys", "new", "rx", "-o", tmp_path / "keys")
    assert done.code == 0
    assert (tmp_path / "keys" / "rx.key_secret").stat().st_mode & 0o777 == 0o600
    again = cli("keys", "new", "rx", "-o", tmp_path / "keys")
    assert again.code == 1
    assert "rx.key is there already" in again.err
    assert cli("keys", "new", "../x").code == 2


def test_probe_shows_what_leaves_a_port(cli, start, odd):
    address = free_tcp()
    process = start("run", odd("slow"), "--probe", f"copy={address}")
    wait_for(process, "ready")
    done = cli("probe", address, "-n", 3, "--timeout", 10)
    assert done.code == 0
    lines = done.out.splitlines()
    assert len(lines) == 3
    assert "uint8[16384]@" in lines[0] or "[16384]@" in lines[0]
    found = json.loads(cli("probe", address, "-n", 1, "--timeout", 10, "--json").out)
    assert found["port"] == "copy.copied"
    assert found["shape"] == [16384]
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 130
    assert cli("probe", address, "--timeout", 0.3).code == 1


def test_options_that_are_wrong(cli, head):
    assert "must be NAME=ADDRESS, not 'x'" in cli("run", head, "--link", "x").err
    assert "probe head: 'x' is no address" in cli("run", head, "--probe", "head=x").err
    assert "'nowhere' is no address" in cli("probe", "nowhere").err


def test_show_tells_the_parts_apart(cli, graph):
    file = graph("bits > sink", bits=BITS, sink=SINK)
    assert "part" not in cli("show", file).out
    file.write_text(file.read_text() + '[place]\ntx = ["bits"]\nr-x = ["sink"]\n')
    out = cli("show", file).out
    assert "RandomBits · tx" in out
    assert "    class n0_bits part_tx\n" in out
    assert "    class n1_sink part_r_x\n" in out
    assert cli("show", file, "-o", file.with_suffix(".svg")).code == 0
