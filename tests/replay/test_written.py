"""What a replay leaves behind: annotations, pcap, CSV, a report, pictures."""

import csv
import json
import shutil
import struct
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from semwave.modulation.ieee80211 import Mpdu, Ppdu
from semwave.recording import metadata as md
from semwave.recording import open_recording
from semwave.replay import report
from semwave.replay.annotate import annotate
from semwave.replay.charts import Series, scatter, ticks
from semwave.replay.frame import Frame
from semwave.replay.lines import write_csv
from semwave.replay.pcap import write_pcap
from semwave.replay.report import write_report
from semwave.replay.run import Replay, make_receiver

RECORDINGS = Path(__file__).resolve().parents[2] / "recordings"


@pytest.fixture(scope="module")
def frames():
    """Those of the shipped Wi-Fi recording."""
    with open_recording(RECORDINGS / "wifi-tdl-b") as recording:
        return list(Replay(recording, make_receiver("ieee80211")))


# ---- annotations -----------------------------------------------------------------------------------------------------


def test_annotating_twice_changes_nothing_and_keeps_what_others_wrote(copied, frames):
    base = copied("wifi-tdl-b")
    file = base.with_suffix(".sigmf-meta")
    meta = json.loads(file.read_text())
    meta["global"]["other:thing"] = {"kept": [1, 2]}
    meta["annotations"] = [{"core:sample_start": 5, "core:sample_count": 9, "core:generator": "someone", "x:y": 1}]
    file.write_text(json.dumps(meta))
    results = []
    for _ in range(2):
        with open_recording(base) as recording:
            counts = annotate(recording, frames, "ieee80211", (0, recording.sample_count))
        results.append((counts, file.read_bytes()))
    assert [r[0] for r in results] == [(12, 0), (12, 12)]
    assert results[0][1] == results[1][1]
    after = json.loads(file.read_text())
    assert after["global"]["other:thing"] == {"kept": [1, 2]}
    assert after["annotations"][0]["x:y"] == 1
    assert md.validate(after) == []
    assert {"name": "semwave", "version": "0.1.0", "optional": True} in after["global"]["core:extensions"]


def test_annotations_of_a_part_replace_those_of_that_part(copied, frames):
    base = copied("wifi-tdl-b")
    with open_recording(base) as recording:
        annotate(recording, frames, "ieee80211", (0, recording.sample_count))
    half = [f for f in frames if f.start >= 12_000]
    with open_recording(base) as recording:
        assert annotate(recording, half[:-1], "ieee80211", (12_000, recording.sample_count)) == (6, 7)
    with open_recording(base) as recording:
        assert len(recording.annotations) == 11
        first = recording.annotations[0]
    assert (first.start, first.count, first.label) == (frames[0].start, frames[0].count, "11a 6M 60B ok")
    assert first.freq_upper_edge - first.freq_lower_edge == 53 * 312.5e3
    assert first.fields["semwave:psdu_sha256"] == frames[0].sha256


def test_an_archive_cannot_be_annotated(captures):
    recording = open_recording(captures / "formats" / "archive.sigmf")
    with pytest.raises(ValueError, match="convert it to a pair first"):
        annotate(recording, [], "ieee80211", (0, 1))


# ---- pcap and CSV ----------------------------------------------------------------------------------------------------


def records(data):
    """Time in ns and bytes of every record, read as the format's description has it."""
    assert struct.unpack("<IHHiIII", data[:24]) == (0xA1B23C4D, 2, 4, 0, 0, 262144, 127)
    at, found = 24, []
    while at < len(data):
        seconds, nanoseconds, kept, whole = struct.unpack("<IIII", data[at : at + 16])
        assert kept == whole
        found.append((seconds * 10**9 + nanoseconds, data[at + 16 : at + 16 + kept]))
        at += 16 + kept
    return found


def test_pcap_holds_the_frames_behind_radiotap(tmp_path, frames):
    assert write_pcap(tmp_path / "a.pcap", frames) == 12
    found = records((tmp_path / "a.pcap").read_bytes())
    for (when, data), frame in zip(found, frames, strict=True):
        version, _, length, present = struct.unpack("<BBHI", data[:8])
        assert (version, data[length:]) == (0, frame.payload)
        assert when == pytest.approx(frame.time_s * 1e9, abs=1)
        assert present & 0b1011 == 0b1011
        assert struct.unpack("<Q", data[8:16])[0] == round(frame.time_s * 1e6)
        assert data[16] & 0x10  # the FCS is there
        if frame.kind == "11a/g":
            assert data[17] == 2 * frame.source.rate_mbps
            assert struct.unpack("<H", data[18:20])[0] == 5180
        else:
            assert present >> 19 & 1
            assert data[length - 1] == frame.source.mcs


