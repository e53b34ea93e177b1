"""A receiver of its own: from a recording to pictures, with nothing known of what was sent."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from semwave.runtime import ConnectError
from semwave.runtime.graphfile import load

ROOT = Path(__file__).resolve().parents[2]


def _graph(tmp_path, **more):
    settings = {"sink.path": str(tmp_path), "decoder.model": "classical", **more}
    settings.setdefault("source.path", str(ROOT / "recordings" / "awgn-20dB"))
    return load(str(ROOT / "flowgraphs" / "image_receiver.toml"), [f"{k}={v}" for k, v in settings.items()])


@pytest.mark.timeout(240)
def test_recording_to_picture(tmp_path):
    """The picture, where its pixels come from, and a report; no score, since nobody knows what was sent."""
    result = _graph(tmp_path).run()
    report = json.loads((tmp_path / "report.json").read_text())
    (row,) = report["pictures"]
    assert row["result"] == "ok"
    assert row["reception"]["snr_db"] == pytest.approx(20, abs=1)
    assert row["received"] + row["inferred"] + row["invented"] == pytest.approx(1)
    assert "psnr" not in row
    picture = np.array(Image.open(tmp_path / row["files"] / "reconstruction.png"))
    assert picture.std() > 10
    assert not (tmp_path / row["files"] / "original.png").exists()
    assert "picture_0" in result.summaries["sink"]


def test_a_score_needs_what_was_sent(tmp_path):
    graph = _graph(tmp_path)
    graph.connect("decoder.image > sink.sent")
    with pytest.raises(ConnectError, match=r"row must be connected too, since sent is"):
        graph.plan()
