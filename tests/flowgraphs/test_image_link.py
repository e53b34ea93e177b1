"""The image link as users run it: what it writes, what it counts, what it does when layers are lost."""

import json
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semwave.runtime import Array, BlockError, Flowgraph, FlowgraphError, Packet

sys.path.insert(0, str(Path(__file__).parent))
import link


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return link.make_pictures(tmp_path_factory.mktemp("pictures"))


@pytest.fixture(scope="module")
def clear(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run at 25 dB."""
    out = tmp_path_factory.mktemp("clear")
    link.run(pictures, out, "channel.snr_db=25")
    return out


def test_writes_pictures_sheet_report_and_recording(clear: Path) -> None:
    names = {"original", "mask", "reconstruction", "provenance", "conventional"}
    for folder in ("00_0", "01_1"):
        assert {p.stem for p in (clear / folder).glob("*.png")} == names
        assert (clear / folder / "prompt.txt").read_text().strip()
    for file in ("comparison.png", "report.json", "transmitted.sigmf-meta", "transmitted.sigmf-data"):
        assert (clear / file).stat().st_size > 0


def test_every_layer_arrives_at_high_snr(clear: Path) -> None:
    for row in link.rows(clear):
        assert row["result"] == "ok"
        assert row["psnr_key"] > 25
        assert abs(row["reception"]["cfo_hz"] - 1000) < 50
        assert row["received"] + row["inferred"] + row["invented"] == pytest.approx(1)


def test_counts_every_channel_use_of_the_recording(clear: Path) -> None:
    """What the report counts is what the antenna sends: samples of the bursts times the occupied share of the band."""
    meta = json.loads((clear / "transmitted.sigmf-meta").read_text())
    samples = np.fromfile(clear / "transmitted.sigmf-data", np.complex64)
    bursts = meta["annotations"]
    silent = np.ones(samples.size, bool)
    for row, burst in zip(link.rows(clear), bursts, strict=True):
        size = 3 * row["height"] * row["width"]
        assert row["cbr_total"] == pytest.approx(burst["core:sample_count"] * 180 / 256 / size, abs=1 / size)
        used = row["channel_uses"]
        assert row["cbr_payload"] * size == pytest.approx(used["payload"])
        assert used["payload"] == sum(layer["symbols"] for layer in row["layers"].values())
        cells = ("payload", "payload_padding", "header", "header_padding", "pilots", "preamble")
        assert sum(used[c] for c in cells) == 180 * (used["ofdm_symbols"] + 2)
        silent[burst["core:sample_start"] :][: burst["core:sample_count"]] = False
    assert not samples[silent].any()


def test_the_conventional_picture_has_no_more_symbols(clear: Path) -> None:
    for row in link.rows(clear):
        assert 0.9 * row["cbr_total"] < row["baseline"]["cbr_total"] <= row["cbr_total"]


def test_results_do_not_depend_on_chunks_threads_or_cuts(pictures: Path, clear: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)

    def cut(packet: Packet) -> list[Packet]:
        ends = sorted(rng.integers(0, len(packet.data) + 1, 3).tolist())
        bounds = [0, *ends, len(packet.data)]
        return [_piece(packet, a, b) for a, b in pairwise(bounds)]

    link.run(pictures, tmp_path / "cut", "channel.snr_db=25", recut=cut)
    link.run(pictures, tmp_path / "one", "channel.snr_db=25", threads=False, chunk=777)
    want = link.files(clear)
    assert link.files(tmp_path / "cut") == want
    assert link.files(tmp_path / "one") == want


def _piece(packet: Packet, a: int, b: int) -> Packet:
    last = b == len(packet.data)
    tags = tuple(t for t in packet.tags if a <= t.at - packet.start < b or (last and t.at - packet.start >= b))
    return Packet(packet.data[a:b], packet.start + a, tags, packet.meta)


def test_another_seed_gives_another_channel(pictures: Path, clear: Path, tmp_path: Path) -> None:
    link.run(pictures, tmp_path, "channel.snr_db=25", seed=8)
    ours, other = link.rows(clear)[0], link.rows(tmp_path)[0]
    assert ours["reception"]["snr_db"] != other["reception"]["snr_db"]


def test_a_lost_header_is_a_lost_picture_and_said_so(pictures: Path, tmp_path: Path) -> None:
    result = link.run(pictures, tmp_path, "channel.snr_db=-25")
    assert [row["result"] for row in link.rows(tmp_path)] == ["lost picture"] * 2
    assert "lost picture" in result.summaries["sink"]
    assert result["score"].counts["pictures lost"] == 2
    assert (tmp_path / "comparison.png").exists()


@pytest.mark.parametrize("name", ["mask", "prompt", "sketch", "key"])
def test_a_lost_layer_degrades_the_picture(pictures: Path, clear: Path, tmp_path: Path, name: str) -> None:
    """The layer's soft bits are wiped between receiver and deframer; the others still come."""
    graph = link.graph(pictures, tmp_path, "channel.snr_db=25")
    graph = _with_eraser(graph, name)
    graph.run(timeout_s=100)
    for row, whole in zip(link.rows(tmp_path), link.rows(clear), strict=True):
        assert row["result"] == f"{name} lost"
        assert row["psnr"] <= whole["psnr"] + 3
        if name == "key":
            assert row["psnr_key"] < whole["psnr_key"]
            assert row["received"] == 0
        elif name != "mask":
            assert row["psnr_key"] == pytest.approx(whole["psnr_key"])


def _with_eraser(graph: Flowgraph, name: str) -> Flowgraph:
    from semwave.blocks.framing import Deframer
    from semwave.modulation import scene

    class Eraser(Deframer):
        """A deframer that wipes one layer's soft bits."""

        def work(self, llr: Packet) -> Any:
            """As the deframer, but without the layer."""
            told = llr.meta["header"]
            entries = {n: scene.LayerEntry(**told[n]) for n in scene.LAYERS}
            header = scene.SceneHeader(told["number"], told["height"], told["width"], told["seed"], **entries)
            data: Array = llr.data.copy()
            at = 0
            for part in scene.segments(header):
                if part.layer == name:
                    data[at : at + part.bits] = 0
                at += part.bits
            yield from super().work(llr.with_data(data))

    graph.blocks["deframer"] = Eraser()
    return graph


def test_ctrl_c_leaves_what_was_done(pictures: Path, tmp_path: Path) -> None:
    run = link.graph(pictures, tmp_path).start()
    run.stop()
    result = run.wait(100)
    assert result.interrupted
    assert json.loads((tmp_path / "report.json").read_text())["interrupted"]


def test_a_full_disk_is_named(pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "report.json").symlink_to("/dev/full")
    with pytest.raises(BlockError, match=r"sink \(ImageSink\).*No space left on device"):
        link.run(pictures, tmp_path)


def test_a_full_disk_under_the_recording_is_named(pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "transmitted.sigmf-data").symlink_to("/dev/full")
    with pytest.raises(BlockError, match=r"recording \(SigMFSink\).*No space left on device"):
        link.run(pictures, tmp_path)


BAD = [
    ("source.path=nowhere.jpg", "source.*nowhere.jpg"),
    ("source.path={}/empty.jpg", "empty.jpg"),
    ("source.path={}/text.jpg", "text.jpg"),
    ("source.path={}/none", "none"),
    ("channel.snr_db=loud", "snr_db must be float, not 'loud'"),
    ("channel.snr=3", "no parameter 'snr'.*did you mean snr_db"),
    ("chanel.snr_db=3", "no block 'chanel'.*did you mean channel"),
    ("segmenter.budget=0", "budget must be above 0"),
    ("semantic_encoder.codec=png", "codec must be 'avif', 'webp', 'jpeg', 'jscc' or 'none', not 'png'"),
    ("ofdm.fft_size=128", "active must be 2 to fft_size - 2 = 126, not 180"),
    ("demod.sample_rate=1e6", "samples come at 3.84e\\+06/s, but sample_rate is 1e\\+06 Hz"),
    ("channel.profile=TDL-Z", "profile must be 'awgn'.*not 'TDL-Z'"),
]


@pytest.mark.parametrize(("setting", "said"), BAD, ids=[s.split("=")[0] + f"-{i}" for i, (s, _) in enumerate(BAD)])
def test_bad_input_gets_one_clear_message(pictures: Path, tmp_path: Path, setting: str, said: str) -> None:
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.jpg").write_text("not a picture")
    (tmp_path / "none").mkdir()
    with pytest.raises((FlowgraphError, ValueError), match=said):
        link.run(pictures, tmp_path / "out", setting.format(tmp_path))
