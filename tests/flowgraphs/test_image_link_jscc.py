"""The image link whose key region travels as joint source-channel coded symbols."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semwave.runtime import Packet

sys.path.insert(0, str(Path(__file__).parent))
import link


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return link.make_pictures(tmp_path_factory.mktemp("pictures"))


def run(pictures: Path, out: Path, *more: str) -> list[dict[str, Any]]:
    """Rows of a run."""
    link.jscc_graph(pictures, out, *more).run(timeout_s=100)
    return link.rows(out)


@pytest.fixture(scope="module")
def clear(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """A run at 25 dB."""
    return run(pictures, tmp_path_factory.mktemp("clear"), "snr_db=25")


def test_the_key_region_arrives_and_counts_as_received(clear: list[dict[str, Any]]) -> None:
    for row in clear:
        assert row["result"] == "ok"
        assert row["psnr_key"] > 25
        assert row["received"] > 0.9 * row["key_share"]


def test_every_symbol_is_counted(clear: list[dict[str, Any]]) -> None:
    """Key bytes at their MCS and raw symbols, within the budget of the semantic encoder; all of it in the payload."""
    from semwave.modulation import scene

    for row in clear:
        key, size = row["layers"]["key"], 3 * row["height"] * row["width"]
        assert key["symbols"] == key["raw_symbols"] + scene.coded_symbols(key["bytes"], 9)
        assert 0.1 * size < key["symbols"] <= 0.15 * size
        assert row["channel_uses"]["payload"] == sum(layer["symbols"] for layer in row["layers"].values())
        assert row["cbr_payload"] * size == pytest.approx(row["channel_uses"]["payload"])


def test_quality_falls_with_the_channel_and_does_not_break_off(pictures: Path, tmp_path: Path) -> None:
    """On a flat channel without fading; the bytes beside the symbols get a rate that holds at the lowest SNR."""
    same = ("profile=awgn", "framer.key_mcs=0", "semantic_encoder.mcs=0", "semantic_encoder.cbr=1.0", "source.limit=1")
    [low], [middle], [high] = (run(pictures, tmp_path / str(snr), *same, f"snr_db={snr}") for snr in (0, 5, 10))
    assert {row["result"] for row in (low, middle, high)} == {"ok"}
    assert low["psnr_key"] + 1 < middle["psnr_key"] < low["psnr_key"] + 7
    assert middle["psnr_key"] + 1 < high["psnr_key"] < middle["psnr_key"] + 7


def test_symbols_on_a_constellation_lose_a_little(pictures: Path, clear: list[dict[str, Any]], tmp_path: Path) -> None:
    rows = run(pictures, tmp_path, "snr_db=25", "semantic_encoder.constellation=256")
    for row, free in zip(rows, clear, strict=True):
        assert row["channel_uses"]["payload"] == free["channel_uses"]["payload"]
        assert 25 < row["psnr_key"] < free["psnr_key"]


def wipe(packet: Packet, name: str) -> Packet:
    """A scene packet as if a layer had failed its CRC."""
    layers = dict(packet.meta["layers"])
    layers[name] = {**layers[name], "ok": False, "length": 0}
    return packet.with_data(packet.data, layers=layers)


@pytest.mark.parametrize("name", ["mask", "prompt", "sketch", "key"])
def test_a_lost_layer_degrades_the_picture(
    pictures: Path, clear: list[dict[str, Any]], tmp_path: Path, name: str
) -> None:
    """Symbols cannot be placed without the mask, nor read without the bytes beside them; the rest needs neither."""
    from semwave.blocks.framing import Deframer

    class Loses(Deframer):
        """A deframer to which one layer is lost."""

        def work(self, llr: Packet) -> Any:
            """As the deframer, but without the layer."""
            for packet in super().work(llr):
                yield wipe(packet, name)

    graph = link.jscc_graph(pictures, tmp_path, "snr_db=25")
    graph.blocks["deframer"] = Loses()
    result = graph.run(timeout_s=100)
    for row, whole in zip(link.rows(tmp_path), clear, strict=True):
        assert row["result"] == f"{name} lost"
        if name in ("mask", "key"):
            assert row["received"] == 0
            assert row["psnr_key"] < whole["psnr_key"]
        else:
            assert row["psnr_key"] == pytest.approx(whole["psnr_key"])
    misplaced = result["decoder"].counts.get("key regions whose place was lost with the mask", 0)
    assert misplaced == (2 if name == "mask" else 0)


def test_symbols_lost_in_part_are_named(pictures: Path, tmp_path: Path) -> None:
    from semwave.blocks.modem import OfdmDemodulator

    class Fades(OfdmDemodulator):
        """A demodulator whose last third of raw symbols never came."""

        def work(self, samples: Packet) -> Any:
            """As the demodulator."""
            for port, packet in super().work(samples):
                yield port, _without_a_third(packet)

    graph = link.jscc_graph(pictures, tmp_path, "snr_db=25")
    graph.blocks["demod"] = Fades()
    graph.run(timeout_s=100)
    for row in link.rows(tmp_path):
        assert row["result"] == "33 % of key lost"
        assert row["psnr_key"] > 18


def _without_a_third(packet: Packet) -> Packet:
    raw = packet.meta.get("raw")
    if raw is None:
        return packet
    noise = raw["key"]["noise_variance"].copy()
    noise[2 * noise.size // 3 :] = np.inf
    return packet.with_data(packet.data, raw={"key": {**raw["key"], "noise_variance": noise}})


def test_a_budget_without_room_is_counted(pictures: Path, tmp_path: Path) -> None:
    graph = link.jscc_graph(pictures, tmp_path, "semantic_encoder.cbr=0.01")
    result = graph.run(timeout_s=100)
    assert result["semantic_encoder"].counts["key layers that did not fit"] == 2
    assert all(row["received"] == 0 for row in link.rows(tmp_path))
