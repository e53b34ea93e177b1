"""One capture that others wrote in every way a reader should meet: the same samples from each, or what is wrong."""

from pathlib import Path

import numpy as np
import pytest

from semwave.modulation.resample import resample
from semwave.recording import RecordingError, RecordingWarning, open_collection, open_recording

SAME = [
    "cf32_le",
    "cf32_be",
    "cf64_le",
    "ci16_be",
    "ci32_le",
    "cu16_le",
    "core-offset",
    "two-captures",
    "ncd",
    "ncd.raw",
]


@pytest.fixture
def reference(formats: Path) -> np.ndarray:
    """The capture, read without any of the code under test."""
    return (np.fromfile(formats / "ci16_be.sigmf-data", ">i2").astype(np.float32) / 32768).view(np.complex64)


@pytest.mark.parametrize("name", [*SAME, "archive", "archive.sigmf", "two-captures.sigmf-data", "ci32_le.sigmf-meta"])
def test_gives_the_same_samples(name: str, formats: Path, reference: np.ndarray) -> None:
    recording = open_recording(formats / name)
    assert recording.sample_rate == 20e6
    assert np.array_equal(recording.read(), reference)
    assert recording.hash_check().status in ("ok", "absent")


@pytest.mark.parametrize("name", ["ci8", "cu8"])
def test_eight_bits_give_the_same_samples_coarsely(name: str, formats: Path, reference: np.ndarray) -> None:
    """Their author made full use of the eight bits, so they are larger by a factor."""
    found = open_recording(formats / name).read()
    gain = np.vdot(reference, found) / np.vdot(reference, reference)
    assert abs(gain.imag) < 1e-3
    assert np.abs(found - gain * reference).max() < 1.1 / 128


def test_real_intermediate_frequency_becomes_the_same_signal(formats: Path, reference: np.ndarray) -> None:
    recording = open_recording(formats / "ri16_le-if10M-40Msps")
    found = resample(recording.read(), recording.rate(), 20e6, shift_hz=-10e6)
    assert found.size == reference.size
    assert coherence(found, reference) > 0.998


def test_odd_rate_and_offset_become_the_same_signal(formats: Path, reference: np.ndarray) -> None:
    recording = open_recording(formats / "ci16_le-25Msps-plus3.1MHz")
    found = resample(recording.read(), recording.rate(), 20e6, shift_hz=-3.1e6)
    assert found.size == reference.size
    assert coherence(found, reference) > 0.998


def coherence(a: np.ndarray, b: np.ndarray) -> float:
    return float(abs(np.vdot(a, b)) / np.linalg.norm(a) / np.linalg.norm(b))


def test_offset_is_where_annotations_count_from(formats: Path) -> None:
    recording = open_recording(formats / "core-offset")
    (note,) = recording.annotations
    assert (note.start, note.count, note.label) == (203, 160, "LTF 0")
    assert np.array_equal(note.samples(), recording.read(203, 160))
    assert recording.captures[0].frequency == 5.2e9


@pytest.mark.parametrize("name", ["two-captures", "archive.sigmf"])
def test_two_captures_and_the_gap_between_them(name: str, formats: Path) -> None:
    recording = open_recording(formats / name)
    first, second = recording.captures
    assert (first.frequency, first.gap, first.count) == (5.18e9, 0, 10720)
    assert (second.frequency, second.gap, second.start) == (5.2e9, 10**6, 10720)
    assert ("lost", 10**6) in [(m.key, m.value) for m in recording.marks(10720)]
    assert recording.time_at(10720 + 20_000) == "2016-11-12T23:56:09.101Z"


def test_two_channels(formats: Path) -> None:
    recording = open_recording(formats / "two-channels")
    assert recording.num_channels == 2
    assert np.array_equal(recording.read(channel=1), np.roll(recording.read(channel=0), 40))


def test_collection(formats: Path, reference: np.ndarray) -> None:
    collection = open_collection(formats / "pair")
    assert collection.names == ["ci16_be", "cf32_le"]
    assert collection.hash_check() == {"ci16_be": "ok", "cf32_le": "ok"}
    assert all(np.array_equal(recording.read(), reference) for recording in collection)
    with pytest.raises(
        RecordingError,
        match=r"pair.sigmf-collection holds 2 recordings; choose one by its name \(--name\): ci16_be, cf32_le",
    ):
        open_recording(formats / "pair.sigmf-collection")
    assert open_recording(formats / "pair", "cf32_le").datatype.name == "cf32_le"


def test_metadata_only_is_said(formats: Path) -> None:
    with pytest.raises(RecordingError, match="says core:metadata_only: it has no samples"):
        open_recording(formats / "metadata-only")


def test_broken_truncated_gives_whole_samples(formats: Path, reference: np.ndarray) -> None:
    with pytest.warns(RecordingWarning, match="broken-truncated.*mid-sample: 2 bytes are left over"):
        recording = open_recording(formats / "broken-truncated")
    assert recording.sample_count == 10720
    assert np.array_equal(recording.read(), reference[:10720])
    assert recording.hash_check().status == "mismatch"


def test_broken_empty_has_no_samples(formats: Path) -> None:
    with pytest.warns(RecordingWarning, match="broken-empty.*the data file is empty: 0 samples"):
        recording = open_recording(formats / "broken-empty")
    assert recording.read().size == recording.sample_count == 0
    assert "0 samples" in str(recording.summary())


def test_broken_hash_shows_only_when_asked(formats: Path, reference: np.ndarray) -> None:
    recording = open_recording(formats / "broken-sha512")
    assert np.array_equal(recording.read()[:-1], reference[:-1])
    assert recording.hash_check().status == "mismatch"


def test_broken_json_is_one_clear_error(formats: Path) -> None:
    with pytest.raises(RecordingError, match=r"broken-json\.sigmf-meta is not complete JSON: .*line 1, column 62"):
        open_recording(formats / "broken-json")


def test_other_recordings_open(formats: Path) -> None:
    """Everything beside, whatever its rate, type and length: all samples finite, metadata without complaint."""
    files = sorted(formats.parent.glob("*/*.sigmf-meta"))
    files = [f for f in files if not f.stem.startswith("broken-") and f.stem != "metadata-only"]
    assert files
    for file in files:
        recording = open_recording(file)
        assert recording.sample_count == sum(chunk.samples.size for chunk in recording.chunks(9999))
        assert recording.summary().not_finite == 0
