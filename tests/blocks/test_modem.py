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

    def packets(self) -> Iterator[Packet]:
        """A few."""
        for i in range(self.count):
            yield Packet(np.arange(200, dtype=np.uint8), meta={"number": i, "height": 9, "width": 9, "codec": 1})


def transmitted(count: int) -> Array:
    sink = VectorSink()
    graph = Flowgraph().add(
        keys=Keys(count=count), framer=Framer(), mapper=QamMapper(), ofdm=OfdmModulator(), sink=sink
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


@pytest.mark.parametrize(
    ("tag", "said"),
    [
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
