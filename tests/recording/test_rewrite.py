"""Crop, convert, join: samples, places and all metadata."""

import json
from hashlib import sha512

import numpy as np
import pytest

from semwave.recording import RecordingError, Writer, open_recording
from semwave.recording import metadata as md
from semwave.recording.rewrite import Change, rewrite

RATE = 1e6


def noise(n, seed=1):
    rng = np.random.default_rng(seed)
    return (0.1 * (rng.normal(size=n) + 1j * rng.normal(size=n))).astype(np.complex64)


@pytest.fixture
def source(tmp_path):
    """10 000 samples, a gap and a retune at 6000, three annotations, foreign fields everywhere."""
    with Writer(
        tmp_path / "source", RATE, frequency=1e9, datetime="2026-01-01T00:00:00Z", sync=False,
        fields={"lab:room": "B12", "core:author": "somebody"},
    ) as writer:  # fmt: skip
        x = noise(10_000)
        writer.write(x[:6000])
        writer.lost(500)
        writer.capture(frequency=1.1e9, fields={"lab:gain": 3})
        writer.write(x[6000:])
        for start, count in ((100, 50), (5900, 200), (9000, 500)):
            writer.annotate(start, count, label=f"at {start}", freq_lower_edge=1e9, freq_upper_edge=1.0001e9,
                            fields={"lab:note": start})  # fmt: skip
    return open_recording(tmp_path / "source")


def written(done):
    meta = json.loads(done.path.read_text())
    assert md.validate(meta) == []
    data = done.path.with_suffix(".sigmf-data").read_bytes()
    assert meta["global"]["core:sha512"] == sha512(data).hexdigest()
    return meta


def test_a_crop_keeps_samples_and_moves_everything_else(source, tmp_path):
    done = rewrite([source], tmp_path / "part", [(5000, 9100)])
    meta, part = written(done), open_recording(done.path)
    assert np.array_equal(part.read(), source.read(5000, 4100))
    assert (done.samples, done.annotations, done.left_out) == (4100, 2, 1)
    assert [(a.start, a.count, a.label) for a in part.annotations] == [(900, 200, "at 5900"), (4000, 100, "at 9000")]
    assert [c.start for c in part.captures] == [0, 1000]
    assert [c.frequency for c in part.captures] == [1e9, 1.1e9]
    assert part.captures[0].datetime == "2026-01-01T00:00:00.005Z"
    assert part.captures[1].gap == 500
    assert meta["global"]["lab:room"] == "B12"
    assert meta["global"]["core:author"] == "somebody"
    assert meta["captures"][1]["lab:gain"] == 3
    assert meta["annotations"][0]["lab:note"] == 5900


def test_a_span_within_a_capture_begins_with_what_holds_there(source, tmp_path):
    part = open_recording(rewrite([source], tmp_path / "part", [(7000, 7100)]).path)
    (capture,) = part.captures
    assert (capture.start, capture.frequency, capture.gap) == (0, 1.1e9, 0)
    assert capture.fields["lab:gain"] == 3


def test_conversion_rescales_indices_and_moves_the_centre(source, tmp_path):
    done = rewrite([source], tmp_path / "new", [(0, 10_000)], Change("ci16_le", 2.5e6, 1e5))
    new = open_recording(done.path)
    written(done)
    assert (new.sample_rate, new.datatype.name, new.sample_count) == (2.5e6, "ci16_le", 25_000)
    assert [(a.start, a.count) for a in new.annotations] == [(250, 125), (14_750, 500), (22_500, 1250)]
    assert [c.frequency for c in new.captures] == [1e9 - 1e5, 1.1e9 - 1e5]
    assert [a.freq_lower_edge for a in new.annotations] == [1e9] * 3  # RF stays RF
    assert new.captures[1].gap == 1250
    tone = np.fft.fft(new.read(0, 8192) * np.hanning(8192))
    assert np.abs(np.fft.fftfreq(8192, 1 / 2.5e6))[np.abs(tone).argmax()] < 6e5 + 1e5


def test_types_come_out_as_they_went_in(source, tmp_path):
    for kind in ("ci16_be", "cf64_le", "cu8"):
        new = open_recording(rewrite([source], tmp_path / kind, [(0, 10_000)], Change(kind)).path)
        assert np.abs(new.read() - source.read()).max() < (0.6 / 128 * 2 if kind == "cu8" else 1e-4)


def test_baseband_edges_move_with_the_samples(tmp_path):
    with Writer(tmp_path / "a", RATE, sync=False) as writer:
        writer.write(noise(2000))
        writer.annotate(0, 100, freq_lower_edge=-1e4, freq_upper_edge=1e4)
    new = open_recording(
        rewrite([open_recording(tmp_path / "a")], tmp_path / "b", [(0, 2000)], Change(shift_hz=2e5)).path
    )
    assert (new.annotations[0].freq_lower_edge, new.annotations[0].freq_upper_edge) == (1.9e5, 2.1e5)


def test_joining_puts_one_after_the_other(source, tmp_path):
    done = rewrite([source, source], tmp_path / "both", [(0, 10_000), (0, 2000)])
    both = open_recording(done.path)
    assert np.array_equal(both.read(10_000, 2000), source.read(0, 2000))
    assert [a.start for a in both.annotations] == [100, 5900, 9000, 10_100]
    assert [c.start for c in both.captures] == [0, 6000, 10_000]


def test_one_channel_of_several(tmp_path):
    x = np.stack([noise(500), noise(500, 2)], axis=1)
    with Writer(tmp_path / "two", RATE, num_channels=2, sync=False) as writer:
        writer.write(x)
    two = open_recording(tmp_path / "two")
    one = open_recording(rewrite([two], tmp_path / "one", [(0, 500)], Change(channel=1)).path)
    assert np.array_equal(one.read(), x[:, 1])
    again = open_recording(rewrite([two], tmp_path / "again", [(100, 400)]).path)
    assert np.array_equal(again.read(channel=1), x[100:400, 1])


def test_stopping_leaves_a_whole_recording(source, tmp_path, monkeypatch):
    from semwave.recording import rewrite as module

    monkeypatch.setattr(module, "CHUNK", 1000)
    done = rewrite([source], tmp_path / "part", [(0, 10_000)], on_progress=lambda n: n >= 6000)
    assert not done.complete
    written(done)
    part = open_recording(done.path)
    assert part.sample_count == 6000
    assert [(a.start, a.count) for a in part.annotations] == [(100, 50), (5900, 100)]
    assert part.warnings == []


def test_says_what_does_not_go_together(source, tmp_path):
    with Writer(tmp_path / "slow", 5e5, sync=False) as writer:
        writer.write(noise(10))
    with pytest.raises(RecordingError, match="convert one of them first"):
        rewrite([source, open_recording(tmp_path / "slow")], tmp_path / "x", [(0, 1), (0, 1)])
    with pytest.raises(RecordingError, match="exists; choose another name"):
        rewrite([source], tmp_path / "slow", [(0, 1)])
