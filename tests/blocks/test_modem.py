"""The modem's blocks on what goes wrong: NaN samples, senseless tags, cut-off bursts."""

from collections.abc import Iterator

import numpy as np
import pytest

from semwave.blocks.basic import VectorSink
from semwave.blocks.framing import Deframer, Framer
from semwave.blocks.modem import OfdmDemodulator, OfdmModulator, QamMapper
from semwave.runtime import Array, BlockError, Flowgraph, Frames, Out, Packet, Result, Source, Stream, Tag


class Keys(Source):
    """Key layers."""

    layer = Out(Frames(np.uint8, ("byte",)))
    count: int = 1
    raw: int = 0

    def packets(self) -> Iterator[Packet]:
        """A few."""
        for i in range(self.count):
            meta = {"number": i, "height": 9, "width": 9, "codec": 1}
            if self.raw:
                meta |= {"codec": 2, "raw": symbols(self.raw, i)}
            yield Packet(np.arange(200, dtype=np.uint8), meta=meta)


def symbols(n: int, seed: int) -> Array:
    """Gaussian, of unit mean power."""
    parts = np.random.default_rng(seed).standard_normal((n, 2)).astype(np.float32) * np.float32(np.sqrt(0.5))
    return parts.view(np.complex64)[:, 0]


def transmitted(count: int, raw: int = 0) -> Array:
    sink = VectorSink()
    graph = Flowgraph().add(
        keys=Keys(count=count, raw=raw), framer=Framer(), mapper=QamMapper(), ofdm=OfdmModulator(), sink=sink
    )
    graph.connect("keys > framer > mapper > ofdm.samples > sink").run(timeout_s=60)
    return sink.data


def received(samples: Array) -> tuple[list[Packet], Result]:
    source, sink = _source(samples), VectorSink()
    graph = Flowgraph().add(source=source, demod=OfdmDemodulator(), deframer=Deframer(), sink=sink)
    result = graph.connect("source > demod.llr > deframer > sink").run(timeout_s=60)
    return sink.packets, result


def _source(data: Array) -> Source:
    class Made(Source):
        """Those samples."""

        samples = Out(Stream(np.complex64, sample_rate=3.84e6))

        def packets(self) -> Iterator[Packet]:
            """In pieces."""
            for at in range(0, len(data), 4000):
                yield Packet(data[at : at + 4000])

    return Made()


def test_samples_that_are_no_numbers_are_counted_and_said() -> None:
    samples = transmitted(2)
    samples[5:90] = np.nan
    samples[100] = np.inf
    packets, result = received(samples)
    assert [p.meta["layers"]["key"]["ok"] for p in packets] == [True, True]
    assert result["demod"].counts["NaN or infinite samples"] == 86
    assert result.warnings == ["demod: 86 samples were NaN or infinite and were treated as silence"]


def test_a_burst_of_nothing_but_nan_is_no_burst() -> None:
    packets, _ = received(np.full(20_000, np.nan, np.complex64))
    assert packets == []


def test_a_burst_cut_off_by_the_end_is_reported() -> None:
    samples = transmitted(1)
    packets, result = received(samples[: len(samples) // 2])
    assert len(packets) == 1
    assert packets[0].meta["status"] in ("truncated", "header")
    assert not packets[0].meta.get("layers", {}).get("key", {}).get("ok")
    assert sum(n for what, n in result["demod"].counts.items() if what.startswith("bursts")) == 1


def test_raw_symbols_come_back_equalised_with_the_noise_that_is_on_them() -> None:
    """The variance told is that of the error: within the confidence interval of its mean (relative 4 sqrt(1 / n))."""
    n, n0 = 3000, 0.02
    samples = transmitted(2, raw=n)
    packets, result = received(samples + symbols(len(samples), 77) * np.float32(np.sqrt(n0)))
    for i, packet in enumerate(packets):
        assert packet.meta["layers"]["key"]["ok"]
        raw = packet.meta["raw"]["key"]
        error = np.abs(raw["symbols"] - symbols(n, i)) ** 2
        assert np.mean(raw["noise_variance"]) == pytest.approx(n0, rel=0.2)
        assert np.mean(error / raw["noise_variance"]) == pytest.approx(1, abs=4 / np.sqrt(n) + 0.1)
    assert result["deframer"].counts["key symbols ok"] == 2 * n


def test_symbols_beyond_a_cut_are_lost_and_counted() -> None:
    samples = transmitted(1, raw=3000)
    packets, result = received(samples[: 3 * len(samples) // 4])
    raw = packets[0].meta["raw"]["key"]
    there = np.isfinite(raw["noise_variance"])
    assert packets[0].meta["status"] == "truncated"
    assert 0.4 < there.mean() < 0.9
    assert np.abs(raw["symbols"][there] - symbols(3000, 0)[there]).max() < 0.1
    assert result["deframer"].counts["key symbols lost"] == (~there).sum()


@pytest.mark.parametrize(
    ("tag", "said"),
    [
        (Tag(3, "raw", np.zeros(2)), "tag raw must be complex64"),
        (Tag(3, "modulation", 16), "modulation changes at bit 3, 1 bits into a symbol of 2 bits"),
        (Tag(4, "modulation", 5), "tag modulation at 4 is 5; it must be a constellation size"),
    ],
)
def test_a_modulation_tag_that_makes_no_sense_is_named(tag: Tag, said: str) -> None:
    class Bits(Source):
        """Bits with that tag."""

        bits = Out(Stream(np.uint8))

        def packets(self) -> Iterator[Packet]:
            """Once."""
            yield Packet(np.zeros(12, np.uint8), 0, (tag,))

    graph = Flowgraph().add(bits=Bits(), mapper=QamMapper(order=4), sink=VectorSink()).connect("bits > mapper > sink")
    with pytest.raises(BlockError, match=said):
        graph.run(timeout_s=20)
