"""The zoomable part of the report: its pictures and boxes agree with the recording."""

import base64
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from semwave.recording import Writer, open_recording
from semwave.replay.frame import Frame
from semwave.replay.run import Replay, make_receiver
from semwave.replay.zoom import TILE_COLUMNS, zoom_data, zoom_json

RECORDINGS = Path(__file__).resolve().parents[2] / "recordings"


def _picture(address):
    head, _, data = address.partition(",")
    assert head == "data:image/png;base64"
    return np.array(Image.open(io.BytesIO(base64.b64decode(data))))


def test_boxes_and_tiles_of_a_recording():
    recording = open_recording(RECORDINGS / "wifi-tdl-b")
    frames = list(Replay(recording, make_receiver("ieee80211")))
    data = zoom_data(recording, frames)
    assert data["time"] == [0, pytest.approx(1.409)]
    assert data["freq"] == [5170, 5190]
    assert [b[0] for b in data["boxes"]] == list(range(12))
    assert all(b[1] == pytest.approx(f.start / 20e3) for b, f in zip(data["boxes"], frames, strict=True))
    assert {t["frame"] for t in data["tiles"]} <= set(range(12))
    assert all(_picture(t["png"]).shape[1] == TILE_COLUMNS for t in data["tiles"])


def test_a_tone_is_bright_where_it_is(tmp_path):
    """A tone at a quarter of the band and in the second half of the time: top right of the picture, nowhere else."""
    tone = np.exp(2j * np.pi * 0.25 * np.arange(40_000)) * (np.arange(40_000) >= 20_000)
    with Writer(tmp_path / "tone", 1e6, sync=False) as writer:
        writer.write((tone + 1e-3 * np.random.default_rng(1).standard_normal(40_000)).astype(np.complex64))
    pixels = _picture(zoom_data(open_recording(tmp_path / "tone"), [])["wide"])
    row, column = np.unravel_index(np.argmax(pixels), pixels.shape)
    assert row / pixels.shape[0] == pytest.approx(0.25, abs=0.02)
    assert column >= pixels.shape[1] // 2 - 30
    assert pixels[:, : pixels.shape[1] // 2 - 30].max() < pixels.max() // 2


def test_nothing_breaks_out_of_the_page(tmp_path):
    frame = Frame(start=10, count=50, kind="</script>", status="ok")
    with Writer(tmp_path / "x", 1e6, sync=False) as writer:
        writer.write(np.ones(1000, np.complex64))
    text = zoom_json(open_recording(tmp_path / "x"), [frame])
    assert "<" not in text
    assert json.loads(text)["boxes"][0][5].startswith("</script>")


def test_without_samples_there_is_nothing(tmp_path):
    with Writer(tmp_path / "empty", 1e6, sync=False):
        pass
    assert zoom_json(open_recording(tmp_path / "empty", warn=lambda text: None), []) == "null"
