"""Writing: what is said is read back, the validator agrees, a full disk and a name that is taken."""

import json
import os
import resource
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sigmf
from sigmf import validate

from semwave.recording import (
    RecordingError,
    Writer,
    annotation_row,
    open_collection,
    open_recording,
    replace_annotations,
)


def accepted(base: Path) -> dict[str, Any]:
    """The metadata, which the sigmf package accepts, data, hash, extensions and all."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message="Data source ends before")  # it takes no account of core:offset
        validate.validate(sigmf.fromfile(f"{base}.sigmf-meta", skip_checksum=False)._metadata)
    found: dict[str, Any] = json.loads(Path(f"{base}.sigmf-meta").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("datatype", ["cf32_le", "ci16_le", "ci8", "cf64_be", "cu16_le", "rf32_le"])
def test_what_is_written_is_read_back_and_valid(tmp_path: Path, noise: Any, datatype: str) -> None:
    detail = {"freq_lower_edge": 1e9, "freq_upper_edge": 1.1e9, "fields": {"semwave:snr_db": 3.5}}
    facts = {"frequency": 1e9, "datetime": "2026-01-01T00:00:00Z", "description": "d", "author": "a", "hw": "h"}
    with Writer(tmp_path / "x", 1e6, datatype=datatype, scale=0.5, license="https://x.org/l", **facts) as writer:
        writer.write(noise[:3000])
        writer.lost(500)
        writer.write(noise[3000:7000])
        writer.capture(frequency=2e9)
        writer.annotate(100, 50, label="burst", **detail)
        writer.annotate(20, 5, comment="sorted")
        writer.write(noise[7000:])
    meta = accepted(tmp_path / "x")
    assert meta["global"]["core:extensions"] == [{"name": "semwave", "version": "0.1.0", "optional": True}]
    assert [row["core:sample_start"] for row in meta["annotations"]] == [20, 100]
    assert [row.get("core:global_index") for row in meta["captures"]] == [None, 3500, 7500]
    assert meta["captures"][1]["core:datetime"] == "2026-01-01T00:00:00.0035Z"
    recording = open_recording(tmp_path / "x")
    assert recording.hash_check().status == "ok"
    assert [(c.frequency, c.gap) for c in recording.captures] == [(1e9, 0), (1e9, 500), (2e9, 0)]
    wanted = noise if datatype[0] == "c" else noise.real
    assert np.abs(recording.read() * 2 - wanted).max() < {"ci8": 0.013}.get(datatype, 1e-4)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["x.sigmf-data", "x.sigmf-meta"]


def test_channels(tmp_path: Path, noise: Any) -> None:
    with Writer(tmp_path / "x", 1e6, num_channels=2) as writer:
        writer.write(noise.reshape(-1, 2))
        with pytest.raises(RecordingError, match=r"samples must have shape \[10000, 2\], not \[10000\]"):
            writer.write(noise)
    accepted(tmp_path / "x")
    assert np.array_equal(open_recording(tmp_path / "x").read(channel=1), noise[1::2])


def test_a_pair_is_there_before_the_first_sample(tmp_path: Path, noise: Any) -> None:
    with Writer(tmp_path / "x", 1e6) as writer:
        said: list[str] = []
        assert open_recording(tmp_path / "x", warn=said.append).sample_count == 0
        assert "was not closed" in said[0]
        writer.write(noise)
        writer.flush()
        now = open_recording(tmp_path / "x", warn=said.append)
        assert np.array_equal(now.read(), noise)
        assert "core:sha512" not in now.metadata["global"]


def test_clipping_is_counted(tmp_path: Path) -> None:
    with Writer(tmp_path / "x", 1e6, datatype="ci16_le") as writer:
        writer.write(np.array([1.5 + 0.5j, -1 - 1j, 0.2], np.complex64))
    assert writer.clipped == 1
    assert accepted(tmp_path / "x")["global"]["semwave:clipped"] == 1


def test_an_existing_recording_is_not_overwritten_unless_forced(tmp_path: Path, noise: Any) -> None:
    with Writer(tmp_path / "x", 1e6, split_samples=4000) as writer:
        writer.write(noise)
    for kind in ({}, {"split_samples": 10}):
        with pytest.raises(RecordingError, match="exists; choose another name, or overwrite it with --force"):
            Writer(tmp_path / "x", 1e6, **kind)
    with Writer(tmp_path / "x", 1e6, force=True) as writer:
        writer.write(noise[:10])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["x.sigmf-data", "x.sigmf-meta"]
    assert open_recording(tmp_path / "x").sample_count == 10


def test_split_parts_are_one_recording(tmp_path: Path, noise: Any) -> None:
    with Writer(tmp_path / "x", 1e6, split_samples=3000, frequency=5.0, datetime="2026-01-01T00:00:00Z") as writer:
        writer.annotate(8999, 40, label="ahead")
        writer.write(noise[:6500])
        writer.lost(50)
        writer.write(noise[6500:])
        writer.annotate(10, 20, label="late")
    names = [f"x-{i:04d}" for i in range(4)]
    metas = [accepted(tmp_path / name) for name in names]
    assert [m["global"]["core:offset"] for m in metas] == [0, 3000, 6000, 9000]
    assert [[a["core:label"] for a in m["annotations"]] for m in metas] == [["late"], [], ["ahead"], []]
    assert open_collection(tmp_path / "x").hash_check() == dict.fromkeys(names, "ok")
    whole = open_recording(tmp_path / "x")
    assert whole.name == "x"
    assert np.array_equal(whole.read(), noise)
    assert [(c.start, c.gap) for c in whole.captures if c.gap] == [(6500, 50)]
    assert [(a.start, a.count) for a in whole.annotations] == [(10, 20), (8999, 40)]
    assert whole.hash_check().status == "ok"
    last = open_recording(tmp_path / "x-0003")
    assert np.array_equal(last.read(), noise[9000:])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"sample_rate": 0}, "core:sample_rate must be above 0 Hz, not 0"),
        ({"datatype": "cf16_le"}, "core:datatype must be c or r"),
        ({"frequency": float("nan")}, "frequency must be a finite number, not nan"),
        ({"datetime": "today"}, "datetime must be a UTC time such as"),
        ({"scale": 0.0}, "scale must be above 0, not 0"),
        ({"num_channels": 0}, "num_channels must be 1 to 65536, not 0"),
        ({"split_samples": 0}, "split_samples must be 1 or more, not 0"),
        ({"meta_interval_s": 0.0}, "meta_interval_s must be above 0 s"),
        ({"fields": {"mine": 1}}, "a field is called NAMESPACE:NAME, such as semwave:snr_db, not 'mine'"),
        ({"fields": {"my:x": float("inf")}}, "metadata cannot be written as JSON"),
        ({"fields": {"core:geolocation": 3}}, "global/core:geolocation: 3 is not of type 'object'"),
        ({"fields": {"semwave:scael": 3}}, "semwave:scael"),
    ],
)
def test_bad_facts_are_refused_before_anything_is_written(tmp_path: Path, options: Any, said: str) -> None:
    with pytest.raises(RecordingError, match=said):
        Writer(tmp_path / "x", **options)
    assert not list(tmp_path.iterdir())


def test_bad_annotations_are_refused(tmp_path: Path) -> None:
    with Writer(tmp_path / "x", 1e6) as writer:
        for about, said in (
            ({"start": -1, "count": 1}, "annotation start must be 0 or more, not -1"),
            ({"start": 0, "count": 1, "freq_lower_edge": 1.0}, "both freq_lower_edge and freq_upper_edge, or neither"),
            ({"start": 0, "count": 1, "fields": {"snr": 1}}, "NAMESPACE:NAME"),
        ):
            with pytest.raises(RecordingError, match=said):
                writer.annotate(**about)
    with pytest.raises(RecordingError, match="x is closed"):
        writer.write(np.zeros(1, np.complex64))


# ---- full disks -------------------------------------------------------------------------------------------------


def test_a_full_disk_is_said(tmp_path: Path, noise: Any) -> None:
    (tmp_path / "x.sigmf-data").symlink_to("/dev/full")
    writer = Writer(tmp_path / "x", 1e6, force=True)
    writer.write(noise)
    with pytest.raises(RecordingError, match=r"x\.sigmf-data cannot be written: No space left on device; 0 samples"):
        writer.close()
    assert writer.closed


LIMITED = """
import resource, signal, sys
import numpy as np
from semwave.recording import RecordingError, Writer
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
channels = int(sys.argv[3])
writer = Writer(sys.argv[1], 1e6, split_samples=int(sys.argv[2]) or None, num_channels=channels)
resource.setrlimit(resource.RLIMIT_FSIZE, (3000001, 3000001))
try:
    for i in range(100):
        writer.annotate(i * 9999, 9999)
        writer.write(np.full((9999, 3) if channels == 3 else 9999, i, np.complex64))
