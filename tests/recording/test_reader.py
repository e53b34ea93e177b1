"""Reading: slices, chunks, captures, gaps, containers."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semwave.recording import RecordingError, RecordingWarning, open_recording, times


@pytest.fixture(scope="module")
def ramp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sample n is n + 0j; 1000 of them, in two captures with a gap, with headers before both."""
    folder = tmp_path_factory.mktemp("ramp")
    samples = np.arange(1000, dtype=np.complex64)
    captures = [
        {"core:sample_start": 500, "core:header_bytes": 10, "core:datetime": "2026-03-01T00:00:00Z"},
        {
            "core:sample_start": 900,
            "core:header_bytes": 6,
            "core:global_index": 1900,
            "core:datetime": "2026-03-01T00:00:14Z",
            "core:frequency": 7.0,
        },
    ]
    about = {"core:datatype": "cf32_le", "core:version": "1.2.6", "core:sample_rate": 100, "core:offset": 500}
    about |= {"core:dataset": "ramp.bin", "core:trailing_bytes": 5}
    meta = {"global": about, "captures": captures, "annotations": [{"core:sample_start": 880, "core:label": "open"}]}
    (folder / "ramp.sigmf-meta").write_text(json.dumps(meta), encoding="utf-8")
    raw = bytes(10) + samples[:400].tobytes() + bytes(6) + samples[400:].tobytes() + bytes(5)
    (folder / "ramp.bin").write_bytes(raw)
    return folder / "ramp.bin"


def test_headers_and_trailing_bytes_are_no_samples(ramp: Path) -> None:
    recording = open_recording(ramp)
    assert recording.sample_count == 1000
    assert np.array_equal(recording.read().real, np.arange(1000))
    assert [(c.start, c.count, c.gap) for c in recording.captures] == [(0, 400, 0), (400, 600, 1000)]


@given(st.integers(-1500, 1500) | st.none(), st.integers(-1500, 1500) | st.none())
def test_slices_are_those_of_a_list(ramp: Path, start: int | None, stop: int | None) -> None:
    assert open_recording(ramp)[start:stop].real.tolist() == list(range(1000))[start:stop]


@given(st.integers(0, 1100), st.integers(0, 1100), st.integers(1, 700))
def test_chunks_and_reads_agree(ramp: Path, start: int, stop: int, size: int) -> None:
    recording = open_recording(ramp)
    chunks = list(recording.chunks(size, start, stop))
    assert [c.samples.size for c in chunks[:-1]] == [size] * (len(chunks) - 1)
    joined = np.concatenate([c.samples for c in chunks]) if chunks else np.empty(0)
    assert joined.real.tolist() == list(range(1000))[start:stop]
    assert np.array_equal(joined, recording.read(start, max(0, stop - start)))
    for chunk in chunks:
        assert all(chunk.start <= m.at < chunk.start + chunk.samples.size for m in chunk.marks)
    lost = [m.at for c in chunks for m in c.marks if m.key == "lost"]
    assert lost == ([400] if start <= 400 < min(stop, 1000) else [])


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (slice("2.5s", "3s"), range(250, 300)),
        (slice("250ms", 30), range(25, 30)),
        (slice("-1 s", None), range(900, 1000)),
        (slice("2026-03-01T00:00:01.5Z", "2026-03-01T00:00:02Z"), range(150, 200)),
        (slice("2026-03-01T00:00:09Z", "2026-03-01T00:00:14.02Z"), range(400, 402)),  # begins in the gap
        (slice("2025-01-01T00:00:00Z", "10000000us"), range(1000)),
        (slice(None, "3h"), range(1000)),
    ],
)
def test_places_in_seconds_and_times(ramp: Path, where: slice, expected: range) -> None:
    assert open_recording(ramp)[where].real.tolist() == list(expected)


def test_captures_annotations_and_single_samples_are_places(ramp: Path) -> None:
    recording = open_recording(ramp)
    assert recording[recording.captures[1]].real.tolist() == list(range(400, 1000))
    (note,) = recording.annotations
    assert note.samples().real.tolist() == list(range(380, 400))  # no count: to the end of its capture
    assert recording[-1] == 999
    with pytest.raises(IndexError, match="sample 1000 of 1000"):
        recording[1000]


@pytest.mark.parametrize("bad", ["soon", "2.5", "1e3s", "2026-02-30T00:00:00Z", "", 2.5, None, ("1s", "2s"), True])
def test_other_places_are_refused(ramp: Path, bad: Any) -> None:
    with pytest.raises(RecordingError, match="a position is a sample index, a duration such as"):
        open_recording(ramp).position(bad)


def test_seconds_need_a_rate(make: Any) -> None:
    recording = open_recording(make(np.zeros(9, np.complex64)))
    assert recording.sample_rate is recording.duration is None
    with pytest.raises(RecordingError, match=r"x\.sigmf-meta states no core:sample_rate; give one \(--sample-rate\)"):
        recording["1s":"2s"]


