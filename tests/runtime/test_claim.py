"""One run at a time writes an output; the lock goes with its process."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semwave.runtime import Context, Frames, Stream
from semwave.runtime.claim import Claim
from semwave.runtime.errors import UserError
from semwave.runtime.registry import block_class

HOLD = """
import sys, time
from pathlib import Path
from semwave.runtime.claim import Claim
claim = Claim("out", Path(sys.argv[1]))
print("taken", flush=True)
time.sleep(60)
"""


def test_a_second_one_is_told_who_has_it(tmp_path: Path) -> None:
    lock = tmp_path / ".pictures.lock"
    other = subprocess.Popen([sys.executable, "-c", HOLD, str(lock)], stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == "taken\n"
        told = rf"another run \(process {other.pid}\) is writing to out: wait for it, or give this one another path"
        with pytest.raises(UserError, match=told):
            Claim("out", lock)
    finally:
        other.kill()
        other.communicate()
    assert lock.is_file()  # a killed process leaves the file, not the lock
    Claim("out", lock).release()
    assert not lock.exists()


def test_released_it_can_be_had_again(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    first = Claim("out", lock)
    with pytest.raises(UserError, match="is writing to out"):
        Claim("out", lock)
    first.release()
    first.release()
    second = Claim("out", lock)
    first.release()  # not its own any more
    assert lock.is_file()
    second.release()


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("ImageSink", {}), ("SigMFSink", {"name": "air"}), ("VideoSink", {"path": "video.mkv"})],
)
def test_sinks_keep_their_output_to_themselves(name: str, parameters: dict[str, Any], tmp_path: Path) -> None:
    given = {**parameters, "path": str(tmp_path / "out" / parameters.get("path", ""))}
    edge = Stream(np.complex64, sample_rate=1e6) if name == "SigMFSink" else Frames(np.uint8, ("row", "column", 3))
    ctx = Context(name, 1, {"samples" if name == "SigMFSink" else "image": edge}, {}, 1024)
    sinks = [block_class(name)(**given) for _ in range(2)]
    sinks[0].start(ctx)
    with pytest.raises(UserError, match=r"another run \(process \d+\) is writing to .*out"):
        sinks[1].start(ctx)
    sinks[1].stop()
    sinks[0].stop()
    sinks[1].start(ctx)
    sinks[1].stop()
    assert not list((tmp_path / "out").glob("*.lock"))
    assert not list((tmp_path / "out").glob(".*"))
