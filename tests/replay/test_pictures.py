"""A recording of our own link becomes the picture that the live run made, pixel for pixel."""

import sys
from pathlib import Path

import pytest

from semwave.recording import open_recording
from semwave.replay.pictures import PictureWriter
from semwave.replay.run import Replay, make_receiver
from semwave.replay.scenes import prompt_of

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "flowgraphs"))
import link

RECORDINGS = Path(__file__).resolve().parents[2] / "recordings"


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    """Two pictures over a fading channel at 9 dB; what was sent and what was received are both recorded."""
    from semwave.blocks.sigmf import SigMFSink

    out = tmp_path_factory.mktemp("live")
    pictures = link.make_pictures(out / "pictures")
    graph = link.graph(pictures, out, "snr_db=9", f"out={out}", seed=5)
    graph.add(listening=SigMFSink(path=str(out), name="received")).connect("channel > listening")
    graph.run(timeout_s=100)
    return out


def rebuilt(recording, folder):
    writer = PictureWriter(folder, model="classical")
    with open_recording(recording) as opened:
        frames = list(Replay(opened, make_receiver("semwave")))
    return frames, [writer.write(f) for f in frames]


def test_the_received_samples_give_the_pixels_of_the_live_run(live, tmp_path):
    frames, folders = rebuilt(live / "received", tmp_path)
    assert [f.facts["picture"] for f in frames] == [0, 1]
    assert [f.name for f in folders] == ["00", "01"]
    for number, folder in enumerate(folders):
        (there,) = live.glob(f"{number:02d}_*")
        for name in ("reconstruction.png", "provenance.png", "prompt.txt"):
            assert (folder / name).read_bytes() == (there / name).read_bytes(), name


def test_the_transmitted_samples_give_every_layer(live, tmp_path):
    frames, folders = rebuilt(live / "transmitted", tmp_path)
    assert [f.status for f in frames] == ["ok", "ok"]
    assert [f.start for f in frames] == [a.start for a in open_recording(live / "transmitted").annotations]
    assert all(abs(f.cfo_hz) < 50 for f in frames)
    assert all(folder is not None for folder in folders)


def test_shipped_recordings(tmp_path):
    """At 20 dB and over fading all arrives, and it is the same picture; at -2 dB key and sketch are lost."""
    found = {}
    for name in ("awgn-20dB", "awgn-08dB", "tdl-c-12dB", "awgn-minus2dB"):
        frames, folders = rebuilt(RECORDINGS / name, tmp_path / name)
        assert len(frames) == 1
        found[name] = frames[0], (folders[0] / "reconstruction.png").read_bytes()
    clear, pixels = found["awgn-20dB"]
    assert clear.status == "ok"
    assert clear.snr_db == pytest.approx(20, abs=1)
    assert found["awgn-08dB"][1] == pixels
    assert found["tdl-c-12dB"][1] == pixels
    lost, _ = found["awgn-minus2dB"]
    assert lost.status == "lost layers: sketch, key"
    assert lost.check is False
    assert prompt_of(lost.source) == prompt_of(clear.source) != ""


def test_the_report_shows_the_pictures(tmp_path):
    from semwave.replay.report import write_report

    frames, folders = rebuilt(RECORDINGS / "tdl-c-12dB", tmp_path)
    with open_recording(RECORDINGS / "tdl-c-12dB") as opened:
        write_report(tmp_path / "r.html", opened, frames, receiver="semwave", pictures=folders)
    text = (tmp_path / "r.html").read_text()
    assert text.count('src="data:image/png;base64,') == 3
    assert prompt_of(frames[0].source) in text


def test_scene_options_are_those_of_the_demodulator():
    with pytest.raises(ValueError, match="fft_size"):
        make_receiver("semwave", None, {"fft_size": 4})
    assert make_receiver("semwave", 1.92e6).rate == 1.92e6
