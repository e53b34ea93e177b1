"""The video blocks where things go wrong: broken files, lost frames."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("av")

from semwave.blocks.basic import VectorSink
from semwave.blocks.video import VideoSink, VideoSource
from semwave.models.video import VideoReader, VideoWriter
from semwave.runtime import Flowgraph, Frames, Out, Packet, Source


def shot(number: int) -> np.ndarray:
    return np.full((32, 48, 3), 40 * number % 256, np.uint8)


def video(path: Path, count: int = 6) -> Path:
    writer = VideoWriter(path, 10.0, (32, 48))
    for number in range(count):
        writer.write(shot(number))
    writer.close()
    return path


def given(**parameters) -> list[Packet]:
    graph = Flowgraph().add(source=VideoSource(**parameters), sink=VectorSink())
    graph.connect("source > sink").run(timeout_s=60)
    return graph.blocks["sink"].packets


class Shots(Source):
    """Shots with these numbers."""

    numbers: tuple[int, ...] = ()

    image = Out(Frames(np.uint8, ("row", "column", 3)))

    def packets(self) -> Iterator[Packet]:
        """All of them."""
        for number in self.numbers:
            yield Packet(shot(number), meta={"number": number, "fps": 10.0})


def test_limit_rate_and_size(tmp_path: Path) -> None:
    path = str(video(tmp_path / "a.mkv"))
    packets = given(path=path, max_fps=5.0, limit=2, max_side=24)
    assert [p.meta["number"] for p in packets] == [0, 1]
    assert [p.meta["time_s"] for p in packets] == pytest.approx([0.0, 0.2], abs=1e-3)
    assert packets[0].meta["fps"] == 5.0
    assert packets[1].data.shape == (16, 24, 3)
    assert packets[1].data.mean() == 80


def test_a_file_that_breaks_off(tmp_path: Path) -> None:
    whole = video(tmp_path / "a.mkv", 60).read_bytes()
    (tmp_path / "none.mp4").write_bytes(b"no video")
    with pytest.raises(Exception, match=r"none\.mp4 is no video"):
        given(path=str(tmp_path / "none.mp4"))
    (tmp_path / "cut.mkv").write_bytes(whole[: len(whole) // 2])
    packets = given(path=str(tmp_path / "cut.mkv"), truncated="end")
    assert 0 < len(packets) < 60


def test_a_lost_frame_shows_the_last_one_again(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out.mkv"
    sink = VideoSink(path=str(out))
    graph = Flowgraph().add(sent=Shots(numbers=(0, 1, 2, 3, 4)), came=Shots(numbers=(0, 2, 3)), sink=sink)
    result = graph.connect("sent > sink.sent", "came > sink.image").run(timeout_s=60)
    reader = VideoReader(out)
    levels = [int(p.mean()) for _, p in reader.frames()]
    reader.close()
    assert levels == [0, 0, 80, 120, 120]
    assert result["sink"].counts["frames lost: the last one shown again"] == 2
    report = json.loads(out.with_suffix(".json").read_text())
    assert (report["sent"], report["received"]) == (5, 3)


def test_suffixes_are_checked() -> None:
    with pytest.raises(ValueError, match="path must end in"):
        VideoSink(path="a.gif")
