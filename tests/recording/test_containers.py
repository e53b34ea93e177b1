"""Archives, WAV, iq-tar, bare samples, collections."""

import io
import json
import struct
import tarfile
import wave
from hashlib import sha512
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semwave.recording import RecordingError, RecordingWarning, open_collection, open_recording


def pack(file: Path, members: dict[str, bytes]) -> None:
    with tarfile.open(file, "w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))


def test_archives_are_read_in_place(tmp_path: Path, make: Any, noise: Any) -> None:
    meta = Path(f"{make(b'')}.sigmf-meta").read_bytes()
    parts = {f"rec/{n}.sigmf-{kind}": d for n in "ab" for kind, d in (("meta", meta), ("data", noise.tobytes()))}
    pack(tmp_path / "two.sigmf", {"readme.txt": b"hello", **parts})
    with pytest.raises(RecordingError, match=r"holds 2 recordings; choose one by its name \(--name\): a, b"):
        open_recording(tmp_path / "two")
    assert np.array_equal(open_recording(tmp_path / "two", "b").read(), noise)
    with pytest.raises(RecordingError, match="has no recording called 'c' in it"):
        open_recording(tmp_path / "two", "c")


def test_of_an_archive_that_is_cut_off_what_is_there_is_read(tmp_path: Path, make: Any, noise: Any) -> None:
    meta = Path(f"{make(b'')}.sigmf-meta").read_bytes()
    pack(tmp_path / "cut.sigmf", {"a.sigmf-meta": meta, "a.sigmf-data": noise.tobytes()})
    with (tmp_path / "cut.sigmf").open("r+b") as file:
        file.truncate(3 * 512 + 8000)
    with pytest.warns(RecordingWarning, match=r"the archive ends 72000 bytes before the end of a\.sigmf-data"):
        recording = open_recording(tmp_path / "cut")
    assert np.array_equal(recording.read(), noise[:1000])


def test_what_is_no_archive_is_said(tmp_path: Path) -> None:
    (tmp_path / "zip.sigmf").write_bytes(b"PK\x03\x04" + bytes(600))
    with pytest.raises(RecordingError, match=r"zip\.sigmf is not a SigMF archive \(a plain tar file\)"):
        open_recording(tmp_path / "zip.sigmf")


IQ_TAR = """<?xml version="1.0"?><RS_IQ_TAR_FileFormat><Name>N</Name><Clock unit="Hz">1.5e+6</Clock><Format>{}</Format>
<DataType>{}</DataType><ScalingFactor unit="V">0.25</ScalingFactor><NumberOfChannels>2</NumberOfChannels>
<DataFilename>d.bin</DataFilename><UserData><CenterFrequency unit="Hz">1e9</CenterFrequency></UserData>"""


@pytest.mark.parametrize(("shape", "kind"), [("complex", "int16"), ("real", "float32"), ("complex", "float64")])
def test_iq_tar(tmp_path: Path, shape: str, kind: str) -> None:
    stored = np.random.default_rng(0).integers(-99, 99, (50, 2, 2 if shape == "complex" else 1)).astype(kind)
    pack(tmp_path / "x.iq.tar", {"x.xml": IQ_TAR.format(shape, kind).encode(), "d.bin": stored.tobytes()})
    recording = open_recording(tmp_path / "x.iq.tar")
    assert (recording.sample_rate, recording.frequency, recording.sample_count) == (1.5e6, 1e9, 50)
    parts = stored[:, 1].astype(np.float32) / 4
    wanted = parts[:, 0] + 1j * parts[:, 1] if shape == "complex" else parts[:, 0]
    assert np.array_equal(recording.read(channel=1, scale="acq"), wanted)


def test_iq_tar_of_an_instrument(formats: Path) -> None:
    recording = open_recording(formats.parent / "foreign" / "fsw-1ch.iq.tar")
    assert (recording.sample_rate, recording.frequency, recording.sample_count) == (32e6, 13.25e9, 1001)
    assert 0 < np.abs(recording.read()).max() < 1


def test_iq_tar_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    pack(tmp_path / "x.tar", {"x.xml": IQ_TAR.format("polar", "int16").encode(), "d.bin": bytes(8)})
    with pytest.raises(RecordingError, match="Format 'polar' with DataType 'int16' cannot be read"):
        open_recording(tmp_path / "x.tar")
    pack(tmp_path / "x.tar", {"x.xml": IQ_TAR.format("real", "int16").encode()})
    with pytest.raises(RecordingError, match=r"there is no file 'd\.bin' in the archive"):
        open_recording(tmp_path / "x.tar")
    pack(tmp_path / "x.tar", {"y": b""})
    with pytest.raises(RecordingError, match=r"x\.tar is not an iq-tar file: it must have one XML description, not 0"):
        open_recording(tmp_path / "x.tar")


@pytest.mark.parametrize(("channels", "kind"), [(1, "ri16_le"), (2, "ci16_le"), (4, "ri16_le")])
def test_wav(tmp_path: Path, channels: int, kind: str) -> None:
    stored = np.random.default_rng(0).integers(-32768, 32768, (500, channels)).astype("<i2")
    with wave.open(str(tmp_path / "x.wav"), "wb") as file:
        file.setparams((channels, 2, 48000, 0, "NONE", ""))
        file.writeframes(stored.tobytes())
    recording = open_recording(tmp_path / "x.wav", warn=lambda text: None)
    assert (recording.datatype.name, recording.sample_rate, recording.sample_count) == (kind, 48000, 500)
    parts = stored.astype(np.float32) / 32768
    wanted = parts[:, 0] + 1j * parts[:, 1] if channels == 2 else parts[:, -1]
    assert np.array_equal(recording.read(channel=recording.num_channels - 1), wanted.astype(np.complex64))


def riff(tag: int, channels: int, bits: int, data: bytes, size: int | None = None, head: bytes = b"RIFF") -> bytes:
    fmt = struct.pack("<HHIIHH", tag, channels, 96000, 0, 0, bits)
    wide = b"ds64" + struct.pack("<IQQQI", 28, 0, len(data), 0, 0) if head == b"RF64" else b""
    auxi = b"auxi" + struct.pack("<I", 36) + struct.pack("<8H", 2026, 2, 0, 3, 4, 5, 6, 7) + bytes(16)
    auxi += struct.pack("<I", 7_100_000)
    body = wide + b"fmt " + struct.pack("<I", 16) + fmt + auxi + b"data"
    return head + bytes(4) + b"WAVE" + body + struct.pack("<I", len(data) if size is None else size) + data


@pytest.mark.parametrize("head", [b"RIFF", b"RF64"])
def test_wav_of_radio_programs(tmp_path: Path, noise: Any, head: bytes) -> None:
    size = 0xFFFFFFFF if head == b"RF64" else None
    (tmp_path / "x.wav").write_bytes(riff(3, 2, 32, noise.tobytes(), size, head) + b"LIST\x00\x00\x00\x00")
    recording = open_recording(tmp_path / "x.wav", warn=pytest.fail)
    assert np.array_equal(recording.read(), noise)
    assert (recording.frequency, recording.captures[0].datetime) == (7.1e6, "2026-02-03T04:05:06.007Z")


def test_wav_that_is_cut_or_strange(tmp_path: Path, noise: Any) -> None:
    (tmp_path / "cut.wav").write_bytes(riff(3, 2, 32, noise.tobytes(), 10**6))
    with pytest.warns(RecordingWarning, match="ends 920000 bytes before its samples do"):
        assert np.array_equal(open_recording(tmp_path / "cut.wav").read(), noise)
    (tmp_path / "mp3.wav").write_bytes(riff(85, 2, 0, b"1234"))
    with pytest.raises(RecordingError, match="2 channels of 0 bits with format 85 cannot be read"):
        open_recording(tmp_path / "mp3.wav")


def test_bare_samples(tmp_path: Path, noise: Any) -> None:
    (tmp_path / "x.bin").write_bytes(b"head" + noise.tobytes())
    with pytest.raises(RecordingError, match=r"give its datatype \(--datatype-in ci16_le\) to read it as bare samples"):
        open_recording(tmp_path / "x.bin")
    with pytest.raises(RecordingError, match="sample_rate describes bare samples, so it needs datatype as well"):
        open_recording(tmp_path / "x.bin", sample_rate=1e6)
    recording = open_recording(tmp_path / "x.bin", datatype="cf32_le", sample_rate=1e6, frequency=9.0, header_bytes=4)
    assert np.array_equal(recording.read(), noise)
    assert (recording.sample_rate, recording.frequency) == (1e6, 9.0)
    (tmp_path / "x.cf32").write_bytes(noise.tobytes())
    assert np.array_equal(open_recording(tmp_path / "x.cf32").read(), noise)


def test_a_collection_says_which_metadata_changed(tmp_path: Path, make: Any) -> None:
    names = [make(bytes(8), name=n).name for n in "abc"]
    streams = [{"name": n, "hash": sha512((tmp_path / f"{n}.sigmf-meta").read_bytes()).hexdigest()} for n in names]
    text = json.dumps({"collection": {"core:version": "1.2.6", "core:streams": streams}})
    (tmp_path / "all.sigmf-collection").write_text(text, encoding="utf-8")
    make(bytes(8), name="b", description="changed")
    (tmp_path / "c.sigmf-meta").unlink()
    assert open_collection(tmp_path / "all").hash_check() == {"a": "ok", "b": "mismatch", "c": "missing"}
