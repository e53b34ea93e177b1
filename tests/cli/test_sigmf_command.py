"""``semwave sigmf`` as people and scripts call it."""

import json
import shutil
from pathlib import Path

import pytest

from semwave.recording import open_recording

ROOT = Path(__file__).resolve().parents[2]
WIFI = ROOT / "recordings" / "wifi-tdl-b"


@pytest.fixture
def pair(tmp_path):
    """A copy of a shipped recording."""
    for suffix in (".sigmf-meta", ".sigmf-data"):
        shutil.copy(f"{WIFI}{suffix}", tmp_path)
    return tmp_path / WIFI.name


def test_info(cli):
    found = cli("sigmf", "info", WIFI)
    assert found.code == 0
    assert "28180 samples, 1.409 ms, ci8" in found.out
    told = json.loads(cli("sigmf", "info", WIFI, "--json").out)
    assert (told["samples"], told["sample_rate_hz"], told["capture_list"][0]["frequency_hz"]) == (28_180, 20e6, 5.18e9)


def test_validate_exits_with_what_it_found(cli, pair):
    assert cli("sigmf", "validate", pair, "--hash").out == f"{pair}: ok\n"
    assert cli("sigmf", "validate", pair).out == f"{pair}: ok, hash not checked (--hash)\n"
    data = pair.with_suffix(".sigmf-data")
    data.write_bytes(data.read_bytes()[:-1])
    found = cli("sigmf", "validate", WIFI, pair, "/nowhere", "--hash", "--json")
    told = json.loads(found.out)
    assert found.code == 1
    kinds = [[f["what"] for f in r["findings"]] for r in told["recordings"]]
    assert kinds == [[], ["reader", "hash"], ["unreadable"]]


def test_hash(cli, pair):
    assert cli("sigmf", "hash", pair, "--check").code == 0
    data = pair.with_suffix(".sigmf-data")
    data.write_bytes(b"\x55" + data.read_bytes()[1:])
    found = cli("sigmf", "hash", pair, "--check")
    assert found.code == 1
    assert "NOT as stated" in found.out
    assert cli("sigmf", "hash", pair).code == 0


def test_convert_crop_concat_and_back_to_frames(cli, pair, tmp_path):
    assert cli("replay", pair, "--receiver", "ieee80211", "--annotate").code == 0
    found = cli(
        "sigmf", "convert", pair, "-o", tmp_path / "a", "--datatype", "ci16_le", "--rate", "25M", "--shift", "-2M"
    )
    assert found.out.splitlines()[-1].endswith("35225 samples, 12 annotations")
    found = cli(
        "sigmf", "crop", tmp_path / "a", "-o", tmp_path / "b", "--annotation", "3", "--margin", "30us", "--json"
    )
    assert json.loads(found.out)["annotations"] == 1
    found = cli("sigmf", "concat", tmp_path / "b", tmp_path / "b", "-o", tmp_path / "c")
    assert found.code == 0
    told = json.loads(cli("replay", tmp_path / "c", "--receiver", "ieee80211", "--tune", "5180M", "--json").out)
    assert [f["rate"] for f in told["frames"] if f["check_ok"]] == ["18 Mbit/s"] * 2
    assert cli("sigmf", "validate", tmp_path / "a", tmp_path / "b", tmp_path / "c", "--hash").code == 0


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["convert", "-o", "X"], "is what is being read"),
        (["convert", "-o", "Y", "--datatype", "ci12"], "core:datatype must be"),
        (["convert", "-o", "Y", "--channel", "2"], "--channel must be 0 to 0, not 2"),
        (["crop", "-o", "Y"], "crop takes --start and --stop, or --annotation, or --capture"),
        (["crop", "-o", "Y", "--annotation", "0"], "--annotation must be 0 to"),
        (["spectrogram", "-o", "y.png", "--fft", "100"], "fft_size must be a power of 2"),
        (["recover"], "nothing to recover"),
    ],
)
def test_says_what_is_wrong(cli, pair, tmp_path, argv, message):
    argv = [str(pair) if a == "X" else str(tmp_path / a) if a in ("Y", "y.png") else a for a in argv]
    found = cli("sigmf", argv[0], pair, *argv[1:])
    assert found.code == 1
    assert message in found.err
    assert "unexpected" not in found.err


def test_nothing_is_overwritten_without_force(cli, pair, tmp_path):
    for expected in (0, 1):
        assert cli("sigmf", "crop", pair, "-o", tmp_path / "a", "--stop", "100").code == expected
    assert cli("sigmf", "crop", pair, "-o", tmp_path / "a", "--stop", "50", "--force").code == 0
    assert open_recording(tmp_path / "a").sample_count == 50


def test_spectrogram(cli, tmp_path):
    found = cli("sigmf", "spectrogram", WIFI, "-o", tmp_path / "x.png")
    assert found.code == 0
    assert "all samples looked at" in found.out
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")
    told = json.loads(cli("sigmf", "spectrogram", WIFI, "-o", tmp_path / "x.png", "--start", "1ms", "--json").out)
    assert (told["ok"], told["covered"]) == (True, 1.0)


def test_a_sparse_recording_of_100_gb_is_looked_at_in_seconds(cli, tmp_path):
    """Nothing is hashed, nothing read whole: 25 gigasamples of which 0.03 % are looked at."""
    meta = {"global": {"core:datatype": "ci16_le", "core:version": "1.2.5", "core:sample_rate": 20e6}}
    (tmp_path / "big.sigmf-meta").write_text(json.dumps({**meta, "captures": [], "annotations": []}))
    with (tmp_path / "big.sigmf-data").open("wb") as file:
        file.truncate(100 * 10**9)
    found = cli("sigmf", "spectrogram", tmp_path / "big", "-o", tmp_path / "big.png", "--json")
    told = json.loads(found.out)
    assert told["columns"] == 1200
    assert told["covered"] == pytest.approx(1200 * 8 * 1024 / 25e9)
    assert "25000000000 samples" in cli("sigmf", "info", tmp_path / "big").out


def test_verbs_are_listed(cli):
    found = cli("sigmf")
    assert found.code == 2
    for verb in ("info", "validate", "convert", "crop", "concat", "hash", "recover", "annotations", "spectrogram"):
        assert verb in cli("sigmf", "--help").out
