"""The OFDM blocks with other estimators and with clipping: a scene comes through, and the figures say what was done."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from semwave.blocks.basic import VectorSink
from semwave.blocks.channel import AwgnChannel
from semwave.blocks.framing import Framer
from semwave.blocks.modem import OfdmDemodulator, OfdmModulator, QamMapper
from semwave.runtime import Flowgraph, Frames, Out, Packet, Source


class Key(Source):
    """One key layer."""

    layer = Out(Frames(np.uint8, ("byte",)))

    def packets(self) -> Iterator[Packet]:
        """One."""
        yield Packet(np.arange(200, dtype=np.uint8), meta={"number": 0, "height": 9, "width": 9, "codec": 1})


def received(estimator: str = "wiener", papr_limit_db: float | None = None) -> tuple[Any, Any]:
    graph = Flowgraph(seed=5).add(
        keys=Key(), framer=Framer(), mapper=QamMapper(), ofdm=OfdmModulator(papr_limit_db=papr_limit_db),
        channel=AwgnChannel(snr_db=25.0), demod=OfdmDemodulator(estimator=estimator), llr=VectorSink(),
        sent=VectorSink(),
    )  # fmt: skip
    graph.connect("keys > framer > mapper > ofdm.samples > channel > demod.llr > llr", "ofdm.samples > sent")
    graph.run(timeout_s=60)
    sinks: Any = graph.blocks
    [packet] = sinks["llr"].packets
    return packet, sinks["sent"].data


@pytest.mark.parametrize("estimator", ["wiener", "ls", "dft"])
def test_every_estimator_receives(estimator: str) -> None:
    packet, _ = received(estimator)
    assert packet.meta["status"] == "ok"
    assert packet.data.size > 1000


def test_clipping_costs_error_vector_for_peaks() -> None:
    plain, high = received()
    clipped, low = received(papr_limit_db=4.0)
    assert np.abs(low).max() < np.abs(high).max()
    assert clipped.meta["status"] == "ok"
    assert clipped.meta["report"]["evm_db"] > plain.meta["report"]["evm_db"]
