import numpy as np
import pytest
from jig import Example, frames, run, stream


@pytest.mark.parametrize("modulation", ["bpsk", "qpsk", "8psk"])
def test_bytes_come_back_with_their_facts(modulation, tmp_path):
    rng = np.random.default_rng(1)
    payloads = [rng.integers(0, 256, n).astype(np.uint8) for n in (1, 95, 300)]
    options = {"modulation": modulation, "scramble": True}
    sent = run(Example("GrOfdmTransmitter", options, {"payload": frames(*payloads)}), tmp_path)
    x = sent.data("samples")
    bursts = [(t.at, t.value) for t in sent.tags("samples") if t.key == "burst"]
    assert bursts[0][0] == 160
    assert x.size == sum(length for _, length in bursts) + 4 * 160
    turned = x * np.exp(2j * np.pi * 0.4 / 64 * np.arange(x.size)) + 0.1 * (rng.standard_normal((x.size, 2)) @ [1, 1j])
    got = run(Example("GrOfdmReceiver", options, {"samples": stream(turned.astype(np.complex64))}), tmp_path)
    for packet, payload, (at, _), number in zip(got.packets["payload"], payloads, bursts, range(3), strict=True):
        np.testing.assert_array_equal(packet.data, payload)
        meta = packet.meta
        assert (meta["status"], meta["crc_ok"], meta["packet_num"]) == ("ok", True, number)
        assert abs(meta["at"] - at) <= 2
        assert meta["cfo"] == pytest.approx(0.4, abs=0.01)
        assert meta["snr_db"] > 25
        assert meta["evm_db"] < -25


def test_what_is_lost_is_counted(tmp_path):
    from jig import Feeder, Keep

    from semwave.modulation.gnuradio_ofdm import Transmitter
    from semwave.runtime import Flowgraph

    x = Transmitter().frame(bytes(range(60)))
    x[320:400] = 0
    x[700] = np.nan
    feed = stream(np.concatenate([x, np.zeros(90, np.complex64)]))
    graph = Flowgraph().add(feed=Feeder().load(feed, False), rx=Example("GrOfdmReceiver").make(tmp_path), out=Keep())
    graph.connect("feed > rx > out")
    result = graph.run(timeout_s=60)
    assert [p.meta["status"] for p in graph.blocks["out"].packets] == ["crc"]
    assert result["rx"].counts == {"packets crc": 1, "NaN or infinite samples": 1}
