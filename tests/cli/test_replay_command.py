"""``semwave replay`` as people and scripts call it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from semwave.recording import Writer

ROOT = Path(__file__).resolve().parents[2]
WIFI, STOCK, SCENE = (ROOT / "recordings" / name for name in ("wifi-tdl-b", "gr-ofdm", "awgn-20dB"))
FORMATS = ROOT.parent / "shared" / "captures" / "formats"


def test_one_line_a_frame_and_a_count(cli):
    found = cli("replay", WIFI, "--receiver", "ieee80211")
    lines = found.out.splitlines()
    assert (found.code, found.err) == (0, "")
    assert len(lines) == 14
    assert lines[-1] == "12 frames: 12 ok; samples 0 to 28180"
    assert lines[1].split()[:7] == ["0", "915", "0.0457", "ms", "11a/g", "6", "Mbit/s"]


def test_json_has_everything(cli):
    found = cli("replay", WIFI, "--receiver", "ieee80211", "--json", "--bytes", "--start", "12000")
    told = json.loads(found.out)
    assert told["ok"]
    assert told["statuses"] == {"ok": 7}
    assert told["start"] == 12_000
    first = told["frames"][0]
    assert {"start", "rate", "mcs", "length", "cfo_hz", "snr_db", "evm_db", "check_ok", "sha256"} <= first.keys()
    assert b"frame 5 of" in bytes.fromhex(first["payload"])


def test_bytes_are_printed(cli):
    assert "packet 2 of the" in cli("replay", STOCK, "--receiver", "gnuradio", "--bytes").out.replace("  ", " ")


def test_all_files_at_once(cli, tmp_path):
    for suffix in (".sigmf-meta", ".sigmf-data"):
        shutil.copy(f"{WIFI}{suffix}", tmp_path)
    out = {name: tmp_path / f"x.{name}" for name in ("csv", "pcap")} | {"report": tmp_path / "x.html"}
    options = [part for name, file in out.items() for part in (f"--{name}", file)]
    found = cli("replay", tmp_path / "wifi-tdl-b", "--receiver", "ieee80211", "--annotate", *options)
    assert found.code == 0
    assert all(file.stat().st_size for file in out.values())
    assert "annotations: 12 written, 0 replaced" in found.out
    listed = cli("sigmf", "annotations", tmp_path / "wifi-tdl-b", "--label", "MCS", "--json")
    assert len(json.loads(listed.out)["annotations"]) == 6


def test_scenes_become_pictures(cli, tmp_path):
    found = cli("replay", SCENE, "--receiver", "semwave", "--out", tmp_path, "--model", "classical", "--json")
    assert json.loads(found.out)["written"]["out"]["pictures"] == [str(tmp_path / "00")]
    assert {p.name for p in (tmp_path / "00").iterdir()} == {
        "reconstruction.png", "provenance.png", "provenance.npz", "prompt.txt", "frame.json",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--pcap", "x.pcap", "--receiver", "semwave"], "--pcap is for --receiver ieee80211"),
        (["--out", "x", "--receiver", "gnuradio"], "--out rebuilds pictures of --receiver semwave"),
        (["--out", "x", "--receiver", "semwave", "--steps", "0"], "--steps must be at least 1, not 0"),
        (["--receiver", "semwave", "--follow", "-2"], "--follow must be a number of seconds above 0, not -2"),
        (["--csv", "/nowhere/x.csv", "--receiver", "gnuradio"], "there is no folder /nowhere"),
        (["--receiver", "gnuradio", "--channel", "1"], "--channel must be 0 to 0, not 1"),
        (["--receiver", "gnuradio", "--start", "soon"], "a position is a sample index"),
        (["--receiver", "gnuradio", "--start", "5 s"], "no samples from --start 5 s"),
        (["--receiver", "gnuradio", "--set", "modulation"], "--set takes NAME=VALUE"),
        (["--receiver", "semwave", "--set", "fft_sice=3"], "fft_size"),
        (["--receiver", "ieee80211", "--rate", "10M"], "sample_rate must be 20e6"),
    ],
)
def test_says_what_is_wrong_without_a_traceback(cli, more, message):
    found = cli("replay", STOCK, *more)
    assert found.code == 1
    assert message in found.err
    assert "unexpected" not in found.err
    assert len(found.err.splitlines()) <= 2


@pytest.mark.skipif(not FORMATS.is_dir(), reason="the shared captures are not here")
@pytest.mark.parametrize(
    ("name", "message"),
    [("broken-json", "is not complete JSON"), ("metadata-only", "it has no samples, on purpose"),
     ("broken-empty", "the data file is empty"), ("broken-truncated", "the data end in mid-sample: 2 bytes")],
)  # fmt: skip
def test_broken_recordings_get_their_message(cli, name, message):
    found = cli("replay", FORMATS / name, "--receiver", "ieee80211")
    assert message in found.err
    assert "Traceback" not in found.err
    assert found.code == (0 if name in ("broken-empty", "broken-truncated") else 1)


def test_a_shift_below_zero_needs_no_equals_sign(cli):
    found = cli("replay", WIFI, "--receiver", "ieee80211", "--shift", "-10k")
    assert "12 ok" in found.out
    assert cli("replay", WIFI, "--receiver", "ieee80211", "--shift", "-x").code == 2


@pytest.mark.skipif(os.name == "nt", reason="signals work differently there")
def test_ctrl_c_keeps_what_was_found(tmp_path):
    """A long recording; the signal comes once the first frame has been printed."""
    with Writer(tmp_path / "long", 1e6, datatype="ci8", sync=False) as writer:
        from semwave.recording import open_recording

        once = open_recording(STOCK).read()
        for _ in range(3000):
            writer.write(once)
    command = [sys.executable, "-m", "semwave", "replay", str(tmp_path / "long"), "--receiver", "gnuradio"]
    csv = tmp_path / "frames.csv"
    with subprocess.Popen(
        [*command, "--csv", str(csv)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as child:  # fmt: skip
        assert child.stdout is not None
        for _ in range(3):
            child.stdout.readline()
        time.sleep(0.05)
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=60)
    assert child.returncode == 130, err
    assert "(stopped by Ctrl-C)" in out
    rows = csv.read_text().splitlines()
    assert 2 < len(rows) < 9001
    assert np.char.count(rows[1], "ok") >= 1
