"""The source and the sink in flowgraphs: tags, time, ends, and what they refuse."""

import json
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semwave.blocks.basic import VectorSink, VectorSource
from semwave.blocks.sigmf import SigMFSink, SigMFSource
from semwave.modulation.resample import resample
from semwave.recording import Writer, open_recording
from semwave.runtime import BlockError, ConnectError, Flowgraph
from semwave.runtime.errors import ParameterError


def played(**parameters: Any) -> VectorSink:
    """What a source gives."""
    sink = VectorSink()
    Flowgraph().add(source=SigMFSource(**parameters), sink=sink).connect("source > sink").run(timeout_s=30)
    return sink


def tags(sink: VectorSink) -> list[tuple[int, str, Any]]:
    return [tuple(tag) for packet in sink.packets for tag in packet.tags]


@pytest.fixture
def recorded(tmp_path: Path, noise: Any) -> str:
    """10000 samples at 1 MS/s: 4000 at 1 GHz, 500 lost, 6000 at 2 GHz."""
    base = tmp_path / "recorded"
    with Writer(base, 1e6, frequency=1e9, datetime="2026-01-01T00:00:00Z") as writer:
        writer.write(noise[:4000])
        writer.lost(500)
        writer.capture(frequency=2e9, datetime="2026-01-01T00:00:00.0045Z")
        writer.write(noise[4000:])
    return str(base)


def test_tags_stand_where_captures_begin(recorded: str, noise: Any) -> None:
    sink = played(path=recorded, begin=1000)
    assert np.array_equal(sink.data, noise[1000:])
    assert tags(sink) == [
        (0, "sample_rate", 1e6),
        (0, "frequency", 1e9),
        (0, "datetime", "2026-01-01T00:00:00.001Z"),
        (3000, "sample_rate", 1e6),
        (3000, "frequency", 2e9),
        (3000, "datetime", "2026-01-01T00:00:00.0045Z"),
        (3000, "lost", 500),
    ]


def test_gaps_are_filled_and_repeats_are_exact(recorded: str, noise: Any) -> None:
    sink = played(path=recorded, gaps="fill", repeat=3)
    once = np.concatenate([noise[:4000], np.zeros(500, np.complex64), noise[4000:]])
    assert np.array_equal(sink.data, np.tile(once, 3))
    assert [at for at, key, _ in tags(sink) if key == "frequency"] == [
        n + at for n in (0, 10500, 21000) for at in (0, 4500)
    ]
    assert not [key for _, key, _ in tags(sink) if key == "lost"]


def test_rate_shift_and_tags_change_together(recorded: str, noise: Any) -> None:
    sink = played(path=recorded, output_rate=8e5, shift_hz=1e5, repeat=2)
    assert np.array_equal(sink.data, resample(np.tile(noise, 2), 1e6, 8e5, shift_hz=1e5))
    found = tags(sink)
    assert [(at, v) for at, key, v in found if key == "frequency"][:3] == [
        (0, 1e9 - 1e5),
        (3200, 2e9 - 1e5),
        (8000, 1e9 - 1e5),
    ]
    assert {v for _, key, v in found if key == "sample_rate"} == {8e5}
    assert [(at, v) for at, key, v in found if key == "lost"] == [(3200, 400), (11200, 400)]


@pytest.mark.parametrize("options", [{}, {"output_rate": 125e4, "shift_hz": -3e5}, {"gaps": "fill", "repeat": 2}])
def test_a_recording_of_a_recording_says_the_same(recorded: str, tmp_path: Path, options: Any) -> None:
    """Through the sink and back: captures, frequencies and gaps survive."""
    graph = Flowgraph().add(a=SigMFSource(path=recorded, **options), b=SigMFSink(path=str(tmp_path), name="again"))
    graph.connect("a > b").run(timeout_s=30)
    first, second = played(path=recorded, **options), played(path=str(tmp_path / "again"))
    assert np.array_equal(first.data, second.data)
    assert tags(first) == tags(second)


def test_real_time_is_not_hurried(recorded: str) -> None:
    begun = time.monotonic()
    played(path=recorded, speed=0.05)  # 10 ms of samples
    assert time.monotonic() - begun > 0.1  # the last chunk leaves when it is due, at half of it or later


