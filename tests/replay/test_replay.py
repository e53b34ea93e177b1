"""Receivers over recordings: every frame, at its place, at any rate, and what cannot be decoded is named."""

import json
from pathlib import Path

import numpy as np
import pytest

from semwave.modulation.ieee80211 import TxFormat, append_fcs, transmit
from semwave.recording import Writer, open_recording
from semwave.replay.frame import Frame, statuses
from semwave.replay.lines import HEAD, hexdump, line, total
from semwave.replay.mac import describe, words
from semwave.replay.run import Replay, make_receiver

RECORDINGS = Path(__file__).resolve().parents[2] / "recordings"

SHIFTS = {"ri16_le-if10M-40Msps": -10e6, "ci16_le-25Msps-plus3.1MHz": -3.1e6}
READABLE = (
    "cf32_le", "cf32_be", "cf64_le", "ci16_be", "ci32_le", "cu16_le", "ci8", "cu8", "ncd", "two-captures",
    "core-offset", "two-channels", "archive.sigmf", "broken-sha512", *SHIFTS,
)  # fmt: skip


def test_shipped_wifi_recording(replay):

    frames = replay(RECORDINGS / "wifi-tdl-b")
    assert [f.status for f in frames] == ["ok"] * 12
    for i, frame in enumerate(frames):
        assert f"frame {i} of the shipped recording".encode() in frame.payload
        assert frame.cfo_hz == pytest.approx(-21_500 if i % 2 == 0 else 9_800, abs=1000)
        assert frame.frequency == 5.18e9
        assert frame.time_s == pytest.approx(frame.start / 20e6)
        assert frame.facts["mac_seq"] == i
    assert [f.rate for f in frames[:2]] == ["6 Mbit/s", "9 Mbit/s"]
    assert frames[9].rate == "MCS 3"


def test_shipped_stock_packets(replay):

    frames = replay(RECORDINGS / "gr-ofdm", "gnuradio")
    assert [f.payload for f in frames] == [f"packet {i} of the shipped recording".encode() for i in range(3)]
    assert all(f.check and abs(f.cfo_hz - 2000) < 100 for f in frames)


@pytest.mark.parametrize("name", ["11a-48M-conducted", "11n-65M-conducted", "11n-19.5M-radiated",
                                  "11g-dc-offset-pkt1", "11g-dc-offset-pkt4"])  # fmt: skip
def test_real_captures(replay, captures, name):
    """Each frame of the truth with its check sum, none that is not there, offsets within 1 kHz."""
    truth = [f for f in json.loads((captures / "wifi" / f"{name}.truth.json").read_text())["frames"] if f["fcs_ok"]]
    good = [f for f in replay(captures / "wifi" / name) if f.check]
    assert [f.sha256 for f in good] == [t["psdu_sha256"] for t in truth]
    for found, told in zip(good, truth, strict=True):
        assert abs(found.cfo_hz - told["cfo_hz"]) < 1000
        assert abs(found.facts["ltf_sample"] - told["ltf_sample"]) <= 16


@pytest.mark.parametrize("name", READABLE)
def test_every_format_gives_the_same_frames(replay, captures, name):
    truth = json.loads((captures / "formats" / "cf32_le.truth.json").read_text())["frames"]
    frames = replay(captures / "formats" / name, shift_hz=SHIFTS.get(name, 0.0))
    assert [f.sha256 for f in frames if f.check] == [t["psdu_sha256"] for t in truth]


def test_places_do_not_depend_on_rate_and_span(replay, tmp_path):
    """At 25 MS/s and 3 MHz off the centre, from the middle on: places count the samples of the recording."""

    from semwave.modulation.resample import resample

    plain = replay(RECORDINGS / "wifi-tdl-b")
    with open_recording(RECORDINGS / "wifi-tdl-b") as recording:
        moved = resample(recording.read(), 20e6, 25e6, shift_hz=3e6)
    with Writer(tmp_path / "moved", 25e6, frequency=5.177e9, sync=False) as writer:
        writer.write(moved)
    found = replay(tmp_path / "moved", tune_hz=5.18e9, span=(12_000, moved.size))
    assert [f.sha256 for f in found] == [f.sha256 for f in plain[-len(found) :]]
    assert len(found) == 8
    for a, b in zip(found, plain[-len(found) :], strict=True):
        assert abs(a.start - 1.25 * b.start) <= 3
        assert abs(a.facts["ltf_sample"] - 1.25 * b.facts["ltf_sample"]) <= 3
        assert a.frequency == 5.18e9


