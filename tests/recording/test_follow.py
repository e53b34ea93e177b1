"""A recording that is still being written, read to its end as it grows."""

import json
import threading
import time

import numpy as np
import pytest

from semwave.recording import RecordingError, Writer, follow, open_recording


def _unclose(meta):
    """Take the hash away, as if the writer were still at it."""
    told = json.loads(meta.read_text())
    del told["global"]["core:sha512"]
    meta.write_text(json.dumps(told))


def _samples(count):
    rng = np.random.default_rng(3)
    return (rng.standard_normal(count) + 1j * rng.standard_normal(count)).astype(np.complex64)


def test_reads_what_is_written_meanwhile(tmp_path):
    """All samples in order, once, and an end as soon as the writer has closed it."""
    sent = _samples(50_000)

    def write():
        with Writer(tmp_path / "live", 1e6, sync=False) as writer:
            for piece in np.array_split(sent, 25):
                writer.write(piece)
                time.sleep(0.01)

    thread = threading.Thread(target=write)
    thread.start()
    while thread.is_alive() and not (tmp_path / "live.sigmf-meta").exists():
        time.sleep(0.005)
    recording = open_recording(tmp_path / "live", warn=lambda text: None)
    chunks = list(follow(recording, 1000, idle_s=20.0))
    thread.join()
    assert [c.start for c in chunks] == list(range(0, 50_000, 1000))
    np.testing.assert_array_equal(np.concatenate([c.samples for c in chunks]), sent)


def test_ends_when_nothing_comes(tmp_path):
    """A recording that nobody closes: its samples, then an end after the idle time."""
    sent = _samples(2500)
    with Writer(tmp_path / "done", 1e6, sync=False) as writer:
        writer.write(sent)
    _unclose(tmp_path / "done.sigmf-meta")
    recording = open_recording(tmp_path / "done")
    chunks = list(follow(recording, 1000, idle_s=0.2))
    assert [c.samples.size for c in chunks] == [1000, 1000, 500]


def test_says_what_cannot_be_followed(tmp_path):
    np.zeros(10, np.complex64).tofile(tmp_path / "x.bin")
    bare = open_recording(tmp_path / "x.bin", datatype="cf32_le")
    with pytest.raises(RecordingError, match=r"only a \.sigmf-meta and \.sigmf-data pair can be followed"):
        next(follow(bare))
    with Writer(tmp_path / "y", 1e6, sync=False) as writer:
        writer.write(_samples(10))
    with pytest.raises(RecordingError, match="idle_s must be more than 0 s, not 0"):
        next(follow(open_recording(tmp_path / "y"), idle_s=0))


def test_a_file_that_was_cut(tmp_path):
    sent = _samples(2000)
    with Writer(tmp_path / "z", 1e6, sync=False) as writer:
        writer.write(sent)
    _unclose(tmp_path / "z.sigmf-meta")
    chunks = follow(open_recording(tmp_path / "z"), 1000, idle_s=5.0)
    next(chunks), next(chunks)
    with open(tmp_path / "z.sigmf-data", "r+b") as file:
        file.truncate(800)
    with pytest.raises(RecordingError, match="samples fewer than before"):
        next(chunks)
