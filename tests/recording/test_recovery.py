"""Recordings whose writer was killed."""

import json
import os
import signal
import subprocess
import sys
import time
from hashlib import sha512
from pathlib import Path

import numpy as np
import pytest
import sigmf
from sigmf import validate

from semwave.recording import RecordingError, Writer, open_collection, open_recording, recover

CHILD = Path(__file__).with_name("writing_child.py")


def ramp(count: int) -> np.ndarray:
    """What the child writes."""
    index = np.arange(count)
    return ((index % 30000) / 32768 + 1j * (index // 30000) / 32768).astype(np.complex64)


def killed(base: Path, datatype: str, split: int, seconds: float) -> int:
    """Let the child write, kill it; how many samples it had made sure of."""
    command = [sys.executable, str(CHILD), str(base), datatype, str(split)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    first = child.stdout.readline()
    time.sleep(seconds)
    os.kill(child.pid, signal.SIGKILL)
    rest = child.stdout.read()
    child.stdout.close()
    child.wait(20)
    return int((first + rest).split("\n")[-2])


@pytest.mark.parametrize(("datatype", "seconds"), [("cf32_le", 0.0), ("ci16_le", 0.013), ("ci16_le", 0.21)])
def test_kill_at_any_moment_keeps_what_was_flushed(tmp_path: Path, datatype: str, seconds: float) -> None:
    sure = killed(tmp_path / "x", datatype, 0, seconds)
    open_recording(tmp_path / "x", warn=lambda text: None).read(0, 10)  # can be read as it is
    data = (tmp_path / "x.sigmf-data").read_bytes()
    size = 8 if datatype == "cf32_le" else 4
    found = recover(tmp_path / "x")
    assert found.samples == len(data) // size >= sure > 0
    assert found.trimmed_bytes == len(data) % size
    recording = open_recording(tmp_path / "x", warn=pytest.fail)
    assert np.array_equal(recording.read(), ramp(found.samples))
    meta = json.loads((tmp_path / "x.sigmf-meta").read_text())
    assert meta["global"]["core:sha512"] == sha512(data[: found.samples * size]).hexdigest()
    pieces = recording.annotations  # one behind the other, without a hole
    assert [a.start for a in pieces[1:]] == [a.stop for a in pieces[:-1]]
    assert pieces[-1].stop >= sure
    validate.validate(sigmf.fromfile(tmp_path / "x.sigmf-meta", skip_checksum=False)._metadata)
    with pytest.raises(RecordingError, match="there is nothing to recover"):
        recover(tmp_path / "x")


def test_kill_while_splitting(tmp_path: Path) -> None:
    sure = killed(tmp_path / "x", "ci16_le", 50_000, 0.1)
    if list(tmp_path.glob("*.sigmf-journal")):  # not when it was killed between two parts
        assert len(recover(tmp_path / "x").recordings) <= 1  # 0: killed before the next part had its first line
    assert not list(tmp_path.glob("*.sigmf-journal"))
    whole = open_recording(tmp_path / "x", warn=lambda text: None)  # the last part may be empty still
    assert whole.sample_count >= sure
    assert np.array_equal(whole.read(), ramp(whole.sample_count))
    assert set(open_collection(tmp_path / "x").hash_check().values()) == {"ok"}
    assert whole.hash_check().status == "ok"


@pytest.mark.parametrize("data", [None, b""])
def test_a_part_that_was_killed_before_its_first_line_is_dropped(tmp_path: Path, data: bytes | None) -> None:
    with Writer(tmp_path / "x", 1e6, split_samples=2_000) as writer:
        writer.write(ramp(5_000))
    parts = sorted(tmp_path.glob("x-*.sigmf-meta"))
    left = tmp_path / f"x-{len(parts):04d}"
    left.with_suffix(".sigmf-journal").write_bytes(b'{"journal": 1')
    if data is not None:
        left.with_suffix(".sigmf-data").write_bytes(data)
    found = recover(tmp_path / "x")
    assert (found.samples, found.recordings) == (0, ())
    assert not list(tmp_path.glob(f"{left.name}*"))
    assert np.array_equal(open_recording(tmp_path / "x", warn=pytest.fail).read(), ramp(5_000))
    with pytest.raises(RecordingError, match="there is nothing to recover"):
        recover(tmp_path / "x")


@pytest.fixture
def left(tmp_path: Path) -> Path:
    """A recording as a kill leaves it: the files of an open one, copied."""
    with Writer(tmp_path / "open", 1e6, frequency=1.0) as writer:
        writer.write(ramp(5000))
        writer.flush()
        writer.annotate(10, 20, label="kept")
        writer.annotate(4990, 20, label="clipped")
        writer.annotate(5000, 20, label="of samples that never came")
        for kind in ("data", "meta", "journal"):
            (tmp_path / f"x.sigmf-{kind}").write_bytes((tmp_path / f"open.sigmf-{kind}").read_bytes())
    return tmp_path / "x"


def test_cut_samples_and_cut_lines_are_left_out(left: Path) -> None:
    with Path(f"{left}.sigmf-data").open("ab") as file:
        file.write(b"cut")
    with Path(f"{left}.sigmf-journal").open("ab") as file:
        file.write(b'{"annotation": {"core:sam')
    left.with_name(".x.sigmf-meta.123.tmp").write_bytes(b"{")
    found = recover(left)
    assert (found.samples, found.trimmed_bytes) == (5000, 3)
    assert sorted(p.name for p in left.parent.glob("*x.*")) == ["x.sigmf-data", "x.sigmf-meta"]
    recording = open_recording(left)
    assert [(a.label, a.count) for a in recording.annotations] == [("kept", 20), ("clipped", 10)]
    assert recording.metadata["global"]["semwave:recovered"] is True
    assert recording.hash_check().status == "ok"


def test_a_journal_without_lines_leaves_the_metadata_as_they_were(left: Path) -> None:
    Path(f"{left}.sigmf-journal").write_bytes(b'{"journal": 1, "meta')
    assert recover(left).samples == 5000
    assert open_recording(left).frequency == 1.0


def test_a_recording_that_is_being_written_is_left_alone(tmp_path: Path) -> None:
    pytest.importorskip("fcntl", reason="no file locks on this system")
    with Writer(tmp_path / "x", 1e6) as writer:
        with pytest.raises(RecordingError, match="x: the recording is being written by another process"):
            recover(tmp_path / "x")
        writer.write(ramp(10))
    assert open_recording(tmp_path / "x").sample_count == 10


def test_a_foreign_journal_is_refused(left: Path) -> None:
    Path(f"{left}.sigmf-journal").write_bytes(b'{"something": "else"}\n')
    with pytest.raises(RecordingError, match="is not a journal of a recording"):
        recover(left)


@pytest.mark.parametrize("there", [("journal",), ("journal", "data")])
def test_a_kill_while_files_are_made_leaves_an_empty_recording(left: Path, there: tuple[str, ...]) -> None:
    for kind in {"data", "meta", "journal"} - set(there):
        Path(f"{left}.sigmf-{kind}").unlink()
    if "data" in there:
        Path(f"{left}.sigmf-data").write_bytes(b"")
    assert recover(left).samples == 0
    assert open_recording(left, warn=lambda text: None).frequency == 1.0