def test_what_cannot_be_decoded_is_named(replay, tmp_path):
    """A frame with a wrong check sum and a cut one between good ones."""

    rng = np.random.default_rng(1)
    good = transmit(append_fcs(bytes(60)), TxFormat(rate_mbps=12))
    bad = transmit(bytes(range(1, 60)), TxFormat(rate_mbps=12))
    gap = np.zeros(500, np.complex64)
    x = np.concatenate([gap, good, gap, bad, gap, good, gap, good[:700]])
    noise = rng.standard_normal((x.size, 2)).astype(np.float32).view(np.complex64)[:, 0]
    with Writer(tmp_path / "mixed", 20e6, sync=False) as writer:
        writer.write(x + 0.02 * noise)
    frames = replay(tmp_path / "mixed")
    assert [f.status for f in frames] == ["ok", "bad FCS", "ok", "truncated"]
    assert statuses(frames) == {"ok": 2, "bad FCS": 1, "truncated": 1}
    assert total(frames) == "4 frames: 2 ok, 1 bad FCS, 1 truncated"
    assert all(len(HEAD.split()) and line(f) for f in frames)
    assert [f.check for f in frames] == [True, False, True, None]


def two_streams(octets):
    """The samples of a PPDU that says MCS 14 (IEEE 802.11-2020, 19.3.9.4); its data are sent as MCS 3."""
    from semwave.modulation.ieee80211 import fields

    real = fields.HtSig

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fields, "HtSig", lambda mcs, length, **more: real(14, 4 * length, **more))
        return transmit(append_fcs(bytes(octets)), TxFormat(mcs=3))


def test_two_streams_are_named_and_hide_nothing(replay, tmp_path):
    good = transmit(append_fcs(bytes(60)), TxFormat(rate_mbps=12))
    gap = np.zeros(500, np.complex64)
    x = np.concatenate([gap, good, gap, two_streams(400), gap, good, gap])
    noise = np.random.default_rng(2).standard_normal((x.size, 2)).astype(np.float32).view(np.complex64)[:, 0]
    with Writer(tmp_path / "mimo", 20e6, sync=False) as writer:
        writer.write(x + 0.02 * noise)
    frames = replay(tmp_path / "mimo")
    assert [f.verdict for f in frames] == ["ok", "unsupported", "ok"]
    assert frames[1].status == "unsupported: HT MCS 14, 2 spatial streams"
    assert (frames[1].rate, frames[1].length, frames[1].check) == ("MCS 14", 1616, None)
    assert "1 unsupported: HT MCS 14, 2 spatial streams" in total(frames)


def test_tuning_needs_one_centre(replay, captures):
    with pytest.raises(ValueError, match="5180000000 Hz, 5200000000 Hz: choose one"):
        replay(captures / "formats" / "two-captures", tune_hz=5.18e9)
    assert replay(captures / "formats" / "two-captures", tune_hz=5.2e9, span=(10_720, 21_440))


def test_a_sniffer_heard_the_same_frames(replay, captures):
    """A commercial sniffer's file of the same moment has every frame of the radiated recording, byte for byte."""
    data = (captures / "wifi" / "11n-19.5M-radiated.pcap").read_bytes()
    frames = [f for f in replay(captures / "wifi" / "11n-19.5M-radiated") if f.check]
    assert len(frames) == 10
    assert all(f.payload[:-4] in data for f in frames)


def test_lines_say_what_is_unsupported():
    frame = Frame(start=7, count=100, kind="11n", status="unsupported: 2 spatial streams", rate="MCS 14", length=500)
    assert line(frame).endswith("-                unsupported: 2 spatial streams")
    assert frame.label == "11n MCS14 500B unsupp."
    assert total([]) == "no frames found"


