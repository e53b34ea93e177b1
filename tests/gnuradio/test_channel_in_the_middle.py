"""A picture through our link with GNU Radio's channel model in the middle, by the shipped example pair."""

import contextlib
import signal
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "flowgraphs"))
import example_peer
import link

from semwave.runtime import Flowgraph, UserError
from semwave.runtime.graphfile import load

pytestmark = pytest.mark.peer
FILE = Path(__file__).resolve().parents[2] / "flowgraphs" / "gnuradio_channel.toml"
LIGHT = [text for text in link.LIGHT if not text.startswith("baseline")]
CHANNEL = example_peer.EXAMPLES / "channel.py"


@pytest.fixture(scope="module", autouse=True)
def peer() -> None:
    example_peer.need()


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes, int]:
    """Pictures, what becomes of one on a good channel of our own, and how many samples that takes."""
    folder = tmp_path_factory.mktemp("reference")
    pictures, out = link.make_pictures(folder / "in", count=1), folder / "out"
    link.run(pictures, out, "snr_db=30", "profile=awgn")
    samples = (out / "transmitted.sigmf-data").stat().st_size // 8
    return pictures, (out / "00_0" / "reconstruction.png").read_bytes(), samples


def graph(pictures: Path, out: Path, there: str, back: str, *more: str) -> Flowgraph:
    """The shipped flowgraph on ``pictures``."""
    given = [f"source.path={pictures}", f"sink.path={out}", f"to_address={there}", f"from_address={back}"]
    return load(FILE, [*LIGHT, *given, *more])


@pytest.mark.parametrize("tags", [False, True], ids=["no tags", "tags"])
def test_the_picture_comes_through_whole(reference: tuple[Path, bytes, int], tmp_path: Path, tags: bool) -> None:
    """Noise, taps and a frequency offset cost no layer, so the picture is the one of a good channel, byte for byte."""
    pictures, picture, samples = reference
    count = samples - 100  # the channel keeps the last few; they are silence
    options = ["--noise", "0.2", "--offset", "1500", "--clock", "5", *(["--tags"] if tags else [])]
    with example_peer.addresses() as (there, back):
        ours = graph(pictures, tmp_path, there, back, f"tags={str(tags).lower()}", f"from_radio.count={count}")
        with example_peer.program(CHANNEL, "--pull", there, "--push", back, *options) as channel:
            result = ours.run(timeout_s=100)
            channel.send_signal(signal.SIGTERM)
            said, _ = channel.communicate(timeout=20)
    row = link.rows(tmp_path)[0]
    assert row["result"] == "ok"
    assert 12 < row["reception"]["snr_db"] < 16  # 14 dB less the noise of one short burst's estimate
    assert abs(row["reception"]["cfo_hz"] - 1500) < 100
    assert result["from_radio"].counts.get("lost items", 0) == 0
    assert (tmp_path / "00_0" / "reconstruction.png").read_bytes() == picture
    assert f"{samples} samples in" in said


def test_tags_there_and_not_here_end_the_program_there(reference: tuple[Path, bytes, int], tmp_path: Path) -> None:
    """GNU Radio's example says why and ends, instead of running on with nothing; our side ends by itself."""
    pictures, _, _ = reference
    with example_peer.addresses() as (there, back):
        ours = graph(pictures, tmp_path, there, back, "tags=false", "idle_timeout_s=6", "to_radio.timeout_s=4")
        with example_peer.program(CHANNEL, "--pull", there, "--push", back, "--tags") as channel:
            with contextlib.suppress(UserError):  # a sink that was still sending when GNU Radio ended
                ours.run(timeout_s=100)
            _, said = channel.communicate(timeout=20)
    assert channel.returncode != 0
    assert "magic does not match" in said