def test_an_endless_slow_source_ends_when_it_is_told(recorded: str) -> None:
    graph = Flowgraph().add(a=SigMFSource(path=recorded, repeat=0, speed=1e-4), b=VectorSink()).connect("a > b")
    run = graph.start()
    threading.Timer(0.2, run.stop).start()
    assert run.wait(20).interrupted


def test_progress_knows_the_end(recorded: str) -> None:
    source = SigMFSource(path=recorded, repeat=2, gaps="fill")
    Flowgraph().add(a=source, b=VectorSink()).connect("a > b").run(timeout_s=30)
    assert source.progress() == (21000, 21000)
    assert SigMFSource(path=recorded, repeat=0).progress() is None


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"path": "nowhere"}, "source.*there is no recording nowhere"),
        ({"segment": 2}, "segment must be 0 to 1, not 2"),
        ({"channel": 1}, "channel must be 0 to 0, not 1"),
        ({"begin": "soon"}, "a position is a sample index"),
        ({"sample_rate": 2e6}, r"sample_rate must be left out or 1e\+06 Hz"),
    ],
)
def test_what_it_cannot_play_is_said_before_the_run(recorded: str, parameters: Any, said: str) -> None:
    graph = Flowgraph().add(source=SigMFSource(**{"path": recorded, **parameters}), sink=VectorSink())
    with pytest.raises(ConnectError, match=said):
        graph.connect("source > sink").check()


def test_without_a_rate_one_must_be_given(make: Any, noise: Any) -> None:
    base = str(make(noise))
    assert np.array_equal(played(path=base).data, noise)
    with pytest.raises(ConnectError, match="states no sample rate; give sample_rate"):
        played(path=base, output_rate=1e6)
    assert played(path=base, output_rate=1e6, sample_rate=2e6).data.size == 5000


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"output_rate": 0.0}, "output_rate must be above 0 Hz, not 0"),
        ({"segment": 0, "begin": 3}, "give segment, or begin and end, not both"),
        ({"gaps": "keep"}, "gaps must be 'drop' or 'fill', not 'keep'"),
    ],
)
def test_bad_parameters_are_refused(parameters: Any, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        SigMFSource(path="x", **parameters)


def recording_of(sink: SigMFSink, samples: Any) -> Any:
    """Run samples (at no stated rate) into a sink."""
    parts = np.ascontiguousarray(samples, np.complex64)
    graph = Flowgraph().add(a=VectorSource(values=tuple(parts.real.tolist()), dtype="complex64"), b=sink)
    return graph.connect("a > b").run(timeout_s=30)


def test_the_sink_replaces_unless_told_not_to(tmp_path: Path) -> None:
    recording_of(SigMFSink(path=str(tmp_path)), np.ones(50))
    recording_of(SigMFSink(path=str(tmp_path)), np.zeros(20))
    assert open_recording(tmp_path / "transmitted").sample_count == 20
    with pytest.raises(BlockError, match=r"b \(SigMFSink\), start: .*exists; choose another name"):
        recording_of(SigMFSink(path=str(tmp_path), overwrite=False), np.ones(3))


def test_the_sink_counts_what_it_clips_and_splits_by_size(tmp_path: Path) -> None:
    sink = SigMFSink(path=str(tmp_path), datatype="ci8", split_mb=1e-5)
    result = recording_of(sink, np.array([0.5, 3.0, -3.0] * 4))
    assert result["b"].counts["clipped"] == 8
    recording = open_recording(tmp_path / "transmitted")
    assert (len(recording.parts), recording.sample_count) == (3, 12)
    meta = json.loads((tmp_path / "transmitted-0002.sigmf-meta").read_text())
    assert meta["global"]["semwave:clipped"] == 8


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"datatype": "cf16_le"}, "core:datatype must be c or r"),
        ({"name": "a/b"}, "name must be a file name, not 'a/b'"),
        ({"split_s": 1.0, "split_mb": 1.0}, "give split_s or split_mb, not both"),
    ],
)
def test_bad_sinks_are_refused(parameters: Any, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        SigMFSink(**parameters)
