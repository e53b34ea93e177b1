"""The video link end to end: every frame on the air, the prompt only when it changes, a report of rate and latency."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("av")

from semwave.models.video import VideoReader, VideoWriter
from semwave.runtime.graphfile import load

FILE = Path(__file__).resolve().parents[2] / "flowgraphs" / "image_link_video.toml"
FAST = [
    "decoder.model=classical",
    "segmenter.model=spectral",
    "sketch_encoder.size_bytes=0",
    "semantic_encoder.codec=webp",
]


def video(path: Path, count: int = 4) -> Path:
    """A square that moves by two pixels a frame over a slope."""
    rows, columns = np.mgrid[:64, :96]
    writer = VideoWriter(path, 10.0, (64, 96))
    for number in range(count):
        image = np.stack([rows * 2, columns * 2, 0 * rows + 60], axis=2).astype(np.uint8)
        image[20:44, 20 + 2 * number : 44 + 2 * number] = (220, 60, 40)
        writer.write(image)
    writer.close()
    return path


def test_a_video_goes_over_the_air(tmp_path: Path) -> None:
    sent = video(tmp_path / "sent.mkv")
    out = tmp_path / "out" / "received.mkv"
    graph = load(FILE, [f"video={sent}", f"out={out}", "snr_db=25.0", "score.metrics=['psnr']", *FAST])
    graph.run(timeout_s=100)
    report = json.loads(out.with_suffix(".json").read_text())
    assert report["sent"] == report["received"] == 4
    assert 1 <= report["prompts_sent"] < 4  # the scene hardly changes
    assert report["fps"] > 0
    assert 0 < report["latency_s"]["median"] <= report["latency_s"]["max"] <= report["seconds"]
    reader = VideoReader(out)
    received = [picture for _, picture in reader.frames()]
    reader.close()
    assert reader.facts.fps == 10.0
    assert [picture.shape for picture in received] == [(64, 96, 3)] * 4
    assert report["psnr"] > 15