except RecordingError as error:
    print(error)
"""


@pytest.mark.parametrize(("split", "channels"), [(0, 1), (380_000, 1), (0, 3)])
def test_a_disk_that_fills_up_keeps_whole_samples(tmp_path: Path, split: int, channels: int) -> None:
    assert hasattr(resource, "RLIMIT_FSIZE")
    command = [sys.executable, "-c", LIMITED, str(tmp_path / "x"), str(split), str(channels)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    kept = 375_000 // channels  # 3000001 bytes of 8 a sample
    assert f"cannot be written: File too large; {kept} samples ({kept / 1e6:g} s) are kept" in done.stdout
    name = "x-0000" if split else "x"
    meta = accepted(tmp_path / name)
    recording = open_recording(tmp_path / "x")
    assert recording.sample_count == kept
    assert recording.hash_check().status == "ok"
    assert np.array_equal(recording.read(), (np.arange(kept) // 9999).astype(np.complex64))
    last = meta["annotations"][-1]
    assert last["core:sample_start"] + last["core:sample_count"] == kept
    assert not (tmp_path / f"{name}.sigmf-journal").exists()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"none/x\.sigmf-data cannot be written: No such file or directory"):
        Writer(tmp_path / "none" / "x", 1e6)


# ---- changing annotations ---------------------------------------------------------------------------------------


def test_annotations_are_replaced_by_their_generator_only(tmp_path: Path, make: Any, noise: Any) -> None:
    theirs = {"core:sample_start": 120, "core:generator": "other", "their:field": {"deep": [1, None]}}
    old = {"core:sample_start": 130, "core:generator": "semwave wifi"}
    captures = [{"core:sample_start": 100, "capture_details:gain": 3, "odd:x": "y"}]
    base = make(noise, "cf32_le", captures=captures, annotations=[theirs, old], sample_rate=1e6, offset=100)
    file = Path(f"{base}.sigmf-meta")
    meta = json.loads(file.read_text())
    meta["global"]["their:thing"] = meta["their:section"] = {"a": 1}
    file.write_text(json.dumps(meta))
    rows = [annotation_row(50, 10, label="b", fields={"semwave:fcs_ok": True}), annotation_row(3, 10, label="a")]
    assert replace_annotations(open_recording(base), rows, generator="semwave wifi") == 1
    once = file.read_bytes()
    assert replace_annotations(open_recording(base), rows, generator="semwave wifi") == 2
    assert file.read_bytes() == once
    found = json.loads(once)
    assert [row["core:sample_start"] for row in found["annotations"]] == [103, 120, 150]
    assert found["annotations"][1] == theirs
    assert found["their:section"] == found["global"]["their:thing"] == {"a": 1}
    assert found["captures"] == captures
    assert {e["name"] for e in found["global"]["core:extensions"]} == {"semwave"}
    assert [(a.start, a.label) for a in open_recording(base).annotations] == [(3, "a"), (20, ""), (50, "b")]


def test_annotating_keeps_a_collection_true(tmp_path: Path, noise: Any) -> None:
    with Writer(tmp_path / "x", 1e6, split_samples=4000) as writer:
        writer.write(noise)
    rows = [annotation_row(n, 5) for n in (9000, 10, 4001)]
    replace_annotations(open_recording(tmp_path / "x"), rows, generator="g")
    assert set(open_collection(tmp_path / "x").hash_check().values()) == {"ok"}
    counts = [len(accepted(tmp_path / f"x-{i:04d}")["annotations"]) for i in range(3)]
    assert counts == [1, 1, 1]


def test_a_crash_while_metadata_are_replaced_leaves_the_old_ones(make: Any, noise: Any, monkeypatch: Any) -> None:
    base = make(noise, sample_rate=1e6)
    file = Path(f"{base}.sigmf-meta")
    before = file.read_bytes()
    monkeypatch.setattr(os, "fsync", lambda handle: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space left"):
        replace_annotations(open_recording(base), [annotation_row(1, 1)], generator="g")
    assert file.read_bytes() == before
    assert sorted(p.name for p in file.parent.iterdir()) == ["x.sigmf-data", "x.sigmf-meta"]
