"""What the replay tests share: shipped and shared captures, frames out of them."""

import shutil
from pathlib import Path

import pytest

from semwave.recording import open_recording
from semwave.replay.run import Replay, make_receiver

ROOT = Path(__file__).resolve().parents[2]
RECORDINGS = ROOT / "recordings"
CAPTURES = ROOT.parent / "shared" / "captures"
RECEIVERS = {"wifi-tdl-b": "ieee80211", "gr-ofdm": "gnuradio"}


@pytest.fixture
def replay():
    """Frames of a recording."""

    def run(path, receiver="ieee80211", rate=None, options=None, **how):
        with open_recording(path, warn=lambda text: None) as recording:
            return list(Replay(recording, make_receiver(receiver, rate, options), **how))

    return run


@pytest.fixture
def copied(tmp_path):
    """A shipped recording in a folder of its own."""

    def copy(name):
        for suffix in (".sigmf-meta", ".sigmf-data"):
            shutil.copy(RECORDINGS / (name + suffix), tmp_path)
        return tmp_path / name

    return copy


@pytest.fixture
def captures():
    """The shared captures; the test is skipped where they are not."""
    if not CAPTURES.is_dir():
        pytest.skip("the shared captures are not here")
    return CAPTURES
