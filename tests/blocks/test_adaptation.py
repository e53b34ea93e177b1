"""The link that adapts itself: what it decides as the channel changes, what it does when reports or frames are lost."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semwave.blocks.adaptation import Air, LinkAdapter
from semwave.blocks.basic import VectorSink
from semwave.modulation import adaptation
from semwave.runtime import Context, Flowgraph, Frames, Out, Packet, ParameterError, Result, Source, text_of

sys.path.insert(0, str(Path(__file__).parent))
import examples_link as link

LIGHT: dict[str, Any] = {
    "segmenter": "spectral", "codec": "webp", "cbr": 0.3, "caption": "off", "sketch_bytes": 0,
    "profile": "awgn", "doppler_hz": 0.0, "swing_db": 0.0,
}  # fmt: skip


class Again(Source):
    """One picture many times."""

    count: int = 4

    image = Out(Frames(np.uint8, ("row", "column", 3)))

    def packets(self) -> Any:
        """Numbered."""
        for number in range(self.count):
            yield Packet(link.PICTURES[0].data, meta={"number": number, "name": str(number)})


def run(count: int = 4, **parameters: Any) -> tuple[list[dict[str, Any]], list[Packet], Result]:
    """Decisions, scenes and counts."""
    decisions, scenes = VectorSink(), VectorSink()
    graph = Flowgraph(seed=4).add(
        source=Again(count=count), link=LinkAdapter(**{**LIGHT, **parameters}), a=decisions, b=scenes
    )
    result = graph.connect("source > link.decision > a", "link.scene > b").run(timeout_s=100)
    return [json.loads(text_of(p)) for p in decisions.packets], scenes.packets, result


def test_starts_robust_and_rises_to_what_the_channel_carries() -> None:
    rows, scenes, _ = run(snr_db=20.0)
    assert (rows[0]["key_mcs"], rows[0]["robust_mcs"], rows[0]["age_frames"]) == (0, 0, None)
    assert rows[1]["key_mcs"] > 8
    assert [row["age_frames"] for row in rows[1:]] == [1] * 3
    assert all(row["key_ok"] for row in rows)
    assert len(scenes) == 4


def test_a_bad_channel_leaves_more_to_generation() -> None:
    """Two bits a key pixel are asked for: all of the key region has them at 20 dB, a quarter of it hardly at 0 dB."""
    good, bad = (run(2, snr_db=snr, least_bits=2.0, cbr=0.1)[0][-1] for snr in (20.0, 0.0))
    assert good["key_share"] == pytest.approx(0.35)
    assert bad["key_share"] < 0.5 * good["key_share"]


def test_without_reports_it_stays_with_the_most_robust_scheme() -> None:
    rows, _, result = run(4, snr_db=20.0, feedback_loss=1.0)
    assert {row["key_mcs"] for row in rows} == {0}
    assert result["link"].counts["reports lost"] == 4


def test_a_delay_is_kept() -> None:
    rows, _, _ = run(4, snr_db=20.0, delay=2)
    assert [row["age_frames"] for row in rows] == [None, None, 2, 2]


def test_fixed_is_fixed() -> None:
    rows, _, _ = run(3, snr_db=20.0, policy="fixed", key_mcs=7, robust_mcs=2)
    assert [(row["key_mcs"], row["robust_mcs"]) for row in rows] == [(7, 2)] * 3


def test_frames_that_never_come_are_counted() -> None:
    rows, scenes, result = run(3, snr_db=-30.0)
    assert not scenes
    assert not any(row["key_ok"] for row in rows)
    assert result["link"].counts["bursts not found"] == 3


def test_symbols_get_bytes_beside_them_that_hold() -> None:
    rows, scenes, _ = run(3, codec="jscc", key_model="linear", cbr=2.0, snr_db=20.0)
    assert all(row["key_mcs"] == row["robust_mcs"] for row in rows)
    assert scenes[-1].meta["raw"]["key"]["symbols"].size > 500


def test_the_air_swings() -> None:
    ctx = Context("link", 3, {}, {}, 8192)
    air = Air(ctx, {"profile": "awgn", "snr_db": 15.0}, 0.02, 6.0, 0.08)
    seen = []
    for number in range(4):  # 0, a quarter, a half, three quarters of the period
        key = Packet(np.arange(60, dtype=np.uint8), meta={"number": number, "height": 9, "width": 9, "codec": 1})
        _, told, samples, _ = air.send({"key": key}, adaptation.Decision(0, 1, None))
        seen.append(told.snr_db)
        assert samples.size == round(0.02 * 3.84e6)
    assert seen == pytest.approx([15, 21, 15, 9], abs=1.0)


def test_bad_parameters_are_named() -> None:
    with pytest.raises(ParameterError, match="delay must be at least 1 frames, not 0"):
        LinkAdapter(delay=0)
    with pytest.raises(ParameterError, match="segmenter must be lite, tiny, spectral, centre or hub:ID, not 'big'"):
        LinkAdapter(segmenter="big")
    with pytest.raises(ParameterError, match="caption must be own, off, hub:ID-OR-FOLDER or text:WORDS, not 'big'"):
        LinkAdapter(caption="big")
