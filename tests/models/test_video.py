"""Video files: frames come back, and files that are none say why."""

import wave
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("av")

from semwave.models.video import VideoError, VideoReader, VideoWriter


def shots(count: int, height: int = 35, width: int = 50):
    rows, columns = np.mgrid[:height, :width]
    return [np.stack([rows * 5, columns * 4, 0 * rows + 20 * n], axis=2).astype(np.uint8) for n in range(count)]


def video(path: Path, count: int = 5, fps: float = 12.5, **sides: int) -> Path:
    made = shots(count, **sides)
    writer = VideoWriter(path, fps, made[0].shape[:2])
    for picture in made:
        writer.write(picture)
    writer.close()
    return path


def read(path: Path):
    reader = VideoReader(path)
    found = list(reader.frames())
    reader.close()
    return reader.facts, found


def test_lossless_frames_come_back_with_their_times(tmp_path: Path) -> None:
    facts, found = read(video(tmp_path / "a.mkv"))
    assert facts.fps == 12.5
    assert [t for t, _ in found] == pytest.approx([0.0, 0.08, 0.16, 0.24, 0.32], abs=1e-3)
    assert all(np.array_equal(a, b) for (_, a), b in zip(found, shots(5), strict=True))


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_lossy_files_are_close_and_of_even_sides(suffix: str, tmp_path: Path) -> None:
    facts, found = read(video(tmp_path / f"a{suffix}"))
    assert len(found) == 5
    assert found[0][1].shape == (36, 50, 3)
    error = np.mean([np.abs(a[:35].astype(float) - b).mean() for (_, a), b in zip(found, shots(5), strict=True)])
    assert error < 8
    assert facts.fps == pytest.approx(12.5)


def test_files_that_are_no_video(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("this is no video\n" * 50)
    with wave.open(str(tmp_path / "sound.wav"), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(bytes(1600))
    for name, says in (
        ("none.mp4", "is missing, not a video file"),
        (".", "is a folder, not a video file"),
        ("empty.mp4", "empty.mp4 is empty"),
        ("text.mp4", "text.mp4 is no video, or its beginning or index is broken"),
        ("sound.wav", "sound.wav has no video stream, only audio"),
    ):
        with pytest.raises(VideoError, match=says):
            VideoReader(tmp_path / name)


def test_an_index_that_is_cut_off(tmp_path: Path) -> None:
    whole = video(tmp_path / "a.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])  # the index of an MP4 is at its end
    with pytest.raises(VideoError, match="beginning or index is broken"):
        VideoReader(tmp_path / "cut.mp4")


def moved_index(path: Path, out: Path) -> Path:
    """The MP4 with its index first, as for streaming."""
    import av

    with av.open(str(path)) as source, av.open(str(out), "w", options={"movflags": "faststart"}) as sink:
        stream = sink.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                sink.mux(packet)
    return out


def test_frames_that_are_cut_off(tmp_path: Path) -> None:
    whole = moved_index(video(tmp_path / "a.mp4", 40, height=96, width=128), tmp_path / "b.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: int(0.8 * len(whole))])
    reader, count = VideoReader(tmp_path / "cut.mp4"), 0
    with pytest.raises(VideoError, match=r"cut.mp4 breaks off after \d+ of 40 frames"):  # noqa: PT012
        for _ in reader.frames():
            count += 1
    assert 0 < count < 40


def test_writing_says_what_it_takes(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"path must end in .mp4, .webm, .mkv, not 'a.avi'"):
        VideoWriter(tmp_path / "a.avi", 25.0, (32, 32))
    writer = VideoWriter(tmp_path / "a.mp4", 25.0, (32, 32))
    with pytest.raises(ValueError, match="picture must be 32 x 32 like the first"):
        writer.write(np.zeros((32, 34, 3), np.uint8))
    writer.close()