def test_pcap_names_what_was_not_decoded(tmp_path):
    about = {
        "start": 0,
        "ltf": 192,
        "end": 900,
        "format": "11n",
        "rate_mbps": 6,
        "cfo_hz": 0.0,
        "snr_db": 20.0,
        "evm_db": -9.0,
    }
    two = Ppdu(status="unsupported: 2 streams", mcs=14, length=400, **about)
    bad = Ppdu(status="bad FCS", mcs=3, length=9, psdu=b"123456789", mpdus=[Mpdu(b"123456789", False)], **about)
    frames = [Frame(0, 900, "11n", p.status, time_s=1.5, source=p) for p in (two, bad)]
    assert write_pcap(tmp_path / "b.pcap", frames) == 2
    (_, a), (_, b) = records((tmp_path / "b.pcap").read_bytes())
    assert struct.unpack("<I", a[4:8])[0] >> 26 & 1
    assert len(a) == struct.unpack("<H", a[2:4])[0]
    assert b[16] & 0x50 == 0x50  # FCS there, and wrong
    with pytest.raises(ValueError, match="receiver ieee80211"):
        write_pcap(tmp_path / "c.pcap", [Frame(0, 1, "scene", "ok")])


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
@pytest.mark.peer
def test_wireshark_reads_it(tmp_path, frames):
    write_pcap(tmp_path / "a.pcap", frames)
    fields = ["-e", "wlan.seq", "-e", "wlan.fcs.status", "-e", "wlan.ta"]
    told = subprocess.run(
        ["tshark", "-r", str(tmp_path / "a.pcap"), "-o", "wlan.check_checksum:TRUE", "-T", "fields", *fields],
        capture_output=True, text=True, timeout=60, check=True,
    ).stdout.splitlines()  # fmt: skip
    senders = ("02:00:00:00:00:02", "02:00:00:00:00:01")
    assert [row.split("\t") for row in told] == [[str(i), "1", senders[i % 2]] for i in range(12)]


def test_csv_reads_back(tmp_path, frames):
    write_csv(tmp_path / "a.csv", frames, payload=True)
    with (tmp_path / "a.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [int(r["start"]) for r in rows] == [f.start for f in frames]
    assert [bytes.fromhex(r["payload"]) for r in rows] == [f.payload for f in frames]
    assert rows[0]["status"] == "ok"
    assert float(rows[0]["cfo_hz"]) == pytest.approx(frames[0].cfo_hz, abs=0.1)


# ---- the report ------------------------------------------------------------------------------------------------------


class Page(HTMLParser):
    """Every element and attribute; what is opened must be closed."""

    VOID = {"meta", "img", "input", "line", "br"}

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.links, self.text = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [v for k, v in attrs if k in ("src", "href", "action", "data", "srcset", "poster")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def read_page(file):
    page = Page()
    text = file.read_text(encoding="utf-8")
    page.feed(text)
    page.close()
    assert page.open == []
    assert "@@" not in text
    for outside in ("http:", "https:", "//cdn", "url(", "@import", "fetch(", "XMLHttp"):
        assert outside not in text
    assert all(link.startswith("data:image/png;base64,") for link in page.links)
    return page


def test_report_is_one_whole_page_without_links(tmp_path, frames):
    frames = [*frames, Frame(20_000, 10, "11n", "unsupported: <b>2 streams</b>", number=12, time_s=1e-3)]
    with open_recording(RECORDINGS / "wifi-tdl-b") as recording:
        write_report(tmp_path / "r.html", recording, frames, receiver="ieee80211", title="a <script> & more")
    page = read_page(tmp_path / "r.html")
    assert page.tags.count("tr") == 14
    assert page.tags.count("b") == 0
    assert page.tags.count("circle") == 12 * 3
    assert len(page.links) == 1
    assert "a <script> & more" in page.text
    clouds = json.loads(next(t for t in page.text if t.startswith('{"0":')))
    assert set(clouds) == {str(i) for i in range(12)}


def test_report_of_nothing(tmp_path):
    with open_recording(RECORDINGS / "gr-ofdm") as recording:
        write_report(tmp_path / "r.html", recording, [], receiver="ieee80211")
    assert "none found" in "".join(read_page(tmp_path / "r.html").text)


def test_charts():
    assert np.allclose(ticks(0.0, 10.0), [0, 2, 4, 6, 8, 10])
    assert np.allclose(ticks(-35_400, -33_900), [-35_000, -34_500, -34_000])
    assert "not known" in scatter([Series("a", "red")], "x", "y")
    one = scatter([Series("a", "red", [1.0], [2.0], ["<t>"], [0])], "x", "y")
    assert one.count("<circle") == 1
    assert "&lt;t&gt;" in one


def test_kinds_sort_by_number_and_have_colours_of_their_own():
    """Rates as numbers, not as text; more kinds than the palette has colours."""
    rates = [6, 9, 12, 18, 24, 36, 48, 54, 6.5, 13, 65]
    found = report._kinds([Frame(0, 1, "11a", "ok", rate=f"{rate:g}") for rate in reversed(rates)])
    assert found == [f"11a {rate:g}" for rate in sorted(rates)]
    assert len({report._colour(i) for i in range(24)}) == 24
