"""Metadata and files of any kind give a recording or a RecordingError, never anything else."""

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from semwave.recording import RecordingError, open_collection, open_recording, recover

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
NUMBERS = st.integers(-3, 40) | st.sampled_from([2**63 - 1, 2**63, 2**70, 1e3, 1e400, float("nan"), "1", None, True])
GLOBAL = {
    "core:datatype": st.sampled_from(["cf32_le", "ci16_le", "cu8", "rf64_be", "ci8", "cx"]) | JSON,
    "core:sample_rate": NUMBERS | st.floats(),
    "core:num_channels": NUMBERS,
    "core:offset": NUMBERS,
    "core:trailing_bytes": NUMBERS,
    "core:dataset": st.sampled_from(["x.sigmf-data", "../x", "..", "", "/dev/zero", "a\0b"]) | JSON,
    "core:metadata_only": JSON,
    "core:sha512": JSON,
    "core:extensions": JSON,
}
CAPTURE = {
    "core:header_bytes": NUMBERS,
    "core:global_index": NUMBERS,
    "core:frequency": NUMBERS,
    "core:datetime": st.sampled_from(["2026-01-01T00:00:00Z", "9999-12-31T23:59:60Z", "now"]) | JSON,
    "capture_details:acq_scale_factor": NUMBERS,
}
NOTE = {"core:sample_count": NUMBERS, "core:label": JSON, "core:freq_lower_edge": NUMBERS}
VALID = {"core:datatype": "ci8", "core:version": "1.2.6"}


def rows(fields: dict[str, Any]) -> Any:
    row = st.fixed_dictionaries({"core:sample_start": st.integers(0, 30) | NUMBERS}, optional=fields)
    return st.lists(row, max_size=3) | JSON


META = st.fixed_dictionaries(
    {"global": st.fixed_dictionaries({}, optional=GLOBAL).map(lambda given: {**VALID, **given}) | JSON},
    optional={"captures": rows(CAPTURE), "annotations": rows(NOTE)},
)


def use(path: Path) -> None:
    """Do what people do with a recording."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        recording = open_recording(path)
        assert 0 <= recording.sample_count <= 64
        read = recording.read(scale="acq")
        assert read.size == recording.sample_count
        assert sum(chunk.samples.size for chunk in recording.chunks(3)) == read.size
        recording.marks()
        recording.summary().as_dict()
        repr(recording)
        recording.hash_check()
        assert all(0 <= c.start <= c.stop <= max(recording.sample_count, c.start) for c in recording.captures)
        assert all(a.samples().size == a.count for a in recording.annotations)
        for where in ("1s", "2026-01-01T00:00:01Z"):
            recording.span(slice(where, None))


@given(META | JSON)
@example({"global": {**VALID, "core:sample_rate": 1e308}, "captures": [{"core:sample_start": 3}]})
@example({"global": VALID, "captures": [{"core:sample_start": 0, "core:header_bytes": 2**62}]})
def test_no_metadata_make_it_crash(tmp_path_factory: pytest.TempPathFactory, meta: Any) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    (folder / "x.sigmf-data").write_bytes(bytes(range(64)))
    (folder / "x.sigmf-meta").write_text(json.dumps(meta), encoding="utf-8")
    try:
        use(folder / "x")
    except RecordingError as error:
        assert str(folder) in str(error) or "position" in str(error) or "datatype" in str(error)  # noqa: PT017


@given(st.binary(max_size=300), st.sampled_from(["meta", "collection", "journal", "archive", "wav", "tar"]))
def test_no_bytes_make_it_crash(tmp_path_factory: pytest.TempPathFactory, data: bytes, kind: str) -> None:
    folder = tmp_path_factory.mktemp("bytes")
    (folder / "x.sigmf-data").write_bytes(bytes(16))
    whole = {"archive": "a.sigmf", "wav": "a.wav", "tar": "a.tar"}
    file = folder / whole.get(kind, f"x.sigmf-{kind}")
    file.write_bytes(b"RIFF\0\0\0\0WAVE" + data if kind == "wav" else data)
    action = {"collection": open_collection, "journal": recover}.get(kind, use)
    with pytest.raises(RecordingError):
        action(folder / "x" if kind == "journal" else file)  # type: ignore[operator]


@given(st.binary(max_size=60), st.integers(0, 200))
def test_no_damage_to_a_wav_file_makes_it_crash(tmp_path_factory: pytest.TempPathFactory, data: bytes, at: int) -> None:
    import wave

    file = tmp_path_factory.mktemp("wav") / "x.wav"
    with wave.open(str(file), "wb") as out:
        out.setparams((2, 2, 48000, 0, "NONE", ""))
        out.writeframes(bytes(64))
    raw = bytearray(file.read_bytes())
    raw[at : at + len(data)] = data
    file.write_bytes(raw)
    try:
        use(file)
    except RecordingError as error:
        assert str(file.parent) in str(error) or "position" in str(error)  # noqa: PT017


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not complete JSON: Expecting value"),
        ("[1, 2]", "is not SigMF metadata: it has no object called 'global'"),
        ('{"global": {}, "captures": 3}', "'captures' must be a list of objects"),
        ('{"global": {}}', "core:datatype must be given, such as cf32_le"),
        (
            '{"global": {"core:datatype": "cf32_le", "core:sample_rate": -1}}',
            "must be above 0 Hz, not -1",
        ),
        (
            '{"global": {"core:datatype": "ci8", "core:num_channels": 0}}',
            "num_channels must be a whole number from 1",
        ),
        ('{"global": {"core:datatype": "ci8"}, "captures": [{}]}', r"captures\[0\]: core:sample_start.*not missing"),
        ('{"global": {"core:datatype": "ci8", "core:dataset": "../x"}}', "core:dataset must be the name of a file"),
        ("[" * 100000, "cannot be read as JSON|is not complete JSON"),
    ],
)
def test_what_is_wrong_is_said_with_the_file(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "x.sigmf-meta").write_text(text, encoding="utf-8")
    (tmp_path / "x.sigmf-data").write_bytes(bytes(8))
    with pytest.raises(RecordingError, match=rf"x\.sigmf-meta.*({said})"):
        open_recording(tmp_path / "x")


def test_missing_files_are_named(tmp_path: Path, make: Any) -> None:
    with pytest.raises(RecordingError, match=r"there is no recording .*nothing"):
        open_recording(tmp_path / "nothing")
    with pytest.raises(RecordingError, match="is a folder; name a recording in it"):
        open_recording(tmp_path)
    base = make(np.zeros(3, np.complex64))
    Path(f"{base}.sigmf-data").unlink()
    with pytest.raises(RecordingError, match=r"has no samples: there is no x\.sigmf-data beside it"):
        open_recording(base)
    (tmp_path / "y.sigmf-data").touch()
    with pytest.raises(RecordingError, match=r"has no metadata: there is no y\.sigmf-meta beside it"):
        open_recording(tmp_path / "y.sigmf-data")


def test_a_device_is_no_data_file(tmp_path: Path, make: Any) -> None:
    base = make(b"")
    Path(f"{base}.sigmf-data").unlink()
    Path(f"{base}.sigmf-data").symlink_to("/dev/zero")
    with pytest.raises(RecordingError, match="is not a file that can be read"):
        open_recording(base)


def test_huge_metadata_are_refused_before_they_are_read(make: Any) -> None:
    base = make(b"")
    with Path(f"{base}.sigmf-meta").open("r+b") as file:
        file.truncate(1 << 40)
    with pytest.raises(RecordingError, match="has 1099511627776 bytes; metadata may have 268435456 at most"):
        open_recording(base)