def test_marks_say_what_holds_at_the_start(ramp: Path) -> None:
    chunk = next(open_recording(ramp).chunks(10, 150))
    assert [(m.at, m.key, m.value) for m in chunk.marks] == [
        (150, "sample_rate", 100.0),
        (150, "datetime", "2026-03-01T00:00:01.5Z"),
    ]


def test_reused_chunks_are_one_array(ramp: Path) -> None:
    first, second, *_ = open_recording(ramp).chunks(10, reuse=True)
    assert first.samples is not second.samples
    assert np.shares_memory(first.samples, second.samples)


def test_equal_captures_are_merged_and_those_beyond_the_data_ignored(make: Any) -> None:
    rows = [{"core:sample_start": n, "core:frequency": f} for n, f in ((0, 1.0), (10, 1.0), (20, 2.0), (200, 3.0))]
    recording = open_recording(make(np.zeros(100, np.complex64), captures=rows))
    assert [(c.start, c.count, c.frequency) for c in recording.captures] == [(0, 20, 1.0), (20, 80, 2.0)]


def test_no_captures_means_one_from_zero(make: Any) -> None:
    recording = open_recording(make(np.zeros(100, np.complex64), captures=[]))
    assert [(c.start, c.count) for c in recording.captures] == [(0, 100)]


def test_a_gap_that_goes_back_is_said(make: Any) -> None:
    rows = [{"core:sample_start": 0, "core:global_index": 50}, {"core:sample_start": 10, "core:global_index": 20}]
    with pytest.warns(RecordingWarning, match=r"captures\[1\] goes back by 40 samples"):
        recording = open_recording(make(np.zeros(100, np.complex64), captures=rows))
    assert [c.gap for c in recording.captures] == [0, 0]


def test_annotations_beyond_the_end_are_clipped_and_said(make: Any) -> None:
    rows = [{"core:sample_start": 5, "core:sample_count": 50}, {"core:sample_start": 99, "core:sample_count": 1}]
    with pytest.warns(RecordingWarning, match="beyond the samples that are there: 2"):
        recording = open_recording(make(np.zeros(10, np.complex64), annotations=rows))
    assert [(a.start, a.count) for a in recording.annotations] == [(5, 5), (10, 0)]


def test_warnings_can_go_elsewhere(make: Any) -> None:
    said: list[str] = []
    open_recording(make(b""), warn=said.append)
    assert said[0].endswith("the data file is empty: 0 samples")


# ---- size -------------------------------------------------------------------------------------------------------


def test_a_hundred_gigabytes_open_and_show_without_being_read(make: Any) -> None:
    base = make(b"", "ci16_le", sample_rate=20e6)
    with Path(f"{base}.sigmf-data").open("r+b") as file:
        file.truncate(100 * 10**9)
    recording = open_recording(base)
    assert recording.sample_count == 25 * 10**9
    assert recording.read(24_999_999_990).tolist() == [0] * 10
    assert recording.summary().looked_at < 1e-3
    with pytest.raises(RecordingError, match=r"200\.0 GB of samples do not fit .* use chunks"):
        recording.read()


def test_a_file_that_shrinks_while_it_is_read_is_said(make: Any, noise: Any) -> None:
    base = make(noise)
    recording = open_recording(base)
    with Path(f"{base}.sigmf-data").open("r+b") as file:
        file.truncate(80)
    with pytest.raises(RecordingError, match=r"x\.sigmf-data has become shorter while it was read"):
        recording.read()


# ---- summary and times ------------------------------------------------------------------------------------------


def test_summary(make: Any) -> None:
    raw = np.full((1000, 2), 16384, "<i2")
    raw[:10] = 32767
    raw[10:15] = -32768
    found = open_recording(make(raw, "ci16_le", sample_rate=1000.0)).summary()
    assert found.clipping == 0.015
    assert found.peak == pytest.approx(np.sqrt(2))
    values = np.concatenate([np.full(10, 32767), np.full(5, -32768), np.full(985, 16384)]) / 32768
    assert found.rms == pytest.approx(np.sqrt(2 * np.mean(values**2)))
    assert found.dc_i == pytest.approx(values.mean())
    assert json.loads(json.dumps(found.as_dict()))["duration_s"] == 1.0
    assert "1000 samples, 1 s, ci16_le" in str(found)
    assert open_recording(make(raw, "ci16_le", name="<b>"))._repr_html_().count("&lt;b&gt;") == 1


def test_summary_counts_what_is_not_finite(make: Any) -> None:
    samples = np.ones(100, np.complex64)
    samples[3], samples[5] = np.nan, np.inf
    found = open_recording(make(samples)).summary()
    assert (found.not_finite, found.rms, found.clipping) == (2, 1.0, None)


@given(st.datetimes(), st.integers(0, 999))
def test_times_round_trip(when: Any, nano: int) -> None:
    text = when.isoformat(timespec="seconds") + f".{when.microsecond:06d}{nano:03d}Z"
    found = times.instant(text)
    assert found is not None
    assert times.instant(times.iso(found) or "") == found