def test_hexdump():
    assert hexdump(b"semantic picture\x00\xff") == [
        "       00000  73 65 6d 61 6e 74 69 63 20 70 69 63 74 75 72 65  semantic picture",
        "       00010  00 ff                                            ..",
    ]


def test_mac_headers():
    """Octets as IEEE 802.11-2020, 9.2.4 has them."""
    a, b = bytes(range(1, 7)), bytes(range(17, 23))
    data = describe(bytes([0x88, 0x49, 0, 0]) + a + b + a + (1103 << 4).to_bytes(2, "little") + bytes(8))
    assert data["mac_type"] == "QoS-data"
    assert (data["mac_ra"], data["mac_ta"]) == ("01:02:03:04:05:06", "11:12:13:14:15:16")
    assert (data["mac_seq"], data["mac_retry"], data["mac_protected"]) == (1103, True, True)
    assert words(data) == "QoS-data 11:12:13:14:15:16 > 01:02:03:04:05:06 seq 1103 retry protected"
    ack = describe(bytes([0xD4, 0, 0, 0]) + a + bytes(4))
    assert words(ack) == "ACK > 01:02:03:04:05:06"
    assert "mac_ta" not in ack
    assert describe(bytes([0x80, 0]) + bytes(40))["mac_type"] == "beacon"
    assert describe(b"") == {"mac_type": ""}


@pytest.mark.parametrize(
    ("receiver", "options", "message"),
    [
        ("dvb", None, "receiver must be one of ieee80211, semwave, gnuradio"),
        ("ieee80211", {"x": 1}, "has no options"),
        ("gnuradio", {"order": 4}, "options of receiver gnuradio are"),
        ("gnuradio", {"modulation": "16qam"}, "modulation must be one of"),
    ],
)
def test_says_what_is_wrong(receiver, options, message):
    with pytest.raises(ValueError, match=message):
        make_receiver(receiver, None, options)


def test_constellation_of_stock_packets(replay):
    """BPSK points lie at +-1, as far as the noise lets them."""
    for frame in replay(RECORDINGS / "gr-ofdm", "gnuradio"):
        assert frame.points is not None
        assert frame.points.size == 8 * (len(frame.payload) + 4)
        off = frame.points - np.sign(frame.points.real)
        assert 10 * np.log10(np.mean(np.abs(off) ** 2)) == pytest.approx(frame.evm_db, abs=1.0)


def test_recordings_of_a_collection(replay, tmp_path):
    """Each recording of a collection is played by its name; without a name they are told."""
    import shutil

    from semwave.recording import RecordingError
    from semwave.recording.collection import write_collection

    for name in ("wifi-tdl-b", "gr-ofdm"):
        for suffix in (".sigmf-meta", ".sigmf-data"):
            shutil.copy(RECORDINGS / (name + suffix), tmp_path)
    write_collection(tmp_path / "both.sigmf-collection", ["wifi-tdl-b", "gr-ofdm"])
    with open_recording(tmp_path / "both.sigmf-collection", "gr-ofdm") as recording:
        assert [f.status for f in Replay(recording, make_receiver("gnuradio"))] == ["ok"] * 3
    with pytest.raises(RecordingError, match="wifi-tdl-b"):
        open_recording(tmp_path / "both.sigmf-collection")


def test_a_recording_that_is_being_written(tmp_path):
    """With follow_s, frames written after the start of the replay are found too."""
    import threading
    import time

    with open_recording(RECORDINGS / "wifi-tdl-b") as whole:
        samples = whole.read()
    written = threading.Event()

    def write():
        with Writer(tmp_path / "live", 20e6, sync=False, meta_interval_s=0.02) as writer:
            written.set()
            for piece in np.array_split(samples, 10):
                writer.write(piece)
                time.sleep(0.02)

    thread = threading.Thread(target=write)
    thread.start()
    written.wait(20)
    recording = open_recording(tmp_path / "live", warn=lambda text: None)
    frames = list(Replay(recording, make_receiver("ieee80211"), follow_s=30.0))
    thread.join()
    assert [f.status for f in frames] == ["ok"] * 12
